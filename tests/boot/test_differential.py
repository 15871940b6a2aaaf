"""The profiles `qemu-tcg` and `bochs` of the simulated machine against QEMU and Bochs themselves: the same random commands, the same records.

TLBSH_DIFFERENTIAL is how many commands each machine is given in each mode, TLBSH_SEED repeats a run.
"""

import os

import pytest

import scenario
from differential import EPISODE, LARGE, Episode, Twins
from machines import Bochs, Qemu
from seed import SEED
from simulated import Sim

# Bochs answers slower.
COMMANDS = {"qemu-tcg": 2000, "bochs": 800}
BOOTED = {"qemu-tcg": Qemu, "bochs": Bochs}
MODES = [("qemu-tcg", "32"), ("qemu-tcg", "pae"), ("qemu-tcg", "4level"), ("qemu-tcg", "5level"), ("bochs", "32"), ("bochs", "pae"), ("bochs", "4level")]

# What is peculiar to a platform: its modes (all, where none is named), the shortest script that shows it, what the last record says. The
# profile's traits say the same. Where the architecture asks for something else, that comes first.
ANY, PAGED_32, LONG = (), ("32", "pae"), ("4level", "5level")
PECULIAR = {
    "qemu-tcg": [
        # Must have P set: an entry with P clear has no reserved bits.
        (("pae", *LONG), "map 0x40078000 A; pte 0x40078000 = A | 0x200000000007; read 0x40078000", "fault.error=0x8 expected~0x9"),
        # MOV CR3 must load the PDPTEs, walks must use what it loaded, and write nothing into them: bit 5 is reserved.
        (("pae",), "map 0x8007d000 A; read 0x8007d000", "outcome=fresh diff=PDPTE:+RSVD"),
        # ... and a reserved bit in them must be a #GP.
        (("pae",), "pte 0xc0000000/PDPTE = 0x300003; cr3", "status=ok"),
        # A page fault must invalidate the page's translations: here the older one for reading stays.
        (ANY, "map 0x40078000 A; read 0x40078000; map 0x40078000 B ro; write 0x40078000 1; read 0x40078000", "outcome=stale frame=A"),
        # A is set of a 1 GiB page's entry that has a reserved bit set, and so is not used.
        (LONG, "pte 0xc0478000/PDPTE = 0x2087; read 0xc0478000", "fault.error=0x8 diff=PDPTE:+A"),
        # The architecture allows what follows. MOV CR3 drops global translations, a task switch all, whether CR3 changes or not.
        (ANY, "map 0x40078000 A g; read 0x40078000; map 0x40078000 B g; cr3; read 0x40078000", "outcome=fresh"),
        (PAGED_32, "map 0x40078000 A; read 0x40078000; map 0x40078000 B; task-switch; read 0x40078000", "outcome=fresh"),
        # Each ring has a TLB of its own: ring 0 reads B, ring 3 goes on reading A.
        (ANY, "map 0x40078000 A user; read 0x40078000 user; map 0x40078000 B user; read 0x40078000; read 0x40078000 user", "outcome=stale frame=A"),
        # INVLPG anywhere between two large pages empties the TLB of the ring that has used them.
        (ANY, "map 0x40800000 M0 user LARGE; map 0x80000000 M0 user LARGE; map 0x40078000 A user; read 0x40078000 user; "
              "read 0x4087b000 user; read 0x8007d000 user; map 0x40078000 B user; invlpg 0x70000000; read 0x40078000 user", "outcome=fresh frame=B"),
        # A walk that ends at an entry with P clear has set A above it.
        (ANY, "map 0x40078000 A; unmap 0x40078000; read 0x40078000", "outcome=fault diff=PDE:+A"),
        (LONG, "map 0x40078000 A; read 0x40078000; map 0x40078000 B; set cr4.pke=1; read 0x40078000", "outcome=stale frame=A"),
    ],
    "bochs": [
        # A page fault must invalidate the page's translations: here that for fetches stays.
        (ANY, "map 0x40078000 A user; exec 0x40078000; map 0x40078000 B user ro; write 0x40078000 1 user; exec 0x40078000", "outcome=stale frame=A"),
        # ... of a large page all pieces, and in the same TLB, too.
        (ANY, "map 0x40800000 M0 user LARGE; read 0x40878000; read 0x4087b000; map 0x40800000 M1 user ro LARGE; write 0x40878000 1 user; read 0x4087b000",
         "outcome=stale frame=M0+0x7b000"),
        # The architecture allows what follows. A task switch that does not change CR3 drops nothing.
        (PAGED_32, "map 0x40078000 A; read 0x40078000; map 0x40078000 B; task-switch; read 0x40078000", "outcome=stale frame=A"),
        # A translation serves ring 3 only when ring 3 has used it, and writes only when a write has.
        (ANY, "map 0x40078000 A user; write 0x40078000 1; map 0x40078000 B user; read 0x40078000 user", "outcome=fresh frame=B"),
        # No A flag at all is set for an access that is refused.
        (ANY, "map 0x40078000 A; read 0x40078000 user", "outcome=fault diff=none"),
        # Every MOV CR0 loads the PAE PDPTEs.
        (("pae",), "pte 0xc0000000/PDPTE = 0x300003; set cr0.wp=0", "status=refused"),
        # ... and one that sets PG again would leave paging off for a reserved bit in them, were it not found out before.
        (("pae",), "map 0x40078000 A; read 0x40078000; map 0x40078000 B; pte 0xc0000000/PDPTE = 0x300003; pg", "fault.name=#GP"),
        (("pae",), "map 0x40078000 A; read 0x40078000; map 0x40078000 B; pte 0xc0000000/PDPTE = 0x300003; pg; read 0x40078000",
         "outcome=stale frame=A"),
        # INVPCID of an address drops all that is not global; PCIDs are no tags.
        (("4level",), "map 0x40078000 A; read 0x40078000; map 0x40078000 B; invpcid 0 0 0x7000; read 0x40078000", "outcome=fresh frame=B"),
        (("4level",), "set cr4.pcide=1; map 0x40078000 A; read 0x40078000; map 0x40078000 B; cr3 noflush; read 0x40078000", "outcome=fresh frame=B"),
        # A large page is cached in pieces of 4 KiB, and INVLPG of one drops all.
        (ANY, "map 0x40800000 M0 LARGE; read 0x40878000; read 0x4087b000; map 0x40800000 M1 LARGE; invlpg 0x40800000; read 0x40878000", "outcome=fresh"),
    ],
}


