"""The ways to start: by -kernel, from the ISO by BIOS and by UEFI; with little memory; and what the boot command line can ask for."""

import os

import pytest

import story
from machines import BUILD, Bochs, Qemu, make_iso


@pytest.fixture(scope="module")
def uefi_json_iso():
    """build/tlbsh.iso is for people; this one answers in JSON, and boots by UEFI too."""
    path = os.path.join(BUILD, f"test-uefi-{os.getpid()}.iso")
    make_iso(path, "json=1 color=0", efi=True)
    yield path
    os.unlink(path)


@pytest.mark.parametrize("media", ["iso", "ovmf"])
def test_the_iso_for_people(media):
    with Qemu(media=media, memory="256M") as machine:
        assert machine.mode == "4level"
        assert "a shell for your page tables" in machine.boot_text and "Modes: off, 32, pae, 4level, 5level." in machine.boot_text
        machine.text("set color=0")
        assert "frame A, 4 KiB" in machine.text("map 0x40000000 A")
        assert "of frame A, fresh" in machine.text("read 0x40000000")
        machine.send("poweroff\r")
        assert machine.wait_end() == 0


class Stick(Qemu):
    """The ISO as it is on a USB stick."""

    def media_arguments(self):
        arguments = super().media_arguments()
        at = arguments.index("-cdrom")
        drive = ["-drive", f"if=none,id=stick,format=raw,readonly=on,file={arguments[at + 1]}", "-device", "qemu-xhci",
                 "-device", "usb-storage,drive=stick,bootindex=0"]
        return arguments[:at] + arguments[at + 2:] + drive


@pytest.mark.parametrize("media", ["iso", "ovmf32"])
def test_the_iso_on_a_usb_stick(media):
    with Stick(media=media, memory="256M") as machine:
        assert "a shell for your page tables" in machine.boot_text
        assert "$x = 0x5" in machine.text("let x = 5")


def test_every_mode_by_uefi(uefi_json_iso):
    with Qemu(media="ovmf", iso=uefi_json_iso, memory="256M") as machine:
        story.tell_in_every_mode(machine, ["off", "32", "pae", "4level", "5level"])


def test_32_mib_are_enough():
    with Qemu(memory="32M") as machine:
        story.tell_in_every_mode(machine, ["off", "32", "pae", "4level", "5level"])
        for frame in ("M0", "M1"):
            machine.cmd(f"map 0x40400000 {frame} rw 2m")
            machine.cmd("invlpg 0x40400000")
            assert machine.cmd("read 0x40401000")["frame"] == f"{frame}+0x1000"


@pytest.mark.parametrize("cpu, asked, mode", [("max", "5level", "5level"), ("max", "32", "32"), ("max", "off", "off"), ("max", "pae", "pae"),
                                              ("qemu64", "5level", "4level"), ("486", "4level", "32")])
def test_mode_on_the_command_line(cpu, asked, mode):
    with Qemu(cpu=cpu, append=f"json=1 mode={asked}") as machine:
        assert machine.mode == mode
        assert ("note" in machine.boot) == (asked != mode)


def test_run_on_the_command_line():
    with Qemu(append='json=1 run="map 0x40000000 A; read 0x40000000" color=0') as machine:
        assert [record["cmd"] for record in machine.boot_records] == ["boot", "map", "read"]
        assert machine.boot_records[2]["frame"] == "A"


def test_second_serial_port_and_another_speed():
    with Qemu(append="json=1 console=com2,57600", com=2) as machine:
        assert machine.boot["console"].startswith("com2, 57600 baud")
        assert machine.cmd("let x = 5")["value"] == "0x5"


def test_poweroff_and_reboot():
    with Qemu(reboot=True) as machine:
        machine.cmd("map 0x40000000 A")
        machine.send("reboot\r")
        machine.boot_read()
        assert machine.boot["cmd"] == "boot" and machine.cmd("frames")["tables_used"] == 0
        machine.send("poweroff\r")
        assert machine.wait_end() == 0


def test_poweroff_in_bochs():
    with Bochs() as machine:
        machine.send("poweroff\r")
        machine.wait_end()
