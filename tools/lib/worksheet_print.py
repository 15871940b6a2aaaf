"""The worksheets without their answers: on paper (pandoc, WeasyPrint) and as a web site (MkDocs)."""

import html
import os
import shutil
import subprocess

from worksheet_format import blocks, commands, expectation
from worksheet_index import index_text
from worksheet_shell import plain, UNBROKEN

HERE = os.path.dirname(os.path.abspath(__file__))
PAPER_CSS = os.path.join(HERE, "worksheet_paper.css")
SITE_CSS = os.path.join(HERE, "worksheet_site.css")
MKDOCS = """site_name: tlbsh lessons
docs_dir: pages
site_dir: site
theme:
  name: readthedocs
  highlightjs: false
extra_css: [lessons.css]
markdown_extensions: [tables, fenced_code, md_in_html, sane_lists]
use_directory_urls: false
nav:
"""


def box(page):
    """Where the answer is written: as much of it as the student may see."""
    answer = page.answer
    tick = '<span class="tick"></span>'
    lines = []
    if answer.kind == "outcome":
        lines.append(f"I say: {tick}fresh {tick}stale {tick}fault &nbsp;&nbsp; from frame / error code: ________")
    else:
        lines.append("I say:")
    if answer.run:
        lines.append(f"Then: <code>{html.escape(answer.run)}</code> &nbsp; It was: ________________")
    body = "<br>\n".join(lines)
    return f'<div class="box">\n{body}\n<div class="line"></div>\n</div>'


def handout_lines(sheet, with_hints):
    """The worksheet as Markdown without its answers and without what the test expects."""
    yield f"# {sheet.number}. {sheet.title}"
    yield ""
    yield f'<div class="asks">{html.escape(sheet.meta["question"])}</div>'
    yield ""
    yield f'<div class="who">Name: _________________________ &nbsp; Date: ___________ &nbsp; about {sheet.meta["minutes"]} minutes; ' \
          f"in the shell: <code>lesson {sheet.number}</code></div>"
    question = 0
    for kind, lines, _ in blocks(sheet.body):
        yield ""
        if kind == "heading1":
            continue
        if kind == "heading2":
            yield f"## {lines[0]}"
        elif kind == "needs":
            yield f'<div class="needs">Needs: {html.escape(", ".join(lines))}.</div>'
        elif kind == "lab":
            yield f'<div class="setup">Set up (the lesson does it): {html.escape("; ".join(commands(lines)))}</div>'
        elif kind == "do":
            yield "```text"
            yield from (expectation(line, sheet.name)[0] for line in lines if line.strip() and not line.startswith("#"))
            yield "```"
            yield ""
            yield '<div class="saw">What I saw:</div>'
        elif kind == "answer":
            page = sheet.questions()[question]
            question += 1
            yield box(page)
            if with_hints:
                for number, hint in enumerate(page.answer.hints, 1):
                    told = html.escape(plain(hint).replace(UNBROKEN, " "))
                    yield f"\n<details><summary>Hint {number}</summary><p>{told}</p></details>"
        else:
            yield from lines
    yield ""
    yield f'<div class="sources">Sources: {html.escape("; ".join(sheet.meta["sources"]))}.</div>'


def handout_text(sheet, with_hints=False):
    return "\n".join(handout_lines(sheet, with_hints)) + "\n"


def handout(sheet, out):
    """Makes its PDF in that directory."""
    os.makedirs(out, exist_ok=True)
    pdf = os.path.join(out, sheet.name.replace(".md", ".pdf"))
    subprocess.run(["pandoc", "-f", "gfm", "-t", "html5", "-s", "--metadata", f"pagetitle={sheet.number}. {sheet.title}", "--metadata", "lang=en",
                    "-c", PAPER_CSS, "--pdf-engine=weasyprint", "-o", pdf, "-"], input=handout_text(sheet), text=True, check=True,
                   stderr=subprocess.DEVNULL)
    return pdf


def site(sheets, out):
    pages = os.path.join(out, "pages")
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(pages)
    shutil.copy(SITE_CSS, os.path.join(pages, "lessons.css"))
    with open(os.path.join(pages, "index.md"), "w") as file:
        file.write(index_text(sheets).replace("[TEACHING.md](../TEACHING.md)", "docs/TEACHING.md"))
    with open(os.path.join(out, "mkdocs.yml"), "w") as file:
        file.write(MKDOCS + "  - Lessons: index.md\n" + "".join(f"  - '{sheet.number}. {sheet.title}': {sheet.name}\n" for sheet in sheets))
    for sheet in sheets:
        with open(os.path.join(pages, sheet.name), "w") as file:
            file.write(handout_text(sheet, with_hints=True))
    subprocess.run(["mkdocs", "build", "--quiet", "--strict", "-f", os.path.join(out, "mkdocs.yml")], check=True)
    return os.path.join(out, "site", "index.html")
