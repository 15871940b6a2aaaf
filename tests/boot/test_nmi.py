"""An NMI from outside, at the prompt and in the middle of commands, in both kernels: what it interrupts goes on, and the next prompt reports it.

It is the one interrupt that cannot be kept out, so it finds the kernel anywhere: in a guarded access, in the renderer, in another interrupt.
"""

import json

import pytest

from machines import Qemu

NOTICE = "an NMI arrived"


@pytest.mark.parametrize("mode", ["off", "32", "4level"])
def test_nmi_at_the_prompt(mode):
    with Qemu(append=f"json=1 mode={mode}", monitor=True) as machine:
        for _ in range(3):
            machine.hmp("nmi")
            machine.send("\r")
            assert NOTICE in machine.prompt()
        assert machine.cmd("let x = 1")["value"] == "0x1"


@pytest.mark.parametrize("user", ["", " user"])
@pytest.mark.parametrize("mode", ["32", "4level"])
def test_nmis_in_a_long_command_are_nobodys_fault(mode, user):
    with Qemu(append=f"json=1 mode={mode}", monitor=True) as machine:
        machine.cmd("map 0x40000000 A user")
        machine.cmd("cr3")
        machine.send(f"let a = 1; touch r 0x40000000{user} x4000000000\r")
        machine.expect('"name":"a"')
        for _ in range(20):
            machine.hmp("nmi")
        machine.send("\x03")
        shown = machine.prompt(10)
        record = machine.records(shown)[-1]
        assert record["cmd"] == "touch" and record["status"] == "interrupted"
        assert "faults" not in record and record["fresh"] == record["times"] > 0
        assert NOTICE in shown


@pytest.mark.parametrize("mode", ["32", "4level"])
def test_an_nmi_does_not_tear_a_record(mode):
    with Qemu(append=f"json=1 mode={mode}", monitor=True) as machine:
        machine.send("repeat 400 { regs }\r")
        machine.expect('"cmd":"regs"[^\n]*\n')
        for _ in range(40):
            machine.hmp("nmi")
        shown = machine.prompt(60)
        lines = [line.strip() for line in shown.splitlines() if line.strip()]
        assert lines.pop() == NOTICE
        assert all(line.startswith("{") for line in lines)
        records = [json.loads(line) for line in lines]
        assert all(record["status"] == "ok" for record in records)
        assert records[-1]["cmd"] == "repeat" and records[-1]["count"] == 400
