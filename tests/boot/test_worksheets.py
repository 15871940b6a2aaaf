"""The handouts: nothing of the answers may be in them. And the lint finds what is wrong with a worksheet."""

import html
import os
import re
import shutil
import subprocess
from types import SimpleNamespace

import pytest
import worksheet_format
import worksheet_lint
import worksheet_print
from machines import ROOT
from worksheet import SHEETS
from worksheet_format import Mistake, Worksheet

try:
    from mkdocs import utils as mkdocs
except ImportError:
    mkdocs = None

WORKSHEETS = os.path.join(ROOT, "tools", "worksheets")


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name[:2])
def test_a_handout_tells_no_answer(sheet):
    for hints in (False, True):
        text = worksheet_print.handout_text(sheet, on_paper=not hints)
        assert text.count('class="box"') == len(sheet.questions())
        ticks = sum(3 if page.answer.kind == "outcome" else len(page.choices()) for page in sheet.questions())
        assert text.count('class="tick"') == (0 if hints else ticks)
        for page in sheet.questions():
            for told in page.answer.because + [entry for _, entry in page.answer.wrong + page.answer.if_came] + ([] if hints else page.answer.hints):
                assert told not in text, f"{page.answer.where}: {told}"
        assert not re.search(r"# (must|may|shows|needs) ", text)
        assert "```answer" not in text and "```lab" not in text


GOOD = """---
lesson: 99
title: Good
question: Why?
minutes: 5
modes: [4level]
covers:
  - U1 something
sources:
  - "Intel SDM Vol. 3A: Paging"
---

# 99. Good

Hello.

> **What this platform cannot show.** Nothing.

## Step

```lab
reset
```

```do
map 0x40000000 A        # shows frame=A
```

**Q1.** What?

```answer
outcome: must fresh:A
run: read 0x40000000
hint: Think.
because: So.
```

## What to take along

This.
"""


def problems(tmp_path, text):
    path = tmp_path / "99-good.md"
    path.write_text(text)
    return list(worksheet_lint.lint_sheet(Worksheet(str(path))))


def test_the_lint_is_content_with_a_good_one(tmp_path):
    assert problems(tmp_path, GOOD) == []


@pytest.mark.parametrize("old, new, told", [
    ("hint: Think.\n", "", "no hint"),
    ("because: So.\n", "", "no 'because'"),
    ("**Q1.**", "**Q2.**", "**Q1.**"),
    ("modes: [4level]", "modes: [6level]", "6level"),
    ("```lab\nreset", "```lab\nmap 0x40000000 B", "begins with 'reset'"),
    ("> **What this", "> **This", "cannot show"),
    ("must fresh:A", "must fresh:A stale:B", "is one outcome"),
    ("outcome: must fresh:A\nrun: read 0x40000000\nhint: Think.", "number: 0x1234\nhint: It is 0x1234, of course.", "told too early"),
    ("**Q1.** What?", "**Q1.** Is it 0x1234?\n\n```answer\n" "number: 0x1234\nhint: a\nbecause: b\n```\n\n**Q2.** What?", "told too early"),
    ("outcome: must fresh:A\nrun: read 0x40000000\n", "outcome: must fresh:A\n", "that of an access"),
    ("# 99. Good", "# 98. Good", "first heading"),
    ("Hello.", "Hell\u00f6.", "ASCII"),
    ("Hello.", "```text\n" + "x" * 90 + "\n```", "wider"),
    ("```do\n", "**Q1.** A question?\n\n```do\n", "without an `answer`"),
])
def test_the_lint_finds(tmp_path, old, new, told):
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    assert any(told in problem for problem in found), found


@pytest.mark.parametrize("old, new, told", [
    ("outcome: must", "outcom: must", "outcom"),
    ("title: Good\n", "", "title"),
    ("---\nlesson", "lesson", "header"),
])
def test_what_cannot_be_read_is_told(tmp_path, old, new, told):
    with pytest.raises(Mistake, match=told):
        problems(tmp_path, GOOD.replace(old, new, 1))


def test_an_equation_is_not_torn_apart():
    def printed(text):
        return worksheet_print.EQUATION.sub("\\1~=~\\2", text)

    assert printed("With R/W = 0 and CR4.PGE = 1.") == "With R/W~=~0 and CR4.PGE~=~1."
    assert printed("`pte X = 0`, so P = 0; `Y = 1`") == "`pte X = 0`, so P~=~0; `Y = 1`"


def test_what_a_step_needs_is_told_in_a_sentence():
    assert worksheet_print.needed(["pcid", "4level", "5level"]) == "Only in mode 4level or 5level, on a CPU with pcid."
    assert worksheet_print.needed(["sim"]) == "Only on the simulated machine."


HAVE = "tools/setup --worksheets"
PAPER = pytest.mark.skipif(not all(map(shutil.which, ("pandoc", "weasyprint", "pdftotext"))), reason=HAVE)
SITE = pytest.mark.skipif(mkdocs is None or "material" not in mkdocs.get_theme_names(), reason=HAVE)
MM = 72 / 25.4
LEFT, RIGHT, TOP, BOTTOM = 20 * MM, (210 - 18) * MM, 17 * MM, (297 - 20) * MM


