"""Random commands for a booted machine and its simulated twin, and the comparison of what the two answer.

A sequence is a list of episodes.  Each begins with `reset` and known settings, so that it can be repeated by itself; when the answers
differ, the episode is shortened to the few commands that it takes, which is what the failure shows.

What is left out of the comparison, and why:

- Ticks and clocks: an emulator's cost, not a CPU's.
- EFLAGS in `regs`: the arithmetic flags are what the kernel's last comparison left.

What the sequences keep clear of, and why:

- The kernel's own accesses fill the same TLB, and the simulated machine has no kernel in it.  The addresses below fall on entries that
  the kernel leaves alone: of Bochs's TLBs those numbered below 0x100, of TCG's those whose page number ends in 0x78 to 0x7f.  Before an
  access to the 1 GiB page, whose frame is identity-mapped on the same entry, an INVLPG comes.
- TCG finds translated code by its linear address in a table of its own, before it looks at its TLB, and the kernel's code competes for
  the places there.  So a fetch may be stale though a data access is fresh, and which ones is chance: on TCG an INVLPG comes before each.
- A 4 KiB piece of a large page and the identity-mapped page of its frame fall on the same entry of TCG's TLB (both are aligned to 2 MiB),
  and the kernel reads that frame to judge the access.  Ring 3 has a TLB of its own; in ring 0 an INVLPG comes before the access.
"""

import random

NOT_COMPARED = {"ticks", "clock", "min_ticks", "max_ticks"}
EPISODE = 70
BATCH = 40

LARGE = {"32": "4m", "pae": "2m", "4level": "2m", "5level": "2m"}
LEVELS = {"32": ["PDE"], "pae": ["PDE"], "4level": ["PDE", "PDPTE", "PML4E"], "5level": ["PDE", "PDPTE", "PML4E", "PML5E"]}
# Reserved bits of a PTE, and of a PDE with PS set; bit 12 of the latter is PAT, and no reserved bit.
RESERVED_PTE = {"32": [], "pae": [1 << 45, 1 << 60], "4level": [1 << 45], "5level": [1 << 45]}
RESERVED_PDE = {"32": [1 << 21, 1 << 12], "pae": [1 << 13, 1 << 60, 1 << 12], "4level": [1 << 13, 1 << 51, 1 << 12], "5level": [1 << 20]}
# The first two are for small pages only. Of Bochs's, two and two fall on the same entry.
PAGES = {"bochs": [0x40078000, 0x40079000, 0x40878000, 0x4087b000, 0x8007d000],
         "qemu-tcg": [0x40078000, 0x40079000, 0x4087b000, 0x4087c000, 0x8007d000]}
GIGABYTE_PAGE = 0xc0478000  # in a 1 GiB page of the physical memory from 0 on: frame M0
SETTINGS = {"cr0.wp": 1, "cr4.pse": 1, "cr4.pge": 1, "cr4.smep": 0, "cr4.smap": 0}
SETTINGS_MORE = {"32": {}, "pae": {"efer.nxe": 1}, "4level": {"efer.nxe": 1}, "5level": {"efer.nxe": 1}}
SETTINGS_PLATFORM = {("bochs", "4level"): {"cr4.pcide": 0}, ("qemu-tcg", "4level"): {"cr4.pke": 0}, ("qemu-tcg", "5level"): {"cr4.pke": 0}}


