"""Where things are in physical memory: what src/machine/layout.h says, read from there."""

import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = 0x1000

with open(os.path.join(ROOT, "src", "machine", "layout.h"), encoding="ascii") as _header:
    LAYOUT = {name: int(value, 0) for name, value in re.findall(r"#define LAYOUT_(\w+) (\w+)", _header.read())}


def frame_name(physical):
    """A page's name as the shell gives it: A, M0+0x3000, p:0x2000000."""
    number = (physical - LAYOUT["FRAMES"]) // PAGE
    if 0 <= number < LAYOUT["FRAME_COUNT"]:
        return chr(ord("A") + number)
    for index in (0, 1):
        offset = physical - LAYOUT[f"BIG{index}"]
        if 0 <= offset < LAYOUT["BIG_BYTES"]:
            return f"M{index}" + (f"+{offset:#x}" if offset else "")
    return f"p:{physical:#x}"
