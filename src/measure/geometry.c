#include "measure/geometry.h"

#include "lib/random.h"

#include <stddef.h>
#include <string.h>

#define WAYS_MAX 256
#define TRIES_NOISE 3    /* a majority of so many: something else may have happened once */
#define TRIES_CHANCE 160 /* where chance decides, once is enough, and it comes up once in as many tries as there are ways */
#define STEPS_MAX 1024

struct search {
  const struct geometry_oracle *o;
  unsigned level;
  bool chance;                       /* the entry that makes room is picked at random */
  uint16_t page[GEOMETRY_PAGES_MAX]; /* what is tried */
  unsigned count;
  uint16_t wash[WAYS_MAX]; /* what pushes page 0 out of the level before, and not out of this one */
  unsigned washes;
  uint64_t random;
  bool stopped;
};

static struct search s; /* too large for a kernel's stack */

/* ---- which pages there are ---- */

#define WORDS (GEOMETRY_PAGES_MAX / 32)

static uint32_t there[WORDS], wanted_there[WORDS]; /* a bit per page */

static void want(unsigned page)
{
  wanted_there[page / 32] |= 1u << page % 32;
}

/* A CPU may translate the page behind one that is accessed, and so do what nobody asked for. It cannot where there is none. */
static void allow_wanted(void)
{
  for (unsigned i = 0; i < WORDS && s.o->allow; i++)
    for (uint32_t changed = there[i] ^ wanted_there[i]; changed; changed &= changed - 1) {
      unsigned page = i * 32 + (unsigned)__builtin_ctz(changed);
      s.o->allow(s.o->context, page, wanted_there[i] >> page % 32 & 1);
    }
  memcpy(there, wanted_there, sizeof there);
}

/* Page 0, those that are tried but for [from, to), and page 0's wash. */
static void allow(unsigned from, unsigned to)
{
  memset(wanted_there, 0, sizeof wanted_there);
  want(0);
  for (unsigned i = 0; i < s.washes; i++)
    want(s.wash[i]);
  for (unsigned i = 0; i < s.count; i++)
    if (i < from || i >= to)
      want(s.page[i]);
  allow_wanted();
}

/* This page and its wash, and no other: what is cached of others stays cached. */
static void allow_only(unsigned page)
{
  memset(wanted_there, 0, sizeof wanted_there);
  want(page);
  for (unsigned i = 0; i < s.washes; i++)
    want(page ^ s.wash[i]);
  allow_wanted();
}

/* ---- asking ---- */

/* Pages that are to @p page what the wash is to page 0. */
static void wash(unsigned page)
{
  for (unsigned i = 0; i < s.washes; i++)
    s.o->touch(s.o->context, s.wash[i] ^ page);
}

static bool kept(unsigned page)
{
  wash(page);
  unsigned level = s.o->found(s.o->context, page);
  return level > 0 && level <= s.level;
}

/* Whether page 0 is pushed out by those that are tried, but for [from, to). */
static bool pushes_once(unsigned from, unsigned to)
{
  s.o->empty(s.o->context);
  s.o->touch(s.o->context, 0);
  for (unsigned i = 0; i < s.count && !s.stopped; i++) {
    if (i < from || i >= to)
      s.o->touch(s.o->context, s.page[i]);
    s.stopped = i % 256 == 255 && s.o->stop(s.o->context);
  }
  return !kept(0);
}

static bool pushes_without(unsigned from, unsigned to)
{
  allow(from, to);
  unsigned tries = s.chance ? TRIES_CHANCE : TRIES_NOISE, enough = s.chance ? 1 : TRIES_NOISE / 2 + 1, pushed = 0;
  for (unsigned i = 0; i < tries && pushed < enough; i++) {
    pushed += pushes_once(from, to);
    if (!s.chance && i + 1 - pushed >= enough)
      break;
    s.stopped = s.stopped || s.o->stop(s.o->context);
    if (s.stopped)
      return false;
  }
  return pushed >= enough;
}

static bool pushes(void)
{
  return pushes_without(0, 0);
}

/* ---- 1: enough pages ---- */

static void try_first(unsigned count)
{
  s.count = count;
  for (unsigned i = 0; i < count; i++)
    s.page[i] = (uint16_t)(i + 1);
}

/* How often of eight. */
static unsigned of_eight(void)
{
  allow(0, 0);
  unsigned pushed = 0;
  for (unsigned i = 0; i < 8; i++)
    pushed += pushes_once(0, 0);
  return pushed;
}

/* The first power of two of pages that pushes page 0 out more than by accident. */
static bool enough_pages(void)
{
  unsigned last = (1u << s.o->bits) - 1;
  for (unsigned count = 1;; count = count * 2 < last ? count * 2 : last) {
    try_first(count);
    unsigned pushed = of_eight();
    s.stopped = s.stopped || s.o->stop(s.o->context);
    if (pushed >= 2 && !s.stopped)
      return true;
    if (count == last || s.stopped)
      return false;
  }
}

