"""From a 486 to a CPU with 5-level paging: the kernel starts on each, offers the modes that it has, and tells the story in all of them."""

import pytest

import story
from machines import Bochs, Qemu

QEMU = {
    "486": ["off", "32"],
    "pentium": ["off", "32"],
    "pentium3": ["off", "32", "pae"],
    "athlon": ["off", "32", "pae"],
    "qemu64": ["off", "32", "pae", "4level"],
    "max": ["off", "32", "pae", "4level", "5level"],
}
BOCHS = {
    "pentium": ["off", "32"],
    "p4_willamette": ["off", "32", "pae"],
    "corei7_skylake_x": ["off", "32", "pae", "4level"],
    "ryzen": ["off", "32", "pae", "4level"],
    "tigerlake": ["off", "32", "pae", "4level"],
}


@pytest.mark.parametrize("cpu", QEMU)
def test_qemu_cpu(cpu):
    with Qemu(cpu=cpu) as machine:
        story.tell_in_every_mode(machine, QEMU[cpu])


@pytest.mark.parametrize("model", BOCHS)
def test_bochs_model(model):
    with Bochs(cpu=model) as machine:
        story.tell_in_every_mode(machine, BOCHS[model])


def test_a_cpu_tells_nobody_what_its_tlb_holds():
    with Qemu() as machine:
        record = machine.cmd("tlb")
        assert record["status"] == "refused" and "cached? VA" in record["reason"]


def test_a_486_lacks_what_it_lacks():
    with Qemu(cpu="486") as machine:
        assert machine.boot["clock"] == "none"
        machine.cmd("map 0x40000000 A")
        assert "ticks" not in machine.cmd("read 0x40000000")
        assert "PGE" in machine.cmd("set cr4.pge=1")["reason"]
        assert machine.cmd("pge")["status"] == "refused"
        assert "no CR4.PGE" in machine.cmd("global 0x40000000 on")["note"]


def test_bochs_has_pcids_smep_smap_and_latched_pdptes():
    with Bochs(cpu="corei7_skylake_x") as machine:
        machine.cmd("map 0x40000000 A user g")
        assert machine.cmd("read 0x40000000")["frame"] == "A"
        machine.cmd("map 0x40000000 B user g")
        machine.cmd("cr3")
        assert machine.cmd("read 0x40000000")["outcome"] == "stale"  # a global page survives MOV CR3 here
        assert machine.cmd("set cr4.pcide=1")["status"] == "ok"
        for kind in range(4):
            assert machine.cmd(f"invpcid {kind} 0 0x40000000")["status"] == "ok"
        assert machine.cmd("invpcid 4")["fault"]["name"] == "#GP"
        assert machine.cmd("read 0x40000000")["frame"] == "B"
        machine.cmd("set cr4.smep=1")
        assert machine.cmd("exec 0x40000000")["fault"]["error"] == "0x11"
        machine.cmd("set cr4.smap=1")
        assert machine.cmd("read 0x40000000")["fault"]["error"] == "0x1"
        assert machine.cmd("read 0x40000000 user")["outcome"] == "fresh"
        machine.cmd("mode pae")
        assert machine.cmd("map 0x80000000 C")["needs"].startswith("cr3")
        early = machine.cmd("read 0x80000000")
        assert early["outcome"] == "fault" and early["spurious"]
        machine.cmd("cr3")
        assert machine.cmd("read 0x80000000")["frame"] == "C"
