/* The TLBs that the CPU says it has, by CPUID. What an emulator reports is what the CPU it plays has, and nothing of its own. */
#ifndef MEASURE_DOCUMENTED_H
#define MEASURE_DOCUMENTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCUMENTED_4K 1u
#define DOCUMENTED_2M 2u
#define DOCUMENTED_4M 4u
#define DOCUMENTED_1G 8u
#define DOCUMENTED_FULL 0xffff /* ways: fully associative */

struct documented {
  bool data, code;
  uint8_t level; /* 1, 2 */
  uint8_t pages; /* DOCUMENTED_4K ... */
  uint16_t ways; /* 0: not said */
  uint32_t entries;
  const char *leaf; /* where CPUID says so: "CPUID.18H" */
};

/** TLB number @p index, or false behind the last. By CPUID leaf 18H where there is one, else leaf 2; on AMD's CPUs by leaves 80000005H,
 * 80000006H and 80000019H. SDM: CPUID - CPU Identification; APM Vol. 3: CPUID Fn8000_0005, Fn8000_0006, Fn8000_0019. */
bool documented_tlb(unsigned index, struct documented *tlb);

/** "data, 4 KiB: 96 entries, 6-way (CPUID.18H)". Returns @p text. */
const char *documented_text(const struct documented *tlb, char *text, size_t size);

#endif
