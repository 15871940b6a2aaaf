/* The features table. Source: Intel SDM Vol. 2A, "CPUID - CPU Identification". Leaf 07H is read with subleaf 0. */
#include "machine/features.h"

#define LEAF_1 0x00000001u
#define LEAF_7 0x00000007u
#define LEAF_EXTENDED_1 0x80000001u

const struct machine_feature_row machine_features[FEATURES] = {
  [FEATURE_CPUID] = {"cpuid", 0, 0, 0, "EFLAGS.ID[bit 21]"},
  [FEATURE_TSC] = {"tsc", LEAF_1, CPUID_EDX, 4, "CPUID.01H:EDX.TSC[bit 4]"},
  [FEATURE_MSR] = {"msr", LEAF_1, CPUID_EDX, 5, "CPUID.01H:EDX.MSR[bit 5]"},
  [FEATURE_PSE] = {"pse", LEAF_1, CPUID_EDX, 3, "CPUID.01H:EDX.PSE[bit 3]"},
  [FEATURE_PSE36] = {"pse36", LEAF_1, CPUID_EDX, 17, "CPUID.01H:EDX.PSE-36[bit 17]"},
  [FEATURE_PAE] = {"pae", LEAF_1, CPUID_EDX, 6, "CPUID.01H:EDX.PAE[bit 6]"},
  [FEATURE_PGE] = {"pge", LEAF_1, CPUID_EDX, 13, "CPUID.01H:EDX.PGE[bit 13]"},
  [FEATURE_PAT] = {"pat", LEAF_1, CPUID_EDX, 16, "CPUID.01H:EDX.PAT[bit 16]"},
  [FEATURE_CX8] = {"cx8", LEAF_1, CPUID_EDX, 8, "CPUID.01H:EDX.CX8[bit 8]"},
  [FEATURE_NX] = {"nx", LEAF_EXTENDED_1, CPUID_EDX, 20, "CPUID.80000001H:EDX.NX[bit 20]"},
  [FEATURE_LM] = {"lm", LEAF_EXTENDED_1, CPUID_EDX, 29, "CPUID.80000001H:EDX.LM[bit 29]"},
  [FEATURE_PAGE1GB] = {"1gb-pages", LEAF_EXTENDED_1, CPUID_EDX, 26, "CPUID.80000001H:EDX.Page1GB[bit 26]"},
  [FEATURE_LA57] = {"la57", LEAF_7, CPUID_ECX, 16, "CPUID.07H.0:ECX.LA57[bit 16]"},
  [FEATURE_PCID] = {"pcid", LEAF_1, CPUID_ECX, 17, "CPUID.01H:ECX.PCID[bit 17]"},
  [FEATURE_INVPCID] = {"invpcid", LEAF_7, CPUID_EBX, 10, "CPUID.07H.0:EBX.INVPCID[bit 10]"},
  [FEATURE_SMEP] = {"smep", LEAF_7, CPUID_EBX, 7, "CPUID.07H.0:EBX.SMEP[bit 7]"},
  [FEATURE_SMAP] = {"smap", LEAF_7, CPUID_EBX, 20, "CPUID.07H.0:EBX.SMAP[bit 20]"},
  [FEATURE_PKU] = {"pku", LEAF_7, CPUID_ECX, 3, "CPUID.07H.0:ECX.PKU[bit 3]"},
  [FEATURE_HYPERVISOR] = {"hypervisor", LEAF_1, CPUID_ECX, 31, "CPUID.01H:ECX[bit 31]"},
  [FEATURE_INVLPG] = {"invlpg", 0, 0, 0, "no CPUID bit: every CPU from the 486 on has INVLPG"},
};
