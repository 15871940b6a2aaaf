"""Every worksheet, worked through on the simulated machine (in several profiles), in QEMU and in Bochs, in each mode that it is for."""

import pytest
from machines import Bochs, Qemu
from simulated import Sim
from worksheet import SHEETS, Work, doubts, modes_of

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


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name[:2])
def test_where_a_worksheet_says_may_there_is_a_choice(sheet):
    """On a present-day Intel CPU. It would be false to teach that a thing is left open which never is."""
    doubts.clear()
    with Sim("modern-intel", mode="32") as machine:
        work(machine, sheet, modes_of(machine, sheet), thorough=False)
    for page in sheet.questions():
        if page.answer.kind == "outcome" and page.answer.values[0][1].startswith("may"):
            assert doubts.get(page.answer.where, 0) >= 2, f"{page.answer.where}: there is only one outcome"


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
    modes = modes_of(bochs, sheet)
    slow = sheet.number == 15  # it measures: once is enough
    work(bochs, sheet, modes[:1] if slow else modes, thorough=False)
