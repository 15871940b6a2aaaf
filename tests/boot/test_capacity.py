"""`capacity` finds the shape of TLBs from outside: of each simulated one exactly, of Bochs's as its source has it."""

import random

import pytest
import seed
from machines import Bochs, Qemu
from simulated import Sim

SIZES = {12: "4 KiB", 21: "2 MiB", 22: "4 MiB", 30: "1 GiB"}
DATA, CODE = {"data"}, {"code"}
BOTH = DATA | CODE

# Of each profile: (sides, sizes, level, sets, ways, how many bits higher what is folded in comes from, replacement).
LARGE = {21, 22}
SHAPES = {
    "modern-intel": [(DATA, {12}, 1, 16, 6, 0, "LRU"), (DATA, LARGE | {30}, 1, 8, 4, 0, "LRU"), (CODE, {12}, 1, 32, 8, 0, "LRU"),
                     (CODE, LARGE | {30}, 1, 8, 4, 0, "LRU"), (BOTH, LARGE | {12}, 2, 128, 16, 7, "LRU")],
    "modern-amd": [(DATA, LARGE | {12, 30}, 1, 1, 64, 0, "LRU"), (CODE, LARGE | {12, 30}, 1, 1, 64, 0, "LRU"),
                   (DATA, LARGE | {12}, 2, 256, 8, 0, "LRU"), (CODE, LARGE | {12}, 2, 64, 8, 0, "LRU")],
    "i386": [(BOTH, {12}, 1, 8, 4, 0, "random")],
    "i486": [(BOTH, {12}, 1, 8, 4, 0, "LRU")],
    "pentium": [(DATA, {12}, 1, 16, 4, 0, "LRU"), (DATA, LARGE, 1, 2, 4, 0, "LRU"), (CODE, LARGE | {12}, 1, 8, 4, 0, "LRU")],
    "pentium-pro": [(DATA, {12}, 1, 16, 4, 0, "LRU"), (DATA, LARGE, 1, 2, 4, 0, "LRU"), (CODE, {12}, 1, 8, 4, 0, "LRU"),
                    (CODE, LARGE, 1, 1, 2, 0, "LRU")],
    "cyrix": [(BOTH, LARGE | {12}, 1, 32, 4, 0, "LRU")],
    "qemu-tcg": [(BOTH, {12}, 1, 256, 2, 0, "LRU")],
    "bochs": [(DATA, {12}, 1, 2048, 1, 0, "none"), (CODE, {12}, 1, 1024, 1, 0, "none")],
    "no-tlb": [],
}
FRAGMENTS = {"qemu-tcg", "bochs"}


def index(shift, sets, fold, pages_bits):
    """Which bits of the linear address choose the set, as `capacity` writes them; what it cannot reach it does not know of."""
    bits = sets.bit_length() - 1
    if bits == 0:
        return "none"
    if not fold:
        return f"{shift + bits - 1}:{shift}" if bits > 1 else f"{shift}"
    return " ".join(f"{shift + bit}^{shift + bit + fold}" if bit + fold < pages_bits else f"{shift + bit}" for bit in range(bits))


def pages_bits(shift, mode):
    """How many pages there is room for in each mode's address space, log2: the test's own arithmetic."""
    if shift == 12:
        return 14
    if mode == "32":
        return 9 if shift == 22 else 0
    if mode == "pae":
        return 10
    return 12 if shift == 21 else 9


def expected_of(profile, mode):
    """{(side, page, level): (sets, ways, index, replacement, log2 of the page size)}"""
    return {(side, SIZES[shift], level): (sets, ways, index(shift, sets, fold, pages_bits(shift, mode)), replacement, shift)
            for sides, sizes, level, sets, ways, fold, replacement in SHAPES[profile] for side in sides for shift in sizes}


@pytest.mark.parametrize("profile", SHAPES)
def test_a_simulated_tlb_is_found_exactly(profile):
    with Sim(profile, "32") as machine:
        modes = [mode for mode in machine.boot["modes"] if mode != "off"]
    for mode in modes:
        with Sim(profile, mode, seed=random.Random(f"{seed.SEED} {mode}").randrange(1 << 30)) as machine:
            judge(profile, mode, machine.cmd("capacity"))


def judge(profile, mode, record):
    assert record["status"] == "ok", record
    found = {(row["tlb"], row["page"], row["level"]): row for row in record["tlbs"] if "entries" in row}
    odd = [row for row in record["tlbs"] if "entries" not in row]
    expected = expected_of(profile, mode)
    for key, row in found.items():
        sets, ways, bits, replacement, _ = expected[key]
        assert (row["sets"], row["ways"], row["index"], row["replacement"]) == (sets, ways, bits, replacement), (seed.SEED, row)
    tried = {shift for shift in SIZES if any(SIZES[shift] == row["page"] for row in record["tlbs"])}
    for (side, page, level), (sets, ways, _, _, shift) in expected.items():
        if shift in tried and (side, page, level) not in found:  # too large for this mode's address space, and that it says
            assert sets * ways >= 1 << pages_bits(shift, mode) or level == 2, (side, page, level, record)
    if profile in FRAGMENTS:
        assert all("4 KiB pieces" in row["why"] for row in odd), odd
    if profile == "no-tlb":
        assert odd and all("no translation" in row["why"] for row in odd), record


def test_what_was_there_is_there_again():
    with Sim("modern-intel") as machine:
        before = [machine.cmd(command) for command in ("map 0x40000000 A", "write 0x40000000 5", "maps all", "stat")]
        assert machine.cmd("capacity data 4k")["diff"] == []
        after = [machine.cmd(command) for command in ("maps all", "read 0x40000000", "frames")]
        assert after[0]["maps"] == before[2]["maps"] and after[1]["value"] == "0x5" and "violation" not in after[1]
        used = after[2]["tables_used"]
        for _ in range(20):
            assert machine.cmd("capacity data 4k")["status"] == "ok"
        assert machine.cmd("frames")["tables_used"] == used


def test_bochs_has_what_its_source_says_and_ctrl_c_keeps_what_is_found():
    with Bochs() as machine:
        for mode in ("32", "pae", "4level"):
            machine.cmd(f"mode {mode}")
            rows = machine.cmd("capacity 4k", timeout=120)["tlbs"]
            found = [(row["tlb"], row.get("sets"), row.get("ways"), row.get("index")) for row in rows]
            assert found == [("data", 2048, 1, "22:12"), ("code", 1024, 1, "21:12")], rows
        machine.text("json off; set color=0")
        machine.send("capacity\r")
        machine.expect(["# code 4 KiB"], timeout=60)
        machine.send("\x03")
        shown = machine.prompt()
        assert "2048 sets x 1 way" in shown and "stopped" in shown and "data 2 MiB" not in shown, shown
        assert "of frame A, fresh" in machine.text("map 0x40000000 A; read 0x40000000")


def test_qemu_says_that_its_own_grows():
    with Qemu() as machine:
        assert machine.cmd("map 0x40000000 A")["status"] == "ok"
        for line in ("capacity 4k", "capacity 4k user"):
            rows = machine.cmd(line, timeout=120)["tlbs"]
            assert rows and all(row.get("entries", 0) > 0 or "do not push" in row["why"] for row in rows), rows
        assert machine.cmd("read 0x40000000")["frame"] == "A"
