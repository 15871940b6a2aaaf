"""Scenario files: commands as a student types them, and what their records must say.

    # a comment
    @modes 32 pae 4level 5level    what follows is for these modes only (all, until the first such line)
    @feature nx                    ... and only where the CPU has this feature (`cpu` lists them); `@feature` alone ends that
    > map 0x40000000 A             a command
      status=ok frame=A            what its record must hold; a|b allows either; key~text asks for a part of the value
      diff=PTE:+P                  a row of the diff: level and a word of its flags;  diff=none: nothing changed
      !fault                       there must be no such member
      fault.vector=14              a member of a member
      predicted=stale:A            among the outcomes that are permitted is a stale one from frame A (fault:0x7 by its error code)
      only=fresh:B                 ... and it is the only one, so that it MUST be

Whatever is done, no record may report a violation of the architecture, but for what is known of the machine.
"""

import os

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenarios")


def names():
    return sorted(name for name in os.listdir(DIRECTORY) if name.endswith(".txt"))


def steps(name, mode, features):
    """(line number, command, expectations) of each step that applies here."""
    modes, feature = None, None
    found = []
    with open(os.path.join(DIRECTORY, name)) as file:
        for number, line in enumerate(file, 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "@modes":
                modes = words[1:]
            elif words[0] == "@feature":
                feature = words[1] if len(words) > 1 else None
            elif (modes and mode not in modes) or (feature and feature not in features):
                continue
            elif words[0] == ">":
                found.append((number, line.split(">", 1)[1].strip(), []))
            else:
                found[-1][2].extend(split(line))
    return found


def split(line):
    """Expectations of a line: words, but a ~ takes the rest of the line."""
    if "~" in line:
        head, _, rest = line.partition("~")
        *before, key = head.split()
        return before + [f"{key}~{rest.strip()}"]
    return line.split()


def find(record, key):
    for part in key.split("."):
        if not isinstance(record, dict) or part not in record:
            return None
        record = record[part]
    return record


def as_text(value):
    return {True: "true", False: "false", None: "(none)"}.get(value, str(value)) if isinstance(value, (bool, type(None))) else str(value)


def diff_holds(record, wanted):
    rows = record.get("diff", [])
    if wanted == "none":
        return not rows
    level, _, word = wanted.partition(":")
    return any(row.get("level") == level and word in row.get("flags", "").split() for row in rows)


# What machines are known to do against the architecture (docs/HOUSE.md): the rules that they break.
KNOWN = {
    # Reserved-bit faults report P = 0; PAE walks set bit 5 of PDPTEs; INVLPG elsewhere in a large page does not stop fetches from it.
    "qemu": {"error-code", "flags-only", "fetch:invlpg"},
    # A data access's fault leaves the ITLB alone, an instruction fetch's both, and any the other pieces of a large page (where pages have the same content, all that shows is that A
    # or D is missing); any MOV to CR0 or CR4 loads the PDPTE registers.
    "bochs": {"page-fault", "pdptes", "accessed", "dirty"},
    "qemu-tcg": {"error-code", "flags-only"},
    "sim bochs": {"page-fault", "pdptes", "accessed", "dirty"},
}


def prediction_holds(record, wanted, only):
    outcome, _, detail = wanted.partition(":")
    rows = record.get("predicted", [])
    fits = [row for row in rows if row["outcome"] == outcome and detail in ("", row.get("frame"), row.get("error"))]
    return bool(fits) and (not only or len(rows) == 1)


def holds(record, expectation):
    if expectation.startswith("!"):
        return find(record, expectation[1:]) is None
    for key in ("predicted", "only"):
        if expectation.startswith(key + "="):
            return any(prediction_holds(record, wanted, key == "only") for wanted in expectation[len(key) + 1:].split("|"))
    if expectation.startswith("diff="):
        return diff_holds(record, expectation[5:])
    if "~" in expectation:
        key, _, part = expectation.partition("~")
        return part in as_text(find(record, key))
    key, _, wanted = expectation.partition("=")
    return as_text(find(record, key)) in wanted.split("|")


def run(machine, name, mode, features):
    """Runs a scenario in the mode the machine is in; gives back how many expectations were checked."""
    checked = 0
    for number, command, expectations in steps(name, mode, features):
        record = machine.cmd(command)
        broken = find(record, "violation.rule")
        assert broken is None or broken in KNOWN.get(machine.known, ()), f"{name}:{number}: '{command}' in {mode}: {record}"
        for expectation in expectations:
            assert holds(record, expectation), f"{name}:{number}: '{command}' in {mode} on {machine.name}: want {expectation}, got {record}"
            checked += 1
    return checked
