"""What the shell says of the TLB, and what the profile `bochs` has in its own, against what is in Bochs's: its debugger shows it.

Random commands; after each the places of all pages in both TLBs are looked at, and held against
  a) `watch`: what is certainly not cached is in neither;
  b) an access that was fresh and set A: it has walked, so its translation is there, with the frame that it reached and what it has proven;
  c) `cached?`: it agrees with what was there right before;
  d) `watch` again: what is there is one of the translations that it lists;
  e) the profile, fed with the same commands: the same entries, bit for bit, and the same records.
Now and then both TLBs are looked at whole: they hold no other pages of the lab, and nothing in other places.

What Bochs does against the architecture (scenario.KNOWN) is let pass only where it was seen to happen: an entry that a page fault should
have dropped, and that is still the same; an entry that came of an access that was reported to use PDPTEs that CR3 had not loaded.

TLBSH_TRUTH is how many commands there are in each mode, TLBSH_SEED repeats a run.
"""

import os
import re
from collections import Counter

import pytest

import bochs_tlb
from bochs_tlb import EXEC, EXEC_USER, GLOBAL, READ, READ_USER, WRITE, WRITE_USER
from differential import Episode, Twins, comparable
from generator import Generator
from machines import Bochs
from scenario import KNOWN
from seed import SEED
from simulated import Sim

COMMANDS = int(os.environ.get("TLBSH_TRUTH", "280"))
EPISODE = 70
WHOLE = 25  # commands from one look at the whole TLBs to the next
# Pages that fall on places that the kernel leaves alone (see differential.py), three of them on the same.
PAGES = [0x40078000, 0x40079000, 0x40878000, 0x4087b000, 0x80078000]
PAGES_MORE = {"32": [0x8007d000], "pae": [0x8007d000], "4level": [0xffff800000078000]}
LAB = 1 << 24  # linear addresses below are the kernel's
FRAMES = {**{chr(ord("A") + i): 0x3d0000 + i * 0x1000 for i in range(26)}, "M0": 0x400000, "M1": 0xc00000}
LISTED = re.compile(r"(\S+) \((user|sup) (rw|ro)( nx)?( g)?(?:, older)?\)")
SIZES = {"4 KiB": 1 << 12, "2 MiB": 1 << 21, "4 MiB": 1 << 22, "1 GiB": 1 << 30}


def physical(name):
    """The address of a frame by the name that the shell gives it: A, M0+0x78000, p:0x9000."""
    base, _, offset = name.partition("+")
    return int(base[2:], 16) if base.startswith("p:") else FRAMES[base] + int(offset or "0", 16)


class Lines(Generator):
    """The generator's commands, one at a time, and more of those that ask what is cached."""

    def line(self):
        if self.rng.random() < 0.08:
            return f"cached? {self.page():#x}{self.rng.choice(['', ' user'])}"
        return super().line()

    def commands(self, count):
        done = []
        while len(done) < count:
            done += [command.strip() for command in self.line().split(";")]
        return done


class Wrong(Exception):
    """Two that should agree do not: what one says, what the other."""


