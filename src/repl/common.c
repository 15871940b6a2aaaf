#include "repl/common.h"

#include "lib/format.h"
#include "machine/console.h"
#include "repl/state.h"

#include <stdarg.h>
#include <string.h>

static const struct {
  uint8_t vector;
  const char *name;
} vectors[] = {
  {VECTOR_DE, "#DE"}, {VECTOR_DB, "#DB"}, {VECTOR_NMI, "NMI"}, {VECTOR_BP, "#BP"}, {VECTOR_OF, "#OF"},
  {VECTOR_UD, "#UD"}, {VECTOR_DF, "#DF"}, {VECTOR_TS, "#TS"},  {VECTOR_NP, "#NP"}, {VECTOR_SS, "#SS"},
  {VECTOR_GP, "#GP"}, {VECTOR_PF, "#PF"}, {VECTOR_AC, "#AC"},  {VECTOR_MC, "#MC"},
};

#define VECTORS (sizeof vectors / sizeof vectors[0])

const char *common_vector_name(unsigned vector)
{
  for (unsigned i = 0; i < VECTORS; i++)
    if (vectors[i].vector == vector)
      return vectors[i].name;
  return "exception";
}

static char lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

int common_vector_named(const char *name)
{
  if (*name == '#')
    name++;
  for (unsigned i = 0; i < VECTORS; i++) {
    const char *v = vectors[i].name;
    if (*v == '#')
      v++;
    if (strlen(v) == strlen(name) && lower(v[0]) == lower(name[0]) && lower(v[1]) == lower(name[1]))
      return vectors[i].vector;
  }
  return -1;
}

const char *common_size_name(unsigned shift)
{
  switch (shift) {
  case 12: return "4 KiB";
  case 21: return "2 MiB";
  case 22: return "4 MiB";
  case 30: return "1 GiB";
  default: return "";
  }
}

void common_fault(struct record *r, const struct machine_fault *fault)
{
  char flags[48];
  struct record_node *node = record_object(r, &r->root, "fault");
  record_count(r, node, "vector", fault->vector);
  record_string(r, node, "name", common_vector_name(fault->vector));
  if (fault->has_error)
    record_hex(r, node, "error", fault->error);
  if (fault->vector == VECTOR_PF) {
    record_hex(r, node, "cr2", fault->cr2);
    record_string(r, node, "flags", rights_error_flags(fault->error, flags, sizeof flags));
  }
  record_count(r, node, "cpl", fault->cpl);
}

bool common_allowed(struct record *r, const char *why)
{
  if (why)
    record_refuse(r, "%s", why);
  return why == NULL;
}

bool common_lacks(struct record *r, enum machine_feature feature)
{
  if (machine_features_have(machine_cpu()->features, feature))
    return false;
  record_refuse(r, "this CPU has no %s (%s is 0)", machine_features[feature].name, machine_features[feature].cpuid_bit);
  return true;
}

void common_clock(struct record *r, enum clock_kind kind)
{
  record_string(r, &r->root, "clock", clock_name(kind));
  if (!state_get()->json)
    record_string(r, &r->root, "worth", clock_says(kind));
}

bool common_no_clock(struct record *r)
{
  return record_refuse(r, "this CPU has no time-stamp counter (CPUID.01H:EDX.TSC[bit 4] is 0)");
}

void common_progress(const char *fmt, ...)
{
  char line[96];
  va_list ap;
  if (state_get()->json || state_get()->batch)
    return;
  va_start(ap, fmt);
  format_args(line, sizeof line - 2, fmt, ap);
  va_end(ap);
  size_t length = strlen(line);
  memcpy(line + length, "\r\n", 3);
  console_write(line, length + 2);
}

bool common_shows_ticks(void)
{
  return state_get()->json || state_get()->clock != CLOCK_NONE;
}

void common_ticks_count(struct record *r, struct record_node *parent, const char *key, uint64_t ticks)
{
  if (common_shows_ticks())
    record_count(r, parent, key, ticks);
}

void common_ticks(struct record *r, const struct machine_result *result)
{
  if (!result->timed)
    return;
  common_ticks_count(r, &r->root, "ticks", result->ticks);
  record_string(r, &r->root, "clock", state_clock());
}
