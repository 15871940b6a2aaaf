/* Linear and physical addresses as two different types, so that the compiler refuses to mix them.
 * Both are 64 bits wide in every build: a 32-bit kernel decodes 5-level tables too. */
#ifndef LIB_ADDRESS_H
#define LIB_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/** A linear address (SDM: Linear-Address Spaces): what a program uses and a page walk translates. */
typedef struct {
  uint64_t v;
} laddr_t;

/** A physical address: what a page walk yields and a paging-structure entry holds. */
typedef struct {
  uint64_t v;
} paddr_t;

static inline laddr_t laddr(uint64_t v)
{
  laddr_t a;
  a.v = v;
  return a;
}

static inline paddr_t paddr(uint64_t v)
{
  paddr_t a;
  a.v = v;
  return a;
}

/** A mask of the low @p bits bits; 64 gives all ones. */
static inline uint64_t address_mask(unsigned bits)
{
  return bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
}

#define KIB 1024ULL
#define MIB (1024ULL * KIB)
#define GIB (1024ULL * MIB)
#define PAGE_SHIFT 12u
#define PAGE_SIZE 4096u

#endif