class Witness(Twins):
    """Bochs with its debugger and the simulated machine, given the same lines."""

    def __init__(self, machine, sim, mode):
        super().__init__(machine, sim)
        self.mode, self.pages = mode, PAGES + PAGES_MORE[mode]
        self.start = Episode("bochs", mode, 0).start
        self.counts, self.known = Counter(), Counter()
        self.commands = self.incomplete = 0

    # ---- what is there ----

    def look(self):
        """What Bochs holds of the pages: {(TLB, page): entry}."""
        return {(entry.tlb, entry.page): entry for entry in bochs_tlb.entries_at(self.machine, self.pages) if entry.page >= LAB}

    def look_at_all(self, held):
        whole = {(entry.tlb, entry.page): entry for entry in bochs_tlb.all_entries(self.machine) if entry.page >= LAB}
        self.agree("whole", whole, held)
        for entry in whole.values():
            self.agree("whole", entry.slot, bochs_tlb.slot(entry.tlb, entry.page))

    def simulated(self):
        """The same of the simulated machine. accessBits come of what filled the entry as they do in Bochs."""
        record = self.sim.cmd("tlb")
        assert "more" not in record, "more entries than `tlb` shows"
        held = {}
        for row in record["entries"]:
            words, page, of = row["flags"].split(), int(row["va"], 16), row["flags"].partition("part of ")[2]
            if page < LAB:
                continue
            user_page, by_user, by_write = "US" in words, row["filled_by"].startswith("user"), row["filled_by"].endswith("write")
            if row["array"] == "ITLB":
                access = (0 if user_page and self.settings.get("cr4.smep") else EXEC) | (EXEC_USER if by_user else 0)
            else:
                ring0 = READ | (WRITE if by_write else 0)
                access = (0 if user_page and self.settings.get("cr4.smap") else ring0) | (READ_USER | (WRITE_USER if by_write else 0) if by_user else 0)
            access |= GLOBAL if "G" in words and self.settings.get("cr4.pge") else 0
            held[row["array"], page] = (row["set"], int(row["pa"], 16), SIZES[of or row["size"]], access)
        return held

    # ---- what is held against what ----

    def agree(self, what, left, right):
        self.counts[what] += 1
        if left != right:
            raise Wrong({what: left}, {what: right})

    def permits(self, entry, listed):
        """Whether an entry can be of a translation that `watch` lists."""
        name, owner, rights, no_execute, is_global = listed
        user, writable = owner == "user", rights == "rw"
        if physical(name) != entry.frame or entry.is_global != bool(is_global and self.settings["cr4.pge"]):
            return False
        if entry.tlb == "ITLB":
            return not no_execute and (user or not entry.access & EXEC_USER)
        if entry.access & (READ_USER | WRITE_USER) and not user:
            return False
        return writable or not entry.access & (WRITE_USER | (WRITE if self.settings["cr0.wp"] else 0))

    def check_watch(self, record):
        for row in record.get("watch", []):
            for tlb in bochs_tlb.PLACES:
                self.check_watched(row, self.held.get((tlb, int(row["va"], 16))))

    def check_watched(self, row, entry):
        if entry is None:
            self.counts["a"] += not row["may_be_cached"]
            return
        if row.get("incomplete"):
            self.incomplete += 1
        elif row["may_be_cached"] and any(self.permits(entry, listed) for listed in LISTED.findall(row["as"])):
            self.counts["d"] += 1
            self.against.pop((entry.tlb, entry.page), None)
        elif (entry.tlb, entry.page) in self.against:
            self.known[self.against[entry.tlb, entry.page]] += 1
        else:
            raise Wrong({"d" if row["may_be_cached"] else "a": str(entry)}, {"watch": row})

    def note_known(self, line, record, before):
        """Notes which entries are there against the architecture, by the rule that this breaks; forgets those that have changed since."""
        self.against = {where: rule for where, rule in self.against.items() if self.held.get(where) == before.get(where)}
        if "va" not in record or not ("op" in record or record["cmd"] == "cached?"):
            return
        page, fetch = int(record["va"], 16) & -0x1000, record.get("op") == "exec"
        if record.get("fault", {}).get("vector") == 14 or record.get("faults"):
            self.note_fault(page, fetch, before)
        place = "ITLB" if fetch else "DTLB", page
        if record.get("violation", {}).get("rule") == "pdptes" and self.held.get(place) not in (None, before.get(place)):
            assert self.mode == "pae"
            self.against[place] = "pdptes"

    def note_fault(self, page, fetch, before):
        """A page fault must drop all that is of the page that the tables have there. Bochs drops the very entry that a data access found."""
        size = SIZES[self.sim.cmd(f"walk {page:#x}").get("size", "4 KiB")]
        for (tlb, there), entry in before.items():
            if there // size != page // size or self.held.get((tlb, there)) != entry:
                continue
            if there != page:
                self.against[tlb, there] = "page-fault, another piece of a large page"
            elif fetch or tlb == "ITLB":
                self.against[tlb, there] = f"page-fault, the {tlb} after {'a fetch' if fetch else 'a data access'}"

    def check_walked(self, record):
        """b) After a walk."""
        if record.get("outcome") != "fresh" or not any("+A" in row["flags"].split() for row in record["diff"]):
            return
        fetch, user = record["op"] == "exec", record["cpl"] == 3
        entry = self.held.get(("ITLB" if fetch else "DTLB", int(record["va"], 16) & -0x1000))
        self.agree("b", entry is not None, True)
        self.agree("b", entry.frame, physical(record["frame"]))
        proven = (EXEC_USER if user else EXEC) if fetch else (READ_USER if user else READ) | ((WRITE_USER if user else WRITE) if record["op"] == "write" else 0)
        self.agree("b", entry.access & proven, proven)
        if any("address" in row["flags"] for row in record["diff"]):  # it wrote to a table, and may have changed its own way
            return
        now = self.sim.cmd(f"walk {entry.page:#x}")
        self.agree("b", entry.is_global, "global" in now["rights"] and bool(self.settings["cr4.pge"]))
        self.agree("b", entry.size, SIZES[now["size"]])

    def check_cached(self, record, before):
        """c) That it says yes means that the entry was there, and would do for that ring."""
        if record["cmd"] != "cached?" or record["status"] != "ok":
            return
        place = "DTLB", int(record["va"], 16) & -0x1000
        there = place in before and bool(before[place].access & (READ_USER if record["cpl"] == 3 else READ))
        self.agree("c", record["cached"], there)
        self.agree("b", place in self.held, True)

    def check_simulated(self):
        theirs, ours = self.simulated(), {where: (entry.slot, entry.frame, entry.size, entry.access) for where, entry in self.held.items()}
        for tlb in bochs_tlb.PLACES:
            for page in self.pages:
                self.agree("e", ours.get((tlb, page)), theirs.get((tlb, page)))
        self.agree("e", set(theirs) - set(ours), set())

    def step(self, line):
        record, simulated = self.machine.cmd(line), self.sim.cmd(line)
        if record["cmd"] == "set" and record["status"] == "ok" and "value" in record:
            self.settings[record["name"]] = record["value"]
        before, self.held = self.held, self.look()
        self.note_known(line, record, before)
        self.check_watch(record)
        self.check_walked(record)
        self.check_cached(record, before)
        self.check_simulated()
        for each in (record, simulated):  # which says how many commands ago; the simulated machine is asked more
            each.get("violation", {}).pop("dropped_by", None)
        self.agree("records", comparable(record), comparable(simulated))

    def difference(self, lines):
        """(index, what one says, what the other) where two first differ, or None."""
        self.settings, self.against, self.held = {}, {}, {}
        for index, line in enumerate(lines):
            self.commands += 1
            try:
                self.step(line)
                if self.commands % WHOLE == 0:
                    self.look_at_all(self.held)
            except Wrong as wrong:
                return index, *wrong.args
        return None


