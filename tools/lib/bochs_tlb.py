"""What Bochs's debugger shows of its TLBs, as entries: of `show "DTLB"` and `show "ITLB"`, or of `tlb ADDRESS`, which shows the place in
each that an address falls on.

Both TLBs are direct-mapped, and hold a large page in pieces of 4 KiB.  Of a place that is not in use only `lpf` says so, by its low bits;
the rest of it is what was there before.
"""

import re
from typing import NamedTuple

PLACES = {"DTLB": 2048, "ITLB": 1024}
PAGE = 0x1000
NO_HOST_POINTER = 0x800  # in `lpf`: what is there is no plain memory

# accessBits: rights that what filled the entry has proven, not those that the tables give.
READ, READ_USER, WRITE, WRITE_USER = 1, 2, 4, 8  # of the DTLB
EXEC, EXEC_USER = 1, 2  # of the ITLB
GLOBAL = 0x80000000
WORDS = {"DTLB": {READ: "read", READ_USER: "user read", WRITE: "write", WRITE_USER: "user write"}, "ITLB": {EXEC: "exec", EXEC_USER: "user exec"}}

FIELDS = ["lpf", "lpf_mask", "ppf", "accessBits", "pkey", "memtype"]
SHOWN = re.compile(r"show param name: <(?P<tlb>[DI]TLB)|entry(?P<slot>\d+) = \{\s*" + r"\s*".join(rf"{name} = 0x(?P<{name}>[0-9a-f]+)" for name in FIELDS))


class Entry(NamedTuple):
    tlb: str  # "DTLB" or "ITLB"
    slot: int
    page: int  # linear
    frame: int  # physical, of these 4 KiB
    size: int  # of the page that they are of
    access: int  # READ and so on, GLOBAL
    key: int
    memory: int  # its memory type: 0 UC, 1 WC, 4 WT, 5 WP, 6 WB
    plain: bool  # plain memory, which Bochs reaches directly

    @property
    def is_global(self):
        return bool(self.access & GLOBAL)

    @property
    def rights(self):
        """In words, such as "read, user read"."""
        return ", ".join(word for bit, word in WORDS[self.tlb].items() if self.access & bit)

    def __str__(self):
        part = f" part of {self.size:#x}" if self.size > PAGE else ""
        return f"{self.tlb} {self.slot}: {self.page:#x} -> {self.frame:#x}{part} ({self.rights}{', global' if self.is_global else ''})"


def slot(tlb, page):
    """The place that a page falls on."""
    return page // PAGE % PLACES[tlb]


def parse(shown):
    """The entries in use, in the order in which they are shown. What is shown may be of several commands."""
    entries, tlb = [], None
    for match in SHOWN.finditer(shown):
        if match["tlb"]:
            tlb = match["tlb"]
            continue
        lpf, mask, frame, access, key, memory = (int(match[name], 16) for name in FIELDS)
        if lpf % PAGE == PAGE - 1:
            continue
        entries.append(Entry(tlb, int(match["slot"]), lpf & -PAGE, frame, mask + 1, access, key, memory, not lpf & NO_HOST_POINTER))
    return entries


def all_entries(machine):
    """All that both TLBs of a machines.Bochs hold, which must have a debugger."""
    return parse("".join(machine.ask_debugger('show "DTLB"', 'show "ITLB"')))


def entries_at(machine, pages):
    """What is in the places that these pages fall on, each place once: far quicker than all."""
    places = {slot("DTLB", page): page for page in pages}
    return list(dict.fromkeys(parse("".join(machine.ask_debugger(*[f"tlb {page:#x}" for page in places.values()])))))
