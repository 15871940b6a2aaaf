#include "machine/sim_profile.h"

#include <string.h>

#define F(feature) (1u << FEATURE_##feature)
#define FEATURES_I486 F(INVLPG)
#define FEATURES_PENTIUM (FEATURES_I486 | F(CPUID) | F(TSC) | F(MSR) | F(PSE) | F(CX8))
#define FEATURES_P6 (FEATURES_PENTIUM | F(PAE) | F(PGE) | F(PSE36) | F(PAT))
#define FEATURES_64 (FEATURES_P6 | F(NX) | F(LM) | F(PAGE1GB))
#define FEATURES_MODERN (FEATURES_64 | F(LA57) | F(PCID) | F(INVPCID) | F(SMEP) | F(SMAP) | F(PKU))
#define BOTH (SIM_DATA | SIM_CODE)

/* clang-format off */
const struct sim_profile sim_profiles[] = {
  {"modern-intel", "PCIDs, globals, paging-structure caches, two levels, speculation", FEATURES_MODERN, 46, 57, 6, 143, "GenuineIntel", "simulated modern-intel",
   TRAIT_GLOBALS | TRAIT_PCIDS | TRAIT_STRUCTURE_CACHES | TRAIT_SPECULATES | TRAIT_FAULTS_FROM_TLB, 5, 7,
   {{"DTLB 4K", SIM_DATA, SIM_4K, 1, 16, 6, 0, POLICY_LRU}, {"DTLB large", SIM_DATA, SIM_LARGE | SIM_1G, 1, 8, 4, 0, POLICY_LRU},
    {"ITLB 4K", SIM_CODE, SIM_4K, 1, 32, 8, 0, POLICY_LRU}, {"ITLB large", SIM_CODE, SIM_LARGE | SIM_1G, 1, 8, 4, 0, POLICY_LRU},
    {"STLB", BOTH, SIM_4K | SIM_LARGE, 2, 128, 16, 7, POLICY_LRU}}, 0},
  {"modern-amd", "PCIDs, globals, fully associative first level", FEATURES_MODERN & ~F(LA57), 48, 48, 25, 33, "AuthenticAMD", "simulated modern-amd",
   TRAIT_GLOBALS | TRAIT_PCIDS | TRAIT_STRUCTURE_CACHES, 5, 8,
   {{"DTLB", SIM_DATA, SIM_4K | SIM_LARGE | SIM_1G, 1, 1, 64, 0, POLICY_LRU}, {"ITLB", SIM_CODE, SIM_4K | SIM_LARGE | SIM_1G, 1, 1, 64, 0, POLICY_LRU},
    {"L2 DTLB", SIM_DATA, SIM_4K | SIM_LARGE, 2, 256, 8, 0, POLICY_LRU}, {"L2 ITLB", SIM_CODE, SIM_4K | SIM_LARGE, 2, 64, 8, 0, POLICY_LRU}}, 0},
  {"i386", "no INVLPG, no CR0.WP in use: only MOV CR3 flushes", 0, 32, 32, 3, 0, "", "", TRAIT_FAULTS_FROM_TLB, 2, 4,
   {{"TLB", BOTH, SIM_4K, 1, 8, 4, 0, POLICY_RANDOM}}, 0},
  {"i486", "INVLPG; 4 KiB pages only", FEATURES_I486, 32, 32, 4, 0, "", "", TRAIT_FAULTS_FROM_TLB, 1, 4,
   {{"TLB", BOTH, SIM_4K, 1, 8, 4, 0, POLICY_LRU}}, 0},
  {"pentium", "4 MiB pages; separate data and code", FEATURES_PENTIUM, 32, 32, 5, 2, "GenuineIntel", "", TRAIT_FAULTS_FROM_TLB, 1, 5,
   {{"DTLB 4K", SIM_DATA, SIM_4K, 1, 16, 4, 0, POLICY_LRU}, {"DTLB 4M", SIM_DATA, SIM_LARGE, 1, 2, 4, 0, POLICY_LRU}, {"ITLB", SIM_CODE, SIM_4K | SIM_LARGE, 1, 8, 4, 0, POLICY_LRU}}, 0},
  {"pentium-pro", "PAE and global pages", FEATURES_P6, 36, 32, 6, 1, "GenuineIntel", "", TRAIT_GLOBALS | TRAIT_FAULTS_FROM_TLB | TRAIT_SPECULATES, 1, 6,
   {{"DTLB 4K", SIM_DATA, SIM_4K, 1, 16, 4, 0, POLICY_LRU}, {"DTLB large", SIM_DATA, SIM_LARGE, 1, 2, 4, 0, POLICY_LRU},
    {"ITLB 4K", SIM_CODE, SIM_4K, 1, 8, 4, 0, POLICY_LRU}, {"ITLB large", SIM_CODE, SIM_LARGE, 1, 1, 2, 0, POLICY_LRU}}, 0},
  {"cyrix", "remembers that a page was not present", FEATURES_PENTIUM, 32, 32, 5, 4, "CyrixInstead", "", TRAIT_NOT_PRESENT | TRAIT_FAULTS_FROM_TLB, 1, 5,
   {{"TLB", BOTH, SIM_4K | SIM_LARGE, 1, 32, 4, 0, POLICY_LRU}}, 0},
  {"qemu-tcg", "what QEMU's TCG does", FEATURES_MODERN & ~(F(PCID) | F(INVPCID)), 40, 57, 15, 107, "AuthenticAMD", "simulated qemu-tcg",
   TRAIT_FRAGMENTS | TRAIT_RING_TLBS | TRAIT_PDPTES_IN_MEMORY | TRAIT_LARGE_FLUSHES_ALL | TRAIT_RSVD_WITHOUT_P |
     TRAIT_PDPTE_ACCESSED | TRAIT_CONTROLS_FLUSH | TRAIT_A_AS_WALKED | TRAIT_TASK_FLUSHES | TRAIT_FAULTS_KEEP | TRAIT_PKE_KEEPS, 66, 60,
   {{"TLB", BOTH, SIM_4K, 1, 256, 2, 0, POLICY_LRU}}, 0},
  {"bochs", "what Bochs does", FEATURES_MODERN & ~F(LA57) & ~F(PKU), 40, 48, 6, 85, "GenuineIntel", "simulated bochs", TRAIT_GLOBALS | TRAIT_FRAGMENTS | TRAIT_CONTROLS_FLUSH | TRAIT_PROVEN_RIGHTS |
     TRAIT_A_IF_ALLOWED | TRAIT_FAULTS_DROP_USED, 5, 0,
   {{"DTLB", SIM_DATA, SIM_4K, 1, 2048, 1, 0, POLICY_LRU}, {"ITLB", SIM_CODE, SIM_4K, 1, 1024, 1, 0, POLICY_LRU}}, 0},
  {"no-tlb", "walks the tables at every access", FEATURES_MODERN & ~(F(PCID) | F(INVPCID)), 40, 57, 6, 0, "", "simulated no-tlb", 0, 30, 0, {{0}}, 0},
  {0},
};

