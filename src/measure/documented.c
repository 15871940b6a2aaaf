#include "measure/documented.h"

#include "lib/format.h"
#include "machine/machine.h"

#define LEAF_DESCRIPTORS 2u
#define LEAF_PARAMETERS 0x18u
#define LEAF_AMD_L1 0x80000005u
#define LEAF_AMD_L2 0x80000006u
#define LEAF_AMD_1G 0x80000019u
#define LARGE (DOCUMENTED_2M | DOCUMENTED_4M)
#define FULL DOCUMENTED_FULL
#define D 1u
#define C 2u

/* Leaf 2 names TLBs by descriptors of a byte (SDM, CPUID: Encoding of CPUID Leaf 2 Descriptors). */
static const struct descriptor {
  uint8_t byte, sides, level, pages;
  uint16_t ways, entries;
} descriptors[] = {
  {0x01, C, 1, DOCUMENTED_4K, 4, 32},
  {0x02, C, 1, DOCUMENTED_4M, FULL, 2},
  {0x03, D, 1, DOCUMENTED_4K, 4, 64},
  {0x04, D, 1, DOCUMENTED_4M, 4, 8},
  {0x05, D, 1, DOCUMENTED_4M, 4, 32},
  {0x0b, C, 1, DOCUMENTED_4M, 4, 4},
  {0x4f, C, 1, DOCUMENTED_4K, 0, 32},
  {0x50, C, 1, DOCUMENTED_4K | LARGE, 0, 64},
  {0x51, C, 1, DOCUMENTED_4K | LARGE, 0, 128},
  {0x52, C, 1, DOCUMENTED_4K | LARGE, 0, 256},
  {0x55, C, 1, LARGE, FULL, 7},
  {0x56, D, 1, DOCUMENTED_4M, 4, 16},
  {0x57, D, 1, DOCUMENTED_4K, 4, 16},
  {0x59, D, 1, DOCUMENTED_4K, FULL, 16},
  {0x5a, D, 1, LARGE, 4, 32},
  {0x5b, D, 1, DOCUMENTED_4K | DOCUMENTED_4M, 0, 64},
  {0x5c, D, 1, DOCUMENTED_4K | DOCUMENTED_4M, 0, 128},
  {0x5d, D, 1, DOCUMENTED_4K | DOCUMENTED_4M, 0, 256},
  {0x61, C, 1, DOCUMENTED_4K, FULL, 48},
  {0x63, D, 1, LARGE, 4, 32},
  {0x63, D, 1, DOCUMENTED_1G, 4, 4},
  {0x64, D, 1, DOCUMENTED_4K, 4, 512},
  {0x6a, D, 1, DOCUMENTED_4K, 8, 64},
  {0x6b, D, 1, DOCUMENTED_4K, 8, 256},
  {0x6c, D, 1, LARGE, 8, 128},
  {0x6d, D, 1, DOCUMENTED_1G, FULL, 16},
  {0x76, C, 1, LARGE, FULL, 8},
  {0xa0, D, 1, DOCUMENTED_4K, FULL, 32},
  {0xb0, C, 1, DOCUMENTED_4K, 4, 128},
  {0xb1, C, 1, DOCUMENTED_2M, 4, 8},
  {0xb1, C, 1, DOCUMENTED_4M, 4, 4},
  {0xb2, C, 1, DOCUMENTED_4K, 4, 64},
  {0xb3, D, 1, DOCUMENTED_4K, 4, 128},
  {0xb4, D, 1, DOCUMENTED_4K, 4, 256},
  {0xb5, C, 1, DOCUMENTED_4K, 8, 64},
  {0xb6, C, 1, DOCUMENTED_4K, 8, 128},
  {0xba, D, 1, DOCUMENTED_4K, 4, 64},
  {0xc0, D, 1, DOCUMENTED_4K | DOCUMENTED_4M, 4, 8},
  {0xc1, D | C, 2, DOCUMENTED_4K | DOCUMENTED_2M, 8, 1024},
  {0xc2, D, 1, LARGE, 4, 16},
  {0xc3, D | C, 2, DOCUMENTED_4K | DOCUMENTED_2M, 6, 1536},
  {0xc3, D | C, 2, DOCUMENTED_1G, 4, 16},
  {0xc4, D, 1, LARGE, 4, 32},
  {0xca, D | C, 2, DOCUMENTED_4K, 4, 512},
};

