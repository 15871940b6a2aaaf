"""Broken machines as whole programs: whatever the defect, every scenario's commands are answered, and nothing crashes or hangs."""

import re
import subprocess

import pytest

import scenario
from simulated import PROGRAM, Sim


def defects():
    """The names that --help lists; none where the program is not built yet."""
    try:
        text = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    except OSError:
        return []
    return re.findall(r"^  (\S+) ", text.split("Defects")[1], re.M)


def test_help_lists_them_and_an_unknown_one_is_refused():
    assert len(defects()) > 20
    result = subprocess.run([PROGRAM, "--defect", "nonsense"], capture_output=True, text=True, input="")
    assert result.returncode == 2 and "--help" in result.stderr


def test_it_goes_on_top_of_the_profile_wherever_it_stands():
    commands = "map 0x40000000 A\nread 0x40000000\nmap 0x40000000 B\ninvlpg 0x40000000\nread 0x40000000\n"
    for arguments in (["--defect", "invlpg-ignored", "--profile", "i486"], ["--profile", "i486", "--defect", "d-on-read", "--defect", "invlpg-ignored"]):
        result = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, input=commands)
        assert "of frame A, stale" in result.stdout, result.stdout


@pytest.mark.parametrize("profile, mode", [("modern-intel", "4level"), ("pentium-pro", "pae"), ("qemu-tcg", "32")])
@pytest.mark.parametrize("defect", defects())
def test_every_command_is_answered(profile, mode, defect):
    with Sim(profile, mode, defects=[defect]) as machine:
        features = {row["name"] for row in machine.cmd("cpu")["features"] if row["here"]}
        for name in scenario.names():
            for _, command, _ in scenario.steps(name, mode, features):
                assert "status" in machine.cmd(command), command
