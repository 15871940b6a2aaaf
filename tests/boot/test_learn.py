"""The commands of lessons beside the worksheets themselves: wandering off and coming back, the quiz, record and replay; in text, as a person sees
them."""

import pytest
from machines import Bochs, Qemu
from simulated import Sim
from worksheet import SHEETS, Work, member


def ends_right(machine, question):
    """An answer that is right, found out without spoiling the question: by `predict`, or by running the command, which changes nothing."""
    runs, kind = question["runs"], question["kind"]
    if kind == "outcome":
        first = machine.cmd(f"predict {runs}")["predicted"][0]
        return f"{first['outcome']} {first.get('frame', first.get('error', ''))}".strip()
    record = machine.cmd(runs)
    return str(record["pa"] if runs.startswith("walk") else record["indexes"])


def quiz(machine, seed):
    """Takes a quiz, every third question wrongly; gives back the score and what was asked."""
    shown, asked, wrong = machine.cmd(f"quiz {seed}"), [], 0
    while "question" in shown:
        assert "trouble" not in shown, shown
        question = shown["question"][0]
        asked.append((shown["ask"], [row["command"] for row in shown["typed"]]))
        level = shown["ask"].rstrip("?").split()[-1]
        answer = ends_right(machine, question)
        if question["runs"].startswith("va"):
            answer = str(member(machine.cmd(question["runs"]), f"indexes.{level}.index"))
        assert machine.cmd("hint")["says"]
        if len(asked) % 3 == 0:
            answer, wrong = {"number": "0xbadbadbad", "outcome": "fault 0xff"}[question["kind"]], wrong + 1
        record = machine.cmd(f"check-answer {answer}")
        assert record["right"] == (len(asked) % 3 != 0), (shown, record)
        assert machine.cmd("check-answer 0")["status"] in ("refused", "usage")
        shown = machine.cmd("next")
    assert shown["over"] and shown["right"] == shown["questions"] - wrong, shown
    return shown["right"], asked


@pytest.mark.parametrize("mode", ["32", "pae", "4level", "5level"])
def test_quiz_on_the_simulated_machine(mode):
    with Sim(mode=mode) as machine:
        for seed in range(1, 9):
            quiz(machine, seed)


def test_quiz_in_qemu_is_the_same():
    with Qemu() as machine, Sim() as sim:
        for seed in (1, 0xffffffff):
            assert quiz(machine, seed)[1] == quiz(sim, seed)[1]
        machine.cmd("mode 32")
        quiz(machine, 3)


def test_a_question_of_the_quiz_is_for_one_mode():
    with Sim("modern-intel", mode="32") as machine:
        asked = machine.cmd("quiz 5")
        machine.cmd("mode pae")
        refused = machine.cmd("check-answer 391")  # the PTE's index in 32-bit paging; here another level might be asked for
        assert refused["status"] == "refused" and "'prev'" in refused["reason"], refused
        assert machine.cmd("lesson")["quiz"] == 1
        assert machine.cmd("hint")["status"] == "refused"
        machine.cmd("mode off")
        for line in ("hint", "next", "prev", "quiz", "check-answer 1"):
            assert machine.cmd(line)["status"] == "refused", line
        machine.cmd("mode 32")
        again = machine.cmd("prev")
        assert (again["number"], again["ask"]) == (1, asked["ask"])
        assert machine.cmd("check-answer p:391")["right"] is True  # as physical addresses are written
        assert machine.cmd("prev")["status"] == "refused"
        for _ in range(10):
            ended = machine.cmd("next")
        assert ended["over"] is True


def test_quiz_in_bochs():
    with Bochs() as machine:
        quiz(machine, 4)


