/* For each defect an experiment that shows it: on the broken machine it must, in every mode where it can, and on no sound machine may it.
 */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "bench.h"

#include <functional>
#include <set>
#include <string>

static const uint64_t VA = 0x40000000;

enum Answer { SOUND, BROKEN, NOT_HERE };

static Answer broken_if(bool broken)
{
  return broken ? BROKEN : SOUND;
}

/* A page is read while it is mapped to A, then it is mapped to B and `flush` is done: it must be B then. */
static Answer keeps_translation(Bench &b, uint64_t flags, const std::function<void()> &flush)
{
  b.map(VA, 'A', flags);
  b.read(VA);
  b.map(VA, 'B', flags);
  flush();
  return broken_if(b.read(VA) == 'A');
}

/* Another page table takes the place of the one that a paging-structure cache may have; the page itself was not touched. */
static Answer keeps_structures(Bench &b, const std::function<void()> &flush)
{
  b.map(VA, 'A');
  b.map(VA + PAGE_SIZE, 'A');
  b.read(VA);
  uint64_t other = b.new_table();
  b.put(other + (uint64_t)format_index(b.format(), b.last_level(), laddr(VA + PAGE_SIZE)) * b.format()->entry_bytes,
        b.frame('B') | E_P | E_RW);
  b.put(b.pde(VA), other | E_P | E_RW | E_US);
  flush();
  return broken_if(b.read(VA + PAGE_SIZE) == 'A');
}

static Answer invlpg_keeps(Bench &b)
{
  return b.has(FEATURE_INVLPG) ? keeps_translation(b, E_RW, [&] { b.invlpg(VA); }) : NOT_HERE;
}

static Answer invlpg_keeps_global(Bench &b)
{
  return b.has(FEATURE_PGE) ? keeps_translation(b, E_RW | E_G, [&] { b.invlpg(VA); }) : NOT_HERE;
}

static Answer invlpg_keeps_fragment(Bench &b)
{
  if (!b.has_large())
    return NOT_HERE;
  b.put(b.pde(VA), 0x400000 | E_P | E_RW | E_PS);
  for (uint64_t at : {0x0000, 0x3000, 0x5000})
    b.read(VA + at);
  b.put(b.pde(VA), 0);
  b.invlpg(VA);
  bool found = false;
  for (uint64_t at : {0x0000, 0x3000, 0x5000})
    found = b.read(VA + at) != 0 || found;
  return broken_if(found);
}

static Answer invlpg_keeps_structures(Bench &b)
{
  return b.has(FEATURE_INVLPG) ? keeps_structures(b, [&] { b.invlpg(VA + PAGE_SIZE); }) : NOT_HERE;
}

static Answer cr3_keeps(Bench &b)
{
  return keeps_translation(b, E_RW, [&] { b.load_cr3(b.root()); });
}

static Answer cr3_keeps_structures(Bench &b)
{
  return keeps_structures(b, [&] { b.load_cr3(b.root()); });
}

static Answer pge_keeps_global(Bench &b)
{
  if (!b.has(FEATURE_PGE))
    return NOT_HERE;
  return keeps_translation(b, E_RW | E_G, [&] {
    b.cr4(0, CR4_PGE);
    b.cr4(CR4_PGE);
  });
}

static bool pcids_on(Bench &b)
{
  return b.mode >= MACHINE_4LEVEL && b.has(FEATURE_PCID) && !b.cr4(CR4_PCIDE).raised;
}

static Answer pcid_ignored(Bench &b)
{
  if (!pcids_on(b))
    return NOT_HERE;
  return keeps_translation(b, E_RW, [&] { b.load_cr3(b.root() | 1 | NO_FLUSH); });
}

static Answer invpcid_ignored(Bench &b)
{
  return b.has(FEATURE_INVPCID) ? keeps_translation(b, E_RW, [] { machine_invpcid(2, 0, laddr(0)); }) : NOT_HERE;
}

