"""The worksheets of docs/lessons, read: docs/TEACHING.md, "Writing a worksheet", tells their form."""

import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIRECTORY = os.path.join(ROOT, "docs", "lessons")
MODES = ["off", "32", "pae", "4level", "5level"]
KINDS = ["number", "word", "choice", "outcome"]
FENCE = re.compile(r"^```(\S*)\s*$")


class Mistake(Exception):
    """Something in a worksheet is not as docs/TEACHING.md says."""


class Answer:
    """An `answer` block: how a question is judged."""

    def __init__(self, lines, where):
        self.where = where
        self.kind = self.run = self.field = None
        self.values = []  # (modes, what is right)
        self.hints, self.because = [], []
        self.wrong, self.if_came = [], []  # (what, text)
        for key, value in keyed(lines, where):
            self.take(key, value)
        if self.kind is None:
            raise Mistake(f"{where}: an answer says one of {', '.join(KINDS)}")

    def take(self, key, value):
        word, _, rest = key.partition(" ")
        if word in KINDS:
            if self.kind not in (None, word):
                raise Mistake(f"{self.where}: it is a {self.kind} and a {word}")
            self.kind = word
            self.values.append((rest.split(), value))
        elif word == "run":
            self.run, _, self.field = (part.strip() for part in value.partition("=>"))
        elif word == "hint":
            self.hints.append(value)
        elif word == "because":
            self.because.append(value)
        elif word == "wrong":
            self.wrong.append((rest, value))
        elif word == "if":
            self.if_came.append((rest, value))
        else:
            raise Mistake(f"{self.where}: '{key}' is no part of an answer")

    def value(self, mode):
        for modes, value in self.values:
            if not modes or mode in modes:
                return value
        return None


class Page:
    """What the shell shows at once: prose, and one thing to do or to answer."""

    def __init__(self, step, needs, where):
        self.step, self.needs, self.where = step, needs, where
        self.prose = []  # Markdown lines
        self.lab, self.do = [], []  # commands; (command, expectations)
        self.answer = None
        self.number = 0  # of the question

    def choices(self):
        """The letters of what there is to choose from."""
        return [found.group(1) for found in (re.match(r"- ([a-z])\) ", line) for line in self.prose) if found]


class Worksheet:
    """One file of docs/lessons."""

    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)
        with open(path) as file:
            text = file.read()
        match = re.match(r"---\n(.*?)\n---\n", text, re.S)
        if not match:
            raise Mistake(f"{self.name}: it begins with a header between two lines ---")
        self.meta = header(match[1], self.name)
        self.body = text[match.end():].split("\n")
        self.first_line = text[:match.end()].count("\n") + 1
        for key in ("lesson", "title", "question", "minutes", "modes", "covers", "sources"):
            if key not in self.meta:
                raise Mistake(f"{self.name}: the header lacks '{key}'")
        self.number, self.title = int(self.meta["lesson"]), self.meta["title"]
        self.modes, self.effects = self.meta["modes"], self.meta.get("effects", [])
        self.covers = [entry.partition(" ")[::2] for entry in self.meta["covers"]]
        self.pages = list(self.cut())

    def where(self, index):
        return f"{self.name}:{self.first_line + index}"

    def questions(self):
        return [page for page in self.pages if page.answer]

    def cut(self):
        """The pages."""
        step, page, question = None, None, 0
        for kind, lines, index in blocks(self.body):
            if kind == "heading1":
                continue
            if kind == "heading2":
                if page and (page.prose or page.lab):
                    yield page
                step, page = lines[0], Page(lines[0], [], self.where(index))
                continue
            if page is None:
                page = Page(step or self.title, [], self.where(index))
            if kind == "needs":
                page.needs = lines
            elif kind == "lab":
                page.lab += commands(lines)
            elif kind == "do":
                page.do = [expectation(line, self.where(index)) for line in lines if line.strip() and not line.startswith("#")]
                yield page
                page = Page(step, page.needs, self.where(index))
            elif kind == "answer":
                question += 1
                page.answer, page.number = Answer(lines, self.where(index)), question
                yield page
                page = Page(step, page.needs, self.where(index))
            else:
                page.prose += lines if not page.prose else ["", *lines]
        if page and page.prose:
            yield page

    def script(self, page):
        """What brings the lab to where page number `page` finds it: from the last `lab` on, all that is done and asked."""
        start = max(i for i in range(page + 1) if self.pages[i].lab or i == 0)
        lines = list(self.pages[start].lab)
        for before in self.pages[start:page]:
            lines += [command for command, _ in before.do]
            if before.answer and before.answer.run:
                lines.append(before.answer.run)
        return lines


