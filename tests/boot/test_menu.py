"""The ISO's boot menu: Shift, held while the machine starts, shows it on the serial line too, and each paging mode has an entry."""

import os
import re
import time

import pytest

from machines import Qemu

# A key that goes down before the firmware knows the keyboard is lost, and after GRUB has looked it is late: so several moments are tried.
MOMENTS = [0.2, 0.3, 0.15, 0.4, 0.1, 0.6, 0.8, 1.2]


class Missed(Exception):
    """The machine started without showing its menu."""


class Menu(Qemu):
    """A machine on which somebody presses Shift a moment after power-on, and then a key in the menu, on the serial line."""

    def __init__(self, key, moment):
        super().__init__(media="iso", monitor=True)
        self.key, self.moment = key, moment
        self.menu = ""

    def start(self):
        super().start()
        end = time.monotonic() + 10
        while not os.path.exists(os.path.join(self.dir, "monitor")):
            assert time.monotonic() < end, "QEMU has no monitor"
            time.sleep(0.005)
        time.sleep(self.moment)
        self.hmp("sendkey shift 5000")
        if self.expect(["JSON records", "a shell for your page tables"], timeout=20) == 1:
            raise Missed()
        self.menu = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.serial.before)
        self.send(self.key)


def choose(key, moment):
    with Menu(key, moment) as machine:
        return machine.mode, machine.menu


@pytest.mark.parametrize("key, mode", [("3", "32"), ("p", "pae"), ("4", "4level"), ("5", "5level"), ("o", "off")])
def test_menu_entry(key, mode):
    for moment in MOMENTS:
        try:
            chosen, menu = choose(key, moment)
            break
        except Missed:
            continue
    else:
        pytest.fail("no moment at which Shift brought up the menu")
    assert chosen == mode
    assert all(word in menu for word in ("4-level", "5-level", "PAE", "32-bit", "paging off"))