/* ---- 2: no more than it takes ---- */

static void leave_out(unsigned from, unsigned to)
{
  for (unsigned i = to; i < s.count; i++)
    s.page[from + i - to] = s.page[i];
  s.count -= to - from;
}

static void leave_out_all(void)
{
  for (unsigned part = (s.count + 1) / 2;; part = (part + 1) / 2) {
    for (unsigned from = 0; from < s.count && !s.stopped;) {
      unsigned to = from + part < s.count ? from + part : s.count;
      if (to - from < s.count && pushes_without(from, to))
        leave_out(from, to);
      else
        from = to;
    }
    if (part == 1 || s.stopped)
      return;
  }
}

/* Just enough of them push page 0 out always, or chance decides: then it takes many tries to see what they can do. */
static void reduce(void)
{
  unsigned first = s.count;
  leave_out_all();
  unsigned pushed = of_eight() + of_eight() + of_eight() + of_eight();
  if (pushed >= 29 || s.stopped)
    return;
  s.chance = true;
  try_first(first);
  leave_out_all();
}

/* ---- 3: the set's number ---- */

/* Whether @p page can stand in for one of those that push page 0 out. */
static bool stands_in(unsigned page)
{
  for (unsigned i = 0; i < s.count; i++)
    if (s.page[i] == page)
      return true;
  uint16_t last = s.page[s.count - 1];
  s.page[s.count - 1] = (uint16_t)page;
  bool same = pushes();
  s.page[s.count - 1] = last;
  return same;
}

static void index_bits(struct geometry *g)
{
  unsigned classes = 0;
  uint8_t first[GEOMETRY_BITS] = {0};
  for (unsigned bit = 0; bit < GEOMETRY_BITS; bit++) {
    g->index[bit] = GEOMETRY_UNUSED;
    if (bit >= s.o->bits || s.stopped || stands_in(1u << bit))
      continue;
    unsigned class = 0;
    while (class < classes && !stands_in(1u << bit | 1u << first[class]))
      class ++;
    if (class == classes)
      first[classes++] = (uint8_t)bit;
    g->index[bit] = (uint8_t) class;
  }
  g->sets = 1u << classes;
}

static unsigned set_of(const struct geometry *g, unsigned page)
{
  unsigned set = 0;
  for (unsigned bit = 0; bit < GEOMETRY_BITS; bit++)
    if (page >> bit & 1 && g->index[bit] != GEOMETRY_UNUSED)
      set ^= 1u << g->index[bit];
  return set;
}

bool geometry_same_set(const struct geometry *geometry, unsigned page, unsigned other)
{
  return set_of(geometry, page ^ other) == 0;
}

/* ---- 4: who makes room ---- */

/* A set as each policy would keep it. */
struct policy_set {
  uint16_t page[WAYS_MAX];
  uint32_t time[WAYS_MAX];
  uint8_t tree[WAYS_MAX]; /* node 1 is the root; a node points to the half that makes room: 0 the lower, 1 the upper */
  unsigned ways, held;
};

static struct policy_set kept_by[GEOMETRY_RANDOM];

static unsigned oldest(const struct policy_set *set)
{
  unsigned way = 0;
  for (unsigned i = 1; i < set->ways; i++)
    if (set->time[i] < set->time[way])
      way = i;
  return way;
}

static unsigned tree_victim(const struct policy_set *set)
{
  unsigned node = 1;
  while (node < set->ways)
    node = 2 * node + set->tree[node];
  return node - set->ways;
}

static void tree_used(struct policy_set *set, unsigned way)
{
  for (unsigned node = way + set->ways; node > 1; node /= 2)
    set->tree[node / 2] = !(node & 1);
}

static bool policy_access(enum geometry_policy policy, uint16_t page, uint32_t now)
{
  struct policy_set *set = &kept_by[policy];
  unsigned way = 0;
  while (way < set->held && set->page[way] != page)
    way++;
  bool hit = way < set->held;
  if (!hit && set->held < set->ways)
    way = set->held++;
  else if (!hit)
    way = policy == GEOMETRY_TREE ? tree_victim(set) : oldest(set);
  set->page[way] = page;
  if (!hit || policy != GEOMETRY_FIFO)
    set->time[way] = now;
  if (policy == GEOMETRY_TREE)
    tree_used(set, way);
  return hit;
}

static void policies_begin(unsigned ways)
{
  for (unsigned i = 0; i < GEOMETRY_RANDOM; i++) {
    kept_by[i].ways = ways;
    kept_by[i].held = 0;
    for (unsigned way = 0; way < ways; way++)
      kept_by[i].tree[way] = 0;
  }
}

