"""The handouts: nothing of the answers may be in them. And the lint finds what is wrong with a worksheet."""

import os
import re
import shutil
import subprocess

import pytest
import worksheet_lint
import worksheet_print
from machines import ROOT
from worksheet import SHEETS
from worksheet_format import Mistake, Worksheet

WORKSHEETS = os.path.join(ROOT, "tools", "worksheets")


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name[:2])
def test_a_handout_tells_no_answer(sheet):
    for hints in (False, True):
        text = worksheet_print.handout_text(sheet, with_hints=hints)
        assert text.count('class="box"') == len(sheet.questions())
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


@pytest.mark.skipif(not all(shutil.which(tool) for tool in ("pandoc", "weasyprint", "mkdocs")), reason="tools/setup --worksheets")
def test_pdf_and_site(tmp_path):
    subprocess.run([WORKSHEETS, "handout", tmp_path / "pdf", "1", "9"], check=True, capture_output=True, timeout=300)
    subprocess.run([WORKSHEETS, "site", tmp_path / "site"], check=True, capture_output=True, timeout=300)
    for sheet in SHEETS:
        if sheet.number not in (1, 9):
            continue
        pdf = (tmp_path / "pdf" / sheet.name.replace(".md", ".pdf")).read_bytes()
        assert pdf.startswith(b"%PDF") and len(pdf) > 20000
        page = (tmp_path / "site" / "site" / sheet.name.replace(".md", ".html")).read_text()
        assert sheet.title in page and page.count('class="box"') == len(sheet.questions())
