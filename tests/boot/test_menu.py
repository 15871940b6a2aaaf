"""The ISO's boot menu over the serial line: Esc while the machine starts shows it, and each paging mode has an entry."""

import re
import time

import pexpect
import pytest

from machines import Qemu


class Menu(Qemu):
    """A machine whose start is interrupted by Esc until GRUB shows its menu; then a key chooses."""

    def __init__(self, key):
        super().__init__(media="iso")
        self.key = key
        self.menu = ""

    def start(self):
        super().start()
        end = time.monotonic() + 20
        while "GNU GRUB" not in self.menu:
            assert time.monotonic() < end, f"no menu, but {self.menu[-300:]!r}"
            self.serial.send("\x1b")
            if self.serial.expect(["GNU GRUB", pexpect.TIMEOUT], timeout=0.1, searchwindowsize=None) == 0:
                self.menu += "GNU GRUB"
        self.serial.expect("JSON records", timeout=10, searchwindowsize=None)  # the last entry
        self.menu += self.serial.before
        self.serial.send(self.key)


@pytest.mark.parametrize("key, mode", [("3", "32"), ("p", "pae"), ("4", "4level"), ("5", "5level"), ("o", "off")])
def test_menu_entry(key, mode):
    with Menu(key) as machine:
        assert machine.mode == mode
        entries = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", machine.menu)
        assert all(word in entries for word in ("4-level", "5-level", "PAE", "32-bit", "paging off"))