/* How many of @p steps random accesses each policy foretells wrongly. */
static void compare(unsigned steps, unsigned wrong[GEOMETRY_RANDOM])
{
  policies_begin(s.count);
  for (unsigned i = 0; i < GEOMETRY_RANDOM; i++)
    wrong[i] = 0;
  s.o->empty(s.o->context);
  for (uint32_t step = 0; step < steps && !s.stopped; step++) {
    unsigned which = random_below(&s.random, s.count + 1);
    uint16_t page = which < s.count ? s.page[which] : 0;
    allow_only(page);
    bool hit = kept(page);
    s.stopped = s.stopped || s.o->stop(s.o->context);
    for (unsigned i = 0; i < GEOMETRY_RANDOM; i++)
      wrong[i] += policy_access((enum geometry_policy)i, page, step + 1) != hit;
  }
}

static enum geometry_policy policy(void)
{
  unsigned wrong[GEOMETRY_RANDOM], steps = 64 + 8 * s.count < STEPS_MAX ? 64 + 8 * s.count : STEPS_MAX;
  if (s.count == 1)
    return GEOMETRY_NO_CHOICE;
  if (s.chance)
    return GEOMETRY_RANDOM;
  compare(steps, wrong);
  bool power = (s.count & (s.count - 1)) == 0;
  unsigned best = GEOMETRY_LRU;
  for (unsigned i = 0; i < GEOMETRY_RANDOM; i++)
    if (wrong[i] < wrong[best] && (i != GEOMETRY_TREE || power))
      best = i;
  return wrong[best] * 32 <= steps ? (enum geometry_policy)best : GEOMETRY_UNKNOWN;
}

/* ---- all together ---- */

/* So many pages of page 0's set in the first level push it out there; where chance decides, several times as many. */
static unsigned wash_wanted(const struct geometry *first)
{
  unsigned wanted = first->policy == GEOMETRY_RANDOM ? first->ways * 16 : first->ways;
  return wanted < WAYS_MAX ? wanted : WAYS_MAX;
}

static void wash_choose(const struct geometry *first)
{
  s.washes = 0;
  for (unsigned page = 1; page < 1u << s.o->bits && s.washes < wash_wanted(first); page++)
    if (geometry_same_set(first, page, 0))
      s.wash[s.washes++] = (uint16_t)page;
}

/* Some of the wash may be in page 0's set here too, and help to push it out. What can stand in for what pushes it out is in its set: so the
 * wash is chosen again, from the pages behind it, without those. Where that leaves too few it stays as it is. */
static void wash_choose_again(const struct geometry *first)
{
  static uint16_t clean[WAYS_MAX];
  unsigned count = 0;
  for (unsigned page = s.wash[s.washes - 1] + 1u; page < 1u << s.o->bits && count < s.washes && !s.stopped; page++)
    if (geometry_same_set(first, page, 0) && !stands_in(page))
      clean[count++] = (uint16_t)page;
  if (count < s.washes)
    return;
  for (unsigned i = 0; i < count; i++)
    s.wash[i] = clean[i];
}

static bool ever_found(void)
{
  allow(0, 0);
  for (unsigned i = 0; i < 8; i++) {
    s.o->empty(s.o->context);
    s.o->touch(s.o->context, 0);
    if (kept(0))
      return true;
  }
  return false;
}

static struct geometry find(const struct geometry *first)
{
  struct geometry g = {.end = GEOMETRY_NONE, .level = (uint8_t)s.level};
  if (!ever_found())
    return g;
  g.end = GEOMETRY_BEYOND;
  if (!enough_pages())
    return g;
  reduce();
  if (first) {
    wash_choose_again(first);
    enough_pages();
    reduce();
  }
  g.ways = s.count;
  index_bits(&g);
  g.end = s.count > WAYS_MAX || !pushes() ? GEOMETRY_ODD : GEOMETRY_FOUND;
  if (g.end == GEOMETRY_FOUND)
    g.policy = policy();
  return g;
}

struct geometry geometry_find(const struct geometry_oracle *oracle, unsigned level, const struct geometry *first, uint64_t seed)
{
  s.o = oracle;
  s.level = level;
  s.random = seed;
  s.stopped = s.chance = false;
  s.count = s.washes = 0;
  memset(there, 0xff, sizeof there);
  if (first)
    wash_choose(first);
  struct geometry g = find(first);
  memset(wanted_there, 0xff, sizeof wanted_there);
  allow_wanted();
  if (s.stopped)
    g.end = GEOMETRY_STOPPED;
  return g;
}

const char *geometry_policy_name(enum geometry_policy policy)
{
  static const char *const names[] = {"LRU", "FIFO", "tree-PLRU", "random", "none", "unknown"};
  return names[policy];
}
