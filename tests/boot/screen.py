"""Machines that are used by their screen and keyboard: what QEMU's monitor shows of the one and types on the other."""

import os
import re
import time

from machines import BUILD, PROMPT_TEXT, Qemu, Stopped

GLYPH_HEIGHT = 16
NAMES = {" ": "spc", "\r": "ret", "\t": "tab", "\x7f": "backspace", "-": "minus", "=": "equal", "[": "bracket_left", "]": "bracket_right", ";": "semicolon",
         "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot", "/": "slash"}
SHIFTED = {"!": "1", "@": "2", "#": "3", "$": "4", "%": "5", "^": "6", "&": "7", "*": "8", "(": "9", ")": "0", "_": "minus", "+": "equal",
           "{": "bracket_left", "}": "bracket_right", ":": "semicolon", '"': "apostrophe", "~": "grave_accent", "|": "backslash", "<": "comma", ">": "dot",
           "?": "slash"}


def key(character):
    """The key's name for `sendkey`."""
    if character in SHIFTED:
        return "shift-" + SHIFTED[character]
    if character.isupper():
        return "shift-" + character.lower()
    return NAMES.get(character, character)


def glyphs():
    """{the rows of a character: the character}, of the font that the kernels were built with."""
    with open(os.path.join(BUILD, "font.bin"), "rb") as file:
        font = file.read()
    return {font[i:i + GLYPH_HEIGHT]: chr(0x20 + i // GLYPH_HEIGHT) for i in range(0, len(font), GLYPH_HEIGHT)}


def row_lines(pitch, columns, pixel_bytes, height):
    """The lines of pixels where rows of characters begin: those that keep off pages which end in 00 to 07, as src/dev/screen.c places them."""
    lines, line = [], 0
    while line + GLYPH_HEIGHT <= height and len(lines) < 48:
        first, last = line * pitch, (line + GLYPH_HEIGHT - 1) * pitch + columns * 8 * pixel_bytes - 1
        fits = all(page & 0xff >= 8 for page in range(first >> 12, (last >> 12) + 1))
        lines += [line] if fits else []
        line += GLYPH_HEIGHT if fits else 1
    return lines


def read_pixels(path, columns, pixel_bytes):
    """The text in a PPM picture of a framebuffer. Ink is what is not black; the cursor's underline is read as what is above it."""
    with open(path, "rb") as file:
        magic, size, _, data = file.read().split(b"\n", 3)
    assert magic == b"P6"
    width, height = map(int, size.split())
    characters = glyphs()
    lines = [data[y * width * 3:(y + 1) * width * 3] for y in range(height)]
    return [read_row(lines[y:y + GLYPH_HEIGHT], columns, characters) for y in row_lines(width * pixel_bytes, columns, pixel_bytes, height)]


def read_row(lines, columns, characters):
    text = ""
    last = max(len(line.rstrip(b"\0")) for line in lines)
    for start in range(0, min(columns * 24, last), 24):
        bits = bytes(sum(0x80 >> x for x in range(8) if any(line[start + 3 * x:start + 3 * x + 3])) if any(line[start:start + 24]) else 0 for line in lines)
        text += characters.get(bits) or (" " if bits[-2:] == b"\xff\xff" else "\0")
    return text.rstrip()


class ScreenQemu(Qemu):
    """QEMU of which only the screen and the keyboard are used; with `com`=0 (usual) it has no serial port at all."""

    def __init__(self, media="iso", framebuffer=None, com=0, **options):
        super().__init__(media=media, com=com, monitor=True, **options)
        self.framebuffer = framebuffer  # (columns of characters, bytes of a pixel); None in text mode

    def start(self):
        if self.com:
            super().start()
            return
        monitor = ["-monitor", f"unix:{self.dir}/monitor,server=on,wait=off"]
        with open(os.path.join(self.dir, "stderr"), "w") as stderr:
            self.run(["qemu-system-x86_64", "-nodefaults", "-display", "none", "-vga", "std", "-net", "none", "-accel", "tcg", "-cpu", self.cpu,
                      "-m", self.memory, "-no-reboot", *monitor, *self.media_arguments(), *self.extra], stderr=stderr)
        while not os.path.exists(os.path.join(self.dir, "monitor")):
            if self.process.poll() is not None:
                raise Stopped(f"{self.name} did not start: {self.said()}")
            time.sleep(0.02)

    def boot_read(self):
        if self.com:
            super().boot_read()
        else:
            self.boot_text = "\n".join(self.wait_for(r"(?m)^\w+> *$", self.boot_timeout))

    def rows(self):
        """What is on the screen, row by row."""
        path = os.path.join(self.dir, "screen")
        if self.framebuffer:
            self.hmp(f"screendump {path}")
            return read_pixels(path, *self.framebuffer)
        self.hmp(f"pmemsave 0xb8000 4000 \"{path}\"")
        with open(path, "rb") as file:
            data = file.read()
        return ["".join(chr(data[i]) for i in range(row, row + 160, 2)).rstrip(" \0") for row in range(0, 4000, 160)]

    def wait_for(self, pattern, timeout=20):
        """Waits until the screen shows this; gives back its rows."""
        end, rows = time.monotonic() + timeout, []
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Stopped(f"{self.name} has ended: {self.said()}")
            try:
                rows = self.rows()
            except (OSError, ValueError):
                rows = []
            if re.search(pattern, "\n".join(rows)):
                return rows
            time.sleep(0.1)
        raise AssertionError(f"{pattern!r} is not on the screen: {rows}")

    def keys(self, *names):
        for name in names:
            self.hmp(f"sendkey {name} 1")

    def type(self, text):
        self.keys(*(key(character) for character in text))

    def do(self, line, timeout=20):
        """Types a line and Enter; gives back the rows that it comes to, up to the next prompt."""
        self.type(line + "\r")
        shown = self.wait_for(rf"(?s){re.escape(line)} *\n.*\n?\w+> *\n*$", timeout)
        start = max(index for index, row in enumerate(shown) if row.endswith(line) and PROMPT_TEXT.match(row))
        return [row for row in shown[start + 1:] if row][:-1]
