"""The hosted program under test: the same shell on a simulated machine, driven through pipes in JSON."""

import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(ROOT, "build", "tlbsh")


class Sim:
    """A context manager like machines.Machine, for as much as scenarios need."""

    name = "sim"

    def __init__(self, profile="modern-intel", mode="4level", seed=1, defects=()):
        self.arguments = [PROGRAM, "--json", "--profile", profile, "--mode", mode, "--seed", str(seed)]
        for defect in defects:
            self.arguments += ["--defect", defect]
        self.mode = mode
        self.known = {"bochs": "sim bochs"}.get(profile, profile)  # what it is known to do (scenario.KNOWN)

    def __enter__(self):
        self.process = subprocess.Popen(self.arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.boot = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=10)

    def cmd(self, line):
        self.process.stdin.write(line + "\n")
        record = json.loads(self.process.stdout.readline())
        self.mode = record["mode"]
        return record

    def cmds(self, lines):
        """Runs many lines, each of one command; gives back their records."""
        self.process.stdin.write("".join(line + "\n" for line in lines))
        self.process.stdin.flush()
        return [json.loads(self.process.stdout.readline()) for _ in lines]
