"""Lets test files import machines.py and its like, and makes a run that is told to end (by `timeout`, say) clear up after itself."""

import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import machines  # noqa: E402: found by the line above


def pytest_configure():
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to end", returncode=128 + signal.SIGTERM))


@pytest.fixture(scope="module")
def person():
    """A machine in text mode, as a person has it, without colours."""
    with machines.Qemu(append="color=0") as machine:
        yield machine


@pytest.fixture(scope="module")
def program():
    """A machine that answers in JSON."""
    with machines.Qemu() as machine:
        yield machine
