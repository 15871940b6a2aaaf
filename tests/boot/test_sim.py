"""The scenarios that the booted machines run, on every simulated profile in every mode it has."""

import subprocess

import pytest

import scenario
from simulated import PROGRAM, Sim

MODES = {
    "modern-intel": ["off", "32", "pae", "4level", "5level"],
    "modern-amd": ["off", "32", "pae", "4level"],
    "i486": ["off", "32"],
    "pentium": ["off", "32"],
    "pentium-pro": ["off", "32", "pae"],
    "qemu-tcg": ["off", "32", "pae", "4level", "5level"],
    "bochs": ["off", "32", "pae", "4level"],
}


@pytest.mark.parametrize("name", scenario.names())
@pytest.mark.parametrize("profile, mode", [(profile, mode) for profile, modes in MODES.items() for mode in modes])
def test_scenario(profile, mode, name):
    with Sim(profile, mode) as machine:
        features = {row["name"] for row in machine.cmd("cpu")["features"] if row["here"]}
        scenario.run(machine, name, mode, features)


def test_a_cpu_without_the_mode_says_which_feature():
    result = subprocess.run([PROGRAM, "--profile", "pentium", "--mode", "4level"], capture_output=True, text=True, input="")
    assert result.returncode == 2 and "lacks lm" in result.stderr


def test_cyrix_remembers_that_a_page_was_not_present():
    with Sim("cyrix", "32") as machine:
        assert machine.cmd("read 0x40000000")["status"] == "fault"
        machine.cmd("map 0x40000000 A")
        record = machine.cmd("read 0x40000000")
        assert record["status"] == "fault" and record["spurious"] is True
        machine.cmd("invlpg 0x40000000")
        assert machine.cmd("read 0x40000000")["outcome"] == "fresh"


def test_386_has_no_invlpg():
    with Sim("i386", "32") as machine:
        assert machine.cmd("invlpg 0x40000000")["fault"]["name"] == "#UD"
        machine.cmd("map 0x40000000 A")
        machine.cmd("read 0x40000000")
        machine.cmd("map 0x40000000 B")
        assert machine.cmd("read 0x40000000")["outcome"] == "stale"
        machine.cmd("cr3")
        assert machine.cmd("read 0x40000000")["frame"] == "B"


def test_structure_cache_outlives_a_changed_pde():
    """A PDE changes while the PTEs do not: a page nobody has touched is still found through the old table."""
    with Sim("modern-amd", "4level") as machine:
        for command in ("map 0x40000000 A", "map 0x40001000 A", "map 0x40201000 B", "read 0x40000000"):
            assert machine.cmd(command)["status"] == "ok"
        other = machine.cmd("pte 0x40201000/PDE")["entry"]
        machine.cmd(f"pte 0x40000000/PDE = {other}")
        stale = machine.cmd("read 0x40001000")
        assert (stale["outcome"], stale["frame"]) == ("stale", "A")
        machine.cmd("invlpg 0x70000000")  # any INVLPG drops the paging-structure cache, but not that translation
        machine.cmd("invlpg 0x40001000")
        assert machine.cmd("read 0x40001000")["frame"] == "B"


def test_pcids_keep_translations_over_a_switch_with_bit_63():
    with Sim("modern-intel", "4level") as machine:
        assert machine.cmd("set cr4.pcide=1")["status"] == "ok"
        machine.cmd("map 0x40000000 A")
        machine.cmd("read 0x40000000")
        machine.cmd("map 0x40000000 B")
        machine.cmd("cr3 noflush")
        assert machine.cmd("read 0x40000000")["outcome"] == "stale"
        machine.cmd("cr3")
        assert machine.cmd("read 0x40000000")["outcome"] == "fresh"


def test_batch_exit_status_and_no_prompts():
    result = subprocess.run([PROGRAM, "--json"], capture_output=True, text=True, input="map 0x40000000 A\nnonsense\n")
    lines = result.stdout.splitlines()
    assert result.returncode == 0 and len(lines) == 3 and all(line.startswith("{") for line in lines)


def test_pte_says_which_address_has_reserved_bits_set():
    with Sim("modern-intel", "4level") as machine:
        machine.cmd("map 0x40000000 D")
        here = {field["field"]: field["here"] for field in machine.cmd("pte 0x40000000")["fields"]}
        assert here["address"] == ""
        machine.cmd("pte 0x40000000 = D | 1 << 51 | 1")
        here = {field["field"]: field["here"] for field in machine.cmd("pte 0x40000000")["fields"]}
        assert here["address"] == "with reserved bits set" and here["ignored"] == "ignored"


def test_platform_leaves_nothing_behind_however_often():
    """Each experiment takes tables; when the pool is used up it is tidied up in the middle of one."""
    with Sim("modern-intel", "4level") as machine:
        machine.cmd("map 0x40000000 A")
        first = machine.cmd("platform")
        for _ in range(10):
            again = machine.cmd("platform")
            assert again["status"] == "ok" and again["experiments"] == first["experiments"], again
            assert len(machine.cmd("maps")["maps"]) == 1
    with Sim("modern-intel", "4level") as machine:
        for _ in range(100):
            machine.cmd("map 0x40000000 A")
            assert machine.cmd("undo")["status"] == "ok" and not machine.cmd("maps")["maps"]


def test_platform_is_not_fooled_by_settings():
    with Sim("modern-intel", "4level") as machine:
        plain = machine.cmd("platform")["experiments"]
        for setting in ("cr4.smap", "cr4.smep", "cr4.pke"):
            machine.cmd(f"set {setting}=1")
            assert machine.cmd("platform")["experiments"] == plain, setting
        machine.cmd("set pkru=3")
        barred = machine.cmd("platform")["experiments"]
        assert [row["ring0"] for row in barred] == [row["ring0"] for row in plain], "the supervisor's pages have no keys"
        assert {row["ring3"] for row in barred} == {"the access faults"}, "nothing is broken, and nothing seen"