def test_wandering_off_and_coming_back():
    with Qemu() as machine:
        machine.cmd("lesson 4 2")
        for line in ("map 0x40000000 A", "read 0x40000000", "map 0x40000000 B", "next"):
            machine.cmd(line)
        machine.cmd("reset")  # the lab is gone
        record = machine.cmd("check-answer stale")
        assert "lost" in record and "right" not in record, record
        machine.cmd("mode pae")
        assert machine.cmd("lesson")["here"] == 4
        shown = machine.cmd("lesson 4")  # with the lab as it should be
        assert shown["page"] == 3 and shown["mode"] == "pae", shown
        assert machine.cmd("check-answer stale")["right"] is True
        machine.cmd("mode 4level")
        row = next(row for row in machine.cmd("lesson")["lessons"] if row["n"] == 4)
        assert row["right"] == 1 and not row["done"], "what was answered is kept over mode switches"


def test_going_back_brings_the_lab_back_too():
    with Sim("modern-intel", mode="4level") as machine:
        assert machine.cmd("lesson 1 9")["mode"] == "pae"
        shown = machine.cmd("prev")  # the step before is about 32-bit paging, and has mapped a page there
        assert shown["cmd"] == "prev" and shown["page"] == 8 and shown["mode"] == "32", shown
        assert machine.cmd("walk 0x40201abc")["end"] == "mapped"
        machine.cmd("reset")
        machine.cmd("prev")  # still the same lab: what the student did to it is left alone
        assert machine.cmd("walk 0x40201abc")["end"] != "mapped"


def test_a_lab_is_set_up_in_a_mode_of_its_lesson():
    with Sim("modern-intel", mode="pae") as machine:
        assert machine.cmd("lesson 8 14")["mode"] == "32"  # the one step about 32-bit paging
        for page in (7, 8):  # 32-bit paging has no pages of 2 MiB
            shown = machine.cmd(f"lesson 8 {page}")
            assert shown["mode"] == "4level" and "trouble" not in shown, shown
        machine.cmd("mode 32")
        shown = machine.cmd("next")
        assert shown["mode"] == "4level" and "trouble" not in shown, shown
        machine.cmd("mode pae")
        assert machine.cmd("lesson 8 10")["mode"] == "pae"


def test_what_was_set_is_not_part_of_the_next_lab():
    def settings():
        return {row["name"]: row["value"] for row in machine.cmd("set")["settings"]}

    with Sim("modern-intel", mode="4level") as machine:
        before = settings()
        machine.cmd("lesson 10 13")  # in the midst of the step about SMAP
        assert settings()["cr4.smap"] == 1
        for line in ("lesson 4 1", "quiz 3"):
            for change in ("cr0.wp=0", "cr4.smap=1", "cr4.pge=0", "cr4.pke=1", "pkru=4", "efer.nxe=0"):
                assert machine.cmd(f"set {change}")["status"] == "ok"
            assert "lacks" not in machine.cmd(line)
            assert settings() == before, line
        machine.cmd("lesson 4 2")
        machine.cmd("set cr0.wp=0")
        machine.cmd("next")
        assert settings()["cr0.wp"] == 0, "the page goes on with the lab that is there"


def test_the_name_of_an_exception_is_no_comment():
    with Sim("modern-intel", mode="4level") as machine:
        machine.cmd("lesson 4 13")
        for answer in ("#PF", "#pf", "page fault # or is it?"):
            record = machine.cmd(f"check-answer {answer}")
            assert record["right"] is False and "A miss only makes" in " ".join(record["says"]), record
        assert machine.cmd("map 0x40000000 A #pfui")["status"] == "ok"


def test_mistakes_are_told():
    with Sim() as machine:
        assert machine.cmd("next")["status"] == "refused"
        assert machine.cmd("check-answer stale")["status"] == "refused"
        assert machine.cmd("lesson 99")["status"] == "refused"
        assert machine.cmd("lesson 4 99")["status"] == "refused"
        machine.cmd("lesson 4 3")
        usage = machine.cmd("check-answer nonsense")
        assert usage["status"] == "usage" and "fresh, stale or fault" in usage["reason"]
        assert machine.cmd("check-answer")["status"] == "usage"
        assert machine.cmd("check-answer " + "x" * 200)["status"] == "usage"