@pytest.fixture(scope="module", params=MODES, ids=lambda each: "-".join(each))
def twins(request):
    profile, mode = request.param
    with BOOTED[profile]() as machine, Sim(profile, mode) as sim:
        if machine.mode != mode:
            assert machine.cmd(f"mode {mode}")["to"] == mode
        pair = Twins(machine, sim)
        pair.profile, pair.mode = profile, mode
        yield pair


def test_the_same_commands_give_the_same_records(twins):
    wanted = int(os.environ.get("TLBSH_DIFFERENTIAL", COMMANDS[twins.profile]))
    for number in range(-(-wanted // EPISODE)):
        seed = f"{SEED}/{number}"
        episode = Episode(twins.profile, twins.mode, seed)
        twins.check(episode.start, episode.lines, f"episode {number}, TLBSH_SEED={SEED}")


def test_what_is_peculiar(twins):
    for modes, script, wanted in PECULIAR[twins.profile]:
        if modes and twins.mode not in modes:
            continue
        lines = script.replace("LARGE", LARGE[twins.mode]).split("; ")
        start = Episode(twins.profile, twins.mode, 0).start + ["map 0x40079000 F", "cr3"]  # so that the PDPTE is loaded, too
        twins.check(start, lines, "a peculiarity")
        record = twins.booted_records(start + lines)[-1]
        twins.sim.cmds(start + lines)
        for expectation in scenario.split(wanted):
            assert scenario.holds(record, expectation), f"{script} in {twins.mode}: want {expectation}, got {record}"


def test_tcg_fetches_from_a_large_page_over_an_invlpg_of_another_piece_of_it():
    """INVLPG must drop all of a large page. TCG empties its TLB, but of the code that it has translated it forgets only what is in the 4 KiB
    that the operand names; the rest is found again by its linear address. The kernel's own code pushes some of it out: so not each is stale."""
    with Qemu(append="json=1 color=0 mode=pae") as machine:
        outcomes = []
        for va in range(0x40801000, 0x40821000, 0x1000):
            machine.cmds(f"reset; map 0x40800000 M0 user 2m; exec {va:#x} user; map 0x40800000 M1 user 2m; invlpg 0x40800000")
            outcomes.append((machine.cmd(f"read {va:#x} user")["outcome"], machine.cmd(f"exec {va:#x} user")["outcome"]))
        assert {read for read, _ in outcomes} == {"fresh"} and "stale" in {fetch for _, fetch in outcomes}
