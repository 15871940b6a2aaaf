"""The worksheets without their answers: on paper (pandoc, WeasyPrint) and as a web site (MkDocs, its Material theme)."""

import html
import os
import re
import shutil
import subprocess

from worksheet_format import blocks, commands, expectation, MODES
from worksheet_index import tables
from worksheet_shell import plain, UNBROKEN

HERE = os.path.dirname(os.path.abspath(__file__))
PAPER_CSS = os.path.join(HERE, "worksheet_paper.css")
SITE_CSS = os.path.join(HERE, "worksheet_site.css")
EQUATION = re.compile(r"\b([A-Z][/A-Z0-9.]*) = (\d)\b(?=[^`]*(?:`[^`]*`[^`]*)*$)")  # G = 1, on one line; not in code
SIZES = [(10.5, 7.5), (10.2, 7.3), (9.9, 7.1)]  # of the type, in points, and of a line to write on, in mm; the best first
BESIDE_MAX = 35  # longer commands leave no room beside them
# Commands that show a table or a list.
MUCH_TO_SEE = ["bench", "capacity", "compare", "cpu", "perf", "platform", "predict", "recursive", "regs", "stat", "sweep", "time", "va", "walk", "why"]
MKDOCS = """site_name: tlbsh lessons
docs_dir: pages
site_dir: site
theme:
  name: material
  font: false
  palette:
    - media: "(prefers-color-scheme: light)"
      scheme: default
    - media: "(prefers-color-scheme: dark)"
      scheme: slate
extra_css: [lessons.css]
markdown_extensions: [tables, fenced_code, md_in_html, sane_lists]
use_directory_urls: false
plugins: []
nav:
"""
SITE_INTRO = """# Lessons

You predict, the machine does it, and you find out why. Each lesson is also in the shell: start a machine (`make sim`, `make run` or
`make bochs`) and type `lesson`. What is asked here is answered there.

"""


def listed(words):
    return " or ".join(", ".join(words).rsplit(", ", 1))


def box(page):
    """Where the answer is written, a row for each part of it: a prediction, what the machine did, and why."""
    answer = page.answer
    tick = '<span class="tick"></span>'
    if answer.kind == "outcome":
        rows = [f"I say: {tick}fresh {tick}stale {tick}fault <span class=\"which\">frame or error code:</span>"]
    elif answer.kind == "choice":
        rows = ["I say: " + " ".join(tick + letter for letter in page.choices())]
    else:
        rows = ["I say:"]
    if answer.run:
        rows.append(f"Then <code>{html.escape(answer.run)}</code> &nbsp;It was:")
    rows.append("Because:")
    return '<div class="box">\n' + "\n".join(f"<div>{row}</div>" for row in rows) + "\n</div>"


def box_on_screen(page):
    """The same where nothing can be written: what to say, and what then to type."""
    say = {"outcome": "fresh, stale or fault, with the frame or the error code", "choice": listed(page.choices()),
           "number": "a number", "word": "a word or two"}[page.answer.kind]
    then = f" Then <code>{html.escape(page.answer.run)}</code>." if page.answer.run else ""
    return f'<div class="box">Your answer first: {say}.{then}</div>'


def to_type(lines, on_paper):
    """What a `do` block wants typed. On paper there is room beside each command for what came."""
    typed = [expectation(line, "")[0] for line in lines if line.strip() and not line.startswith("#")]
    if not on_paper:
        return ["```text", *typed, "```"]
    rows = ["<tr><th>type</th><th>what I saw</th></tr>"]
    for command in typed:
        code, tall = html.escape(command), ' class="tall"' if command == "set" or command.split()[0] in MUCH_TO_SEE else ""
        if len(command) > BESIDE_MAX:
            rows.append(f'<tr><td colspan="2"><code>{code}</code></td></tr><tr class="tall"><td colspan="2"></td></tr>')
        else:
            rows.append(f"<tr{tall}><td><code>{code}</code></td><td></td></tr>")
    return ['<table class="do">', *rows, "</table>"]


def needed(words):
    """What a step needs, in a sentence."""
    modes, sim, clock = ([word for word in words if word in some] for some in (MODES, ["sim"], ["clock"]))
    features = [word for word in words if word not in modes + sim + clock]
    parts = ["in mode " + listed(modes)] * bool(modes) + ["on a CPU with " + " and ".join(features)] * bool(features)
    parts += ["on the simulated machine"] * bool(sim) + ["where ticks mean something"] * bool(clock)
    return f"Only {', '.join(parts)}."


