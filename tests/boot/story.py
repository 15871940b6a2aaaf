"""The stale-read story, the shortest use of all: what every platform must get through in every mode that it has."""


def tell(machine):
    """Runs it in the mode the machine is in. What an access before the INVLPG sees is the platform's choice; what comes after is not."""
    machine.cmd("reset")
    assert machine.cmd("map 0x40000000 A")["frame"] == "A"
    machine.cmd("cr3")  # PAE paging takes up a new PDPTE only then
    first = machine.cmd("read 0x40000000")
    assert (first["outcome"], first["frame"]) == ("fresh", "A")
    assert any(row["level"] == "PTE" and row["flags"] == "+A" for row in first["diff"])
    assert machine.cmd("map 0x40000000 B")["needs"].startswith("invlpg")
    between = machine.cmd("read 0x40000000")
    assert (between["outcome"], between["frame"]) in (("stale", "A"), ("fresh", "B"))
    machine.cmd("invlpg 0x40000000")
    after = machine.cmd("read 0x40000000")
    assert (after["outcome"], after["frame"]) == ("fresh", "B")
    assert machine.cmd("read 0x40000000 user")["fault"]["error"] == "0x5"
    return between["outcome"]


def tell_in_every_mode(machine, modes):
    """In each of `modes`; the modes that the machine lacks must be refused by the name of the CPUID bit."""
    assert machine.boot["modes"] == modes
    for mode in ("32", "pae", "4level", "5level"):
        if mode not in modes:
            record = machine.cmd(f"mode {mode}")
            assert record["status"] == "refused" and "CPUID." in record["reason"]
            continue
        if machine.mode != mode:
            assert machine.cmd(f"mode {mode}")["to"] == mode
        tell(machine)