#define STRUCTURES TRAIT_STRUCTURE_CACHES
#define PDPTES TRAIT_PDPTES_IN_MEMORY
const struct sim_defect sim_defects[] = {
  {"invlpg-ignored", "INVLPG does nothing", DEFECT_INVLPG_IGNORED, 0, 0},
  {"invlpg-keeps-global", "INVLPG keeps global translations", DEFECT_INVLPG_KEEPS_GLOBAL, 0, TRAIT_LARGE_FLUSHES_ALL},
  {"invlpg-keeps-fragment", "INVLPG in a large page leaves the translation of another 4 KiB of it", DEFECT_INVLPG_KEEPS_FRAGMENT, TRAIT_FRAGMENTS, TRAIT_LARGE_FLUSHES_ALL},
  {"invlpg-keeps-structures", "INVLPG keeps the paging-structure caches", DEFECT_INVLPG_KEEPS_STRUCTURES, STRUCTURES, 0},
  {"cr3-keeps", "MOV CR3 keeps translations, global or not", DEFECT_CR3_KEEPS, 0, 0},
  {"cr3-keeps-structures", "MOV CR3 keeps the paging-structure caches", DEFECT_CR3_KEEPS_STRUCTURES, STRUCTURES, 0},
  {"pge-keeps-global", "a change of CR4.PGE keeps global translations", DEFECT_PGE_KEEPS_GLOBAL, 0, TRAIT_CONTROLS_FLUSH},
  {"pcid-ignored", "translations serve every PCID, and bit 63 of MOV CR3 keeps them", DEFECT_PCID_IGNORED, TRAIT_PCIDS, 0},
  {"invpcid-ignored", "INVPCID does nothing", DEFECT_INVPCID_IGNORED, 0, 0},
  {"fault-keeps", "a page fault keeps the translation that caused it, and so recurs", DEFECT_FAULT_KEEPS, TRAIT_FAULTS_FROM_TLB, 0},
  {"a-not-set", "no walk sets A", DEFECT_A_NOT_SET, 0, 0},
  {"d-not-set", "no write sets D", DEFECT_D_NOT_SET, 0, 0},
  {"d-on-read", "a read sets D", DEFECT_D_ON_READ, 0, 0},
  {"nx-ignored", "XD forbids nothing", DEFECT_NX_IGNORED, 0, 0},
  {"wp-ignored", "supervisor writes ignore R/W though CR0.WP is 1", DEFECT_WP_IGNORED, 0, 0},
  {"us-ignored", "ring 3 reaches supervisor pages", DEFECT_US_IGNORED, 0, 0},
  {"reserved-ignored", "reserved bits of entries are not looked at", DEFECT_RESERVED_IGNORED, 0, 0},
  {"smep-ignored", "CR4.SMEP forbids nothing", DEFECT_SMEP_IGNORED, 0, 0},
  {"smap-ignored", "CR4.SMAP forbids nothing", DEFECT_SMAP_IGNORED, 0, 0},
  {"pke-ignored", "PKRU forbids nothing", DEFECT_PKE_IGNORED, 0, 0},
  {"wrong-error", "the W/R bit of page-fault error codes is 0", DEFECT_WRONG_ERROR, 0, 0},
  {"wrong-cr2", "CR2 holds where the page starts", DEFECT_WRONG_CR2, 0, 0},
  {"remembers-not-present", "that a page was not present is cached", 0, TRAIT_NOT_PRESENT, 0},
  {"fills-without-a", "what a speculative walk caches has no A set", DEFECT_FILLS_WITHOUT_A, TRAIT_SPECULATES, 0},
  {"pdpte-not-latched", "PAE PDPTEs are read at each walk", 0, PDPTES, 0},
  {"toggle-pg-keeps", "clearing CR0.PG keeps translations", DEFECT_TOGGLE_PG_KEEPS, 0, 0},
  {0},
};
/* clang-format on */

const struct sim_profile *sim_profile_named(const char *name)
{
  for (const struct sim_profile *p = sim_profiles; p->name; p++)
    if (strcmp(p->name, name) == 0)
      return p;
  return NULL;
}

const struct sim_defect *sim_profile_defect(const char *name)
{
  for (const struct sim_defect *d = sim_defects; d->name; d++)
    if (strcmp(d->name, name) == 0)
      return d;
  return NULL;
}

void sim_profile_break(struct sim_profile *profile, const struct sim_defect *defect)
{
  profile->defects |= defect->bit;
  profile->traits = (profile->traits & ~defect->removes) | defect->adds;
}