class Episode:
    """Lines to type: `start` makes the machine as new, `lines` follow. The seed decides them all."""

    def __init__(self, profile, mode, seed):
        self.profile, self.mode, self.random = profile, mode, random.Random(seed)
        self.pages = PAGES[profile]
        self.large_from = self.pages[2] & ~0x3fffff
        self.written = 0
        self.settings = {**SETTINGS, **SETTINGS_MORE[mode], **SETTINGS_PLATFORM.get((profile, mode), {})}
        self.start = ["reset"] + [f"set {name}={value}" for name, value in self.settings.items()]
        self.lines = []
        while len(self.lines) < EPISODE:
            self.lines += self.command()

    def command(self):
        kind = self.random.random()
        if kind < 0.37:
            return [self.edit()]
        if kind < 0.84:
            return self.access()
        if kind < 0.96:
            return [self.flush()]
        return [f"set {self.random.choice(list(self.settings))}={self.random.randrange(2)}"]

    def some(self, *words):
        return self.random.choice(words)

    def flags(self):
        words = [word for word, chance in (("user", 0.6), ("ro", 0.25), ("g", 0.25), ("a", 0.08), ("d", 0.08)) if self.random.random() < chance]
        return " ".join(words + (["nx"] if self.mode != "32" and self.random.random() < 0.1 else []))

    def level(self, va):
        return f"{va:#x}/{self.some(*LEVELS[self.mode])}" if self.random.random() < 0.3 else f"{va:#x}"

    def edit(self):
        va = self.some(*self.pages)
        change = ["+w", "-w", "+u", "-u", "+g", "-g"] + (["+nx", "-nx"] if self.mode != "32" else [])
        return self.some(*[self.map_small] * 5, *[self.map_large] * 2, lambda: f"unmap {va:#x}{self.some('', ' keep')}",
                         *[lambda: f"protect {self.level(va)} {self.some(*change)}"] * 3, lambda: f"global {va:#x} {self.some('on', 'off')}",
                         self.write_pte, self.write_pde, self.write_pdpte, lambda: f"clear-ad {self.level(va)}", lambda: f"split {va:#x}",
                         lambda: f"merge {va:#x}", lambda: "undo")()

    def map_small(self):
        return f"map {self.some(*self.pages):#x} {self.some(*'ABCDEF')} {self.flags()}"

    def map_large(self):
        return f"map {self.some(*self.pages[2:]) & ~0x3fffff:#x} {self.some('M0', 'M1')} {self.flags()} {LARGE[self.mode]}"

    def write_pte(self):
        bits = self.some(7, 5, 3, 0x67, 0x27, 0x107, 0x147, 6, 0, 1) | self.some(0, 0, 0, *RESERVED_PTE[self.mode])
        return f"pte {self.some(*self.pages):#x} = {self.some(*'ABCDEF')} | {bits:#x}"

    def write_pde(self):
        bits = self.some(0x87, 0x85, 0x83, 0xe7, 0x187, 0x86) | self.some(0, 0, *RESERVED_PDE[self.mode])
        return f"pte {self.some(*self.pages[2:]):#x}/PDE = {self.some('M0', 'M1')} | {bits:#x}"

    def write_pdpte(self):
        """A PDPTE of PAE with R/W set is an error that its next load finds, of 64-bit paging with PS set a 1 GiB page."""
        if self.mode == "32":
            return self.write_pde()
        if self.mode == "pae":
            return f"pte 0xc0000000/PDPTE = {self.some('0', '0', '0x300003', '0x300001')}"
        return f"pte {GIGABYTE_PAGE:#x}/PDPTE = {self.some(0x87, 0x85, 0x83, 0xe7, 0x2087, 0x1087, 0):#x}"

    def access(self):
        va, ring = self.some(*self.pages), self.some("", " user")
        if self.mode in ("4level", "5level") and self.random.random() < 0.05:
            va = GIGABYTE_PAGE
        at = va + self.some(0, 0, 8, 0x100)
        self.written += 1
        line = self.some(*[f"read {at:#x}{ring}"] * 4, *[f"write {at:#x} {0x5500 + self.written:#x}{ring}"] * 3, *[f"exec {va:#x}{ring}"] * 2,
                         f"touch {self.some('r', 'w', 'x')} {va:#x}{ring}{self.some('', ' x3')}", f"cached? {va:#x}{ring}", f"walk {va:#x}",
                         self.some("maps", "regs"))
        return ([f"invlpg {va:#x}"] if self.keeps_clear(line, va, ring) else []) + [line]

    def keeps_clear(self, line, va, ring):
        """Whether an INVLPG has to come first; see above."""
        fetches, looks = line.startswith(("exec", "touch x")), line.startswith(("walk", "maps", "regs"))
        if self.profile == "bochs":
            return va == GIGABYTE_PAGE and not looks
        return fetches or (va >= self.large_from and not ring and not looks)

    def flush(self):
        va = self.some(*self.pages)
        lines = [f"invlpg {va:#x}"] * 5 + ["cr3", "cr3", "pge", f"invlpg {va:#x} user", f"invlpg 0x1000 seg {va - 0x1000:#x}", f"invlpg {va + 0x1000:#x}"]
        if self.mode in ("32", "pae"):
            lines += ["task-switch", "pg"]
        elif self.profile == "bochs":
            lines += [f"invpcid {self.random.randrange(5)}", f"invpcid 0 0 {va:#x}", "cr3 noflush"]
        return self.some(*lines)


def comparable(value):
    """The part of a record in which the two have to agree."""
    if isinstance(value, dict):
        return {key: comparable(inner) for key, inner in value.items() if key not in NOT_COMPARED}
    if isinstance(value, list):
        return [comparable(inner) for inner in value if not (isinstance(inner, dict) and inner.get("name") == "FLAGS")]
    return value


class Twins:
    """A booted machine and the simulated one, given the same lines."""

    def __init__(self, machine, sim):
        self.machine, self.sim = machine, sim
        self.compared = 0

    def booted_records(self, lines):
        """Types many lines ahead: the line is quicker than a question and an answer at a time."""
        records = []
        for first in range(0, len(lines), BATCH):
            batch = lines[first:first + BATCH]
            self.machine.send("".join(line + "\r" for line in batch))
            wanted = len(records) + len(batch)
            while len(records) < wanted:
                records += self.machine.records(self.machine.prompt())
        return records

    def difference(self, lines):
        """(index, the machine's record, the simulated one's) where they first differ, or None."""
        booted, simulated = self.booted_records(lines), self.sim.cmds(lines)
        assert len(booted) == len(simulated) == len(lines)
        self.compared += len(lines)
        for index, (left, right) in enumerate(zip(map(comparable, booted), map(comparable, simulated))):
            if left != right:
                return index, left, right
        return None

    def shorten(self, start, lines):
        """The lines that it takes to see a difference at the last of them: leaves out ever smaller parts as long as one remains."""
        step = max(1, len(lines) // 2)
        while step:
            at = 0
            while at < len(lines) - 1:
                fewer = lines[:at] + lines[min(at + step, len(lines) - 1):]
                found = self.difference(start + fewer)
                if found and found[0] >= len(start):
                    lines = fewer[:found[0] - len(start) + 1]
                else:
                    at += step
            step //= 2
        return lines

    def check(self, start, lines, what):
        """Fails with the shortest script that shows a difference."""
        found = self.difference(start + lines)
        if found is None:
            return
        script = self.shorten(start, lines[:max(found[0] - len(start), 0) + 1])
        again = self.difference(start + script) or found
        _, left, right = again
        keys = [key for key in {**left, **right} if left.get(key) != right.get(key)]
        raise AssertionError(f"{what}: {self.machine.name} and its profile differ after\n  " + "\n  ".join(script) +
                             f"\n  machine: {({key: left.get(key) for key in keys})}\n  profile: {({key: right.get(key) for key in keys})}")
