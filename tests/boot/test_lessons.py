"""Every worksheet, worked through on the simulated machine (in several profiles), in QEMU and in Bochs, in each mode that it is for."""

import pytest
from machines import Bochs, Qemu
from simulated import Sim
from worksheet import SHEETS, Work, modes_of

PROFILES = ["modern-intel", "modern-amd", "pentium-pro", "qemu-tcg", "bochs", "no-tlb"]


def work(machine, sheet, modes, thorough=True):
    for mode in modes:
        machine.cmd(f"mode {mode}")
        Work(machine, sheet).run(thorough)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name[:2])
def test_on_the_simulated_machine(sheet, profile):
    with Sim(profile, mode="32") as machine:
        work(machine, sheet, modes_of(machine, sheet))


@pytest.fixture(scope="module")
def qemu():
    with Qemu() as machine:
        yield machine


@pytest.fixture(scope="module")
def bochs():
    with Bochs() as machine:
        yield machine


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name[:2])
def test_in_qemu(qemu, sheet):
    work(qemu, sheet, modes_of(qemu, sheet))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name[:2])
def test_in_bochs(bochs, sheet):
    work(bochs, sheet, modes_of(bochs, sheet), thorough=False)
