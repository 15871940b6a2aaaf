/* Numbers that nobody can foresee, and that the same seed gives again: splitmix64. */
#ifndef LIB_RANDOM_H
#define LIB_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
  return z ^ z >> 31;
}

/** A number below @p n, which is at least 1. */
static inline uint32_t random_below(uint64_t *state, uint32_t n)
{
  return (uint32_t)(random_next(state) >> 32) % n;
}

#endif