static Answer fault_recurs(Bench &b)
{
  b.map(VA, 'A', 0);
  b.read(VA);
  b.map(VA, 'A', E_RW);
  b.write(VA); /* this one may fault */
  return broken_if(!b.write(VA));
}

static Answer a_not_set(Bench &b)
{
  b.map(VA, 'A');
  b.read(VA);
  return broken_if(!(b.get(b.pte(VA)) & E_A) || !(b.get(b.pde(VA)) & E_A));
}

static Answer d_not_set(Bench &b)
{
  b.map(VA, 'A');
  b.read(VA);
  b.write(VA);
  return broken_if(!(b.get(b.pte(VA)) & E_D));
}

static Answer d_on_read(Bench &b)
{
  b.map(VA, 'A');
  b.read(VA);
  return broken_if(b.get(b.pte(VA)) & E_D);
}

static Answer nx_ignored(Bench &b)
{
  if (!b.has(FEATURE_NX) || b.mode < MACHINE_PAE)
    return NOT_HERE;
  b.map(VA, 'A', E_NX);
  return broken_if(b.exec(VA));
}

static Answer wp_ignored(Bench &b)
{
  b.map(VA, 'A', 0);
  return broken_if(b.write(VA));
}

static Answer us_ignored(Bench &b)
{
  b.map(VA, 'A');
  return broken_if(b.read(VA, 3) != 0);
}

static Answer reserved_ignored(Bench &b)
{
  if (b.mode == MACHINE_32 && !b.has(FEATURE_PSE))
    return NOT_HERE;
  if (b.mode == MACHINE_32)
    b.put(b.pde(VA), 0x400000 | 1 << 21 | E_P | E_RW | E_PS);
  else
    b.map(VA, 'A', E_RW | 1ULL << 51);
  return broken_if(!b.fault(OP_READ, VA).raised);
}

static Answer smep_ignored(Bench &b)
{
  if (!b.has(FEATURE_SMEP))
    return NOT_HERE;
  b.cr4(CR4_SMEP);
  b.map(VA, 'A', E_RW | E_US);
  return broken_if(b.exec(VA));
}

static Answer smap_ignored(Bench &b)
{
  if (!b.has(FEATURE_SMAP))
    return NOT_HERE;
  b.cr4(CR4_SMAP);
  b.map(VA, 'A', E_RW | E_US);
  return broken_if(b.read(VA) != 0);
}

static Answer pke_ignored(Bench &b)
{
  if (!b.has(FEATURE_PKU) || b.mode < MACHINE_4LEVEL)
    return NOT_HERE;
  b.cr4(CR4_PKE);
  machine_register_write(REGISTER_PKRU, 1 << 2);
  b.map(VA, 'A', E_RW | E_US | 1ULL << 59);
  return broken_if(b.read(VA, 3) != 0);
}

static Answer wrong_error(Bench &b)
{
  return broken_if(b.fault(OP_WRITE, VA, 3).error != (PF_WR | PF_US));
}

static Answer wrong_cr2(Bench &b)
{
  return broken_if(b.fault(OP_READ, VA + 0x123).cr2 != VA + 0x123);
}

static Answer remembers_not_present(Bench &b)
{
  if (std::string(b.profile.name) == "cyrix")
    return NOT_HERE; /* that one does, and is known for it */
  b.pte(VA);
  b.read(VA);
  b.map(VA, 'A');
  return broken_if(b.read(VA) == 0);
}

static Answer fills_without_a(Bench &b)
{
  for (uint64_t page = 0; page < 128; page++)
    b.map(VA + page * PAGE_SIZE, 'A');
  bool found = false;
  for (uint64_t page = 0; page < 128; page += 2) {
    uint64_t neighbour = VA + (page + 1) * PAGE_SIZE;
    b.read(VA + page * PAGE_SIZE);
    bool accessed = b.get(b.pte(neighbour)) & E_A;
    b.put(b.pte(neighbour), 0);
    found = found || (!accessed && b.read(neighbour) == 'A');
  }
  return broken_if(found);
}

