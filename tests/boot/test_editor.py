"""More of the line editor on a booted kernel: limits of a line, exact counts of prompts, the caret's column, and every editing key in turn.

What a key did is read off the command that then runs, not off the screen: escape sequences that draw the same line differently are equal.
"""

import random

import pytest

from machines import PROMPT_TEXT
from seed import SEED


@pytest.mark.parametrize("length, status", [(1022, "ok"), (1023, "ok"), (1024, "usage"), (1025, "usage"), (4000, "usage"), (20000, "usage")])
def test_the_longest_line(program, length, status):
    """1,023 bytes are a line; one more is an error that names the length, and of such a line nothing is run."""
    program.cmd("let x = 1")
    line = "let x = 2 #"
    records = program.cmds(line + "c" * (length - len(line)), timeout=30)
    assert len(records) == 1 and records[0]["status"] == status, records
    if status == "usage":
        assert str(length) in records[0]["reason"] and "1023" in records[0]["reason"]
    assert program.cmd("let y = $x")["value"] == ("0x2" if status == "ok" else "0x1")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_each_line_end_ends_one_line(program, end):
    """Five lines are five prompts: a CRLF that counted twice would show ten."""
    program.send("".join(f"let k{i} = {i}{end}" for i in range(5)) + "let done = 0x77\r")
    before = len(program.serial.transcript)
    shown = ""
    while '"0x77"' not in shown:
        shown += program.prompt() + program.serial.after
    assert len(PROMPT_TEXT.findall(program.serial.transcript[before:])) == len(PROMPT_TEXT.findall(shown)) == 6
    assert [record["cmd"] for record in program.records(PROMPT_TEXT.sub("\n", shown))] == ["let"] * 6


@pytest.mark.parametrize(
    "typed, value",
    [
        ("let e = 1\x01\x05\x7f2", "0x2"),  # Ctrl-A, Ctrl-E, erase
        ("let e = 3 + nonsense\x1b[D\x01" + "\x06" * 9 + "\x0b", "0x3"),  # Ctrl-A, Ctrl-F nine times, Ctrl-K
        ("nonsense\x15let e = 4", "0x4"),  # Ctrl-U
        ("let e = 5 nonsense\x17", "0x5"),  # Ctrl-W
        ("let e = 6\x15\x19", "0x6"),  # Ctrl-U, then Ctrl-Y brings it back
        ("let e = 7x\x02\x04", "0x7"),  # Ctrl-B, Ctrl-D deletes under the cursor
        ("el\x14t e = 7\x088", "0x8"),  # Ctrl-T swaps "el"
        ("et e = 9\x1b[Hl\x1b[F", "0x9"),  # Home, End
        ("et e = 10\x1b[1~l\x1b[4~", "0xa"),  # ... as tmux sends them
        ("let e = 1x1\x1b[D\x1b[D\x1b[3~", "0xb"),  # Left, Left, Delete
        ("let e =\t12", "0xc"),  # in JSON Tab is a blank
        ("let e = 13\x1b[99~\x1b[1;7Z", "0xd"),  # keys that do not exist here do nothing
    ],
)
def test_editing_keys(program, typed, value):
    program.cmd("let e = 0")
    program.send(typed + "\r")
    records = program.records(program.prompt())
    assert len(records) == 1 and records[0].get("value") == value, records


def test_arrows_walk_through_history(person):
    for i in (1, 2, 3):
        person.text(f"let h{i} = {i}")
    for keys, shown in (("\x1b[A\x1b[A\x1b[A", "$h1 = 0x1"), ("\x1b[A\x1b[A\x1b[A\x1b[B", "$h3 = 0x3"), ("let q = 5\x1b[A\x1b[B", "$q = 0x5")):
        person.send(keys + "\r")
        assert shown in person.prompt()


def test_tab_completes(person):
    person.send("wal\t")
    person.expect("wal[^\n]*k ")
    person.send("0x40000000\r")
    assert "0x40000000: not present" in person.prompt()
    person.send("re\t\t")  # several commands begin so: the second Tab lists them
    person.expect("\r\n[^\n]*read[^\n]*repeat[^\n]*\r\n")
    person.send("\x03")
    person.prompt()


@pytest.mark.parametrize(
    "line, word",
    [
        ("nonsense", "nonsense"),
        ("map 0x40000000 QQ", "QQ"),
        ("map 0x40000000 A rw 3m", "3m"),
        ("read 5 6 7", "6"),
        ("let ok = 1; map 0x40000000 A wrong", "wrong"),
        ("let ok = 1 ;   nonsense", "nonsense"),
        ("repeat 1 { walk wrong }", "wrong"),
        ("set nosuch=1", "nosuch"),
    ],
)
def test_the_caret_is_under_the_wrong_word(person, line, word):
    """The column counts the prompt, and what stands before a ';' or in braces."""
    shown = person.text(line).split("\r\n")
    carets = [text for text in shown if text.strip() == "^"]
    assert carets == [" " * (len(person.mode) + 2 + line.index(word)) + "^"], shown


def test_ctrl_c_drops_a_line_in_json(program):
    program.send("let x = 0x99 and then\x03")
    assert program.records(program.prompt()) == []
    assert program.cmd("let x = 0x12")["value"] == "0x12"


def test_nothing_that_is_typed_is_shown_in_json(program):
    program.send("let unseen = 0x31337")
    program.send("\r")
    shown = program.prompt()
    assert shown.startswith('{"cmd":"let"') and shown.count("unseen") == 1, shown
    assert program.cmd("set echo=1")["value"] == 1
    program.send("let seen = 2\r")
    assert program.prompt().startswith("let seen = 2\r\n{")
    program.cmd("set echo=0")
    program.send("let unseen = 3\r")
    assert program.prompt().startswith('{"cmd":"let"')


@pytest.mark.parametrize("interrupting", [False, True])
def test_every_byte_value_may_come(person, interrupting):
    """Garbage with all byte values. Ctrl-C throws away what was typed ahead of it, so without it all of the garbage is eaten."""
    rng = random.Random(SEED)
    for i in range(30):
        garbage = bytes(range(256)) + bytes(rng.randrange(256) for _ in range(1500))
        if not interrupting:
            garbage = garbage.replace(b"\x03", b"")
        if i % 2:
            garbage = garbage.replace(b"\r", b"").replace(b"\n", b"")  # one line, longer than a line can be
        person.send(garbage + f"\r\rlet after = {0x7700 + i}\r".encode())
        person.expect(f"\n[$]after = {0x7700 + i:#x}\r\n", timeout=20)
        person.prompt()
