"""The serial line and the line editor on a booted kernel: pastes, Ctrl-C, line ends, garbage; and what a mode switch must not lose."""

import json
import random

import pytest

from machines import Bochs, Qemu
from seed import SEED


def paste(machine, size):
    """Sends at least `size` bytes of commands in one go; each must be answered, in order."""
    lines, total = [], 0
    while total < size:
        lines.append(f"let v{len(lines) % 40} = {len(lines)} * 3 + 0x1000")
        total += len(lines[-1]) + 1
    machine.send("".join(line + "\r" for line in lines), timeout=60)
    values = []
    while len(values) < len(lines):
        values += [int(record["value"], 16) for record in machine.records(machine.prompt(timeout=60)) if record["cmd"] == "let"]
    assert values == [i * 3 + 0x1000 for i in range(len(lines))]


def test_paste_of_20000_bytes_in_qemu(program):
    paste(program, 20000)


def test_paste_of_20000_bytes_in_bochs():
    with Bochs() as machine:
        paste(machine, 20000)


def test_a_line_of_4000_bytes_is_one_error(program):
    record = program.cmd("x" * 4000)
    assert record["status"] == "usage" and "4000" in record["reason"]
    assert program.cmd("let x = 1")["status"] == "ok"


def test_garbage_never_hangs(program):
    rng = random.Random(SEED)
    for _ in range(20):
        program.send(bytes(byte for byte in (rng.randrange(256) for _ in range(300)) if byte not in (4,)))
        program.send("\x03")  # drops what is left of the line
    program.send("\rlet after = 0x77\r")
    seen = ""
    while '"value":"0x77"' not in seen:
        seen += program.prompt() + "\n"


def test_ctrl_c_stops_commands(program):
    for endless in ("repeat 4000000000 { read 0x300000 }", "touch r 0x300000 x4000000000", "repeat 1000000 { repeat 1000000 { regs } }"):
        program.send(f"let started = 1; {endless}\r")
        program.expect('"started"', timeout=10)  # Ctrl-C before that would throw away the line itself, typed ahead as it was
        program.send("\x03")
        records = program.records(program.prompt(timeout=10))
        assert records[-1]["status"] == "interrupted", endless
        assert program.cmd("let x = 2")["value"] == "0x2"


MORE = "-- more: Space; Enter: a line; q: enough --"


def test_long_output_waits_where_it_is_asked_to(person):
    ended = r"\r\x1b\[K\w+> $"  # the prompt stands where the question was
    person.text("set lines=10")
    person.send("help\r")
    for answer, lines in ((" ", 9), ("\r", 9), ("q", 1)):
        person.expect(MORE)
        assert person.serial.before.count("\n") == lines
        person.send(answer)
    person.expect(ended)
    assert "\n" not in person.serial.before, "that was enough"
    person.send("help; help regs\r")
    person.expect(MORE)
    person.send("q")
    assert "show the control registers" in person.prompt(), "the next command is shown"
    person.send("help; let not_done = 1\r")
    person.expect(MORE)
    person.send("\x03")
    person.prompt()
    assert "not_done" not in person.text("let"), "Ctrl-C ends the line"
    assert person.text("json on").startswith("{") and MORE not in person.text("help"), "programs do not read so slowly"
    person.text("json off")
    person.text("set lines=0")
    assert MORE not in person.text("help")


def test_what_is_pasted_behind_long_output_is_not_lost(person):
    person.text("set lines=8")
    person.send("help\rlet pasted = 0x123\rhelp\rlet last = 0x124\r")
    person.expect(r"\$pasted = 0x123")
    person.expect(r"\$last = 0x124")
    person.prompt()
    person.text("set lines=0")


def test_ctrl_c_at_the_prompt_drops_the_line(person):
    person.send("this is nonsense\x03")
    person.prompt()
    assert person.text("let y = 6").strip() == "$y = 0x6"


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_line_ends(person, end):
    person.send(f"let z = 7{end}")
    assert "$z = 0x7" in person.prompt()
    person.send(f"let z = 8{end}")  # would come behind an empty line, had CRLF counted twice
    assert person.prompt().count("z = 8") == 1


