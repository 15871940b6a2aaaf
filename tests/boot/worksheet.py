"""Works through a worksheet of docs/lessons on a machine, as a diligent student would: types what there is to type, asks for every hint, answers
every question wrongly first and then rightly.  What comes is compared with what the worksheet says, by rule."""

import re

import scenario
import worksheet_format

SHEETS = worksheet_format.load()


def outcome_of(record):
    """What an access came to, as worksheets write it: stale:A, fault:0x7."""
    if record.get("outcome") == "fault":
        return "fault:" + record["fault"].get("error", record["fault"]["name"])
    return f"{record.get('outcome')}:{record.get('frame', '')}"


def listed(wanted, came):
    return any(came == one or (":" not in one and came.split(":")[0] == one) for one in wanted)


def known(machine, record):
    """Whether the machine has broken a rule that it is known to break."""
    broken = scenario.find(record, "violation.rule")
    assert broken is None or broken in scenario.KNOWN.get(machine.known, ()), f"a violation on {machine.name}: {record}"
    return broken is not None


def expect(machine, where, command, wanted, record):
    """An expectation behind a command of a `do` block holds."""
    assert record["status"] not in ("usage", "error"), f"{where}: '{command}' on {machine.name}: {record}"
    if known(machine, record) or not wanted:
        return
    kind, *words = wanted.split()
    message = f"{where}: '{command}' in {machine.mode} on {machine.name}: want {wanted}, got {record}"
    if kind in ("must", "may"):
        assert listed(words, outcome_of(record)), message
        assert kind == "may" or len(record.get("predicted", [0])) == 1, message
    elif kind == "needs":
        assert words[0] in record.get("needs", "").split(":")[0], message
    else:
        for expectation in words:
            assert scenario.holds(record, expectation), message


def member(record, path):
    """A member of a member, as in the worksheets: levels.PTE.at, levels.0.level."""
    for key in path.split("."):
        if isinstance(record, list):
            record = record[-1] if key == "last" else record[int(key)] if key.isdigit() else next(row for row in record if row["level"] == key)
        else:
            record = record[key]
    return {True: "yes", False: "no"}.get(record, record) if isinstance(record, bool) else record


def solution(machine, answer):
    value = answer.value(machine.mode)
    if answer.kind == "outcome":
        predicted = machine.cmd(f"predict {answer.run}").get("predicted")
        assert predicted, f"{answer.where}: nothing is predicted for '{answer.run}'"
        doubts[answer.where] = max(doubts.get(answer.where, 0), len(predicted))
        first = predicted[0]
        return f"{first['outcome']} {first.get('frame', first.get('error', ''))}".strip()
    if value:
        return value.split("|")[0].lstrip("#")
    return str(member(machine.cmd(answer.run), answer.field)).lstrip("#")


# By question: how many outcomes the model has permitted, where it permitted most.
doubts = {}
OTHER = {"yes": "no", "no": "yes"}
WRONG = {"number": "0xdeadbee", "word": "nonsense", "outcome": "fault 0xff"}


def wrong(page, mode):
    """An answer that can be read and is not right."""
    if page.answer.kind == "choice":
        return next(letter for letter in page.choices() if letter not in page.answer.value(mode))
    return OTHER.get(page.answer.value(mode), WRONG[page.answer.kind])


class Work:
    """One worksheet on one machine, which speaks JSON."""

    def __init__(self, machine, sheet):
        self.machine, self.sheet = machine, sheet

    def run(self, thorough=True):
        number = self.sheet.number
        shown = self.machine.cmd(f"lesson {number} 1")
        done = 0  # pages
        while "page" in shown:
            self.pass_over(done + 1, shown["page"], shown)
            done = shown["page"]
            page = self.sheet.pages[done - 1]
            where = f"{page.where} in {self.machine.mode} on {self.machine.name}"
            assert shown["status"] == "ok" and "left_out" not in shown, f"{where}: {shown}"
            assert "trouble" not in shown, f"{where}: the set-up: {shown['trouble']}"
            self.page(done - 1, page, thorough)
            shown = self.machine.cmd("next")
        self.pass_over(done + 1, len(self.sheet.pages) + 1, shown)
        assert shown.get("done") is True, f"{self.sheet.name} on {self.machine.name}: {shown}"
        return shown

    def pass_over(self, first, behind, shown):
        """The pages from first on, up to the one behind them, were left out, and that is said."""
        said = f"pages {first} to {behind - 1} are left out: " if behind - first > 1 else f"page {first} is left out: "
        assert ("skipped" in shown) == (first < behind), f"{self.sheet.name} on {self.machine.name}: {shown}"
        assert first == behind or shown["skipped"].startswith(said), f"{said} {self.sheet.name} on {self.machine.name}: {shown}"

    def page(self, index, page, thorough):
        for command, wanted in page.do:
            expect(self.machine, page.where, command, wanted, self.machine.cmd(command))
        if page.answer:
            self.question(index, page, thorough)

    def question(self, index, page, thorough):
        answer, machine = page.answer, self.machine
        if thorough:
            for number in range(len(answer.hints)):
                hint = machine.cmd("hint")
                assert hint.get("hint") == number + 1 and hint["says"], f"{answer.where}: {hint}"
            record = machine.cmd(f"check-answer {wrong(page, machine.mode)}")
            assert record.get("right") is False, f"{answer.where}: a wrong answer on {machine.name}: {record}"
            assert record["says"], f"{answer.where}: a wrong answer is not explained"
            if record["settled"]:  # the command has been run: the lab as it was before
                shown = machine.cmd(f"lesson {self.sheet.number} {index + 1}")
                assert shown.get("page") == index + 1 and "trouble" not in shown, f"{answer.where}: {shown}"
        right = solution(machine, answer)
        record = machine.cmd(f"check-answer {right}")
        assert record.get("right") is True, f"{answer.where}: '{right}' in {machine.mode} on {machine.name}: {record}"
        assert record["settled"] and record["says"], f"{answer.where}: {record}"


def modes_of(machine, sheet):
    return [mode for mode in sheet.modes if mode in machine.boot["modes"]]
