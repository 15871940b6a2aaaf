"""The conformance suite: correct simulated machines break no rule, each broken one does, and booted machines break those that are known."""

import subprocess

import pytest

import conformance
from machines import Bochs, Qemu
from simulated import PROGRAM, Sim
from test_model import PROFILES
from test_sim_defects import defects

# Cases that fail where a machine is known to break the rule (docs/PLATFORMS.md), by group and the beginning of the name.
KNOWN = {
    "qemu": [("large", "one INVLPG drops all of the page, fetched"), ("faults", "reserved bit"), ("pae", "MOV CR3 with a reserved bit"), ("pae", "a walk writes"),
             ("rights", "another error code: P")],
    "bochs": [],
    "qemu-tcg": [("faults", "reserved bit"), ("pae", "MOV CR3 with a reserved bit"), ("pae", "a walk writes"), ("rights", "another error code: P")],
}


def unknown_failures(record, machine):
    known = KNOWN.get(machine, [])
    return [failure for failure in record["failures"] if not any(failure["group"] == group and failure["name"].startswith(name) for group, name in known)]


def check_all(profile, mode, broken=()):
    with Sim(profile, mode, defects=broken) as machine:
        return machine.cmd("check all")


@pytest.mark.parametrize("profile, mode", [(profile, mode) for profile, modes in PROFILES.items() for mode in modes])
def test_a_correct_machine_breaks_no_rule(profile, mode):
    record = check_all(profile, mode)
    assert record["status"] == "ok" and not unknown_failures(record, profile), record
    assert record["counts"]["pass"] > 50


@pytest.mark.parametrize("profile, mode", [("no-tlb", "4level"), ("no-tlb", "32")])
def test_without_a_tlb_no_refill_case_passes(profile, mode):
    with Sim(profile, mode) as machine:
        refills = [case for case in machine.cmd("check invlpg")["cases"] if case["name"].startswith("refill")]
    assert refills and all(case["verdict"] == "observed" and case["note"] == "no TLB observable" for case in refills)


@pytest.mark.parametrize("defect", defects())
def test_a_broken_machine_breaks_one(defect):
    modes = [("modern-intel", "4level"), ("modern-intel", "pae"), ("pentium-pro", "32")]
    assert sum(check_all(profile, mode, [defect])["counts"]["fail"] for profile, mode in modes) > 0


def test_tap():
    text = subprocess.run([PROGRAM, "--profile", "i486"], input="check faults\ncheck nonsense\ncheck\n", capture_output=True, text=True).stdout
    lines = text.splitlines()
    start = lines.index("TAP version 14")
    plan = next(line for line in lines if line.startswith("1.."))
    cases = [line for line in lines if line.startswith(("ok ", "not ok "))]
    assert plan == f"1..{len(cases)}" and lines.index(plan) > start
    assert [int(line.split()[1 if line.startswith("ok") else 2]) for line in cases] == list(range(1, len(cases) + 1))
    assert any("# SKIP" in line for line in cases)
    assert any("no check 'nonsense'" in line for line in lines) and any(line.startswith("invlpg ") for line in lines)


def test_several_names_are_one_run_and_a_wrong_one_runs_nothing():
    with Sim("modern-intel", "pae") as machine:
        apart = [machine.cmd(f"check {name}")["counts"] for name in ("pae", "caches")]
        record = machine.cmd("check pae caches")
        assert record["counts"] == {key: sum(counts[key] for counts in apart) for key in record["counts"]}
        assert machine.cmd("check pae nonsense")["status"] == "usage"


def registers(machine):
    return [row for row in machine.cmd("regs")["registers"] if row["name"] != "CR2"]


def test_it_leaves_things_as_they_were():
    with Sim("modern-intel", "4level") as machine:
        machine.cmd("map 0x40000000 X")
        machine.cmd("write 0x40000040 0x1234")
        before = machine.cmd("maps all")["maps"], registers(machine), machine.cmd("dump p:Y 128")["bytes"]
        assert machine.cmd("check all")["status"] == "ok"
        assert (machine.cmd("maps all")["maps"], registers(machine), machine.cmd("dump p:Y 128")["bytes"]) == before
        assert machine.cmd("read 0x40000040")["value"] == "0x1234"
        machine.cmd("map 0xff800000 A")
        assert machine.cmd("check all")["status"] == "refused"


@pytest.mark.parametrize("kind, modes", [(Qemu, ["off", "32", "pae", "4level", "5level"]), (Bochs, ["32"])])
def test_booted(kind, modes):
    with kind() as machine:
        for mode in modes:
            if machine.mode != mode:
                machine.cmd(f"mode {mode}")
            record = machine.cmd("check all", 120)
            assert record["status"] == "ok" and not unknown_failures(record, machine.known), record
            assert record["counts"]["pass"] > 4


def test_a_failure_is_shown_with_its_rule():
    with Qemu() as machine:
        failures = machine.cmd("check faults")["cases"]
        assert any(case["verdict"] == "fail" and case["note"].startswith("error-code") for case in failures)


def test_the_document_tells_of_each_platform():
    with open(conformance.__file__.replace("tests/boot/conformance.py", "docs/PLATFORMS.md")) as file:
        text = file.read()
    for _, name, _ in [platform for platform in conformance.platforms() if platform[0] != "kvm"]:
        assert f"| {name} |" in text, f"docs/PLATFORMS.md lacks {name}: make platforms"
    for (_, name), script in conformance.SCRIPTS.items():
        if name in text:
            assert script.replace("|", "\\|") in text, f"docs/PLATFORMS.md is stale: make platforms ({name})"


SCRIPT = 'compare "map 0x40000000 A; cr3; read 0x40000000; map 0x40000000 B; invlpg 0x40000000; read 0x40000000; read 0x40000000 user; nonsense"; regs'


def compare(machine, modes):
    table, registers = machine.cmds(SCRIPT)
    assert registers["cmd"] == "regs" and table["cmd"] == "compare" and len(table["table"]) == 8
    for mode in modes:
        cells = [row[mode].removesuffix(" !") for row in table["table"]]  # TCG sets bit 5 of PAE PDPTEs
        assert cells == ["ok", "ok", "fresh A", "ok", "ok", "fresh B", "#PF 0x5", "usage"], (mode, cells)
    assert machine.cmd("walk 0x40000000")["mode"] == machine.mode


@pytest.mark.parametrize("kind, modes", [(Qemu, ["32", "pae", "4level", "5level"]), (Bochs, ["32", "pae", "4level"])])
def test_compare(kind, modes):
    with kind() as machine:
        compare(machine, modes)
        machine.cmd("mode pae")
        compare(machine, modes)


def test_compare_on_the_simulated_machine():
    text = SCRIPT + "\ncompare { map 0x40000000 A; repeat 2 { read 0x40000000 } }\nread 0x108000\n"
    result = subprocess.run([PROGRAM, "--profile", "pentium-pro"], input=text, capture_output=True, text=True)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["read", "0x40000000", "fresh", "B", "fresh", "B"] in lines and result.stdout.count("command ") == 2
    assert result.stdout.splitlines()[-1].startswith("read 0x108000: 0x0")
