"""`tlb`: what the simulated machine's TLB holds, as it says itself, against what experiments show."""

import subprocess

from simulated import PROGRAM, Sim


def fill(machine, *commands):
    for command in commands:
        assert machine.cmd(command)["status"] == "ok", command


def test_an_entry_is_where_the_address_belongs():
    with Sim("modern-intel", "4level") as machine:
        fill(machine, "map 0x40003000 A user", "pge", "write 0x40003000 1")
        record = machine.cmd("tlb")
        assert record["held"] == 3, record  # in the DTLB and the STLB, and the page table in the paging-structure cache
        dtlb, stlb = record["entries"]
        assert (dtlb["array"], dtlb["set"], dtlb["va"], dtlb["pa"], dtlb["size"]) == ("DTLB 4K", 3, "0x40003000", "0x3d0000", "4 KiB")
        assert dtlb["flags"] == "P RW US D" and stlb["array"] == "STLB"
        assert [row["va"] for row in record["structures"]] == ["0x40000000"]


def test_where_an_address_belongs_and_whether_it_is_there():
    with Sim("modern-intel", "4level") as machine:
        fill(machine, "map 0x40003000 A", "pge", "read 0x40003000")
        record = machine.cmd("tlb 0x40003000")
        assert record["cached"] is True
        row = next(row for row in record["sets"] if row["array"] == "DTLB 4K")
        assert (row["set"], row["of"], row["ways"], row["used"]) == (3, 16, 6, 1)
        other = machine.cmd("tlb 0x40013000")  # of the same set, 16 pages on
        assert other["cached"] is False and other["entries"][0]["va"] == "0x40003000"
        machine.cmd("invlpg 0x40003000")
        assert machine.cmd("tlb 0x40003000")["cached"] is False


def test_looking_changes_nothing():
    with Sim("modern-intel", "4level") as machine:
        fill(machine, "map 0x40000000 A", "read 0x40000000")
        first, second = machine.cmd("tlb"), machine.cmd("tlb")
        assert first == second and first["diff"] == []
        assert machine.cmd("cached? 0x40000000")["cached"] is True


def test_fragments_rings_and_absence_are_named():
    with Sim("qemu-tcg", "pae") as machine:
        fill(machine, "map 0x40000000 M0 2m user", "cr3", "read 0x40005000 user")
        entry = machine.cmd("tlb 0x40005000")["entries"][0]
        assert entry["size"] == "4 KiB" and entry["flags"] == "P RW US part of 2 MiB (ring 3)"
    with Sim("cyrix", "32") as machine:
        machine.cmd("read 0x40000000")
        record = machine.cmd("tlb 0x40000000")
        assert record["cached"] is False and record["answer"].endswith("remembered")


def test_text_is_limited_and_says_so():
    commands = "map 0x40000000 M0 4k\n" + "".join(f"map {0x40000000 + page * 4096:#x} A\nread {0x40000000 + page * 4096:#x}\n" for page in range(64)) + "tlb\n"
    result = subprocess.run([PROGRAM], capture_output=True, text=True, input=commands)
    assert " more than are shown" in result.stdout
    rows = result.stdout.split(" held; ")[1].splitlines()
    assert sum(row.startswith(("DTLB", "STLB")) for row in rows) == 40
    assert rows[-1].endswith("P RW US") and rows[-1].split()[1] == "0x40000000"  # the paging-structure cache is there nevertheless


def test_without_paging_or_a_tlb():
    with Sim("modern-intel", "off") as machine:
        assert machine.cmd("tlb")["status"] == "refused"
    with Sim("no-tlb", "4level") as machine:
        machine.cmd("map 0x40000000 A")
        machine.cmd("read 0x40000000")
        record = machine.cmd("tlb 0x40000000")
        assert record["held"] == 0 and record["cached"] is False
