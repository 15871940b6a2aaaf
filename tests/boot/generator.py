"""Random command lines for a machine: a few addresses, so that they get in each other's way, and whatever the shell can do to them."""

import random

BASE = 0x40000000
PAGES = [BASE, BASE + 0x1000, BASE + 0x2000, BASE + 0x200000, BASE + 0x201000, BASE + 0x400000, BASE + 0x401000, 0x80000000]
LONG_PAGES = [0xFFFF800000000000]
FLAGS = ["", "", "ro", "user", "user", "user ro", "g", "user g", "ro g"]
CHANGES = ["+w", "-w", "+u", "-u", "+g", "-g", "+a", "-a", "-d", "-w +u"]


class Generator:
    def __init__(self, seed, mode, features, pages=None):
        self.rng = random.Random(seed)
        self.mode = mode
        self.features = features
        self.long = mode in ("4level", "5level")
        self.pages = pages or PAGES + (LONG_PAGES if self.long else [])
        self.nx = mode != "32" and "nx" in features
        self.large = ("4m", 0x400000) if mode == "32" else ("2m", 0x200000)
        self.has_large = mode != "32" or "pse" in features
        self.pcide = False

    def page(self):
        return self.rng.choice(self.pages)

    def flags(self):
        return self.rng.choice(FLAGS + (["nx", "user nx"] if self.nx else []) + (["user key=1"] if self.long else []))

    def edit(self):
        r, page = self.rng, self.page()
        levels = {"32": ["PDE", "PTE"], "pae": ["PDE", "PTE"], "4level": ["PDPTE", "PDE", "PTE"], "5level": ["PDPTE", "PDE", "PTE"]}[self.mode]
        kinds = [
            (18, lambda: f"map {page:#x} {r.choice('ABCDEFGH')} {self.flags()}"),
            (2, lambda: f"unmap {page:#x}{r.choice(['', ' keep'])}"),
            (4, lambda: f"protect {page:#x} {r.choice(CHANGES + (['+nx', '-nx'] if self.nx else []))}"),
            (3, lambda: f"protect {page:#x}/{r.choice(levels)} {r.choice(['+w', '-w', '+u', '-u', '-a'] + (['+nx', '-nx'] if self.nx else []))}"),
            (2, lambda: f"global {page:#x} {r.choice(['on', 'off'])}"),
            (2, lambda: f"clear-ad {page:#x}{r.choice(['', '/' + r.choice(levels)])}"),
            (1, lambda: "undo"),
            (2, lambda: f"pte {page:#x}/PDE = {0x308000 + r.randrange(8) * 0x1000 | r.choice([0x07, 0x27, 0x25, 0x03]):#x}"),
        ]
        if self.has_large:
            size, span = self.large
            base = page & ~(span - 1)
            kinds += [
                (2, lambda: f"unmap {base:#x}; map {base:#x} {r.choice(['M0', 'M1'])} {self.flags()} {size}"),
                (2, lambda: f"split {base:#x}"),
                (1, lambda: f"merge {base:#x}"),
            ]
        return self.pick(kinds)

    def pick(self, kinds):
        return self.rng.choices([make for _, make in kinds], [weight for weight, _ in kinds])[0]()

    def flush(self):
        r, page = self.rng, self.page()
        kinds = [(3, lambda: "cr3")]
        if "invlpg" in self.features:
            kinds.append((6, lambda: f"invlpg {page + r.choice([0, 0, 0, 0x123, 0x100000]):#x}"))
        if "pge" in self.features:
            kinds.append((1, lambda: "pge"))
        if not self.long:
            kinds.append((1, lambda: "pg"))
        if "invpcid" in self.features and self.long:
            pcid = r.randrange(4) if self.pcide else 0
            kinds.append((2, lambda: f"invpcid {r.choice([f'0 {pcid} {page:#x}', f'1 {pcid}', '2', '3'])}"))
        if self.pcide:
            kinds.append((3, lambda: "cr3 noflush"))
        return self.pick(kinds)

    def access(self):
        r, page = self.rng, self.page() + self.rng.choice([0, 0, 8, 0x123])
        who = r.choice(["", "", " user"])
        return self.pick([(5, lambda: f"read {page:#x}{who}"), (4, lambda: f"write {page:#x} {r.randrange(256):#x}{who}"),
                          (2, lambda: f"exec {page:#x}{who}"), (2, lambda: f"touch {r.choice('rwx')} {page:#x}{who} x2"),
                          (1, lambda: f"cached? {page:#x}")])

    def setting(self):
        r = self.rng
        kinds = [(2, lambda: f"set cr0.wp={r.randrange(2)}")] if "invlpg" in self.features else [(1, lambda: "cr3")]
        for name, feature in (("cr4.pge", "pge"), ("cr4.smep", "smep"), ("cr4.smap", "smap")):
            if feature in self.features:
                kinds.append((1, lambda name=name: f"set {name}={r.randrange(2)}"))
        if self.nx:
            kinds.append((1, lambda: f"set efer.nxe={r.randrange(2)}"))
        if self.long and "pku" in self.features:
            kinds.append((2, lambda: f"set cr4.pke=1; set pkru={r.choice([0, 4, 8, 12])}"))
        if self.mode == "32" and "pse" in self.features:
            kinds.append((1, lambda: f"set cr4.pse={r.randrange(2)}"))
        if self.long and "pcid" in self.features:
            kinds.append((1, self.switch_pcide))
        return self.pick(kinds)

    def switch_pcide(self):
        self.pcide = not self.pcide
        return f"space use 0; set cr4.pcide={int(self.pcide)}"

    def space(self):
        r = self.rng
        use = f"space use {r.randrange(3)}" + (" noflush" if self.pcide and r.random() < 0.6 else "")
        kinds = [(1, lambda: "space new"), (6, lambda: use)]
        if not self.long:
            kinds.append((2, lambda: f"task-switch {r.randrange(3)}"))
        return self.pick(kinds)

    def line(self):
        return self.pick([(30, self.edit), (8, self.flush), (56, self.access), (2, self.setting), (3, self.space)])

    def lines(self, count):
        yield "reset"
        for _ in range(count):
            yield self.line()
