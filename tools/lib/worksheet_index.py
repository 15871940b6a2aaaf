"""docs/lessons/README.md: the lessons, and where each subject is taught."""

import os

from worksheet_format import DIRECTORY

INDEX = os.path.join(DIRECTORY, "README.md")
# What is to be taught, by where it comes from (index_text() says what the letters are). Each is covered by a worksheet.
ROWS = [f"{letter}{n}" for letter, most in (("Q", 6), ("L", 8), ("W", 12), ("X", 6), ("U", 1)) for n in range(1, most + 1)]


def tables(sheets):
    """The lessons, and behind them what is taught where."""
    lines = ["| lesson | the question | minutes | modes |", "|---|---|---|---|"]
    for sheet in sheets:
        lines.append(f"| [{sheet.number}. {sheet.title}]({sheet.name}) | {sheet.meta['question']} | {sheet.meta['minutes']} | {' '.join(sheet.modes)} |")
    lines += ["", "## What is taught where", "", "The letters are those of the sources that the project started from: Q how to use INVLPG, L what a flush costs, W which",
              "change needs which flush, X how INVLPG treats its operand, U what a student of page tables needs.", "",
              "| row | is | lessons |", "|---|---|---|"]
    rows = {}
    for sheet in sheets:
        for row, phrase in sheet.covers:
            rows.setdefault(row, []).append((sheet, phrase))
    for row in sorted(rows, key=lambda row: ("QLWXU".find(row[0]), int(row[1:] or 0))):
        phrases = list(dict.fromkeys(phrase for _, phrase in rows[row]))
        links = ", ".join(f"[{sheet.number}]({sheet.name})" for sheet, _ in rows[row])
        lines.append(f"| {row} | {'; '.join(phrases)} | {links} |")
    return "\n".join(lines) + "\n"


def index_text(sheets):
    return "# Lessons\n\nMade by `tools/worksheets coverage --write` from the headers of the worksheets; [TEACHING.md](../TEACHING.md) tells how to " \
           "use and write them.\n\n" + tables(sheets)


def write(sheets):
    with open(INDEX, "w") as file:
        file.write(index_text(sheets))


def is_stale(sheets):
    with open(INDEX) as file:
        return file.read() != index_text(sheets)