/* Counts down to the one that is wanted. */
struct listing {
  unsigned left;
  bool found;
  struct documented *tlb;
};

static void add(struct listing *list, const struct documented *tlb)
{
  if (list->found || tlb->entries == 0)
    return;
  list->found = list->left-- == 0;
  if (list->found)
    *list->tlb = *tlb;
}

/* ---- leaf 18H ---- */

/* EBX 3:0 page sizes, 31:16 ways; ECX sets; EDX 4:0 type, 7:5 level, 8 fully associative. */
static void add_parameters(struct listing *list)
{
  enum { TYPE_DATA = 1, TYPE_CODE, TYPE_BOTH, TYPE_LOADS, TYPE_STORES };
  uint32_t regs[4];
  machine_cpuid(LEAF_PARAMETERS, 0, regs);
  uint32_t last = regs[CPUID_EAX];
  for (uint32_t i = 0; i <= last && i < 64; i++) {
    machine_cpuid(LEAF_PARAMETERS, i, regs);
    uint32_t type = regs[CPUID_EDX] & 0x1f, ways = regs[CPUID_EBX] >> 16;
    const struct documented tlb = {.data = type == TYPE_DATA || type >= TYPE_BOTH,
                                   .code = type == TYPE_CODE || type == TYPE_BOTH,
                                   .level = regs[CPUID_EDX] >> 5 & 7,
                                   .pages = regs[CPUID_EBX] & 0xf,
                                   .ways = regs[CPUID_EDX] >> 8 & 1 ? FULL : (uint16_t)ways,
                                   .entries = type ? ways * regs[CPUID_ECX] : 0,
                                   .leaf = "CPUID.18H"};
    add(list, &tlb);
  }
}

/* ---- leaf 2 ---- */

static void add_descriptor(struct listing *list, uint8_t byte)
{
  for (unsigned i = 0; i < sizeof descriptors / sizeof descriptors[0]; i++) {
    const struct descriptor *d = &descriptors[i];
    const struct documented tlb = {.data = d->sides & D,
                                   .code = d->sides & C,
                                   .level = d->level,
                                   .pages = d->pages,
                                   .ways = d->ways,
                                   .entries = d->entries,
                                   .leaf = "CPUID.02H"};
    if (d->byte == byte)
      add(list, &tlb);
  }
}

/* The lowest byte of EAX is no descriptor; a register whose bit 31 is set holds none. */
static void add_descriptors(struct listing *list)
{
  uint32_t regs[4];
  machine_cpuid(LEAF_DESCRIPTORS, 0, regs);
  for (unsigned i = 0; i < 16; i++)
    if (i > 0 && !(regs[i / 4] >> 31))
      add_descriptor(list, regs[i / 4] >> i % 4 * 8 & 0xff);
}

/* ---- AMD's leaves ---- */

/* A register of leaf 80000005H: 7:0 instruction TLB's entries, 15:8 its ways, 23:16 data TLB's entries, 31:24 its ways (FFH: fully). */
static void add_amd_first(struct listing *list, uint32_t reg, uint8_t pages)
{
  for (unsigned data = 0; data < 2; data++) {
    uint32_t half = reg >> data * 16, ways = half >> 8 & 0xff;
    const struct documented tlb = {.data = data,
                                   .code = !data,
                                   .level = 1,
                                   .pages = pages,
                                   .ways = ways == 0xff ? FULL : (uint16_t)ways,
                                   .entries = half & 0xff,
                                   .leaf = "CPUID.80000005H"};
    add(list, &tlb);
  }
}

