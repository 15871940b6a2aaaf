/* Pages to measure with: a stretch of linear addresses that nobody uses, mapped for as long as a measurement takes.
 *
 * All pages lead to a few pages of memory, so that thousands of them fit into a first-level data cache and what differs is the TLB alone.
 * The entries are written past the lab: it never hears of them, and they are gone before it looks again. */
#ifndef MEASURE_PAGES_H
#define MEASURE_PAGES_H

#include "lab/lab.h"

#define PAGES_MAX 16384u
#define PAGES_CHAIN_MAX 8192u

/** How the pages are wanted. */
struct pages_wanted {
  unsigned shift; /* log2 of a page's size */
  unsigned least; /* so many or none */
  unsigned count; /* a power of two, at most PAGES_MAX; where there is no place for so many, half of them, and so on */
  bool chain;     /* each page with a word of its own, for pages_chain(): at most PAGES_CHAIN_MAX */
  bool code;      /* ... or with 16 bytes, for pages_jumps(): at most half as many */
  bool global;
  bool user; /* ring 3 is to access them; else ring 0, which SMAP and SMEP keep from the pages of ring 3 */
};

/** Maps them. NULL, or why not (a literal). Every pages_open() that gives NULL wants a pages_close(). */
const char *pages_open(const struct pages_wanted *wanted);
void pages_close(void);

/** How many there are; and where page number @p page has the word, and the routine, that accesses to it are to reach. */
unsigned pages_count(void);
laddr_t pages_at(unsigned page);

/** The A flag of the entry that maps page number @p page. */
bool pages_accessed(unsigned page);
void pages_accessed_clear(unsigned page);

/** Makes the entry that maps page number @p page not present, or as it was. Nothing is invalidated. */
void pages_present(unsigned page, bool present);

/** Drops all translations of these pages: MOV to CR3. They are not global. */
void pages_flush(void);

/** Makes the words of the first @p count pages a circle in an order that nobody can foresee: each holds the address of another. */
void pages_chain(unsigned count, uint64_t seed);

/** Makes the first @p count pages hold jumps, each to another page's, in an order that nobody can foresee. Calling the first, at
 * pages_at(0), goes through them all and returns. */
void pages_jumps(unsigned count, uint64_t seed);

#endif
