"""Stepping in Bochs: `break` and `tlb` in the shell, which knows Bochs by experiment."""

import re

import pytest

import bochs_tlb
from machines import Bochs, Qemu
from simulated import Sim

PAGE = 0x40078000


@pytest.fixture(scope="module")
def bochs():
    with Bochs(debugger=True) as machine:
        yield machine


def stopped(machine, line):
    """Runs a command that stops; gives back the instruction that it stopped before, what one step of it showed, and the record."""
    machine.send(line + "\r")
    before = machine.debugger_stops()
    assert "Magic breakpoint" in before
    trace = machine.tell_debugger("trace-mem on", "s", "trace-mem off")[1]
    return re.findall(r"ctxt\): (.*?)\s*;", before)[-1], trace, machine.records(machine.prompt())[-1]


@pytest.mark.parametrize("mode", ["4level", "pae", "32"])
def test_break_stops_right_before_what_a_command_does(bochs, mode):
    if bochs.mode != mode:
        bochs.cmd(f"mode {mode}")
    bochs.cmds(f"map {PAGE:#x} A user; cr3; read {PAGE:#x}")
    assert bochs.cmd("break on")["break"] is True
    for ring in ("", " user"):
        instruction, trace, record = stopped(bochs, f"read {PAGE:#x}{ring}")
        assert instruction.startswith("mov") and record["frame"] == "A" and "ticks" not in record
        assert "PHY 0x0000003d0000" in trace
    instruction, trace, _ = stopped(bochs, f"invlpg {PAGE:#x}")
    assert instruction.startswith("invlpg")
    instruction, trace, record = stopped(bochs, f"write {PAGE:#x} 5")
    assert instruction.startswith("mov") and "; PTE" in trace and record["outcome"] == "fresh"
    for line, start in (("cr3", "mov cr3"), ("pge", "mov cr4"), (f"exec {PAGE:#x}", "call"), ("set cr0.wp=0", "mov cr0")):
        assert stopped(bochs, line)[0].startswith(start)
    assert bochs.cmd("walk 0x40078000")["status"] == "ok"  # what only looks does not stop
    assert bochs.cmd("break off")["break"] is False
    bochs.cmd("set cr0.wp=1")
    assert "ticks" in bochs.cmd(f"read {PAGE:#x}")


def test_break_survives_a_mode_switch_and_stops_once_in_a_command(bochs):
    bochs.cmds("break on; mode 4level")
    bochs.cmd(f"map {PAGE:#x} A")
    assert stopped(bochs, f"touch r {PAGE:#x} x5")[2]["times"] == 5
    bochs.cmd("break off")


def test_tlb_names_the_place_and_what_to_type(bochs):
    bochs.cmds(f"reset; map {PAGE:#x} A; read {PAGE:#x}")
    record = bochs.cmd(f"tlb {PAGE + 8:#x}")
    assert record["expected"] == "may be cached as A (sup rw)"
    typed = re.search(r"'(tlb [^']*)'", record["ask"])[1]
    entries = bochs_tlb.parse("".join(bochs.ask_debugger(typed)))
    assert [(entry.tlb, entry.page) for entry in entries if entry.page == PAGE] == [("DTLB", PAGE)]
    for row in record["sets"]:
        assert (row["set"], row["of"]) == (bochs_tlb.slot(row["array"], PAGE), bochs_tlb.PLACES[row["array"]])
    bochs.cmds(f"unmap {PAGE:#x}; invlpg {PAGE:#x}")
    assert bochs.cmd(f"tlb {PAGE:#x}")["expected"] == "certainly not cached"


def test_asking_leaves_no_trace(bochs):
    bochs.cmds(f"map {PAGE:#x} B")
    lines = bochs.cmd("history")["lines"]
    bochs.cmd(f" tlb {PAGE:#x}")
    assert bochs.cmd("history")["lines"] == lines
    bochs.cmd(f"read {PAGE:#x}")
    bochs.cmds(f"tlb {PAGE:#x}; tlb; break")
    assert "1 command ago" not in bochs.cmd("why").get("why", "")


@pytest.mark.parametrize("cpu", ["max", "486"])
def test_no_bochs_no_break(cpu):
    with Qemu(cpu=cpu) as machine:
        record = machine.cmd("break on")
        assert record["status"] == "refused" and "not Bochs" in record["reason"]
        assert machine.cmd("break off")["status"] == "ok"
        assert machine.cmd(f"tlb {PAGE:#x}")["status"] == "refused"
        assert "Bochs" not in machine.cmd("platform")["note"]


def test_the_simulated_bochs_is_not_bochs():
    with Sim("bochs", "4level") as sim:
        assert "simulated" in sim.cmd("break on")["reason"]
        assert sim.cmd("tlb")["status"] == "ok"