@pytest.mark.parametrize("typed, answer", [
    ("lexx\x7f\x7ft a = 1", "$a = 0x1"),
    ("lexx\x08\x08t a = 2", "$a = 0x2"),
    ("et a = 3\x01l", "$a = 0x3"),
    ("junk\x15let a = 4", "$a = 0x4"),
    ("let a = 5 junk\x17\x08", "$a = 0x5"),
    ("let a = 6\x1b[D\x1b[D\x1b[D\x1b[D\x1b[C\x1b[C\x1b[C\x1b[C", "$a = 0x6"),
    ("let a = 77\x1b[D\x1b[3~", "$a = 0x7"),
    ("let\ta = 8", "$a = 0x8"),
])
def test_editing(person, typed, answer):
    person.send(typed + "\r")
    assert answer in person.prompt()


def test_history_and_completion(person):
    person.text("let recalled = 0x123")
    person.send("\x1b[A\r")
    assert "$recalled = 0x123" in person.prompt()
    person.send("wal\t 0x40000000\r")
    assert "not present" in person.prompt()


def test_the_caret_stands_under_the_wrong_word(person):
    answer = person.text("map 0x40000000 A rw 3m").split("\r\n")
    assert answer[0] == " " * len("4level> map 0x40000000 A rw ") + "^"
    assert "'3m'" in answer[1]


def test_several_commands_comments_prefixes(program):
    names = [record["cmd"] for record in program.cmds("let p = 1; let q = 2 ; ; hist # a comment; regs")]
    assert names == ["let", "let", "history"]
    nested = program.cmds("repeat 2 { let n = 1; repeat 2 { let m = 1 } }")
    assert [record["cmd"] for record in nested] == ["let", "let", "let", "repeat"] * 2 + ["repeat"]


def test_one_json_line_per_command_and_nothing_else(program):
    lines = ["regs", "cpu", "frames", "map 0x40000000 A", "walk 0x40000000", "va 0x40000000", "pte 0x40000000", "dump 0x40000000", "read 0x40000000",
             "touch w 0x40000000 x3", "cached? 0x40000000", "invlpg 0x40000000 user", "set", "set cr0.wp=1", "help", "help map", "history", "platform",
             "nonsense", "map", "read 5 5 5", "undo", "maps all", "raise ud", "let", "json on", "mode"]
    for line in lines:
        program.send(line + "\r")
        shown = program.prompt().strip("\r\n").split("\r\n")
        assert len(shown) == 1, f"{line}: {shown}"
        record = json.loads(shown[0])
        assert {"cmd", "status", "mode"} <= set(record) and record["status"] in ("ok", "usage", "refused", "fault"), record


def test_a_mode_switch_loses_nothing(program):
    program.cmd("let kept = 0xabc")
    program.cmd("set cr0.wp=0")
    before = len(program.cmd("history")["lines"])
    for mode in ("32", "pae", "off", "4level", "5level", "4level"):
        assert program.cmd(f"mode {mode}")["status"] == "ok"
        assert program.cmd("let x = $kept + 1")["value"] == "0xabd"
        assert {row["name"]: row["value"] for row in program.cmd("set")["settings"]}["cr0.wp"] == 0
    assert len(program.cmd("history")["lines"]) > before
    program.cmd("set cr0.wp=1")


def test_a_thousand_mode_switches(program):
    records = program.cmds("repeat 200 { mode 32; mode 5level; mode pae; mode off; mode 4level }", timeout=120)
    switches = [record for record in records if record["cmd"] == "mode"]
    assert len(switches) == 1000 and all(record["status"] == "ok" and "from" in record for record in switches)
    assert records[-1]["cmd"] == "repeat" and records[-1]["count"] == 200
    program.cmd("map 0x40000000 A")
    assert program.cmd("read 0x40000000")["frame"] == "A"


def test_what_is_typed_during_a_switch_is_not_lost(program):
    program.send("mode pae\rlet a = 1\rmode 4level\rlet a = 2\r")
    got = []
    while len(got) < 4:
        got += program.records(program.prompt())
    assert [record["cmd"] for record in got] == ["mode", "let", "mode", "let"]
