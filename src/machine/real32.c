#include "machine/real.h"

/* Only A and D change behind our back, and both are in the low half: two loads are enough. */
uint64_t real_load8(const void *at)
{
  const volatile uint32_t *half = at;
  uint64_t high = half[1];
  return high << 32 | half[0];
}

/* CMPXCHG8B is the one 8-byte store that 32-bit code has without an FPU; every CPU with 8-byte entries (PAE) has it. */
void real_store8(void *at, uint64_t value)
{
  uint32_t *half = at;
  uint32_t low = half[0], high = half[1];
  uint8_t done;
  do
    __asm__ volatile("lock cmpxchg8b (%3); sete %0"
                     : "=q"(done), "+a"(low), "+d"(high)
                     : "r"(half), "b"((uint32_t)value), "c"((uint32_t)(value >> 32))
                     : "memory", "cc");
  while (!done);
}

void real_set_fs_base(uint64_t base)
{
  (void)base; /* a 32-bit base is all in the descriptor */
}

void real_enter(uint32_t mode)
{
  __asm__ volatile("cli; jmp *%1" : : "a"(mode), "r"(real_boot_info()->switch32));
  __builtin_unreachable();
}
