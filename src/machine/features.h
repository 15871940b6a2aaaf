/* What a CPU may lack: one row per feature, with the CPUID bit that reports it (features.c). */
#ifndef MACHINE_FEATURES_H
#define MACHINE_FEATURES_H

#include <stddef.h>
#include <stdint.h>

enum machine_feature {
  FEATURE_CPUID,
  FEATURE_TSC,
  FEATURE_MSR,
  FEATURE_PSE,
  FEATURE_PSE36,
  FEATURE_PAE,
  FEATURE_PGE,
  FEATURE_PAT,
  FEATURE_CX8,
  FEATURE_NX,
  FEATURE_LM,
  FEATURE_PAGE1GB,
  FEATURE_LA57,
  FEATURE_PCID,
  FEATURE_INVPCID,
  FEATURE_SMEP,
  FEATURE_SMAP,
  FEATURE_PKU,
  FEATURE_HYPERVISOR,
  FEATURE_INVLPG, /* no CPUID bit: every CPU from the 486 on has it */
  FEATURES,
};

enum machine_cpuid_register { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

struct machine_feature_row {
  const char *name;      /* as a person types and reads it: "pse", "1gb-pages" */
  uint32_t leaf;         /* CPUID leaf; 0 where no CPUID bit reports the feature */
  uint8_t reg;           /* enum machine_cpuid_register */
  uint8_t bit;           /* 0..31 */
  const char *cpuid_bit; /* the bit as the SDM names it: "CPUID.01H:EDX.PSE[bit 3]" */
};

/** One row per enum machine_feature, in its order. */
extern const struct machine_feature_row machine_features[FEATURES];

/** True when bit @p feature is set in the mask @p features. */
static inline int machine_features_have(uint32_t features, enum machine_feature feature)
{
  return (int)(features >> feature & 1u);
}

#endif
