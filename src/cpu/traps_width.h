/* What differs between the two kernels' trap set-up: the tables' formats. traps32.c and traps64.c, of which the build takes one. */
#ifndef CPU_TRAPS_WIDTH_H
#define CPU_TRAPS_WIDTH_H

#include "cpu/traps.h"

#define TRAPS_VECTORS 48
#define TRAPS_STACK 8192

/** The trap stubs' addresses (traps_entry*.S). */
extern const uintptr_t traps_stubs[TRAPS_VECTORS];

/** Fills in the code segments, the TSS and the IDT, and loads them all. */
void traps_tables_init(uint64_t *gdt, uintptr_t ring0_stack_top);

/** @p frame's stack pointer and whether it came from ring 3 are read alike at both widths. */
static inline unsigned traps_frame_cpl(const struct traps_frame *frame)
{
  return frame->cs & 3u;
}

void traps_dispatch(struct traps_frame *frame);

/** Ends the innermost traps_try() with @p fault. */
void traps_raise(const struct machine_fault *fault, uintptr_t ax, uintptr_t cx) __attribute__((noreturn));

/* A segment descriptor's fields (SDM Vol. 3A, Segment Descriptors).
 *  63      56 55  52 51      48 47       40 39      16 15       0
 *  base 31:24 G D L A limit 19:16 P DPL S type base 23:0 limit 15:0 */
#define DESCRIPTOR_PRESENT (1ULL << 47)
#define DESCRIPTOR_DPL3 (3ULL << 45)
#define DESCRIPTOR_SEGMENT (1ULL << 44)
#define DESCRIPTOR_CODE (0xbULL << 40) /* execute, read, accessed */
#define DESCRIPTOR_DATA (0x3ULL << 40) /* read, write, accessed */
#define DESCRIPTOR_EXPAND_DOWN (0x4ULL << 40)
#define DESCRIPTOR_TSS (0x9ULL << 40) /* available 32- or 64-bit TSS */
#define DESCRIPTOR_BUSY (0x2ULL << 40)
#define DESCRIPTOR_LONG (1ULL << 53)
#define DESCRIPTOR_32 (1ULL << 54)
#define DESCRIPTOR_GRANULAR (1ULL << 55)

static inline uint64_t descriptor(uint32_t base, uint32_t limit, uint64_t attributes)
{
  return attributes | (limit & 0xffff) | (uint64_t)(limit & 0xf0000) << 32 | (uint64_t)(base & 0xffffff) << 16 |
         (uint64_t)(base & 0xff000000) << 32;
}

#define DESCRIPTOR_FLAT (DESCRIPTOR_PRESENT | DESCRIPTOR_SEGMENT | DESCRIPTOR_GRANULAR)

#endif
