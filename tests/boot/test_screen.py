"""The screen and the keyboard as console: VGA text and framebuffers, BIOS and UEFI, with serial lines and without."""

import os
import re

import pytest

from machines import BUILD, OVMF, Qemu, make_iso
from screen import ScreenQemu

MAPPED = "0x40000000 -> 0x3d0000, frame A, 4 KiB"


def use(machine):
    """A session as a person has it: every kind of key that the editor knows."""
    assert "a shell for your page tables" in machine.boot_text and "keyboard" in machine.boot_text and "com" not in machine.boot_text.split("Console:")[1]
    assert machine.do("map 0x40000000 A")[0].startswith(MAPPED)
    assert "of frame A, fresh" in machine.do("read 0x40000000")[0]
    machine.type("let a = 1x")
    machine.keys("backspace", "ret")
    machine.wait_for(r"\$a = 0x1\b")
    machine.type("et b = 33")
    machine.keys("home")
    machine.type("l")
    machine.keys("end", "left", "delete", "ret")
    machine.wait_for(r"\$b = 0x3\b")
    machine.type("let c = 5 * (2 + 1)\r")
    machine.wait_for(r"\$c = 0xf\b")
    machine.keys("up", "ctrl-a", "ctrl-k", "ctrl-y", "ret")
    machine.wait_for(r"(?s)\$c = 0xf\b.*\$c = 0xf\b")
    machine.type("nonsense")
    machine.keys("ctrl-c")
    machine.wait_for(r"nonsense\^C")
    machine.type("repeat 4000000000 { regs }\r")
    machine.wait_for("EFER")
    machine.keys("ctrl-c")
    machine.wait_for(r"stopped after \d+ *\n.*interrupted *\n\w+> *\n*$")


def each_mode(machine):
    for mode in ("32", "off", "pae", "5level", "4level"):
        assert machine.do(f"mode {mode}")[-1].endswith(f"-> {mode}")
        assert machine.do("let kept = $a")[0] == "$kept = 0x1"


def test_text_mode_without_a_serial_port():
    with ScreenQemu() as machine:
        assert "Console: screen 80x25; keyboard." in machine.boot_text
        use(machine)
        each_mode(machine)
        machine.type("poweroff\r")
        assert machine.wait_end() == 0


@pytest.mark.parametrize("media", ["ovmf", "ovmf32"])
def test_a_framebuffer_without_a_serial_port(media):
    if not os.path.exists(OVMF[media][0]):
        pytest.skip(f"no {OVMF[media][3]}")
    with ScreenQemu(media=media, memory="256M", framebuffer=(128, 4)) as machine:
        assert "Console: screen 128x45; keyboard." in machine.boot_text
        use(machine)
        if media == "ovmf":
            each_mode(machine)
        assert "its screen is in the next 16" in machine.do("map 0x1400000 A")[0]
        machine.do("reset")
        machine.do("set color=0")
        assert machine.do("map 0x2000000 A")[0].startswith("0x2000000 -> 0x3d0000")
        # Drawing leaves what a lesson wants stale: each of these scrolls the whole screen.
        for _ in range(3):
            machine.do("map 0x40000000 A; invlpg 0x40000000; read 0x40000000")
            machine.do("regs; regs; regs; map 0x40000000 B")
            assert "of frame A, stale" in machine.do("read 0x40000000")[0]


def test_a_framebuffer_of_24_bits(tmp_path):
    iso = make_iso(os.path.join(BUILD, f"test-24-{os.getpid()}.iso"), "color=0", efi=True, before="insmod all_video\nset gfxpayload=800x600x24\n")
    try:
        with ScreenQemu(media="ovmf", memory="256M", framebuffer=(100, 3), iso=iso) as machine:
            assert "Console: screen 100x35; keyboard." in machine.boot_text
            assert machine.do("map 0x40000000 A")[0].startswith(MAPPED)
    finally:
        os.unlink(iso)


