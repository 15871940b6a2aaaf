#include "repl/watch.h"

#include "lab/lab.h"
#include "lib/format.h"
#include "repl/state.h"

#include <string.h>

#define WATCHES 8
#define TEXT_MAX 160

static struct watch {
  bool used;
  laddr_t va;
  char shown[TEXT_MAX];
} watches[WATCHES];

const char *watch_set(laddr_t va, bool on)
{
  struct watch *slot = NULL, *free_slot = NULL;
  va.v &= ~(uint64_t)(PAGE_SIZE - 1);
  for (struct watch *w = watches; w < watches + WATCHES; w++) {
    if (w->used && w->va.v == va.v)
      slot = w;
    if (!w->used)
      free_slot = w;
  }
  if (slot == NULL && on)
    slot = free_slot;
  if (slot == NULL)
    return on ? "8 addresses are watched already: 'watch VA off' ends one" : "that address is not watched";
  *slot = (struct watch){.used = on, .va = va};
  return NULL;
}

void watch_show(void)
{
  for (unsigned i = 0; i < WATCHES; i++)
    watches[i].shown[0] = '\0';
}

static bool contains(const char *text, const char *part)
{
  size_t length = strlen(part);
  for (; *text; text++)
    if (strncmp(text, part, length) == 0)
      return true;
  return false;
}

#define UNLISTED ", and others"

/* The translations that a TLB may hold, each once. */
struct gathered {
  char text[TEXT_MAX];
  size_t length;
  unsigned count;
  bool too_many; /* for the text */
};

static void gather(void *context, const struct model_path *path)
{
  struct gathered *g = context;
  char name[32], one[64];
  if (!path->cached)
    return;
  if (path->walk.end != WALK_MAPPED)
    format(one, sizeof one, "not present");
  else
    format(one, sizeof one, "%s (%s %s%s%s%s)", lab_frame_name(path->walk.pa, name, sizeof name), path->walk.user ? "user" : "sup",
           path->walk.writable ? "rw" : "ro", path->walk.executable ? "" : " nx", path->walk.global ? " g" : "",
           path->past ? ", older" : "");
  if (contains(g->text, one))
    return;
  if (g->length + strlen(one) + 3 + sizeof UNLISTED > sizeof g->text) {
    g->too_many = true;
    return;
  }
  g->length += (size_t)format(g->text + g->length, sizeof g->text - g->length, "%s%s", g->count++ ? ", " : "", one);
}

/* What the model says of @p va. Returns whether something may be cached; @p listed: it is all in the text. */
static bool describe(laddr_t va, struct gathered *g, bool *listed)
{
  const struct walk now = walk_run(lab_paging(), va);
  bool complete = model_paths(lab_model(), lab_paging(), &now, MODEL_PERMITTED, gather, g);
  *listed = complete && !g->too_many;
  if (g->count == 0)
    format(g->text, sizeof g->text, "%s",
           complete ? "certainly not cached" : "what is not known: too much has changed since the last full flush");
  else if (!*listed)
    format(g->text + g->length, sizeof g->text - g->length, UNLISTED);
  return g->count > 0 || !complete;
}

bool watch_describe(laddr_t va, char *text, size_t size)
{
  struct gathered g = {.count = 0};
  bool listed, may = describe(laddr(va.v & ~(uint64_t)(PAGE_SIZE - 1)), &g, &listed);
  format(text, size, "%s", g.text);
  return may;
}

static void say(struct record *r, struct record_node *list, struct watch *watch)
{
  struct gathered g = {.count = 0};
  bool listed, may = describe(watch->va, &g, &listed);
  if (!state_get()->json && strcmp(g.text, watch->shown) == 0)
    return;
  memcpy(watch->shown, g.text, sizeof watch->shown);
  struct record_node *row = record_object(r, list, NULL);
  record_hex(r, row, "va", watch->va.v);
  record_bool(r, row, "may_be_cached", may);
  if (!listed)
    record_bool(r, row, "incomplete", true);
  record_string(r, row, "as", g.text);
}

void watch_record(struct record *r)
{
  struct record_node *list = NULL;
  if (lab_paging()->format == NULL)
    return;
  for (unsigned i = 0; i < WATCHES; i++) {
    if (!watches[i].used)
      continue;
    if (list == NULL)
      list = record_array(r, &r->root, "watch", "watch {va}: [?may_be_cached:may be cached as ]{as}");
    say(r, list, &watches[i]);
  }
}