# A lie about each of them, to show that it is found out.
def lie_about_watch(record):
    for row in record.get("watch", []):
        row["may_be_cached"] = False


def lie_about_frame(record):
    if "outcome" in record and "frame" in record:
        record["frame"] = "Z"


def lie_about_cached(record):
    if "cached" in record:
        record["cached"] = not record["cached"]


def lie_about_listed(record):
    for row in record.get("watch", []):
        row["as"] = re.sub(r"\S+ \(", "Z (", row["as"])


def lie_about_slot(record):
    for row in record.get("entries", []):
        row["set"] += 1


def lie_about_diff(record):
    record["diff"] = []


LIES = {"a": lie_about_watch, "b": lie_about_frame, "c": lie_about_cached, "d": lie_about_listed, "e": lie_about_slot, "records": lie_about_diff}


class Liar:
    """A machine whose records are not true."""

    def __init__(self, machine, lie):
        self.machine, self.lie = machine, lie

    def __getattr__(self, name):
        return getattr(self.machine, name)

    def cmd(self, line):
        record = self.machine.cmd(line)
        self.lie(record)
        return record


def open_eyes(machine, sim, mode):
    """A witness of this mode, with all pages watched."""
    if machine.mode != mode:
        assert machine.cmd(f"mode {mode}")["to"] == mode
    witness = Witness(machine, sim, mode)
    witness.booted_records([f"watch {page:#x}" for page in witness.pages])
    sim.cmds([f"watch {page:#x}" for page in witness.pages])
    return witness


def test_each_lie_is_found_out():
    lines = ["map 0x40078000 A user", "read 0x40078000", "cached? 0x40078000", "read 0x40078000 user", "map 0x40078000 B", "read 0x40078000"]
    with Bochs(debugger=True) as machine, Sim("bochs", "4level") as sim:
        witness = open_eyes(machine, sim, "4level")
        assert witness.difference(witness.start + lines) is None
        for what, lie in LIES.items():
            witness.machine, witness.sim = (machine, Liar(sim, lie)) if what == "e" else (Liar(machine, lie), sim)
            found = witness.difference(witness.start + lines)
            assert found and what in found[1], f"{what}: {found}"


@pytest.mark.parametrize("mode", ["32", "pae", "4level"])
def test_what_is_said_of_the_tlb_is_true(mode, capsys):
    with Bochs(debugger=True) as machine, Sim("bochs", mode) as sim:
        witness = open_eyes(machine, sim, mode)
        here = {row["name"] for row in machine.cmd("cpu")["features"] if row["here"]}
        for number in range(-(-COMMANDS // EPISODE)):
            lines = Lines(f"{SEED}/{number}", mode, here, witness.pages).commands(EPISODE)
            witness.check(witness.start, lines, f"episode {number}, TLBSH_SEED={SEED}")
    counts, known = dict(sorted(witness.counts.items())), dict(witness.known)
    with capsys.disabled():
        print(f"\n{mode}: {witness.commands} commands, {sum(counts.values())} comparisons {counts}, against the architecture {known}")
    assert {what.partition(",")[0] for what in known} <= KNOWN["bochs"] and all(counts[what] for what in ("a", "b", "c", "d", "e"))
