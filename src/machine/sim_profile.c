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
    {"STLB", BOTH, SIM_4K | SIM_LARGE, 2, 128, 16, 0, POLICY_LRU}}},
  {"modern-amd", "PCIDs, globals, fully associative first level", FEATURES_MODERN & ~F(LA57), 48, 48, 25, 33, "AuthenticAMD", "simulated modern-amd",
   TRAIT_GLOBALS | TRAIT_PCIDS | TRAIT_STRUCTURE_CACHES, 5, 8,
   {{"DTLB", SIM_DATA, SIM_4K | SIM_LARGE | SIM_1G, 1, 1, 64, 0, POLICY_LRU}, {"ITLB", SIM_CODE, SIM_4K | SIM_LARGE | SIM_1G, 1, 1, 64, 0, POLICY_LRU},
    {"L2 DTLB", SIM_DATA, SIM_4K | SIM_LARGE, 2, 256, 8, 0, POLICY_LRU}, {"L2 ITLB", SIM_CODE, SIM_4K | SIM_LARGE, 2, 64, 8, 0, POLICY_LRU}}},
  {"i386", "no INVLPG, no CR0.WP in use: only MOV CR3 flushes", 0, 32, 32, 3, 0, "", "", TRAIT_FAULTS_FROM_TLB, 2, 4,
   {{"TLB", BOTH, SIM_4K, 1, 8, 4, 0, POLICY_RANDOM}}},
  {"i486", "INVLPG; 4 KiB pages only", FEATURES_I486, 32, 32, 4, 0, "", "", TRAIT_FAULTS_FROM_TLB, 1, 4,
   {{"TLB", BOTH, SIM_4K, 1, 8, 4, 0, POLICY_LRU}}},
  {"pentium", "4 MiB pages; separate data and code", FEATURES_PENTIUM, 32, 32, 5, 2, "GenuineIntel", "", TRAIT_FAULTS_FROM_TLB, 1, 5,
   {{"DTLB 4K", SIM_DATA, SIM_4K, 1, 16, 4, 0, POLICY_LRU}, {"DTLB 4M", SIM_DATA, SIM_LARGE, 1, 2, 4, 0, POLICY_LRU}, {"ITLB", SIM_CODE, SIM_4K | SIM_LARGE, 1, 8, 4, 0, POLICY_LRU}}},
  {"pentium-pro", "PAE and global pages", FEATURES_P6, 36, 32, 6, 1, "GenuineIntel", "", TRAIT_GLOBALS | TRAIT_FAULTS_FROM_TLB | TRAIT_SPECULATES, 1, 6,
   {{"DTLB 4K", SIM_DATA, SIM_4K, 1, 16, 4, 0, POLICY_LRU}, {"DTLB large", SIM_DATA, SIM_LARGE, 1, 2, 4, 0, POLICY_LRU},
    {"ITLB 4K", SIM_CODE, SIM_4K, 1, 8, 4, 0, POLICY_LRU}, {"ITLB large", SIM_CODE, SIM_LARGE, 1, 1, 2, 0, POLICY_LRU}}},
  {"cyrix", "remembers that a page was not present", FEATURES_PENTIUM, 32, 32, 5, 4, "CyrixInstead", "", TRAIT_NOT_PRESENT | TRAIT_FAULTS_FROM_TLB, 1, 5,
   {{"TLB", BOTH, SIM_4K | SIM_LARGE, 1, 32, 4, 0, POLICY_LRU}}},
  {"qemu-tcg", "what QEMU's TCG does", FEATURES_MODERN & ~(F(PCID) | F(INVPCID)), 40, 57, 15, 107, "AuthenticAMD", "simulated qemu-tcg",
   TRAIT_FRAGMENTS | TRAIT_RING_TLBS | TRAIT_PDPTES_IN_MEMORY | TRAIT_LARGE_FLUSHES_ALL | TRAIT_RSVD_WITHOUT_P |
     TRAIT_PDPTE_ACCESSED | TRAIT_WP_FLUSHES | TRAIT_A_AS_WALKED, 66, 60,
   {{"TLB", BOTH, SIM_4K, 1, 256, 2, 0, POLICY_LRU}}},
  {"bochs", "what Bochs does", FEATURES_MODERN & ~F(LA57) & ~F(PKU), 40, 48, 6, 85, "GenuineIntel", "simulated bochs", TRAIT_GLOBALS | TRAIT_FRAGMENTS | TRAIT_WP_FLUSHES | TRAIT_PROVEN_RIGHTS |
     TRAIT_A_IF_ALLOWED, 5, 0,
   {{"DTLB", SIM_DATA, SIM_4K, 1, 2048, 1, 0, POLICY_LRU}, {"ITLB", SIM_CODE, SIM_4K, 1, 1024, 1, 0, POLICY_LRU}}},
  {"no-tlb", "walks the tables at every access", FEATURES_MODERN & ~(F(PCID) | F(INVPCID)), 40, 57, 6, 0, "", "simulated no-tlb", 0, 30, 0, {{0}}},
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
