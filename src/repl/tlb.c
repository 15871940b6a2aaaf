#include "repl/tlb.h"

#include "lab/lab.h"
#include "lib/format.h"
#include "repl/bochs.h"
#include "repl/common.h"
#include "repl/state.h"

/* A TLB can hold thousands. Nobody reads more than a screen; a program gets as many as surely fit into a record. */
#define ROWS_TEXT 40
#define ROWS_JSON 100

struct rows {
  struct record *record;
  struct record_node *entries, *structures;
  unsigned count, left_out;
  unsigned room; /* for translations. A paging-structure cache is small enough to be shown whole */
};

static bool hidden(void)
{
  struct machine_tlb_array first;
  return !machine_tlb_array(0, &first);
}

static bool refuse_hidden(struct record *r)
{
  return record_refuse(
    r, "a CPU's TLB cannot be looked at: 'cached? VA' asks it by experiment; the simulated machine and Bochs's debugger show theirs");
}

static struct rows rows_begin(struct record *r)
{
  struct rows rows = {.record = r, .room = state_get()->json ? ROWS_JSON : ROWS_TEXT};
  rows.entries = record_array(r, &r->root, "entries", NULL);
  rows.structures = record_array(r, &r->root, "structures", NULL);
  return rows;
}

/* The rights and flags in the words that entries are shown in. */
static void flags_text(const struct machine_tlb_entry *e, char *text, unsigned size)
{
  const char *const words[] = {e->writable ? " RW" : "", e->user ? " US" : "", e->executable ? "" : " XD", e->global ? " G" : "",
                               e->dirty ? " D" : ""};
  size_t used = (size_t)format(text, size, "%s", e->present ? "P" : "not present");
  for (unsigned i = 0; e->present && i < sizeof words / sizeof words[0]; i++)
    used += (size_t)format(text + used, size - used, "%s", words[i]);
  if (e->key)
    used += (size_t)format(text + used, size - used, " PK=%u", e->key);
  if (e->shift != e->page_shift)
    used += (size_t)format(text + used, size - used, " part of %s", common_size_name(e->page_shift));
  if (e->ring3)
    format(text + used, size - used, " (ring 3)");
}

/* "user write": what filled it, where that matters for what it serves. */
static void filled_by(struct record *r, struct record_node *row, const struct machine_tlb_array *array, const struct machine_tlb_entry *e)
{
  char text[16];
  const char *what = array->code && !array->data ? "exec" : e->by_write ? "write" : "read";
  format(text, sizeof text, "%s%s", e->by_user ? "user " : "", what);
  record_string(r, row, "filled_by", text);
}

static void entry_row(struct rows *rows, const struct machine_tlb_array *array, const struct machine_tlb_entry *e)
{
  char text[64];
  struct record *r = rows->record;
  rows->count++;
  if (!array->structures && rows->room == 0) {
    rows->left_out++;
    return;
  }
  rows->room -= !array->structures;
  struct record_node *row = record_object(r, array->structures ? rows->structures : rows->entries, NULL);
  if (!array->structures) {
    record_string(r, row, "array", array->name);
    record_count(r, row, "set", e->set);
  }
  record_count(r, row, "way", e->way);
  record_hex(r, row, "va", e->va.v);
  record_hex(r, row, array->structures ? "table" : "pa", e->pa.v);
  record_string(r, row, "size", common_size_name(e->shift));
  record_count(r, row, "pcid", e->pcid);
  flags_text(e, text, sizeof text);
  record_string(r, row, "flags", text);
  if (e->proven)
    filled_by(r, row, array, e);
}

static void rows_end(struct rows *rows)
{
  struct record *r = rows->record;
  record_count(r, &r->root, "held", rows->count);
  if (rows->left_out)
    record_count(r, &r->root, "more", rows->left_out);
}

bool tlb_report(struct record *r)
{
  struct machine_tlb_entry e;
  struct machine_tlb_array array;
  unsigned cursor = 0;
  if (bochs_here()) {
    bochs_report(r);
    return true;
  }
  if (hidden())
    return refuse_hidden(r);
  struct rows rows = rows_begin(r);
  while (machine_tlb_entry(&cursor, &e))
    if (machine_tlb_array(e.array, &array))
      entry_row(&rows, &array, &e);
  rows_end(&rows);
  return true;
}

/* ---- where an address belongs ---- */

static bool covers(const struct machine_tlb_entry *e, laddr_t va)
{
  return va.v >> e->shift == e->va.v >> e->shift;
}

static bool size_here(const struct machine_tlb_array *array, unsigned shift)
{
  const char *missing;
  return array->pages >> shift & 1 && format_level_of_size(lab_paging(), shift, &missing) >= 0;
}

/* Whether @p e has a way of a set that va's page belongs to; of the paging-structure cache, whether it would be used for va. */
static bool concerns(const struct machine_tlb_array *array, const struct machine_tlb_entry *e, laddr_t va)
{
  if (array->structures)
    return covers(e, va);
  for (unsigned shift = PAGE_SHIFT; shift < 32; shift++)
    if (size_here(array, shift) && e->set == machine_tlb_set(e->array, va, shift))
      return true;
  return false;
}

static void set_row(struct record *r, struct record_node *list, unsigned index, const struct machine_tlb_array *array, laddr_t va,
                    unsigned shift)
{
  struct machine_tlb_entry e;
  unsigned cursor = 0, used = 0, set = machine_tlb_set(index, va, shift);
  while (machine_tlb_entry(&cursor, &e))
    used += e.array == index && e.set == set;
  struct record_node *row = record_object(r, list, NULL);
  record_string(r, row, "array", array->name);
  record_string(r, row, "for", array->data && array->code ? "data, code" : array->data ? "data" : "code");
  record_string(r, row, "page", common_size_name(shift));
  record_count(r, row, "set", set);
  record_count(r, row, "of", array->sets);
  record_count(r, row, "ways", array->ways);
  record_count(r, row, "used", used);
}

static void sets(struct record *r, laddr_t va)
{
  struct machine_tlb_array array;
  struct record_node *list = record_array(r, &r->root, "sets", NULL);
  for (unsigned index = 0; machine_tlb_array(index, &array); index++)
    for (unsigned shift = PAGE_SHIFT; shift < 32; shift++)
      if (size_here(&array, shift))
        set_row(r, list, index, &array, va, shift);
}

static const char *answer(bool cached, bool absent)
{
  if (absent)
    return "that it is not present is remembered";
  return cached ? "cached" : "not cached";
}

bool tlb_report_at(struct record *r, laddr_t va)
{
  struct machine_tlb_entry e;
  struct machine_tlb_array array;
  unsigned cursor = 0;
  bool cached = false, absent = false;
  if (bochs_here()) {
    bochs_report_at(r, va);
    return true;
  }
  if (hidden())
    return refuse_hidden(r);
  record_hex(r, &r->root, "va", va.v);
  sets(r, va);
  struct rows rows = rows_begin(r);
  while (machine_tlb_entry(&cursor, &e)) {
    if (!machine_tlb_array(e.array, &array) || !concerns(&array, &e, va))
      continue;
    bool serves = covers(&e, va) && e.current && !array.structures;
    cached = cached || (serves && e.present);
    absent = absent || (serves && !e.present);
    entry_row(&rows, &array, &e);
  }
  record_bool(r, &r->root, "cached", cached);
  record_string(r, &r->root, "answer", answer(cached, absent));
  rows_end(&rows);
  return true;
}
