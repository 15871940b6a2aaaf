#include "lab/private.h"

#define UNDO_ENTRIES 512

struct undo_entry {
  uint32_t command; /* entries of one command share this number */
  uint8_t bytes;
  paddr_t at;
  uint64_t before;
};

/* A ring: the oldest entries are overwritten. A command that was overwritten in part can no longer be undone. */
static struct undo_entry entries[UNDO_ENTRIES];
static uint32_t head, used;
static uint32_t command, overwritten; /* commands up to `overwritten` are incomplete */

void lab_undo_begin(void)
{
  command++;
  lab_tables_mark();
}

void lab_undo_clear(void)
{
  used = 0;
}

void lab_undo_clear_older(void)
{
  if (command > overwritten)
    overwritten = command - 1;
}

void lab_undo_wrote(paddr_t at, unsigned bytes, uint64_t before)
{
  /* What was written into a table that this very command took is gone when the entry that refers to the table is put back. */
  if (lab_tables_fresh(at))
    return;
  struct undo_entry *entry = &entries[head];
  if (used == UNDO_ENTRIES)
    overwritten = entry->command;
  else
    used++;
  *entry = (struct undo_entry){.command = command, .bytes = (uint8_t)bytes, .at = at, .before = before};
  head = (head + 1) % UNDO_ENTRIES;
}

unsigned lab_undo(void)
{
  unsigned count = 0;
  uint32_t undone = 0;
  while (used > 0) {
    uint32_t last = (head + UNDO_ENTRIES - 1) % UNDO_ENTRIES;
    const struct undo_entry *entry = &entries[last];
    if ((count > 0 && entry->command != undone) || entry->command <= overwritten)
      break;
    undone = entry->command;
    uint64_t now = 0;
    machine_entry_read(entry->at, entry->bytes, &now);
    lab_entry_write(entry->at, now, entry->before);
    head = last;
    used--;
    count++;
  }
  return count;
}
