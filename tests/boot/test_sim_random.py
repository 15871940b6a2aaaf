"""Random command sequences on every simulated profile, against what the architecture guarantees.

The test keeps, for each page, whether something was edited since the last operation that must drop its translation.  A page that is
clean must be accessed as the tables say: never stale, never a spurious fault, and a fault with the error code that the tables ask for.
A page that was not present stays clean when it is mapped.  Of a page that is not clean, where the architecture allows both, nothing is
asked but that a spurious fault does not come twice.  So no correct profile can fail, whatever its TLB does; and to show that the test is
not idle, the same sequences with one flush left out of the book-keeping must fail, and on broken machines, too.
"""

import random

import pytest

from seed import SEED
from simulated import Sim

PAGES = [0x40000000, 0x40001000, 0x40002000, 0x40200000, 0x40201000]
STEPS = 250

PROFILES = [
    ("modern-intel", ["32", "pae", "4level", "5level"]),
    ("modern-amd", ["32", "pae", "4level"]),
    ("i386", ["32"]),
    ("i486", ["32"]),
    ("pentium", ["32"]),
    ("pentium-pro", ["32", "pae"]),
    ("qemu-tcg", ["32", "pae", "4level", "5level"]),
    ("bochs", ["32", "pae", "4level"]),
    ("no-tlb", ["32", "4level"]),
]


class Book:
    """Which pages are clean, and which may have a global translation cached."""

    def __init__(self):
        self.clean = {page: True for page in PAGES}
        self.is_global = {page: False for page in PAGES}  # the entry, now
        self.was_global = {page: False for page in PAGES}  # ... or at any time since the last flush of global translations

    def edited(self, page, is_global, was_present=True):
        self.clean[page] = self.clean[page] and not was_present  # what is not present is not cached
        self.was_global[page] = self.was_global[page] or self.is_global[page] or is_global
        self.is_global[page] = is_global

    def flushed(self, page, globals_too=True):
        if globals_too or not self.was_global[page]:
            self.clean[page] = True
            if globals_too:
                self.was_global[page] = self.is_global[page]


def edit(rng, machine, book, page, nx):
    flags = rng.choice(["", "ro", "user", "user ro", "g", "user g"] + (["nx", "user nx"] if nx else []))
    command = rng.choice([f"map {page:#x} {rng.choice('ABCDEF')} {flags}", f"unmap {page:#x}", f"protect {page:#x} {rng.choice(['+w', '-w', '+u', '-u'])}",
                          f"clear-ad {page:#x}", f"global {page:#x} {rng.choice(['on', 'off'])}"])
    was_present = machine.cmd(f"walk {page:#x}")["end"] != "not present"
    if machine.cmd(command)["status"] == "ok":
        book.edited(page, "global" in machine.cmd(f"walk {page:#x}").get("rights", ""), was_present)


def flush(rng, machine, book, page, invlpg, forgotten):
    """One flush; with `forgotten`, another that the book takes for it although it does nothing for that page."""
    command = rng.choice((["invlpg"] if invlpg else []) + ["cr3", "pge"])
    if command == "invlpg":
        machine.cmd(f"invlpg {page + 0x100000 if forgotten else page:#x}")
        book.flushed(page)
        return
    done = machine.cmd(command)["status"] == "ok"
    for each in PAGES:
        if done:
            book.flushed(each, globals_too=command == "pge")


def access(rng, machine, book, page, history):
    command = f"{rng.choice(['read', 'exec', 'write'])} {page:#x}"
    command += " 0x55" if command.startswith("write") else ""
    command += rng.choice(["", " user"])
    record = machine.cmd(command)
    if record.get("spurious"):  # the fault itself has dropped what caused it: it must not come again
        record = machine.cmd(command)
        assert not record.get("spurious"), f"'{command}' faults twice for nothing: {record}; before it: {history[-12:]} (seed {SEED})"
    if not book.clean[page] or record["status"] not in ("ok", "fault"):
        return
    right = record["outcome"] == "fresh" or (record["outcome"] == "fault" and not record["spurious"] and "expected" not in record)
    assert right, f"'{command}' on a clean page: {record}; before it: {history[-12:]} (seed {SEED})"


def run(profile, mode, seed, forgotten=False, defects=()):
    rng = random.Random(seed)
    history = []
    with Sim(profile, mode, seed & 0xffff, defects) as machine:
        send = machine.cmd

        def cmd(line):
            history.append(line)
            return send(line)

        machine.cmd = cmd
        features = {row["name"] for row in machine.cmd("cpu")["features"] if row["here"]}
        for page in PAGES:  # the tables above the pages, so that PAE's PDPTE is loaded
            machine.cmd(f"map {page:#x} A")
            machine.cmd(f"unmap {page:#x}")
        machine.cmd("cr3")
        book = Book()
        for _ in range(STEPS):
            page = rng.choice(PAGES)
            kind = rng.random()
            if kind < 0.4:
                edit(rng, machine, book, page, mode not in ("32",) and "nx" in features)
            elif kind < 0.6:
                flush(rng, machine, book, page, "invlpg" in features, forgotten)
            else:
                access(rng, machine, book, page, history)


@pytest.mark.parametrize("profile, mode", [(profile, mode) for profile, modes in PROFILES for mode in modes])
def test_clean_pages_are_never_stale(profile, mode):
    for offset in range(8):
        run(profile, mode, SEED + offset)


@pytest.mark.parametrize("profile", ["modern-intel", "i486", "bochs"])
def test_a_forgotten_flush_is_noticed(profile):
    with pytest.raises(AssertionError, match="seed"):
        for offset in range(200):
            run(profile, "32", SEED + offset, forgotten=True)


@pytest.mark.parametrize("defect", ["invlpg-ignored", "invlpg-keeps-global", "cr3-keeps", "pge-keeps-global", "fault-keeps", "remembers-not-present",
                                    "nx-ignored", "wp-ignored", "us-ignored", "wrong-error"])
def test_a_broken_machine_is_noticed(defect):
    with pytest.raises(AssertionError, match="seed"):
        for offset in range(200):
            run("modern-intel", "4level", SEED + offset, defects=[defect])