def handout_lines(sheet, on_paper):
    """The worksheet as Markdown without its answers and without what the test expects; the web site has the hints."""
    yield f"# {sheet.number}. {sheet.title}"
    yield ""
    yield f'<div class="asks">{html.escape(sheet.meta["question"])}</div>'
    yield ""
    if on_paper:
        yield '<table class="who"><tr><td>Name:</td><td></td><td>Date:</td><td></td></tr>' \
              '<tr><td>Machine:</td><td></td><td>Mode:</td><td></td></tr></table>'
        yield ""
    yield f'<div class="how">About {sheet.meta["minutes"]} minutes. In the shell: <code>lesson {sheet.number}</code></div>'
    question = 0
    for kind, lines, _ in blocks(sheet.body):
        yield ""
        if kind == "heading1":
            continue
        if kind == "heading2":
            yield f"## {lines[0]}"
        elif kind == "needs":
            yield f'<div class="needs">{html.escape(needed(lines))}</div>'
        elif kind == "lab":
            setup = "; ".join(f"<span>{html.escape(command)}</span>" for command in commands(lines))
            yield f'<div class="setup">Set up (the lesson does it): {setup}</div>'
        elif kind == "do":
            yield from to_type(lines, on_paper)
        elif kind == "answer":
            page = sheet.questions()[question]
            question += 1
            if on_paper:
                yield box(page)
            else:
                yield box_on_screen(page)
                yield from hints(page.answer)
            yield "\n</div>"
        else:
            for line in lines:
                if re.match(r"\*\*Q\d+\.\*\*", line):  # it stays on one page with what belongs to it, up to its box
                    yield '<div class="ask" markdown="1">\n'
                yield EQUATION.sub("\\1\u00a0=\u00a0\\2", line)
    yield ""
    yield f'<div class="sources">Sources: {html.escape("; ".join(sheet.meta["sources"]))}.</div>'


def hints(answer):
    for number, hint in enumerate(answer.hints, 1):
        told = html.escape(plain(hint).replace(UNBROKEN, " "))
        yield f"\n<details><summary>Hint {number}</summary><p>{told}</p></details>"


def handout_text(sheet, on_paper=True):
    return "\n".join(handout_lines(sheet, on_paper)) + "\n"


def laid_out(sheet):
    """The pages, in the largest size that takes no more of them than the smallest: a last page should not be there for three lines."""
    # The build does without it; `make worksheets` installs it.
    import weasyprint  # pylint: disable=import-outside-toplevel
    body = subprocess.run(["pandoc", "-f", "gfm", "-t", "html5"], input=handout_text(sheet), text=True, check=True, capture_output=True).stdout
    source = f'<html lang="en"><head><title>{sheet.number}. {html.escape(sheet.title)}</title></head><body>{body}</body></html>'
    page = weasyprint.HTML(string=source)

    def render(font, line):
        sizes = f"body {{ font-size: {font}pt }} .box div {{ height: {line}mm; padding-top: {line - 3.5}mm }} .do td {{ height: {line - 0.5}mm }}"
        return page.render(stylesheets=[weasyprint.CSS(PAPER_CSS), weasyprint.CSS(string=sizes)])

    return min((render(*size) for size in SIZES), key=lambda document: len(document.pages))


def handout(sheet, out):
    """Makes its PDF in that directory."""
    os.makedirs(out, exist_ok=True)
    pdf = os.path.join(out, sheet.name.replace(".md", ".pdf"))
    laid_out(sheet).write_pdf(pdf)
    return pdf


def site(sheets, out):
    pages = os.path.join(out, "pages")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(pages)
    shutil.copy(SITE_CSS, os.path.join(pages, "lessons.css"))
    with open(os.path.join(pages, "index.md"), "w") as file:
        file.write(SITE_INTRO + tables(sheets))
    with open(os.path.join(out, "mkdocs.yml"), "w") as file:
        file.write(MKDOCS + "  - Lessons: index.md\n" + "".join(f"  - '{sheet.number}. {sheet.title}': {sheet.name}\n" for sheet in sheets))
    for sheet in sheets:
        with open(os.path.join(pages, sheet.name), "w") as file:
            file.write(handout_text(sheet, on_paper=False))
    subprocess.run(["mkdocs", "build", "--quiet", "--strict", "-f", os.path.join(out, "mkdocs.yml")], check=True)
    return os.path.join(out, "site", "index.html")
