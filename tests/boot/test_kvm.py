"""Under KVM, where there is one: ring 3 runs on the CPU itself, whatever becomes of ring 0."""

import conformance
import pytest
from machines import Qemu, Stopped


@pytest.fixture(scope="module")
def kvm():
    missing = conformance.kvm_missing()
    if missing:
        pytest.skip(missing)
    machine = Qemu(cpu="qemu64", accel="kvm")
    try:
        machine.__enter__()
    except Stopped as stopped:
        pytest.skip(f"this KVM does not run it: {stopped}")
    yield machine
    machine.__exit__(None, None, None)


def test_it_boots_to_4level_and_judges_its_clocks(kvm):
    assert kvm.mode == "4level"
    assert kvm.cmd("map 0x40000000 A user", timeout=60)["status"] == "ok"
    assert kvm.cmd("read 0x40000000", timeout=60)["frame"] == "A"
    ring3 = kvm.cmd("time read 0x40000000 user x200", timeout=60)
    assert ring3["clock"] == "hardware" and ring3["min"] < 100, ring3
    ring0 = kvm.cmd("time read 0x40000000 x50", timeout=60)
    assert ring0["clock"] == "hardware" or ring0["overhead"] > 10 * ring3["overhead"], (ring0, ring3)


def test_no_fault_ends_it(kvm):
    fault = kvm.cmd("read 0x50000000 user", timeout=60)
    assert fault["status"] == "fault" and fault["fault"]["name"] == "#PF"
    assert kvm.cmd("invlpg 0x40000000 user", timeout=60)["fault"]["name"] == "#GP"