/* A register of the other leaves: 11:0 instruction TLB's entries, 15:12 its ways, coded; 31:16 the same of the data TLB, or 0 where there
 * is one TLB for both. */
static void add_amd_coded(struct listing *list, uint32_t reg, uint8_t level, uint8_t pages, const char *leaf)
{
  static const uint16_t ways[16] = {0, 1, 2, 3, 4, 6, 8, 0, 16, 0, 32, 48, 64, 96, 128, FULL};
  for (unsigned data = 0; data < 2; data++) {
    uint32_t half = reg >> data * 16 & 0xffff;
    const struct documented tlb = {.data = data || reg >> 16 == 0,
                                   .code = !data,
                                   .level = level,
                                   .pages = pages,
                                   .ways = ways[half >> 12],
                                   .entries = half >> 12 ? half & 0xfff : 0,
                                   .leaf = leaf};
    add(list, &tlb);
  }
}

static void add_amd(struct listing *list, uint32_t last)
{
  uint32_t regs[4];
  if (last >= LEAF_AMD_L2) {
    machine_cpuid(LEAF_AMD_L1, 0, regs);
    add_amd_first(list, regs[CPUID_EBX], DOCUMENTED_4K);
    add_amd_first(list, regs[CPUID_EAX], LARGE);
    machine_cpuid(LEAF_AMD_L2, 0, regs);
    add_amd_coded(list, regs[CPUID_EBX], 2, DOCUMENTED_4K, "CPUID.80000006H");
    add_amd_coded(list, regs[CPUID_EAX], 2, LARGE, "CPUID.80000006H");
  }
  if (last >= LEAF_AMD_1G) {
    machine_cpuid(LEAF_AMD_1G, 0, regs);
    add_amd_coded(list, regs[CPUID_EAX], 1, DOCUMENTED_1G, "CPUID.80000019H");
    add_amd_coded(list, regs[CPUID_EBX], 2, DOCUMENTED_1G, "CPUID.80000019H");
  }
}

bool documented_tlb(unsigned index, struct documented *tlb)
{
  struct listing list = {.left = index, .tlb = tlb};
  uint32_t regs[4];
  machine_cpuid(0, 0, regs);
  uint32_t last = regs[CPUID_EAX];
  machine_cpuid(0x80000000, 0, regs);
  uint32_t last_extended = regs[CPUID_EAX] >> 31 ? regs[CPUID_EAX] : 0;
  regs[CPUID_EBX] = 0;
  if (last >= LEAF_PARAMETERS)
    machine_cpuid(LEAF_PARAMETERS, 1, regs);
  if (last >= LEAF_PARAMETERS && regs[CPUID_EBX])
    add_parameters(&list);
  else if (last >= LEAF_DESCRIPTORS)
    add_descriptors(&list);
  add_amd(&list, last_extended);
  return list.found;
}

const char *documented_text(const struct documented *tlb, char *text, size_t size)
{
  static const char *const names[] = {"4 KiB", "2 MiB", "4 MiB", "1 GiB"};
  char pages[40] = "", ways[24] = "";
  size_t used = 0;
  for (unsigned i = 0; i < 4; i++)
    if (tlb->pages >> i & 1)
      used += (size_t)format(pages + used, sizeof pages - used, "%s%s", used ? ", " : "", names[i]);
  if (tlb->ways == FULL)
    format(ways, sizeof ways, ", fully associative");
  else if (tlb->ways)
    format(ways, sizeof ways, ", %u-way", tlb->ways);
  format(text, size, "%s, level %u, %s: %u entries%s (%s)",
         tlb->data && tlb->code ? "data and code"
         : tlb->data            ? "data"
                                : "code",
         tlb->level, pages, tlb->entries, ways, tlb->leaf);
  return text;
}