def header(text, name):
    """The little of YAML that a header needs: `key: value`, `key: [a, b]`, and a list of lines that start with `- `."""
    meta, key = {}, None
    for line in text.split("\n"):
        item = re.match(r"\s*- (.*)", line)
        pair = re.match(r"(\w+):\s*(.*)", line)
        if item and key:
            meta[key].append(unquoted(item[1]))
        elif pair:
            key, value = pair[1], pair[2].strip()
            if value.startswith("["):
                meta[key] = [part.strip() for part in value.strip("[]").split(",") if part.strip()]
            else:
                meta[key] = unquoted(value) if value else []
        elif line.strip():
            raise Mistake(f"{name}: the header's '{line}' is neither 'key: value' nor '- item'")
    return meta


def unquoted(value):
    """Without the quotes around it; what is quoted inside stays so."""
    value = value.strip()
    return value[1:-1] if re.fullmatch(r'"[^"]*"', value) else value


def keyed(lines, where):
    """`key: value` with what follows indented."""
    entries = []
    for line in lines:
        if line.startswith((" ", "\t")) and entries:
            entries[-1][1] = (entries[-1][1] + " " + line.strip()).strip()
        elif line.strip():
            key, colon, value = line.partition(":")
            if not colon:
                raise Mistake(f"{where}: '{line}' is not 'key: value'")
            entries.append([" ".join(key.split()), value.strip()])
    return entries


def commands(lines):
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def expectation(line, where):
    command, _, wanted = line.partition("#")
    wanted = wanted.strip()
    if wanted and not wanted.startswith(("must ", "may ", "shows ", "needs ")):
        wanted = ""  # a remark for the reader
    if not command.strip():
        raise Mistake(f"{where}: '{line}' is no command")
    return command.strip(), wanted


def blocks(body):
    """The file as (kind, lines, index): heading1, heading2, needs, prose, and the fenced blocks by their word."""
    at, prose, start = 0, [], 0

    def flush():
        nonlocal prose
        while prose and not prose[-1].strip():
            prose.pop()
        if prose:
            yield "prose", prose, start
        prose = []

    while at < len(body):
        line = body[at]
        fence = FENCE.match(line)
        heading = re.match(r"(#{1,2}) (.*)", line)
        needs = re.match(r"\*Needs: (.*)\.\*$", line)
        if fence:
            end = next((i for i in range(at + 1, len(body)) if body[i].startswith("```")), None)
            if end is None:
                raise Mistake(f"line {at}: a block is not closed")
            kind = fence[1]
            if kind in ("lab", "do", "answer"):
                yield from flush()
                yield kind, body[at + 1:end], at
            else:
                prose += body[at:end + 1]
            at = end
        elif heading:
            yield from flush()
            yield f"heading{len(heading[1])}", [heading[2].strip()], at
        elif needs:
            yield from flush()
            yield "needs", [word.strip() for word in needs[1].split(",")], at
        elif prose or line.strip():
            if not prose:
                start = at
            prose.append(line)
        at += 1
    yield from flush()


def load(directory=DIRECTORY):
    names = sorted(name for name in os.listdir(directory) if re.match(r"\d\d-.*\.md$", name))
    return [Worksheet(os.path.join(directory, name)) for name in names]
