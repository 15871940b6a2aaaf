"""Finds fault with worksheets: what docs/TEACHING.md asks of them, and that no answer is told before its question."""

import re

from worksheet_format import MODES
from worksheet_index import ROWS
from worksheet_shell import compiled, WIDTH

EFFECTS = ["stale", "global", "structures", "not-present", "ad"]
SCRIPT_MAX = 1700  # what the shell has to run before a page, as one line (src/repl/state.h)


def lint_sheet(sheet):
    """What is wrong with it, a line each."""
    name = sheet.name
    if int(name[:2]) != sheet.number:
        yield f"{name}: it says that it is lesson {sheet.number}"
    if f"# {sheet.number}. {sheet.title}" not in sheet.body:
        yield f"{name}: its first heading should be '# {sheet.number}. {sheet.title}'"
    for word in sheet.modes:
        if word not in MODES:
            yield f"{name}: there is no mode '{word}'"
    for word in sheet.effects:
        if word not in EFFECTS:
            yield f"{name}: there is no effect '{word}'; there are {', '.join(EFFECTS)}"
    if len(sheet.meta["question"]) > WIDTH - 2 or len(sheet.title) > 50:
        yield f"{name}: the title or the question is too long for a line"
    if not any("What this platform cannot show" in line for line in sheet.body):
        yield f"{name}: it does not say what a platform cannot show"
    if "## What to take along" not in sheet.body and "## Who holds what" not in sheet.body:
        yield f"{name}: it has no step 'What to take along'"
    if not sheet.questions():
        yield f"{name}: it asks nothing"
    if len(sheet.questions()) > 32:
        yield f"{name}: it asks more than 32 questions"
    for row in compiled(sheet).splitlines():
        if len(row) > WIDTH + 2 and row[0] in "TtHhVvBb":
            yield f"{name}: wider than {WIDTH} columns: {row[2:]}"
        if not row.isascii():
            yield f"{name}: not plain ASCII: {row[2:]}"
    before = ""
    for number, page in enumerate(sheet.pages):
        if len("; ".join(sheet.script(number))) > SCRIPT_MAX:
            yield f"{page.where}: too much has been done since the last `lab` block: give this step one of its own"
        if page.lab and page.lab[0].split()[0] not in ("reset", "mode"):
            yield f"{page.where}: a `lab` block begins with 'reset' or 'mode', so that it does not depend on what was before"
        before += "\n" + "\n".join(page.prose)
        if page.answer:
            yield from lint_question(page, before)
        elif any(re.search(r"\*\*Q\d+\.\*\*", line) for line in page.prose):
            yield f"{page.where}: a question without an `answer` block behind it"


def lint_question(page, before):
    answer, where = page.answer, page.answer.where
    if f"**Q{page.number}.**" not in "\n".join(page.prose):
        yield f"{where}: the question before it should begin with **Q{page.number}.**"
    if not answer.hints:
        yield f"{where}: no hint"
    if not answer.because:
        yield f"{where}: no 'because'"
    if answer.run and len(answer.run) > 90 or answer.field and len(answer.field) > 38:
        yield f"{where}: 'run' is too long"
    for modes, value in answer.values:
        if any(mode not in MODES for mode in modes):
            yield f"{where}: '{' '.join(modes)}' are not all modes"
        if not value and not answer.field:
            yield f"{where}: no answer"
        if len(value) > 90:
            yield f"{where}: the answer is too long"
        if answer.kind == "outcome" and not re.fullmatch(r"(must|may|platform)( (fresh|stale|fault)(:\S+)?)+", value):
            yield f"{where}: an outcome is 'must OUTCOME', 'may OUTCOME OUTCOME...' or 'platform OUTCOME OUTCOME...', each like fresh:A or fault:0x7"
        if answer.kind == "outcome" and value.startswith("must") and len(value.split()) != 2:
            yield f"{where}: what MUST be is one outcome"
        if answer.kind in ("number", "word"):
            yield from lint_spoilt(where, answer, value, before)
    if answer.kind == "choice":
        yield from lint_choices(page)
    if answer.kind == "outcome" and (not answer.run or answer.field):
        yield f"{where}: an outcome is that of an access: 'run: read ...'"


def lint_choices(page):
    """The letters run from a on, what is right is among them, and whoever takes another is told why not."""
    letters, where = page.choices(), page.answer.where
    if letters != list("abcdefghijkl"[:len(letters)]) or len(letters) < 2:
        yield f"{where}: to choose from there should be lines '- a) ...', '- b) ...', and so on"
    for _, value in page.answer.values:
        right = value.split()
        if not set(right) <= set(letters):
            yield f"{where}: '{value}' is not to choose from"
        explained = {what for what, _ in page.answer.wrong}
        for letter in letters:
            if len(right) == 1 and letter not in right and not explained & {letter, ""}:
                yield f"{where}: nothing explains why {letter} is wrong"


def lint_spoilt(where, answer, value, before):
    """No answer is printed before it is asked: not in the page, and not in a hint."""
    for form in value.split("|") if answer.kind == "word" else [value]:
        if len(form) < 4 or answer.kind == "word" and " " not in form and form.islower() and len(form) < 5:
            continue
        pattern = re.compile(r"(?<![\w])" + re.escape(form) + r"(?![\w])", 0 if answer.kind == "word" else re.I)
        spoilt = [text for text in answer.hints if pattern.search(text)]
        if answer.kind == "number" and pattern.search(before):
            spoilt.append("the text before")
        for text in spoilt:
            yield f"{where}: '{form}' is the answer, and is told too early: {text}"


def lint(sheets):
    """What is wrong with all of them, a line each."""
    problems = [problem for sheet in sheets for problem in lint_sheet(sheet)]
    covered = {row for sheet in sheets for row, _ in sheet.covers}
    problems += [f"no worksheet covers {row}" for row in ROWS if row not in covered]
    problems += [f"there is no row {row} to cover" for row in sorted(covered - set(ROWS))]
    right = [value for sheet in sheets for page in sheet.questions() if page.answer.kind == "choice" for _, value in page.answer.values]
    problems += [f"'{letter}' is right too often to be a surprise" for letter in set(right) if right.count(letter) * 2 > len(right)]
    numbers = [sheet.number for sheet in sheets]
    if len(set(numbers)) != len(numbers):
        problems.append("two worksheets have the same number")
    return problems
