#include "repl/diff.h"

#include "lab/lab.h"
#include "repl/state.h"

/* A command like split can change a thousand entries. Nobody reads more than a few; a program gets more. */
#define DIFF_ROWS_TEXT 8
#define DIFF_ROWS_JSON 64

struct rows {
  struct record *record;
  struct record_node *array;
  unsigned count, most;
  bool latched;     /* a PAE PDPTE changed: the CPU looks at those only when CR3 is loaded */
  unsigned present; /* entries that were present, and changed in more than A and D being set */
  struct lab_change first;
};

/* SDM, Recommended Invalidation: nothing is needed where P was 0; otherwise the translations that used the entry must go. */
static void judge(struct rows *rows, const struct lab_change *change)
{
  const struct paging *paging = lab_paging();
  uint64_t ad = format_mask(paging, change->level, change->before, ROLE_A) | format_mask(paging, change->level, change->before, ROLE_D);
  uint64_t changed = change->before ^ change->after;
  if (change->level == 0 && paging->format->root_latched)
    rows->latched = true;
  if (!(change->before & 1) || changed == (changed & ad & change->after))
    return;
  if (rows->present++ == 0)
    rows->first = *change;
}

static void say_needs(struct record *r, const struct rows *rows)
{
  const struct paging *paging = lab_paging();
  if (rows->count == 0)
    return;
  if (rows->latched)
    record_string(r, &r->root, "needs", "cr3: PAE paging looks at PDPTEs only when CR3 is loaded");
  else if (rows->present == 0)
    record_string(r, &r->root, "needs", "nothing: what is not present is not cached");
  else if (rows->present > 1)
    record_string(r, &r->root, "needs", "cr3, or pge where pages are global: several entries changed");
  else if (format_is_leaf(paging, rows->first.level, rows->first.before))
    record_format(r, &r->root, "needs", "invlpg 0x%llx", (unsigned long long)rows->first.va.v);
  else
    record_string(r, &r->root, "needs", "cr3: an entry above many pages changed (invlpg for each page, or pge, where pages are global)");
}

static void add_row(void *context, const struct lab_change *change)
{
  struct rows *rows = context;
  const struct paging *paging = lab_paging();
  char flags[96];
  rows->count++;
  judge(rows, change);
  if (rows->count > rows->most)
    return;
  struct record *r = rows->record;
  struct record_node *row = record_object(r, rows->array, NULL);
  record_hex(r, row, "va", change->va.v);
  record_string(r, row, "level", paging->format->level[change->level].name);
  record_hex(r, row, "at", change->at.v);
  record_hex(r, row, "before", change->before);
  record_hex(r, row, "after", change->after);
  record_string(r, row, "flags", format_difference(paging, change->level, change->before, change->after, flags, sizeof flags));
}

void diff_record(struct record *r, bool edited)
{
  struct rows rows = {.record = r, .most = state_get()->json ? DIFF_ROWS_JSON : DIFF_ROWS_TEXT};
  rows.array = record_array(r, &r->root, "diff", "[{level%-5} {va} at {at}: {before} -> {after}  {flags}][... and {more} more entries]");
  lab_diff(add_row, &rows);
  if (edited)
    say_needs(r, &rows);
  if (rows.count > rows.most)
    record_count(r, record_object(r, rows.array, NULL), "more", rows.count - rows.most);
}
