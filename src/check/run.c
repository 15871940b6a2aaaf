#include "check/private.h"

#include "lib/format.h"
#include "lib/text.h"

#include <string.h>

static const struct check_group_of *const groups[] = {
  &check_invlpg, &check_flush, &check_ad, &check_large, &check_global, &check_pcid, &check_pae, &check_caches, &check_faults, &check_rights,
};

#define GROUPS (sizeof groups / sizeof groups[0])

static bool visible[2];

bool check_visible(uint8_t cpl)
{
  return visible[cpl == 3];
}

bool check_group(unsigned index, const char **name, const char **brief, const char **sdm)
{
  if (index >= GROUPS)
    return false;
  *name = groups[index]->name;
  *brief = groups[index]->brief;
  *sdm = groups[index]->sdm;
  return true;
}

bool check_done(const struct check_result *result, check_each each, void *context, struct check_counts *counts)
{
  counts->verdict[result->verdict]++;
  return each(context, result);
}

static const char *missing(const struct check_case *c)
{
  if (!(c->modes >> machine_mode() & 1u))
    return "not in this mode";
  if (c->feature != NO_FEATURE && !machine_features_have(machine_cpu()->features, (enum machine_feature)c->feature))
    return machine_features[c->feature].cpuid_bit;
  return NULL;
}

static void run_one(const struct check_case *c, struct bench *b)
{
  const char *lacks = missing(c);
  if (lacks) {
    bench_skip(b, lacks);
    return;
  }
  bench_clear(b);
  c->run(b);
  if (c->refills && !b->visible && b->result->verdict != CHECK_FAIL && b->result->verdict != CHECK_SKIP)
    bench_observe(b, "no TLB observable");
}

static bool run_case(const struct check_group_of *group, const struct check_case *c, check_each each, void *context,
                     struct check_counts *counts)
{
  for (unsigned ring = 0; ring < (c->both_rings ? 2u : 1u); ring++) {
    const uint8_t cpl = ring ? 3 : 0;
    struct check_result result = {.group = group->name, .sdm = group->sdm};
    struct bench b = {.result = &result, .cpl = cpl, .visible = check_visible(cpl)};
    format(result.name, sizeof result.name, "%s%s", c->name, !c->both_rings ? "" : cpl ? ", CPL 3" : ", CPL 0");
    run_one(c, &b);
    if (!check_done(&result, each, context, counts))
      return false;
  }
  return true;
}

static bool run_group(const struct check_group_of *group, const struct check_extent *extent, check_each each, void *context,
                      struct check_counts *counts)
{
  if (group->matrix)
    return group->matrix(group, extent, each, context, counts);
  for (const struct check_case *c = group->cases; c->name; c++)
    if (!run_case(group, c, each, context, counts))
      return false;
  return true;
}

bool check_run(const char *name, const struct check_extent *extent, check_each each, void *context, struct check_counts *counts,
               const char **why)
{
  bool all = strcmp(name, "all") == 0, found = all;
  for (unsigned i = 0; i < GROUPS; i++)
    found = found || strcmp(groups[i]->name, name) == 0;
  *counts = (struct check_counts){{0}};
  *why = found ? bench_open() : NULL;
  if (!found || *why)
    return found;
  for (unsigned i = 0; i < 2 && lab_paging()->format; i++)
    visible[i] = bench_tlb_visible(i ? 3 : 0);
  for (unsigned i = 0; i < GROUPS; i++)
    if ((all || strcmp(groups[i]->name, name) == 0) && !run_group(groups[i], extent, each, context, counts))
      break;
  bench_close();
  return true;
}
