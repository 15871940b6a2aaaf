"""tools/grade: what students hand in, and what somebody might hand in instead."""

import json
import os
import subprocess

import pytest
from machines import ROOT, Qemu
from simulated import PROGRAM
from worksheet import SHEETS

GRADE = os.path.join(ROOT, "tools", "grade")
STALE = next(sheet for sheet in SHEETS if sheet.number == 4)


def grade(*arguments):
    result = subprocess.run([GRADE, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout) if "--json" in arguments else result.stdout


def lines_of(sheet, wrong=()):
    """What a student types who gets everything right but the questions in `wrong`."""
    yield f"lesson {sheet.number} 1"
    for page in sheet.pages:
        yield from (command for command, _ in page.do)
        if page.answer:
            value = page.answer.value("4level")
            right = value.split()[1].replace(":", " ") if page.answer.kind == "outcome" else value.split("|")[0]
            yield "check-answer " + ("fault 0xff" if page.number in wrong and page.answer.kind == "outcome" else right)
        yield "next"


def test_a_serial_log_of_a_person(tmp_path):
    """Typed with mistakes and corrections, in text, on another machine than the one that grades."""
    log = tmp_path / "anna.log"
    with Qemu(append="color=0 mode=4level") as machine:
        for line in lines_of(STALE, wrong={3}):
            machine.text("xy\x7f\x7f" + line.replace("map", "mpa\x08\x08ap"))
        log.write_text(machine.serial.transcript)
    rows = grade("--json", log)
    assert len(rows) == 1 and rows[0]["lesson"] == 4, rows
    assert rows[0]["right"] == "6 (6)" and rows[0]["answered"] == 7 and not rows[0]["differs"] and not rows[0]["remark"], rows
    answers = {row["question"]: row["is"] for row in grade("--json", "--answers", log)}
    assert answers == {n: "wrong" if n == 3 else "right" for n in range(1, 8)}


def test_what_record_shows(tmp_path):
    lines = ["record on", *lines_of(STALE), "record off", "record"]
    shown = subprocess.run([PROGRAM, "--mode", "4level"], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=20).stdout
    handed_in = tmp_path / "berta.txt"
    handed_in.write_text(shown[shown.rindex("not recording"):])
    rows = grade("--json", handed_in)
    assert [(row["lesson"], row["right"], row["differs"]) for row in rows] == [(4, "7 (7)", "")], rows


def test_an_altered_log_is_noticed(tmp_path):
    altered = tmp_path / "carl.txt"
    altered.write_text("4level> lesson 4 5\n4level> check-answer a\nRight.\n4level> check-answer b\nRight.\n")
    rows = grade("--json", altered)
    assert rows[0]["differs"] > 0 and rows[0]["right"] == "1 (0)", rows


HOSTILE = {
    "endless": b"4level> repeat 4294967295 { touch r 0x40000000 x1000000000 }\n",
    "ends": b"4level> poweroff\n4level> reboot\n4level> json off\n4level> lesson 4 5\n4level> check- b\n",
    "shell": b"4level> $(touch /tmp/tlbsh-owned); `id`; | cat /etc/passwd\n" * 3,
    "floods": b"4level> repeat 4294967295 { rules }\n",
    "long": b"4level> " + b"A" * 3_000_000 + b"\n",
    "binary": bytes(range(256)) * 4000,
    "escapes": b"4level> \x1b[999999999C\x1b[999999999Dread 0\x1b[K\n" * 50,
    "empty": b"",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    directory = tmp_path_factory.mktemp("hostile")
    for name, data in HOSTILE.items():
        (directory / name).write_bytes(data)
    return {row["file"]: row for row in grade("--json", "--seconds", 2, *sorted(directory.iterdir()), directory / "missing")}


def test_hostile_transcripts(hostile):
    assert set(hostile) == set(HOSTILE) | {"missing"}
    assert hostile["ends"]["right"] == "1 (1)", "what would end the machine is left out, the rest counts"
    for name in ("endless", "floods"):
        assert hostile[name]["remark"], hostile[name]
    assert not os.path.exists("/tmp/tlbsh-owned")


def test_hundreds_of_files(tmp_path):
    text = "".join(f"4level> {line}\n" for line in lines_of(STALE))
    for number in range(200):
        (tmp_path / f"student{number:03}").write_text(text)
    rows = grade("--json", *sorted(tmp_path.iterdir()))
    assert len(rows) == 200 and all(row["right"] == "7 (7)" for row in rows)
