"""Starts that are out of the common: 32-bit UEFI, 32 MiB in every mode, no first serial port, too little RAM; and CPUs that lack a mode.

Firmware leaves the CPU in different states, a small machine lacks memory for what a large one has, and a machine without COM1 is mute unless
the kernel looks further.  None of that shows on the machine that a developer starts all day.
"""

import os

import pytest

import story
from machines import ISO, OVMF, Qemu, Stopped, json_iso

PAE, LM, LA57 = "CPUID.01H:EDX.PAE[bit 6]", "CPUID.80000001H:EDX.LM[bit 29]", "CPUID.07H.0:ECX.LA57[bit 16]"
ALL_MODES = ["off", "32", "pae", "4level", "5level"]


@pytest.fixture
def ovmf32():
    if not os.path.exists(OVMF["ovmf32"][0]):
        pytest.skip(f"the package {OVMF['ovmf32'][3]} is not installed")
    return "ovmf32"


def test_every_mode_by_32_bit_uefi(ovmf32):
    with Qemu(media=ovmf32, iso=json_iso(efi=True), memory="256M") as machine:
        story.tell_in_every_mode(machine, ALL_MODES)
        machine.send("poweroff\r")
        assert machine.wait_end() == 0


def test_the_iso_for_people_by_32_bit_uefi(ovmf32):
    with Qemu(media=ovmf32, iso=ISO, memory="256M") as machine:
        assert machine.boot is None and "a shell for your page tables" in machine.boot_text
        machine.text("set color=0")
        assert "frame A, 4 KiB" in machine.text("map 0x40000000 A")


def test_every_mode_from_the_iso_by_bios():
    with Qemu(media="iso", iso=json_iso()) as machine:
        story.tell_in_every_mode(machine, ALL_MODES)


@pytest.mark.parametrize(
    "cpu, bits",
    [
        ("486", {"pae": PAE, "4level": LM, "5level": LM}),
        ("athlon", {"4level": LM, "5level": LM}),
        ("qemu64", {"5level": LA57}),
    ],
)
def test_a_mode_that_the_cpu_lacks_names_the_bit(cpu, bits):
    """The bit that is named is the one that is missing, and the mode stays as it was."""
    with Qemu(cpu=cpu) as machine:
        here = machine.mode
        for mode, bit in bits.items():
            record = machine.cmd(f"mode {mode}")
            assert record["status"] == "refused" and bit in record["reason"], record
            assert machine.mode == record["mode"] == here


@pytest.mark.parametrize("mode, size", [("32", "4m"), ("pae", "2m"), ("4level", "2m"), ("5level", "2m")])
def test_both_large_frames_in_32_mib(mode, size):
    with Qemu(memory="32M", append=f"json=1 mode={mode}") as machine:
        assert machine.mode == mode and machine.boot["memory_mib"] in (31, 32)
        at = {frame["name"]: int(frame["pa"], 16) for frame in machine.cmd("frames")["frames"]}
        if mode == "32":
            assert machine.cmd("set cr4.pse=1")["value"] == 1
        for va, name in ((0x40000000, "M0"), (0x40400000, "M1")):
            assert machine.cmd(f"map {va:#x} {name} rw {size}")["frame"] == name
            machine.cmd("cr3")  # PAE paging takes up a new PDPTE only then
            assert machine.cmd(f"read {va + 0x1ff000:#x}")["value"] == hex(at[name] + 0x1FF000)
            assert machine.cmd(f"write {va + 0x1000:#x} 0x1234")["status"] == "ok"
            assert machine.cmd(f"read {va + 0x1000:#x}")["value"] == "0x1234"


@pytest.mark.parametrize("append, com", [("json=1", 2), ("json=1 console=com1", 2), ("json=1", 3), ("json=1 console=com2", 1)])
def test_the_port_that_is_there_is_found(append, com):
    """The port that was asked for does not exist, so the shell is on the one that does."""
    with Qemu(append=append, com=com, before="none") as machine:
        assert machine.boot["console"].startswith(f"com{com}, 115200 baud")
        assert machine.cmd("let x = 5")["value"] == "0x5"


@pytest.mark.parametrize("memory", ["2M", "3M"])
def test_too_little_memory_is_said(memory):
    machine = Qemu(memory=memory)  # never comes to a prompt: so it is started without waiting for one
    try:
        machine.start()
        machine.expect("\r\n")
        assert machine.serial.before == "tlbsh: needs RAM from 1 MiB to 4 MiB, and this machine's memory map has none there"
        with pytest.raises(Stopped):
            machine.expect("[^\r\n]", timeout=0.5)  # ... and then nothing: it does not go on regardless
    finally:
        machine.__exit__(None, None, None)


@pytest.mark.parametrize("option, columns", [("columns=132", 132), ("columns=0", 0), ("columns=7", 80), ("columns=wide", 80), ("", 80)])
def test_columns_by_the_command_line(option, columns):
    with Qemu(append=f"json=1 {option}") as machine:
        assert next(row["value"] for row in machine.cmd("set")["settings"] if row["name"] == "columns") == columns
