"""What the shell reads of a worksheet (src/repl/lesson_text.h tells its form): lines of plain text, each with a letter that says what it is."""

import os
import re
import textwrap

WIDTH = 78  # of a terminal of 80 columns
UNBROKEN = "\x7f"  # stands for a blank at which no line is broken


def quoted(match):
    """Code as plain text: what could be read as part of the sentence stands in quotes."""
    code = match[1].replace(" ", UNBROKEN) if len(match[1]) < 40 else match[1]
    return f"'{code}'" if " " in match[1] or re.match("[a-z]", match[1]) else code


def plain(text):
    """A line of Markdown as plain ASCII text: emphasis is gone."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`([^`]*)`", quoted, text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"\1", text)
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?!\w)", r"\1", text)


def wrap(text, first="", rest="", width=WIDTH):
    # What stands in quotes is mostly a command: it stays on one line too.
    text = re.sub(r"(?<!\w)'[^']{1,36}'(?!\w)", lambda match: match[0].replace(" ", UNBROKEN), text)
    lines = textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False)
    return [line.replace(UNBROKEN, " ") for line in lines]


def table(rows):
    """A table's rows, in columns."""
    cells = [[plain(cell.strip()).replace(UNBROKEN, " ") for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))] for row in rows]
    cells = [[cell.replace("\\|", "|") for cell in row] for row in cells if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    columns = max(map(len, cells))
    cells = [row + [""] * (columns - len(row)) for row in cells]
    widths = [max(len(row[i]) for row in cells) for i in range(columns)]
    while sum(widths) + 2 * columns > WIDTH:  # what is too wide is broken, the widest column first
        widths[widths.index(max(widths))] -= 1
    lines = []
    for row in cells:
        broken = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, widths)]
        for i in range(max(map(len, broken))):
            lines.append("  " + "  ".join((part[i] if i < len(part) else "").ljust(width) for part, width in zip(broken, widths)).rstrip())
    return [line.rstrip() for line in lines]


def shell_lines(markdown):
    """Markdown prose as lines of at most 78 columns."""
    lines, at = [], 0
    while at < len(markdown):
        line = markdown[at]
        if not line.strip():
            if lines and lines[-1]:
                lines.append("")
            at += 1
        elif line.startswith("```"):
            at += 1
            while not markdown[at].startswith("```"):
                lines.append("    " + markdown[at].rstrip())
                at += 1
            at += 1
        elif line.startswith("|"):
            rows = []
            while at < len(markdown) and markdown[at].startswith("|"):
                rows.append(markdown[at])
                at += 1
            lines += table(rows)
        else:
            quote = line.startswith(">")
            item = re.match(r"(\s*)([-*]|\d+\.) ", line)
            text = []
            while at < len(markdown) and markdown[at].strip() and not markdown[at].startswith(("|", "```")):
                here = markdown[at]
                if text and (here.startswith(">") != quote or re.match(r"\s*([-*]|\d+\.) ", here)):
                    break
                text.append(here.lstrip("> ").strip() if quote else here.strip())
                at += 1
            if item:
                text[0] = text[0][len(item[2]) + 1:]
                lead = "  " + item[1] + (item[2] if item[2][0].isdigit() else "-") + " "
                lines += wrap(plain(" ".join(text)), lead, " " * len(lead))
            else:
                lines += wrap(plain(" ".join(text)), *("  | ", "  | ") if quote else ("", ""))
    while lines and not lines[-1]:
        lines.pop()
    return lines


def tagged(tag, text):
    """Lines of text: the first with its tag, the others with the tag in small."""
    return [f"{tag if i == 0 else tag.lower()} {line}" for i, line in enumerate(text)]


def compiled_answer(page):
    answer = page.answer
    lines = [f"? {page.number} {answer.kind} {''.join(page.choices())}".rstrip()]
    if answer.run:
        lines.append(f"! {answer.run}")
    if answer.field:
        lines.append(f"@ {answer.field}")
    for modes, value in answer.values:
        lines.append(f"A {','.join(modes) or '*'} {value}")
    for hint in answer.hints:
        lines += tagged("H", wrap(plain(hint)))
    for tag, entries in (("W", answer.wrong), ("F", answer.if_came)):
        for what, text in entries:
            lines += [f"{tag} {what or '*'}"] + tagged("V", wrap(plain(text)))
    for text in answer.because:
        lines += tagged("B", wrap(plain(text)))
    return lines


def compiled(sheet):
    lines = [f"L {sheet.number} {sheet.title}", f"Q {plain(sheet.meta['question']).replace(UNBROKEN, ' ')}", f"I {sheet.meta['minutes']} {len(sheet.questions())}",
             f"M {' '.join(sheet.modes)}", f"E {' '.join(sheet.effects)}"]
    for page in sheet.pages:
        lines.append(f"P {plain(page.step).replace(UNBROKEN, ' ')}")
        if page.needs:
            lines.append(f"N {' '.join(page.needs)}")
        lines += [f"= {line}" for line in page.lab]
        lines += [f"T {line}".rstrip() for line in shell_lines(page.prose)]
        lines += [f"> {command}" for command, _ in page.do]
        if page.answer:
            lines += compiled_answer(page)
    return "\n".join(lines) + "\n"


def compile_all(sheets, out):
    texts = [compiled(sheet) for sheet in sheets]
    first = len(texts) * 8 + 4
    offsets, at = [], first
    for text in texts:
        offsets.append(at)
        at += len(text.encode("ascii"))
    data = f"{len(texts):03}\n" + "".join(f"{offset:07}\n" for offset in offsets) + "".join(texts) + "\0"
    os.makedirs(os.path.dirname(out) or ".", exist_ok=True)
    with open(out, "w", encoding="ascii") as file:
        file.write(data)