def test_the_boot_record_shows_without_serial_line_and_keyboard():
    with ScreenQemu(extra=["-machine", "pc,i8042=off"]) as machine:
        assert "a shell for your page tables" in machine.boot_text and "Console: screen 80x25." in machine.boot_text


def test_mirrored():
    with ScreenQemu(media="kernel", com=1, append="color=0") as machine:
        assert "com1, 115200 baud, 16550, by interrupt; screen 80x25; keyboard" in " ".join(machine.boot_text.split())
        machine.text("let serial = 0x51")
        machine.wait_for(r"\$serial = 0x51")
        machine.type("let keyboard = 0x52\r")
        assert "$keyboard = 0x52" in machine.prompt()
        machine.wait_for(r"\$keyboard = 0x52")


@pytest.mark.parametrize("console, shown", [("console=com1", False), ("json=1", False), ("console=com2,9600 color=0", False), ("console=pci", True)])
def test_what_console_chooses(console, shown):
    com = 2 if "com2" in console else 1
    with ScreenQemu(media="kernel", com=com, append=console) as machine:
        if shown:
            machine.wait_for("page tables")
        assert any("page tables" in row for row in machine.rows()) == shown
        assert ("screen" in machine.boot_text) == shown and f"com{com}" in machine.boot_text


def test_the_screen_alone():
    with ScreenQemu(media="kernel", append="console=screen color=0", extra=["-serial", "null"]) as machine:
        assert "Console: screen 80x25; keyboard." in machine.boot_text
        assert machine.do("let x = 7") == ["$x = 0x7"]


@pytest.mark.parametrize("append, why", [("color=0", "there is no COM port"), ("color=0 console=pci", "it was asked for")])
def test_a_pci_serial_card(append, why):
    extra = ["-serial", "null"] if "asked" in why else []
    with Qemu(com="pci", append=append, extra=extra) as machine:
        assert machine.boot_text.split("Console: ")[1].startswith("pci, 115200 baud, 16550, polled"), why
        assert "$x = 0x7" in machine.text("let x = 7")
        machine.send("".join(f"let y = {i}\r" for i in range(400)), timeout=60)
        machine.expect(r"\$y = 0x18f\r\n", timeout=30)
        machine.prompt()
        assert [int(value, 16) for value in re.findall(r"\$y = (0x[0-9a-f]+)", machine.serial.transcript)] == list(range(400))
        assert "-> pae" in machine.text("mode pae") and "$x = 0x7" in machine.text("let x = $x")


def test_long_output_reaches_the_screen_whole():
    with ScreenQemu(media="kernel", append="color=0") as machine:
        machine.type("set lines=0\r")
        machine.type("help\r")
        machine.wait_for(r"(?m)poweroff(.*\n)+4level> *\n*$")


def test_long_output_waits_until_it_is_read():
    """Nothing that has left the top of the screen comes back."""
    with ScreenQemu(media="kernel", append="color=0") as machine:
        machine.type("help\r")
        shown = machine.wait_for(r"-- more: ")
        assert shown[0].startswith("4level> help") and "help COMMAND" in shown[1] and shown[24].startswith("-- more"), shown
        seen = {row for row in shown if row}
        while "4level>" not in (shown := machine.rows())[24]:
            seen |= set(shown)
            machine.type(" ")
            machine.wait_for(r"(?m)^(-- more: .*|4level> *)\n*$")
        seen |= set(shown)
        for command in ("walk", "mode", "check-answer", "replay"):
            assert any(f" {command} " in row for row in seen), command


def test_too_little_memory_is_said():
    machine = ScreenQemu(media="kernel", memory="3M")
    try:
        machine.start()
        assert machine.wait_for("needs RAM")[0].startswith("tlbsh: needs RAM from 1 MiB to 4 MiB")
    finally:
        machine.__exit__(None, None, None)