def test_a_lesson_for_modes_that_the_cpu_lacks():
    with Sim("i486", mode="32") as machine:
        assert machine.cmd("lesson 8")["status"] == "refused"
        shown = machine.cmd("lesson 6 4")  # global pages: not on a 486
        assert "left_out" in shown and machine.cmd("check-answer stale")["status"] == "refused"


def test_what_could_not_be_asked_does_not_count():
    sheet = next(sheet for sheet in SHEETS if sheet.number == 6)
    with Sim("i486", mode="32") as machine:
        end = Work(machine, sheet).run(thorough=False)
        assert end["left_out"] and not end["open"] and end["asked"] == end["right"] == end["questions"] - len(end["left_out"]), end
        row = next(row for row in machine.cmd("lesson")["lessons"] if row["n"] == 6)
        assert row["done"] and row["asked"] == end["asked"], row


def test_pages_that_are_left_out_are_passed_over():
    with Sim("i486", mode="32") as machine:
        machine.cmd("lesson 1 8")  # the last that this CPU can show; the next modes are for others
        while "skipped" not in (shown := machine.cmd("next")):
            assert "page" in shown
        assert "which this CPU lacks" in shown["skipped"] or "which this machine lacks" in shown["skipped"], shown
        back = machine.cmd("prev")
        assert back["page"] < shown["page"] - 1 and back["skipped"].split(":")[0] == shown["skipped"].split(":")[0], back
        assert "skipped" not in machine.cmd("prev")


def test_letters_that_are_not_offered_are_no_answer():
    with Sim() as machine:
        page = next(index + 1 for index, page in enumerate(SHEETS[0].pages) if page.choices())
        machine.cmd(f"lesson 1 {page}")
        for said in ("d", "z", "ad", "1", "a to one", "?"):
            refused = machine.cmd(f"check-answer {said}")
            assert refused["status"] == "usage" and refused["reason"].endswith("several of abc"), refused
        for said in ("a", "B", "(a)", "b)", "a, b"):
            assert machine.cmd(f"check-answer {said}")["right"] is False
        assert machine.cmd("check-answer C")["right"] is True


def test_the_first_answer_counts():
    with Sim() as machine:
        machine.cmd("lesson 4 3")
        first = machine.cmd("check-answer fault")
        assert first["settled"] and not first["right"] and not first["again"]
        machine.cmd("lesson 4 3")
        again = machine.cmd(f"check-answer {first['machine']}")
        assert again["right"] and again["again"]
        assert next(row for row in machine.cmd("lesson")["lessons"] if row["n"] == 4)["right"] == 0


def test_what_the_platform_lacks_is_said():
    with Sim("no-tlb") as machine:
        assert machine.cmd("lesson 4 1")["lacks"][0]["elsewhere"]
    with Sim("modern-intel") as machine:
        assert "lacks" not in machine.cmd("lesson 4 1")


@pytest.mark.parametrize("machine_of", [lambda: Qemu(append="color=0"), ], ids=["qemu"])
def test_text_fits_and_replay(machine_of):
    with machine_of() as machine:
        machine.text("record on")
        for line in ("lesson 4 2", "map 0x40000000 A", "read 0x40000000", "map 0x40000000 B", "next"):
            shown = machine.text(line)
            assert all(len(row) <= 80 for row in shown.splitlines()), shown
        machine.text("lesson 4 3; check-answer fresh")
        assert all(len(row) <= 80 for row in machine.text("lesson").splitlines()[1:]), "with how many were right, too"
        assert "Permitted: " in machine.text("check-answer fault") and "Right." in machine.text("lesson 4 5; check-answer b")
        machine.text("mode pae")
        machine.text("record off")
        assert "  4level> map 0x40000000 B" in machine.text("record")
        machine.send("replay\r")
        machine.expect([r"pae> $"], timeout=20)  # its last line switches to it
        again = machine.serial.transcript
        assert again.count("4level> check-answer fault") >= 2
