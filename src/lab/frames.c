#include "lab/private.h"
#include "lib/format.h"

#include <string.h>

#define BIG_FRAMES 2
#define BIG_BYTES (4 * MIB)

/* mov $imm32, %eax; ret: the same bytes in 32-bit and 64-bit code.
 *   b8 ii ii ii ii c3 */
#define ROUTINE_MOV 0xb8
#define ROUTINE_RET 0xc3
#define ROUTINE_BYTES 6

static uint64_t page_of(uint64_t at)
{
  return at & ~(uint64_t)(PAGE_SIZE - 1);
}

static bool in_letters(uint64_t at)
{
  const struct machine_layout *l = machine_layout();
  return at >= l->frames.v && at < l->frames.v + (uint64_t)l->frame_count * PAGE_SIZE;
}

bool lab_frame_named(const char *name, size_t length, uint64_t *physical)
{
  const struct machine_layout *l = machine_layout();
  if (length == 1 && name[0] >= 'A' && name[0] < 'A' + (int)l->frame_count) {
    *physical = l->frames.v + (uint64_t)(name[0] - 'A') * PAGE_SIZE;
    return true;
  }
  if (length != 2 || name[0] != 'M' || name[1] < '0' || name[1] >= '0' + BIG_FRAMES || l->big[name[1] - '0'].v == 0)
    return false;
  *physical = l->big[name[1] - '0'].v;
  return true;
}

char *lab_frame_name(paddr_t pa, char *text, unsigned size)
{
  const struct machine_layout *l = machine_layout();
  if (in_letters(pa.v)) {
    format(text, size, "%c", (int)('A' + ((pa.v - l->frames.v) >> PAGE_SHIFT)));
    return text;
  }
  for (unsigned i = 0; i < BIG_FRAMES; i++) {
    uint64_t offset = page_of(pa.v) - l->big[i].v;
    if (l->big[i].v == 0 || offset >= BIG_BYTES)
      continue;
    if (offset == 0)
      format(text, size, "M%u", i);
    else
      format(text, size, "M%u+0x%llx", i, (unsigned long long)offset);
    return text;
  }
  format(text, size, "p:0x%llx", (unsigned long long)page_of(pa.v));
  return text;
}

static uint8_t *page_memory(paddr_t pa)
{
  return machine_physical(paddr(page_of(pa.v)));
}

static bool routine_at(const uint8_t *page)
{
  return page[LAB_ROUTINE_OFFSET] == ROUTINE_MOV && page[LAB_ROUTINE_OFFSET + ROUTINE_BYTES - 1] == ROUTINE_RET;
}

bool lab_frame_has_routine(paddr_t pa)
{
  const uint8_t *page = page_memory(pa);
  return page != NULL && routine_at(page);
}

uint32_t lab_frame_routine_value(paddr_t pa)
{
  const uint8_t *page = page_memory(pa);
  uint32_t value = 0;
  if (page != NULL)
    memcpy(&value, page + LAB_ROUTINE_OFFSET + 1, sizeof value);
  return value;
}

/* A letter's frame is full of its letter; any other page of the student's is full of its own physical address. */
static void stamp(uint8_t *page, uint64_t pa)
{
  uint64_t word = page_of(pa);
  uint32_t routine_value = (uint32_t)(word >> PAGE_SHIFT);
  if (in_letters(pa)) {
    word = 0x0101010101010101ULL * (uint64_t)('A' + ((pa - machine_layout()->frames.v) >> PAGE_SHIFT));
    routine_value = (uint32_t)word;
  }
  for (unsigned at = 0; at < PAGE_SIZE; at += sizeof word)
    memcpy(page + at, &word, sizeof word);
  memset(page + LAB_ROUTINE_OFFSET, 0, PAGE_SIZE - LAB_ROUTINE_OFFSET);
  page[LAB_ROUTINE_OFFSET] = ROUTINE_MOV;
  memcpy(page + LAB_ROUTINE_OFFSET + 1, &routine_value, sizeof routine_value);
  page[LAB_ROUTINE_OFFSET + ROUTINE_BYTES - 1] = ROUTINE_RET;
}

void lab_frame_stamp(paddr_t pa)
{
  uint8_t *page = page_memory(pa);
  if (page == NULL || routine_at(page) || lab_guard_physical(pa, 1) != NULL)
    return;
  stamp(page, page_of(pa.v));
}

void lab_frames_fill(void)
{
  const struct machine_layout *l = machine_layout();
  for (unsigned i = 0; i < l->frame_count; i++) {
    paddr_t pa = paddr(l->frames.v + (uint64_t)i * PAGE_SIZE);
    stamp(page_memory(pa), pa.v);
  }
}
