"""Commands for gdb on a QEMU that runs tlbsh: lab-walk, lab-stop, lab-help. Loaded by tools/gdb."""

import os
import re
import sys

import gdb  # pylint: disable=import-error

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from kernel_names import STOPS  # noqa: E402: found by the line above

HELP = """lab-walk VA     walks the paging structures in memory for VA, as CR3 and CR4 stand now
lab-stop WHAT   a breakpoint before each read, write, exec, invlpg, invpcid, cr0, cr3 or cr4
lab-help        this
b kernel_main   in both kernels; 'c' goes on, Ctrl-C stops, 'q' ends all
The machine is stopped at its reset vector: 'c' boots it. The shell is on the serial line."""

# Level by level from the root: name, index's lowest bit, index bits. As in src/paging/format.c.
FORMATS = {
    "32-bit paging": (4, [("PDE", 22, 10), ("PTE", 12, 10)]),
    "PAE paging": (8, [("PDPTE", 30, 2), ("PDE", 21, 9), ("PTE", 12, 9)]),
    "4-level paging": (8, [("PML4E", 39, 9), ("PDPTE", 30, 9), ("PDE", 21, 9), ("PTE", 12, 9)]),
    "5-level paging": (8, [("PML5E", 48, 9), ("PML4E", 39, 9), ("PDPTE", 30, 9), ("PDE", 21, 9), ("PTE", 12, 9)]),
}
FLAGS = [(0, "P"), (1, "RW"), (2, "US"), (3, "PWT"), (4, "PCD"), (5, "A"), (6, "D"), (7, "PS"), (8, "G"), (63, "XD")]


def register(name):
    """A control register; 0 where this machine has none of that name. gdb sees flags in them, of a width that depends: the number is in what it
    prints."""
    said = re.match(rf"{name}\s+(0x[0-9a-f]+)", gdb.execute(f"info registers {name}", to_string=True))
    return int(said[1], 16) if said else 0


def physical(at, size):
    """Reads physical memory, which gdb itself cannot."""
    said = gdb.execute(f"monitor xp /1x{'g' if size == 8 else 'w'} {at:#x}", to_string=True)
    return int(re.search(r": (0x[0-9a-f]+)", said)[1], 16)


def paging():
    cr0, cr4, efer = register("cr0"), register("cr4"), register("efer")
    if not cr0 >> 31 & 1:
        return None
    if efer >> 10 & 1:
        return "5-level paging" if cr4 >> 12 & 1 else "4-level paging"
    return "PAE paging" if cr4 >> 5 & 1 else "32-bit paging"


def has_page(level, entry, mode, pse):
    return level == "PTE" or (entry >> 7 & 1 and (level == "PDE" and (pse or mode != "32-bit paging") or level == "PDPTE" and mode != "PAE paging"))


def walk(va):
    """Lines: an entry each, and where it ends."""
    mode = paging()
    if mode is None:
        yield "paging is off"
        return
    size, levels = FORMATS[mode]
    table = register("cr3") & (0xffffffe0 if mode == "PAE paging" else (1 << 52) - 0x1000)
    pse = register("cr4") >> 4 & 1
    yield f"{mode}, root at {table:#x}"
    for level, shift, bits in levels:
        index = va >> shift & (1 << bits) - 1
        at = table + index * size
        entry = physical(at, size)
        flags = " ".join(name for bit, name in FLAGS if entry >> bit & 1)
        yield f"{level:5}  {index:4}  at {at:#x}  {entry:#x}  {flags}"
        if not entry & 1:
            yield f"{va:#x}: not present"
            return
        table = entry & (1 << 52) - 0x1000
        if has_page(level, entry, mode, pse):
            yield f"{va:#x} -> {(table >> shift << shift) + (va & (1 << shift) - 1):#x}"
            return


class LabWalk(gdb.Command):
    """lab-walk VA: walks the paging structures in memory for VA."""

    def __init__(self):
        super().__init__("lab-walk", gdb.COMMAND_DATA, gdb.COMPLETE_SYMBOL)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("lab-walk VA: which address?")
        for line in walk(int(gdb.parse_and_eval(f"(unsigned long long)({argument})")) & (1 << 64) - 1):
            print(line)


class LabStop(gdb.Command):
    """lab-stop WHAT: a breakpoint before each read, write, exec, invlpg, invpcid, cr0, cr3 or cr4."""

    def __init__(self):
        super().__init__("lab-stop", gdb.COMMAND_BREAKPOINTS)

    def invoke(self, argument, from_tty):
        if argument not in STOPS:
            raise gdb.GdbError(f"lab-stop WHAT: {', '.join(STOPS)}")
        for name in STOPS[argument]:
            gdb.Breakpoint(name, internal=False)


class LabHelp(gdb.Command):
    """lab-help: what there is beyond gdb's own commands."""

    def __init__(self):
        super().__init__("lab-help", gdb.COMMAND_SUPPORT)

    def invoke(self, argument, from_tty):
        print(HELP)


for command in (LabWalk, LabStop, LabHelp):
    command()
print(HELP)
