#!/usr/bin/python3
"""The README's sessions are real: each is run again on a booted machine and must read exactly so, but for the numbers of ticks.

A session stands between `<!-- session: BOOT OPTIONS -->` and `<!-- end of session -->`, in a fenced block. Lines that start with a prompt are typed; what
comes before the first one, if anything, is what the machine says when it starts. `tests/boot/test_readme.py --write` types them and writes
the README anew with what it sees.
"""

import os
import re
import sys

from machines import ROOT, Qemu

README = os.path.join(ROOT, "README.md")
SESSION = re.compile(r"(<!-- session: (.*?) -->\n```text\n)(.*?)(```\n<!-- end of session -->)", re.S)
TYPED = re.compile(r"^(?:off|32|pae|4level|5level)> (.*)$", re.M)


def run_session(options, text):
    """The session as it goes today: the same commands, in a machine with the same boot options."""
    with Qemu(append=options) as machine:
        lines = [] if TYPED.match(text) else machine.boot_text.splitlines()
        for command in TYPED.findall(text):
            lines.append(f"{machine.mode}> {command}")
            lines += machine.text(command).splitlines()
    return "".join(line.rstrip() + "\n" for line in lines)


def without_ticks(text):
    """A longer number may also move the place where a line is broken."""
    return re.sub(r'\b\d+ ticks|"ticks":\d+', "N ticks", " ".join(text.split()))


def test_readme_sessions():
    with open(README) as file:
        sessions = SESSION.findall(file.read())
    assert len(sessions) >= 2, "the README has lost its sessions"
    for _, options, text, _ in sessions:
        assert without_ticks(run_session(options, text)) == without_ticks(text)


def write_readme():
    with open(README) as file:
        old = file.read()
    new = SESSION.sub(lambda match: match.group(1) + run_session(match.group(2), match.group(3)) + match.group(4), old)
    if without_ticks(new) != without_ticks(old):  # ticks alone are no reason
        with open(README, "w") as file:
            file.write(new)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write_readme()
    else:
        print(__doc__)
