"""The architectural model against machines: random commands on every simulated profile in every mode, and on booted QEMU and Bochs.

A machine that obeys the architecture must never be accused; a machine with a defect must be. The second half is what gives the first its
worth. TLBSH_MODEL_COMMANDS sets how many commands each profile and mode gets, TLBSH_SEED repeats a run.
"""

import json
import os
import random
import subprocess

import pytest

from generator import Generator
from machines import Bochs, Qemu
from scenario import KNOWN
from seed import SEED
from simulated import PROGRAM
from test_sim_defects import defects

COMMANDS = int(os.environ.get("TLBSH_MODEL_COMMANDS", "3000"))
PROFILES = {
    "modern-intel": ["32", "pae", "4level", "5level"],
    "modern-amd": ["32", "pae", "4level"],
    "i386": ["32"],
    "i486": ["32"],
    "pentium": ["32"],
    "pentium-pro": ["32", "pae"],
    "cyrix": ["32"],
    "qemu-tcg": ["32", "pae", "4level", "5level"],
    "bochs": ["32", "pae", "4level"],
    "no-tlb": ["32", "pae", "4level"],
}


def commands(lines):
    return [command.strip() for line in lines for command in line.split(";")]


def ask(arguments, text):
    result = subprocess.run([PROGRAM, "--json", *arguments], input=text, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()][1:]


def features(arguments):
    return {row["name"] for row in ask(arguments, "cpu\n")[0]["features"] if row["here"]}


def run(profile, mode, seed, count, broken=()):
    """(command, record) of each command."""
    arguments = ["--profile", profile, "--mode", mode, "--seed", str(seed & 0xFFFF)]
    for defect in broken:
        arguments += ["--defect", defect]
    lines = list(Generator(seed, mode, features(arguments)).lines(count))
    records = ask(arguments, "\n".join(lines) + "\n")
    assert len(records) == len(commands(lines))
    return list(zip(commands(lines), records))


def fetches(command):
    return command.startswith(("exec", "touch x"))


def violations(done, known=()):
    """(number, command, record) of those with a violation that is not known: a rule, or "fetch:" and a rule for instruction fetches only."""
    found = []
    for number, (command, record) in enumerate(done):
        rule = record.get("violation", {}).get("rule", None)
        if rule is not None and rule not in known and not (fetches(command) and f"fetch:{rule}" in known):
            found.append((number, command, record))
    return found


@pytest.mark.parametrize("profile, mode", [(profile, mode) for profile, modes in PROFILES.items() for mode in modes])
def test_a_correct_machine_is_never_accused(profile, mode):
    known = KNOWN.get({"bochs": "sim bochs"}.get(profile, profile), ())
    for seed in (SEED, SEED + 1):
        done = run(profile, mode, seed, COMMANDS // 2)
        found = violations(done, known)
        assert not found, f"seed {seed}: {found[0]}; before it {[command for command, _ in done[max(0, found[0][0] - 12):found[0][0]]]}"
        judged = [record for _, record in done if "predicted" in record]
        assert len(judged) > COMMANDS // 10 and sum("incomplete" not in record for record in judged) > len(judged) // 3


# What random commands seldom come to is led up to.
SCRIPTS = {
    "invlpg-keeps-fragment": (
        "4level",
        ["map 0x40000000 M0 rw 2m", "read 0x40000000", "read 0x40001000", "read 0x40002000", "map 0x40000000 M1 rw 2m", "invlpg 0x40000000", "read 0x40001000", "read 0x40002000"],
    ),
    "invlpg-keeps-structures": (
        "4level",
        ["map 0x40000000 A", "map 0x40001000 A", "map 0x40201000 B", "read 0x40000000", "pte 0x40000000/PDE = 0x30b027", "invlpg 0x40000000", "read 0x40001000"],
    ),
}


@pytest.mark.parametrize("defect", defects())
def test_a_broken_machine_is_accused(defect):
    if defect in SCRIPTS:
        mode, script = SCRIPTS[defect]
        arguments = ["--mode", mode, "--defect", defect]
        assert any("violation" in record for record in ask(arguments, "\n".join(script) + "\n")), ask(arguments, "\n".join(script) + "\n")
        assert not any("violation" in record for record in ask(["--mode", mode], "\n".join(script) + "\n"))
        return
    for seed in range(SEED, SEED + 12):
        for profile, mode in [("modern-intel", "4level"), ("modern-intel", "pae"), ("modern-intel", "32")]:
            if violations(run(profile, mode, seed, 1500, [defect])):
                return
    pytest.fail(f"{defect}: nothing was found in 54,000 commands, seeds {SEED} to {SEED + 11}")


BOOTED = [(Qemu, "32"), (Qemu, "pae"), (Qemu, "4level"), (Qemu, "5level"), (Bochs, "32"), (Bochs, "pae"), (Bochs, "4level")]


@pytest.mark.parametrize("kind, mode", BOOTED)
def test_booted_machines_break_no_rule_but_those_known(kind, mode):
    count = int(os.environ.get("TLBSH_BOOTED_COMMANDS", "400" if kind is Qemu else "250"))
    with kind() as machine:
        if mode != machine.mode:
            machine.cmd(f"mode {mode}")
        here = {row["name"] for row in machine.cmd("cpu")["features"] if row["here"]}
        done = []
        for line in Generator(random.Random(SEED).randrange(1 << 30), mode, here).lines(count):
            done += zip(commands([line]), machine.cmds(line))
        found = violations(done, KNOWN[machine.known])
        assert not found, f"seed {SEED}: {found[0]}; before it {[command for command, _ in done[max(0, found[0][0] - 12):found[0][0]]]}"
