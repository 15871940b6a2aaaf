"""The same scenario files in every mode that a machine has: QEMU's five, Bochs's four."""

import pytest

import scenario
from machines import Bochs, Qemu

QEMU_MODES = ["off", "32", "pae", "4level", "5level"]
BOCHS_MODES = ["off", "32", "pae", "4level"]


def features(machine):
    return {row["name"] for row in machine.cmd("cpu")["features"] if row["here"]}


@pytest.fixture(scope="module", params=["qemu", "bochs"])
def booted(request):
    with (Qemu if request.param == "qemu" else Bochs)() as machine:
        machine.features = features(machine)
        machine.had = {}
        yield machine


@pytest.mark.parametrize("mode", QEMU_MODES)
@pytest.mark.parametrize("name", scenario.names())
def test_scenario(booted, mode, name):
    if booted.name == "bochs" and mode not in BOCHS_MODES:
        assert booted.cmd(f"mode {mode}")["status"] == "refused"
        return
    if booted.mode != mode:
        assert booted.cmd(f"mode {mode}")["to"] == mode
    if mode != "off":
        assert booted.cmd("reset")["status"] == "ok"
    assert scenario.run(booted, name, mode, booted.features) > 0 or not scenario.steps(name, mode, booted.features)
