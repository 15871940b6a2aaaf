"""The conformance suite on many platforms: what each shows, and where it breaks a rule.  For docs/PLATFORMS.md and for `make check-platform`."""

import json
import os
import subprocess

from machines import Bochs, Qemu
from simulated import PROGRAM, Sim

GROUPS = ["invlpg", "flush", "ad", "large", "global", "pcid", "pae", "caches", "faults", "rights"]
QEMU_CPUS = ["max", "Skylake-Client", "EPYC", "qemu64", "pentium3", "pentium", "486"]
BOCHS_MODELS = ["corei7_skylake_x", "ryzen", "p4_willamette", "pentium"]
PROFILES = ["modern-intel", "modern-amd", "i386", "i486", "pentium", "pentium-pro", "cyrix", "qemu-tcg", "bochs", "no-tlb"]
MODES = ["off", "32", "pae", "4level", "5level"]

# What a TLB shows: the case that tells, and the note that means yes.
SHOWS = [
    ("a changed entry stays stale, CPL 0", "flush", "another frame, nothing", "stale"),
    ("... at CPL 3", "flush", "another frame, CPL 3, nothing", "stale"),
    ("... for fetches", "flush", "another frame, fetched, nothing", "stale"),
    ("global pages outlive MOV CR3", "global", "over MOV CR3, CPL 0", "stale"),
    ("A stays clear on a hit", "ad", "A cleared, no invalidation, read, CPL 0", "stays clear"),
    ("spurious faults", "faults", "a right added: a spurious fault comes once", "once"),
    ("\"not present\" is remembered", "flush", "not present -> present, nothing", "spurious fault"),
    ("paging-structure caches", "caches", "the directory's entry changed, a page not used before, CPL 0", "through the old table"),
    ("a PCID's translations outlive a switch", "pcid", "kept by bit 63, used again, CPL 0", "stale"),
]

# The shortest way to see, by hand, what a failing case is about.
SCRIPTS = {
    ("faults", "reserved bit: P RSVD"): "map 0x40000000 A; pte 0x40000000 = A | 0x8000000000007; cr3; read 0x40000000",
    ("faults", "reserved bit of a 4 MiB page: P RSVD"): "map 0x40000000 M0 4m; pte 0x40000000/PDE = M0 | 0x200083; read 0x40000000",
    ("large", "one INVLPG drops all of the page, fetched"): "map 0x40800000 M0 2m; cr3; exec 0x40805000; map 0x40800000 M1 2m; invlpg 0x40800000; exec 0x40805000",
    ("pae", "MOV CR3 with a reserved bit in a PDPTE: #GP"): "pte 0xc0000000/PDPTE = 0x300003; cr3",
    ("pae", "a walk writes nothing into a PDPTE"): "map 0x40000000 A; cr3; read 0x40000000",
    ("pae", "a PDPTE changed in memory, no MOV CR3"): "map 0x40000000 A; read 0x40000000",
}


def platforms():
    """(family, name, how to start it)."""
    for cpu in QEMU_CPUS:
        yield "qemu", f"QEMU TCG, {cpu}", lambda cpu=cpu: Qemu(cpu=cpu)
    for model in BOCHS_MODELS:
        yield "bochs", f"Bochs, {model}", lambda model=model: Bochs(cpu=model)
    if kvm_missing() is None:
        yield "kvm", "QEMU KVM, qemu64", lambda: Qemu(cpu="qemu64", accel="kvm")
    for profile in PROFILES:
        yield "sim", f"simulated, {profile}", lambda profile=profile: Simulated(profile)


class Simulated:
    """A simulated machine in all its modes, with the same face as a booted one: it is started again for each mode."""

    name = "sim"

    def __init__(self, profile):
        self.profile, self.sim, self.mode = profile, None, None

    def __enter__(self):
        result = subprocess.run([PROGRAM, "--json", "--profile", self.profile], input="", capture_output=True, text=True, timeout=20)
        self.boot = json.loads(result.stdout.splitlines()[0])
        return self

    def __exit__(self, *_):
        if self.sim:
            self.sim.__exit__()

    def cmd(self, line, timeout=60):
        if line.startswith("mode "):
            self.__exit__()
            self.mode = line.split()[1]
            self.sim = Sim(self.profile, self.mode).__enter__()
            return {"status": "ok", "to": self.mode}
        return self.sim.cmd(line)


def modes_of(family):
    """The modes to try there.  A KVM without hardware paging can do 4level and no other, and that slowly."""
    return ["4level"] if family == "kvm" else MODES


def run(machine, groups=GROUPS, modes=tuple(MODES), timeout=120):
    """{mode: {"counts": ..., "cases": [...], "failures": [...]}} for every mode that the machine has."""
    found = {}
    for mode in [mode for mode in modes if mode in machine.boot["modes"]]:
        if machine.mode != mode:
            machine.cmd(f"mode {mode}")
        result = {"counts": dict.fromkeys(["pass", "fail", "observed", "skip"], 0), "cases": [], "failures": []}
        for group in groups:
            record = machine.cmd(f"check {group}", timeout=timeout)
            assert record["status"] == "ok", record
            for key in result["counts"]:
                result["counts"][key] += record["counts"][key]
            assert not record.get("truncated"), f"check {group} in {mode}: not all cases fit into the record"
            cases = [dict(case, group=group) for case in record["cases"]]
            result["cases"] += cases
            result["failures"] += [case for case in cases if case["verdict"] == "fail"]
        found[mode] = result
    return found


def shows(results, group, name, note):
    """yes, no, or where only some modes do, which; "-" where no mode has the case."""
    told = {mode: case.get("note", "") == note for mode, result in results.items() for case in result["cases"] if case["group"] == group and case["name"] == name
            and case["verdict"] != "skip"}
    if not told:
        return "-"
    if all(told.values()) or not any(told.values()):
        return "yes" if any(told.values()) else "no"
    return " ".join(mode for mode, yes in told.items() if yes)


def failures(results):
    """{(group, name without its ring): (the modes in which it fails, the note)}."""
    found = {}
    for mode, result in results.items():
        for failure in result["failures"]:
            name = failure["name"].removesuffix(", CPL 0").removesuffix(", CPL 3")
            modes, note = found.setdefault((failure["group"], name), ([], failure["note"]))
            if mode not in modes:
                modes.append(mode)
    return found


def version(program):
    if program == "sim":
        return ""
    command = {"qemu": ["qemu-system-x86_64", "--version"], "bochs": ["dpkg-query", "-W", "-f", "Bochs ${Version}", "bochs"]}[program]
    text = subprocess.run(command, capture_output=True, text=True).stdout
    return text.split("\n")[0].split("(")[0].replace("emulator version", "").strip()


def kvm_missing():
    """Why there is no KVM to run on, or None."""
    return None if os.access("/dev/kvm", os.R_OK | os.W_OK) else "/dev/kvm is not there"
