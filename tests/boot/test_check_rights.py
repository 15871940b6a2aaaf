"""`check rights`: correct machines pass in every mode, each defect of the rights, of A and D and of error codes is found, and it can be interrupted
and resumed."""

import re

import pytest

import machines
from simulated import Sim
from test_model import PROFILES

# What finds each defect: the beginning of the check's name.
DEFECTS = {
    "nx-ignored": "no fault where one must come",
    "wp-ignored": "no fault where one must come",
    "us-ignored": "no fault where one must come",
    "reserved-ignored": "no fault where one must come",
    "smep-ignored": "no fault where one must come",
    "smap-ignored": "no fault where one must come",
    "pke-ignored": "no fault where one must come",
    "wrong-error": "another error code: W",
    "wrong-cr2": "CR2 is not the address",
    "a-not-set": "A is not set in the last entry",
    "d-not-set": "D is not set by a write",
    "d-on-read": "D is set though nothing was written",
}
MODES = ["32", "pae", "4level", "5level"]
NOT_IN = {"nx-ignored": ["32"], "pke-ignored": ["32", "pae"]}


def rights(machine, extent="", timeout=None):
    line = f"check rights {extent}"
    return machine.cmd(line) if timeout is None else machine.cmd(line, timeout)


def failed(record):
    return [case["name"] for case in record["cases"] if case["verdict"] == "fail"]


def covered(record):
    return next(tuple(map(int, re.findall(r"\d+", case["name"]))) for case in record["cases"] if case["name"].startswith("covered"))


@pytest.mark.parametrize("profile, mode", [(profile, mode) for profile, modes in PROFILES.items() for mode in modes if mode != "off"])
def test_a_correct_machine_passes(profile, mode):
    with Sim(profile, mode) as machine:
        record = rights(machine)
    assert record["status"] == "ok"
    assert failed(record) == (["another error code: P"] if profile == "qemu-tcg" and profile_has_reserved_bits(profile, mode) else [])
    tried, whole = covered(record)
    assert 0 < tried <= whole and (tried == whole) == (whole <= 3 << 20)


def profile_has_reserved_bits(profile, mode):
    """QEMU reports a reserved bit without P; only i386 and i486, which have no 4 MiB pages, have none at all."""
    return not (mode == "32" and profile in ("i386", "i486"))


@pytest.mark.parametrize("defect, mode", [(defect, mode) for defect in DEFECTS for mode in MODES if mode not in NOT_IN.get(defect, [])])
def test_a_defect_is_found(defect, mode):
    with Sim("modern-intel", mode, defects=[defect]) as machine:
        record = rights(machine)
    assert any(name.startswith(DEFECTS[defect]) for name in failed(record)), record
    assert len(failed(record)) <= 6 and len(failed(record)) == len(set(failed(record)))
    notes = [case["note"] for case in record["cases"] if case["verdict"] == "fail"]
    assert all(re.match(r"combination \d+: (read|write|fetch) at CPL [03].*: P.*; expected .*; came ", note) for note in notes), notes


def test_a_number_finds_its_combination_again():
    with Sim("modern-intel", "pae", defects=["smep-ignored"]) as machine:
        note = next(case["note"] for case in rights(machine)["cases"] if case["verdict"] == "fail")
        number = int(re.match(r"combination (\d+)", note).group(1))
        again = next(case["note"] for case in rights(machine, f"from {number}")["cases"] if case["verdict"] == "fail")
        assert again == note
        whole = covered(rights(machine))[1]
        assert covered(rights(machine, f"from {whole}")) == (0, whole)


def test_registers_and_tables_are_put_back():
    with Sim("modern-intel", "4level") as machine:
        machine.cmd("set cr4.smap = 1")
        machine.cmd("set cr4.pke = 1")
        machine.cmd("set pkru = 0x30")
        machine.cmd("map 0x7f8000000000 A")
        state = ["regs", "set", "maps all", "dump p:X 128", "dump p:Y 128"]
        before = [machine.cmd(line) for line in state]
        assert rights(machine)["counts"]["fail"] == 0
        after = [machine.cmd(line) for line in state]
        for record in before[0], after[0]:
            record["registers"] = [row for row in record["registers"] if row["name"] != "CR2"]
        assert after == before


def test_paging_off():
    with Sim("modern-intel", "off") as machine:
        assert [case["verdict"] for case in rights(machine)["cases"]] == ["skip"]


def test_qemu():
    with machines.Qemu() as machine:
        for mode in MODES:
            machine.cmd(f"mode {mode}")
            record = rights(machine, timeout=60)
            assert failed(record) == ["another error code: P"], record
            assert covered(record)[0] > 100000


def registers(machine):
    return [line.split() for line in machine.text("regs").splitlines() if not line.startswith("CR2")]


def test_ctrl_c_stops_it_and_a_number_goes_on():
    with machines.Qemu(append="color=0") as machine:
        before = registers(machine)
        machine.send("check rights full\r")
        machine.expect([r"TAP version 14"])
        machine.expect([r"# combination \d+ of \d+"], timeout=100)
        machine.send("\x03")
        shown = machine.prompt()
        number = int(re.search(r"stopped; check rights from (\d+) goes on", shown).group(1))
        assert number > 1 << 20
        assert registers(machine) == before
        machine.send(f"check rights from {number}\r")
        machine.expect([r"TAP version 14"])
        machine.send("\x03")
        assert int(re.search(r"stopped; check rights from (\d+)", machine.prompt()).group(1)) >= number


def test_bochs():
    with machines.Bochs() as machine:
        for mode in ["32", "4level"]:
            machine.cmd(f"mode {mode}")
            record = rights(machine, timeout=100)
            assert record["counts"]["fail"] == 0 and covered(record)[0] > 100000, record