class Words:
    """The words of a page and where they are; the line at its foot apart."""

    def __init__(self, page):
        words = [(*map(float, found[:4]), html.unescape(found[4])) for found in
                 re.findall(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>', page)]
        self.words = [word for word in words if word[1] < BOTTOM]
        self.foot = " ".join(word[4] for word in words if word[1] >= BOTTOM)
        self.text = [word[4] for word in self.words]
        self.last_line = " ".join(word[4] for word in self.words if abs(word[3] - self.words[-1][3]) < 2)

    def filled(self):
        return (max(word[3] for word in self.words) - TOP) / (BOTTOM - TOP)


@PAPER
@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name[:2])
def test_pages_are_laid_out_for_a_pen(sheet, tmp_path):
    pdf = worksheet_print.handout(sheet, str(tmp_path))
    boxes = subprocess.run(["pdftotext", "-bbox", pdf, "-"], check=True, capture_output=True, text=True, timeout=60).stdout
    pages = [Words(page) for page in boxes.split("<page ")[1:]]
    asked = []
    for number, page in enumerate(pages, 1):
        where = f"{sheet.name}, page {number}"
        assert page.foot == f"tlbsh, lesson {sheet.number}. {sheet.title} page {number} of {len(pages)}"
        for left, top, right, bottom, word in page.words:
            assert left > LEFT - 1 and right < RIGHT + 1 and top > TOP - 3 and bottom < BOTTOM + 1, f"{where}: '{word}' is in the margin"
        # A question's box ends with "Because:". Both are on one page.
        parts = [word for word in page.text if re.fullmatch(r"Q\d+\.|Because:", word)]
        assert all(word == "Because:" for word in parts[1::2]) and len(parts) % 2 == 0, f"{where}: a question is apart from its box: {parts}"
        asked += parts[::2]
        assert page.last_line not in [step.step for step in sheet.pages], f"{where}: the heading '{page.last_line}' is alone at the foot"
        assert not page.last_line.startswith(("Set up (", "Only ")), f"{where}: a step's beginning is alone at the foot"
        assert number == len(pages) or page.filled() > 0.7, f"{where}: a third of it is empty"
    assert asked == [f"Q{page.number}." for page in sheet.questions()]
    assert pages[-1].filled() > 0.15, f"{sheet.name}: there is a last page for next to nothing"


@PAPER
def test_it_is_a_little_smaller_where_that_saves_a_page(monkeypatch):
    def pages_of(lines, sizes):
        monkeypatch.setattr(worksheet_print, "SIZES", sizes)
        meta = {"question": "Why?", "minutes": "5", "sources": ["a manual"]}
        sheet = SimpleNamespace(number=1, title="A title", meta=meta, body=["A line.", ""] * lines)
        return len(worksheet_print.laid_out(sheet).pages)

    large, *_, small = sizes = worksheet_print.SIZES
    lines = next(lines for lines in range(20, 60) if pages_of(lines, [large]) == 2)
    assert pages_of(lines, [small]) == 1
    assert pages_of(lines, sizes) == 1


@SITE
def test_the_site(tmp_path):
    subprocess.run([WORKSHEETS, "site", tmp_path], check=True, capture_output=True, timeout=300)
    pages = {sheet.name.replace(".md", ".html"): sheet for sheet in SHEETS}
    index = (tmp_path / "site" / "index.html").read_text()
    for name, sheet in pages.items():
        assert f'href="{name}"' in index
        page = (tmp_path / "site" / name).read_text()
        assert page.count('class="box"') == len(sheet.questions())
        assert page.count("<summary>Hint 1<") == len(sheet.questions())
        assert re.search(r'<html[^>]* lang="en"', page)
        assert len(re.findall("<h1", page)) == 1 and f"<title>{sheet.number}. {html.escape(sheet.title)}" in page
        assert not re.search(r"""<(script|link)[^>]*(src|href)=["']?(https?:)?//""", page), f"{name} wants the network"
        # Links, and what the page is made of. A theme whose scripts are missing has a menu that does not open.
        for link in re.findall(r"""<(?:a|link|script)[^>]* (?:href|src)="(?!\w+:)([^"#]+)""", page):
            assert (tmp_path / "site" / link).exists(), f"{name} leads to {link}"


@PAPER
def test_those_that_are_named_are_printed(tmp_path):
    subprocess.run([WORKSHEETS, "handout", tmp_path, "5"], check=True, capture_output=True, timeout=60)
    assert os.listdir(tmp_path) == ["05-invlpg.pdf"]


def test_a_header_keeps_the_quotes_inside_a_line():
    assert worksheet_format.header('covers:\n  - W2 it remembers "not present"\n  - "Vol. 3A: Paging"', "x")["covers"] == [
        'W2 it remembers "not present"', "Vol. 3A: Paging"]
