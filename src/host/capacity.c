/* The TLB of the CPU that this runs on, measured from an ordinary program by the measuring code of the kernel: pages of a file without a
 * name, mapped again and again, so that thousands of linear pages share a few pages of memory. Beside it what CPUID says. */
#include "machine/machine.h"
#include "measure/documented.h"
#include "measure/figures.h"
#include "measure/knees.h"

#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#define PAGE 4096u
#define PAGES_MOST 8192u
#define FRAMES 16u
#define SLOT (FRAMES * PAGE / PAGES_MOST)
#define TRIES 9
#define LOADS_LEAST 20000u

static char *pages;

static void *place_of(unsigned page)
{
  unsigned per_frame = PAGE / SLOT;
  return pages + (size_t)page * PAGE + page % per_frame * SLOT;
}

/* Page number n shows page n / 512 of the file, of which it has 8 bytes for its own. */
static int pages_map(void)
{
  FILE *pages_file = tmpfile();
  int file = pages_file ? fileno(pages_file) : -1;
  if (file < 0 || ftruncate(file, FRAMES * PAGE) != 0)
    return -1;
  pages = mmap(NULL, (size_t)PAGES_MOST * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED)
    return -1;
  unsigned per_frame = PAGE / SLOT;
  for (unsigned i = 0; i < PAGES_MOST; i++)
    if (mmap(pages + (size_t)i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, (off_t)(i / per_frame) * PAGE) ==
        MAP_FAILED)
      return -1;
  return 0;
}

static void chain(unsigned count)
{
  static unsigned order[PAGES_MOST];
  for (unsigned i = 0; i < count; i++)
    order[i] = i;
  for (unsigned i = count; i-- > 2;) {
    unsigned other = 1 + (unsigned)random() % i, page = order[i];
    order[i] = order[other];
    order[other] = page;
  }
  for (unsigned i = 0; i < count; i++) {
    void *next = place_of(order[(i + 1) % count]);
    memcpy(place_of(order[i]), &next, sizeof next);
  }
}

static uint64_t chase(unsigned loads)
{
  void *volatile *at = place_of(0);
  unsigned unused;
  _mm_lfence();
  uint64_t start = __rdtsc();
  _mm_lfence();
  for (unsigned i = 0; i < loads; i++)
    at = *at;
  uint64_t end = __rdtscp(&unused);
  _mm_lfence();
  return end - start;
}

/* The best of several orders, each gone through several times: what disturbs only adds. */
static uint64_t cost(void *context, unsigned count)
{
  (void)context;
  uint64_t least = UINT64_MAX;
  unsigned loads = count * (LOADS_LEAST / count + 2);
  for (unsigned i = 0; i < TRIES; i++) {
    if (i % 3 == 0)
      chain(count);
    chase(count * 2);
    uint64_t ticks = chase(loads) * 1024 / loads;
    least = ticks < least ? ticks : least;
  }
  return least;
}

void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
  __cpuid_count(leaf, subleaf, regs[0], regs[1], regs[2], regs[3]);
}

static void show_documented(void)
{
  struct documented tlb;
  char text[96];
  for (unsigned i = 0; documented_tlb(i, &tlb); i++)
    printf("  CPUID: %s\n", documented_text(&tlb, text, sizeof text));
}

/* How steady a hit is: a page gone through again and again. */
static void show_hit(void)
{
  static uint32_t samples[1001];
  chain(8);
  for (unsigned i = 0; i < 1001; i++)
    samples[i] = (uint32_t)(chase(4096) * 1024 / 4096);
  struct figures f = figures_of(samples, 1001);
  printf("  a hit: %.2f ticks (10%%: %.2f, 90%%: %.2f; spread %.1f%% of the median)\n", f.median / 1024.0, f.p10 / 1024.0, f.p90 / 1024.0,
         100.0 * (f.p90 - f.p10) / f.median);
}

int main(int count, char **arguments)
{
  struct knees found;
  const struct knees_clock clock = {cost, NULL, PAGES_MOST};
  bool points = count > 1 && strcmp(arguments[1], "--points") == 0;
  if (count > 1 && !points) {
    printf(
      "usage: capacity-host [--points]\nMeasures this CPU's data TLB from user space; --points: all that was measured, for plotting.\n");
    return strcmp(arguments[1], "--help") != 0;
  }
  if (pages_map() != 0) {
    perror("the pages to measure with");
    return 1;
  }
  knees_find(&clock, &found);
  for (unsigned i = 0; points && i < found.points; i++)
    printf("%u %.2f\n", found.point[i].pages, (double)found.point[i].cost / 1024);
  if (points)
    return 0;
  printf("data TLB, 4 KiB pages, from user space:\n");
  show_hit();
  for (unsigned i = 0; i < found.count; i++)
    printf("  knee at %u pages\n", found.knee[i]);
  show_documented();
  return 0;
}
