"""An NMI from outside, at the prompt and in the middle of commands, in both kernels: it is reported, and the shell goes on.

It is the one interrupt that cannot be kept out, so it finds the kernel anywhere: in a guarded access, in the renderer, in another interrupt.
"""

import re

import pytest

from machines import PROMPT, Qemu


@pytest.mark.parametrize("mode", ["off", "32", "4level"])
def test_nmi_at_the_prompt(mode):
    with Qemu(append=f"json=1 mode={mode}", monitor=True) as machine:
        for _ in range(3):
            machine.hmp("nmi")
            machine.expect(re.escape("NMI at the prompt\r\n"))
        machine.send("\r")
        machine.prompt()
        assert machine.cmd("let x = 1")["value"] == "0x1"


@pytest.mark.parametrize("mode", ["32", "4level"])
def test_nmi_in_a_long_command(mode):
    """Either the NMI ends the command with a record that names it, or the command goes on until Ctrl-C ends it."""
    with Qemu(append=f"json=1 mode={mode}", monitor=True) as machine:
        for _ in range(5):
            machine.send("let a = 1; touch r 0x300000 x4000000000\r")
            machine.expect('"name":"a"[^\n]*\n')
            machine.hmp("nmi")
            goes_on = machine.expect([PROMPT, "NMI at the prompt\r\n"], timeout=10) == 1
            if goes_on:
                machine.send("\x03")
                machine.prompt(10)
            record = machine.records(machine.serial.before)[-1]
            assert record["cmd"] == "touch"
            if goes_on:
                assert record["status"] == "interrupted", record
            else:
                assert re.search("NMI|exception 2 ", str(record)), record
            assert machine.cmd("let x = 2")["value"] == "0x2"


@pytest.mark.parametrize("mode", ["32", "4level"])
def test_nmis_while_much_is_written(mode):
    """They come while records are made and sent, and may end one `regs` or another, but not the loop that runs them."""
    with Qemu(append=f"json=1 mode={mode}", monitor=True) as machine:
        machine.send("repeat 400 { regs }\r")
        machine.expect('"cmd":"regs"[^\n]*\n')
        for _ in range(40):
            machine.hmp("nmi")
        shown = machine.prompt(60)
        assert re.search("NMI|exception 2 ", shown), "no NMI arrived while the command ran: this run shows nothing"
        assert '"cmd":"repeat","status":"ok"' in shown and '"count":400' in shown, shown[-600:]
        assert machine.cmd("let x = 2")["value"] == "0x2"
