"""The two ways in which a tool has a Bochs: beside a person, through the session that tools/bochs runs, or one of its own by a script."""

import os
import re
import sys

from bochs_session import call

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXPECTED = re.compile(r'by the rules: ([^\r\n]*)|"expected":"([^"]*)"')


def expected_in(shown):
    """What the rules say, of each `tlb VA` in what the shell showed; None where it did not say."""
    return [text or json for text, json in EXPECTED.findall(shown)]


class Beside:
    """A session that a person has. The shell is asked with a blank before the line, so that it leaves no trace."""

    def __enter__(self):
        call(ROOT, {"wait": -1}, timeout=5)
        return self

    def __exit__(self, *_):
        pass

    def ask(self, *commands):
        return call(ROOT, {"ask": commands})["answers"]

    def expected(self, pages):
        return expected_in(call(ROOT, {"shell": " " + "; ".join(f"tlb {page:#x}" for page in pages)})["shown"]) if pages else []

    def step(self, line, commands):
        return call(ROOT, {"step": line, "commands": commands})["answers"]

    def mode(self):
        return None

    def wait(self, prompts):
        return call(ROOT, {"wait": prompts})["prompts"]


class Own:
    """A Bochs of the tool's own, which answers in JSON."""

    def __init__(self, cpu):
        sys.path.insert(0, os.path.join(ROOT, "tests", "boot"))
        from machines import Bochs  # pylint: disable=import-outside-toplevel
        self.machine = Bochs(cpu=cpu, debugger=True)

    def __enter__(self):
        self.machine.__enter__()
        return self

    def __exit__(self, *details):
        self.machine.__exit__(*details)

    def ask(self, *commands):
        return self.machine.ask_debugger(*commands)

    def expected(self, pages):
        return [self.machine.cmd(f" tlb {page:#x}").get("expected") for page in pages]

    def cmds(self, line):
        return self.machine.cmds(line, timeout=120)

    def step(self, line, commands):
        self.machine.send(line + "\r")
        self.machine.debugger_stops()
        answers = self.machine.tell_debugger(*commands)
        self.machine.prompt()
        return answers
