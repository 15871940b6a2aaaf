"""Lets test files import machines.py and its like, and makes a run that is told to end (by `timeout`, say) clear up after itself."""

import os
import signal
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def pytest_configure():
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to end", returncode=128 + signal.SIGTERM))
