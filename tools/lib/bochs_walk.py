"""What Bochs's `trace-mem` shows of one access: the page walk's reads, its write-backs of A and D, and the access itself, with the fields of
each entry by name."""

import re
from typing import NamedTuple

# SDM, Paging: the flags of an entry that refers to a table or maps a page. Bit 6 and bits 8 up mean something in an entry that maps a page
# only, bit 7 is PS above the PTE and PAT in it, bit 63 is XD where entries have 8 bytes.
FLAGS = [(0, "P"), (1, "RW"), (2, "US"), (3, "PWT"), (4, "PCD"), (5, "A")]
LEAF_FLAGS = [(6, "D"), (8, "G")]
LEVELS = ["PML5E", "PML4E", "PDPTE", "PDE", "PTE"]
ACCESS = re.compile(r"\[CPU0 (RD|WR|RW)\]: (?:LIN 0x([0-9a-f]+) )?PHY 0x([0-9a-f]+) \(len=(\d+), \w+\):((?: 0x[0-9A-Fa-f]+)+)(?:\s*; (\S+))?")
PAGE = 0x1000


class Access(NamedTuple):
    op: str  # "read" or "write"
    linear: int  # None: made by the page walk, with a physical address
    physical: int
    size: int
    value: int
    level: str  # of the walk's: PML4E, PDPTE, PDE, PTE; of a load of PDPTE registers: PDPTR0 to PDPTR3

    @property
    def is_walk(self):
        return self.linear is None

    @property
    def index(self):
        """Which entry of its table it is."""
        return self.physical % PAGE // self.size

    @property
    def is_leaf(self):
        return self.level == "PTE" or (self.level in ("PDE", "PDPTE") and bool(self.value >> 7 & 1))

    def flags(self):
        names = FLAGS + ([(7, "PAT" if self.level == "PTE" else "PS")] + LEAF_FLAGS if self.is_leaf else [])
        if self.size == 8:
            names = names + [(63, "XD")]
        return [name for bit, name in names if self.value >> bit & 1]

    def means(self):
        """What the entry leads to."""
        if not self.value & 1:
            return "not present"
        low = {"PDPTE": 30, "PDE": 22 if self.size == 4 else 21, "PTE": 12}.get(self.level, 12) if self.is_leaf else 12
        address = self.value >> low << low & (1 << 52) - 1
        return f"{'page' if self.is_leaf else 'table'} at {address:#x}"


def parse(shown):
    """The accesses in what the debugger said, in order."""
    found = []
    for op, linear, physical, size, words, level in ACCESS.findall(shown):
        value = 0
        for word in words.split():  # the most significant half first
            value = value << 32 | int(word, 16)
        found.append(Access("write" if op == "WR" else "read", int(linear, 16) if linear else None, int(physical, 16), int(size), value, level or None))
    return found


class Walk(NamedTuple):
    reads: list  # the walk's, level by level
    writes: list  # the entries that it wrote back, with A or D set
    access: Access  # what it was for; None where it ended in a fault, or was a fetch (which the trace does not show)
    delivery: list  # what was read and written to deliver a fault


def of(accesses, va):
    """Sorts the accesses of one step. Those of another page's walk (the stack of a call, say) are left out."""
    reads, writes, access, delivery = [], [], None, []
    for one in accesses:
        if one.is_walk:
            if one.op == "read" and writes and not delivery:
                reads, writes = [], []
            (reads if one.op == "read" else writes).append(one)
        elif one.linear // PAGE == va // PAGE and not delivery:
            access = one
        else:
            delivery.append(one)
    return Walk(reads, writes, access, delivery)


def row(one):
    """An access of the walk as a record."""
    return {"op": one.op, "level": one.level, "index": one.index, "at": f"{one.physical:#x}", "entry": f"{one.value:#x}", "means": one.means(),
            "flags": one.flags()}


def lines(walk):
    """The walk as a person reads it."""
    for one in walk.reads:
        yield f"read   {one.level:5}  {one.index:4}  at {one.physical:#x}  {one.value:#x}  {one.means()}, {' '.join(one.flags()) or 'no flag'}"
    before = {one.physical: one for one in walk.reads}
    for one in walk.writes:
        added = [flag for flag in one.flags() if one.physical in before and flag not in before[one.physical].flags()]
        yield f"write  {one.level:5}  {one.index:4}  at {one.physical:#x}  {one.value:#x}  sets {' and '.join(added)}"
    if walk.access:
        yield f"{walk.access.op:5}  {walk.access.size} bytes at {walk.access.linear:#x}, physical {walk.access.physical:#x}: {walk.access.value:#x}"
    if walk.delivery:
        yield f"a fault: {len(walk.delivery)} reads and writes of the kernel's own memory deliver it"