static Answer pdpte_not_latched(Bench &b)
{
  if (b.mode != MACHINE_PAE || std::string(b.profile.name) == "qemu-tcg")
    return NOT_HERE; /* TCG reads them at each walk, and is known for it */
  b.map(VA, 'A');
  b.map(0x80000000, 'B');
  b.put(b.entry(VA, 0), b.get(b.entry(0x80000000, 0)));
  b.invlpg(VA);
  return broken_if(b.read(VA) == 'B');
}

static Answer toggle_pg_keeps(Bench &b)
{
  return b.mode < MACHINE_4LEVEL ? keeps_translation(b, E_RW, [] { machine_paging_toggle(); }) : NOT_HERE;
}

static const struct {
  const char *defect;
  Answer (*experiment)(Bench &b);
} experiments[] = {
  {"invlpg-ignored", invlpg_keeps},
  {"invlpg-keeps-global", invlpg_keeps_global},
  {"invlpg-keeps-fragment", invlpg_keeps_fragment},
  {"invlpg-keeps-structures", invlpg_keeps_structures},
  {"cr3-keeps", cr3_keeps},
  {"cr3-keeps-structures", cr3_keeps_structures},
  {"pge-keeps-global", pge_keeps_global},
  {"pcid-ignored", pcid_ignored},
  {"invpcid-ignored", invpcid_ignored},
  {"fault-keeps", fault_recurs},
  {"a-not-set", a_not_set},
  {"d-not-set", d_not_set},
  {"d-on-read", d_on_read},
  {"nx-ignored", nx_ignored},
  {"wp-ignored", wp_ignored},
  {"us-ignored", us_ignored},
  {"reserved-ignored", reserved_ignored},
  {"smep-ignored", smep_ignored},
  {"smap-ignored", smap_ignored},
  {"pke-ignored", pke_ignored},
  {"wrong-error", wrong_error},
  {"wrong-cr2", wrong_cr2},
  {"remembers-not-present", remembers_not_present},
  {"fills-without-a", fills_without_a},
  {"pdpte-not-latched", pdpte_not_latched},
  {"toggle-pg-keeps", toggle_pg_keeps},
};

static const enum machine_mode paged_modes[] = {MACHINE_32, MACHINE_PAE, MACHINE_4LEVEL, MACHINE_5LEVEL};

static bool has_mode(const struct sim_profile *profile, enum machine_mode mode)
{
  const uint32_t needs[MACHINE_MODES] = {0, 0, 1u << FEATURE_PAE, 1u << FEATURE_LM, 1u << FEATURE_LA57};
  return (profile->features & needs[mode]) == needs[mode];
}

TEST_CASE("defects: no sound machine shows one")
{
  for (const struct sim_profile *p = sim_profiles; p->name; p++)
    for (enum machine_mode mode : paged_modes)
      for (const auto &e : experiments) {
        if (!has_mode(p, mode))
          continue;
        CAPTURE(std::string(p->name));
        CAPTURE(std::string(e.defect));
        CAPTURE(std::string(format_of(mode)->name));
        Bench b(p->name, mode);
        CHECK(e.experiment(b) != BROKEN);
      }
}

TEST_CASE("defects: each shows on a broken machine, in every mode that can have it")
{
  std::set<std::string> shown;
  for (const char *profile : {"modern-intel", "modern-amd", "pentium-pro", "qemu-tcg", "bochs"})
    for (enum machine_mode mode : paged_modes)
      for (const auto &e : experiments) {
        if (!has_mode(sim_profile_named(profile), mode))
          continue;
        CAPTURE(std::string(profile));
        CAPTURE(std::string(e.defect));
        CAPTURE(std::string(format_of(mode)->name));
        Bench b(profile, mode, {e.defect});
        Answer answer = e.experiment(b);
        CHECK(answer != SOUND);
        if (answer == BROKEN)
          shown.insert(e.defect);
      }
  for (const struct sim_defect *d = sim_defects; d->name; d++) {
    CAPTURE(std::string(d->name));
    CHECK(shown.count(d->name) == 1);
  }
}