def longest_line(columns, script):
    text = subprocess.run([PROGRAM], capture_output=True, text=True, input=f"set columns={columns}\n{script}\n").stdout
    return max(len(line) for line in text.splitlines())


def test_lines_are_as_long_as_columns_says():
    script = "help\nrules\ncpu\nset\nfoo bar\nmap 0x40000000 A\nread 0x40000000\nwhy\nlesson"
    assert longest_line(0, script) > 132
    for columns in (80, 132, 250):
        assert columns // 2 < longest_line(columns, script) <= columns
    with Sim() as machine:
        for wrong in (1, 39, 251, 1000):
            assert "0 or a number from 40 to 250" in machine.cmd(f"set columns={wrong}")["reason"]
        machine.cmd("set columns=132")
        machine.cmd("mode pae")
        assert next(row["value"] for row in machine.cmd("set")["settings"] if row["name"] == "columns") == 132, "it survives a mode switch"


def test_a_page_that_nobody_touched_may_be_cached():
    """Speculation: the neighbour's A comes by itself; then its old translation may be used, and on this machine is."""
    with Sim("modern-intel", "4level", seed=3) as machine:
        machine.cmd("map 0x40001000 B")
        for page in range(200):
            machine.cmd("map 0x40000000 A")
            machine.cmd("invlpg 0x40000000")
            rows = machine.cmd("read 0x40000000")["diff"]
            if any(row["va"] == "0x40001000" and row["flags"] == "+A" for row in rows):
                break
        else:
            raise AssertionError("no speculative fill in 200 walks")
        machine.cmd("map 0x40001000 C")
        stale = machine.cmd("read 0x40001000")
        assert (stale["outcome"], stale["frame"]) == ("stale", "B") and "violation" not in stale
        assert machine.cmd("why")["rule"] == "tlb-may-keep"


def test_the_cyrix_story_is_told_by_its_rule():
    with Sim("cyrix", "32") as machine:
        machine.cmd("read 0x40000000")
        assert machine.cmd("map 0x40000000 A")["rule"] == "edit-maps-kept"
        outcomes = {(row["outcome"], row["class"]) for row in machine.cmd("predict read 0x40000000")["predicted"]}
        assert outcomes == {("fresh", "MAY"), ("fault", "PLATFORM")}
        machine.cmd("read 0x40000000")
        assert machine.cmd("why")["rule"] == "not-present-kept"


def test_a_spurious_fault_is_repaired():
    with Sim("pentium", "32") as machine:
        for command in ("map 0x40000000 A ro", "read 0x40000000", "lazy on", "protect 0x40000000 +w"):
            machine.cmd(command)
        record = machine.cmd("write 0x40000000 1")
        assert record["repaired"] is True and record["outcome"] == "fresh"
        record = machine.cmd("lazy")
        assert (record["saved"], record["repaired"]) == (1, 1)


def test_structure_caches_are_predicted():
    with Sim("modern-amd", "4level") as machine:
        for command in ("map 0x40000000 A", "map 0x40001000 A", "map 0x40201000 B", "read 0x40000000"):
            machine.cmd(command)
        other = machine.cmd("pte 0x40201000/PDE")["entry"]
        assert machine.cmd(f"pte 0x40000000/PDE = {other}")["rule"] == "edit-table"
        rules = {row["rule"] for row in machine.cmd("predict read 0x40001000")["predicted"]}
        assert "structures-may-keep" in rules
        machine.cmd("invlpg 0x70000000")
        assert [row["class"] for row in machine.cmd("predict read 0x40001000")["predicted"]] == ["MUST"]


def test_a_root_that_serves_as_a_page_table_gets_a_flags():
    """In PAE paging the CPU writes nothing into a PDPTE; but as an entry of a page table the same memory has an A flag."""
    for profile in ("modern-intel", "modern-amd"):
        with Sim(profile, "pae") as machine:
            for command in ("cr3", "map 0x40000000 A", "cr3", "pte 0x40000000/PDE = 0x2f0000 | 3"):
                machine.cmd(command)
            record = machine.cmd("read 0x40000000")
            assert record["outcome"] == "fresh" and "violation" not in record, record
            assert [row["at"] for row in record["diff"]][0] == "0x2f0000"


def test_why_names_what_has_dropped_the_older_translation():
    """Also where the access faults, which drops something itself, and where CR4.PGE has changed what entries mean."""
    with Sim("bochs", "4level") as machine:
        for flush in ("invlpg 0x40000000", "cr3", "pge"):
            for command in ("map 0x40000000 A", "read 0x40000000", "unmap 0x40000000", flush):
                machine.cmd(command)
            assert machine.cmd("read 0x40000000")["outcome"] == "fault"
            assert machine.cmd("why")["because"].startswith(f"'{flush}'")


def test_what_was_mapped_after_a_switch_was_never_read_before_it():
    """A translation made while CR4.PKE was 0 need not know its key; one of a page that came later does."""
    with Sim("modern-intel", "4level") as machine:
        machine.cmd("map 0x40000000 A user key=1")
        machine.cmd("read 0x40000000 user")
        machine.cmd("set cr4.pke=1")
        machine.cmd("map 0x40001000 B user key=1")
        machine.cmd("set pkru=4")
        assert {row["class"] for row in machine.cmd("predict read 0x40000000 user")["predicted"]} == {"MAY"}
        assert [row["class"] for row in machine.cmd("predict read 0x40001000 user")["predicted"]] == ["MUST"]
