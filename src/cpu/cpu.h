/* Privileged instructions, one line each. Nothing else in the tree has inline assembly for them. */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "machine/features.h"

#include <stdbool.h>
#include <stdint.h>

// clang-format off
// one instruction, one line

#ifdef __x86_64__
#define CPU_WIDE_SUFFIX "q"
#else
#define CPU_WIDE_SUFFIX ""
#endif

#define MSR_EFER 0xc0000080u
#define MSR_FS_BASE 0xc0000100u

static inline void cpu_out8(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void cpu_out16(uint16_t port, uint16_t value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }
static inline void cpu_out32(uint16_t port, uint32_t value) { __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }

static inline uint8_t cpu_in8(uint16_t port)
{
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline uint16_t cpu_in16(uint16_t port)
{
  uint16_t value;
  __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline uint32_t cpu_in32(uint16_t port)
{
  uint32_t value;
  __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

#define CPU_CONTROL_REGISTER(n)                                                                                                            \
  static inline uintptr_t cpu_read_cr##n(void)                                                                                             \
  {                                                                                                                                        \
    uintptr_t value;                                                                                                                       \
    __asm__ volatile("mov %%cr" #n ", %0" : "=r"(value) : : "memory");                                                                     \
    return value;                                                                                                                          \
  }                                                                                                                                        \
  static inline void cpu_write_cr##n(uintptr_t value) { __asm__ volatile("mov %0, %%cr" #n : : "r"(value) : "memory"); }                   \
  /* ... and with Bochs's magic breakpoint right before it */                                                                              \
  static inline void cpu_stop_write_cr##n(uintptr_t value) { __asm__ volatile("xchg %%bx, %%bx; mov %0, %%cr" #n : : "r"(value) : "memory"); }

CPU_CONTROL_REGISTER(0)
CPU_CONTROL_REGISTER(2)
CPU_CONTROL_REGISTER(3)
CPU_CONTROL_REGISTER(4)

static inline uint64_t cpu_read_msr(uint32_t msr)
{
  uint32_t low, high;
  __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
  return (uint64_t)high << 32 | low;
}

static inline void cpu_write_msr(uint32_t msr, uint64_t value)
{
  __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline void cpu_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
  __asm__ volatile("cpuid" : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3]) : "a"(leaf), "c"(subleaf));
}

static inline uint64_t cpu_read_tsc(void)
{
  uint32_t low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (uint64_t)high << 32 | low;
}

static inline uint32_t cpu_read_pkru(void)
{
  uint32_t value, high;
  __asm__ volatile("rdpkru" : "=a"(value), "=d"(high) : "c"(0));
  return value;
}

static inline void cpu_write_pkru(uint32_t value) { __asm__ volatile("wrpkru" : : "a"(value), "c"(0), "d"(0) : "memory"); }

static inline uintptr_t cpu_read_flags(void)
{
  uintptr_t flags;
  __asm__ volatile("pushf; pop %0" : "=r"(flags));
  return flags;
}

static inline void cpu_write_flags(uintptr_t flags) { __asm__ volatile("push %0; popf" : : "r"(flags) : "memory", "cc"); }

static inline void cpu_interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }
static inline void cpu_interrupts_on(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void cpu_halt(void) { __asm__ volatile("hlt" : : : "memory"); }
/** Enables interrupts and halts: STI's shadow makes the pair atomic, so no wake-up is lost. */
static inline void cpu_wait(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }
static inline void cpu_pause(void) { __asm__ volatile("rep; nop" : : : "memory"); }
static inline void cpu_load_gdt(const void *pointer) { __asm__ volatile("lgdt (%0)" : : "r"(pointer) : "memory"); }
static inline void cpu_load_idt(const void *pointer) { __asm__ volatile("lidt (%0)" : : "r"(pointer) : "memory"); }
static inline void cpu_load_tr(uint16_t selector) { __asm__ volatile("ltr %0" : : "r"(selector) : "memory"); }
static inline void cpu_clear_ts(void) { __asm__ volatile("clts" : : : "memory"); }

static inline uint16_t cpu_read_tr(void)
{
  uint16_t selector;
  __asm__ volatile("str %0" : "=r"(selector));
  return selector;
}

static inline void cpu_load_fs(uint16_t selector) { __asm__ volatile("mov %0, %%fs" : : "r"(selector) : "memory"); }

/* A far return is the one way to load CS that both kernels have. */
static inline void cpu_load_cs(uintptr_t selector)
{
  uintptr_t here;
  __asm__ volatile("lea 1f, %0; push %1; push %0; lret" CPU_WIDE_SUFFIX "; 1:" : "=&r"(here) : "r"(selector) : "memory");
}

/* cpuid.c */

/** Whether the CPU executes CPUID at all (EFLAGS.ID can be changed). */
bool cpu_has_cpuid(void);
/** Whether the CPU reports @p feature. */
bool cpu_has(enum machine_feature feature);
/** Whether the CPU has CR4: every CPU does that reports a feature which lives there. */
bool cpu_has_cr4(void);
/** The whole mask, one bit per enum machine_feature. */
uint32_t cpu_features(void);

// clang-format on

#endif
