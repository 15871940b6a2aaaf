"""Pastes of many different commands, larger than the receive ring, and with mode switches in them: all answered, in order, in both emulators.

tests/boot/test_line.py pastes one kind of command.  Here the lines differ in length and in how long they take, so the ring fills and drains at
different places, and a switch hands the ring from one kernel to the other while it is nearly full.
"""

import itertools

import pytest

from machines import Bochs, Qemu

RING = 32 * 1024  # bytes that the kernel takes ahead (serial.c): a paste must also work beyond it


def various(size):
    """(line, what its record must hold) for at least `size` bytes of lines. Each line can be told from the others by its record."""
    total = 0
    for i in itertools.count():
        line, wanted = (
            (f"let v{i % 40} = {i}", {"cmd": "let", "status": "ok", "value": hex(i)}),
            (f"va {i:#x}000 # {'-' * (i % 50)}", {"cmd": "va", "status": "ok", "va": f"{i:#x}000"}),
            (f"nonsense{i}", {"cmd": f"nonsense{i}", "status": "usage", "at": 0}),
            (f"read {0x50000000 + i * 8:#x}", {"cmd": "read", "status": "fault", "va": hex(0x50000000 + i * 8)}),
            (f"   map {i} A rw", {"cmd": "map", "status": "refused"}),
        )[i % 5]
        yield line, wanted
        total += len(line) + 1
        if total >= size:
            return


def answers(machine, count, timeout):
    got = []
    while len(got) < count:
        got += machine.records(machine.prompt(timeout))
    return got


def check(got, lines):
    for record, (line, wanted) in zip(got, lines):
        assert wanted.items() <= record.items(), f"{line!r} was answered with {record}"
    assert len(got) == len(lines)


@pytest.mark.parametrize("machine_class, size", [(Qemu, 2 * RING), (Bochs, RING + 4096)])
def test_a_paste_larger_than_the_ring(machine_class, size):
    with machine_class() as machine:
        lines = list(various(size))
        machine.send("".join(line + "\r" for line, _ in lines), timeout=90)
        check(answers(machine, len(lines), 90), lines)
        assert machine.cmd("let last = 1")["value"] == "0x1"


@pytest.mark.parametrize("machine_class", [Qemu, Bochs])
def test_a_paste_with_mode_switches_in_it(machine_class):
    """Nothing that waits in the ring may get lost or be run twice when the other kernel takes over."""
    modes = ["32", "pae", "off", "4level"]
    lines = []
    for i in range(60):
        lines.append((f"let n{i % 40} = {i} + 0x100", {"cmd": "let", "value": hex(i + 0x100)}))
        lines.append((f"mode {modes[i % 4]}", {"cmd": "mode", "status": "ok", "to": modes[i % 4]}))
        lines.append((f"nonsense{i}", {"cmd": f"nonsense{i}", "status": "usage", "mode": modes[i % 4]}))
    with machine_class() as machine:
        machine.send("".join(line + "\r" for line, _ in lines), timeout=60)
        check(answers(machine, len(lines), 60), lines)
