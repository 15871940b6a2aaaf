#include "repl/settings.h"

#include "lab/lab.h"
#include "repl/state.h"

#include <string.h>

enum setting_kind { SETTING_CONTROL, SETTING_REGISTER, SETTING_SHELL, SETTING_NUMBER };

#define LONG_MODES (1u << MACHINE_4LEVEL | 1u << MACHINE_5LEVEL)
#define NO_MODES 0u
#define ALL_MODES (1u << MACHINE_OFF | 1u << MACHINE_32 | 1u << MACHINE_PAE | LONG_MODES)

struct setting {
  const char *name;
  const char *brief;
  uint8_t kind;
  /* SETTING_CONTROL: */
  uint8_t reg;     /* enum machine_register */
  uint8_t feature; /* enum machine_feature that it takes */
  uint8_t modes;   /* in which it may be 1 */
  uint8_t starts;  /* in which it is 1 when nobody has set it */
  uint64_t bit;
  /* SETTING_SHELL, SETTING_NUMBER: */
  uint16_t offset; /* of a uint8_t in struct state, or of a uint32_t */
  uint32_t least;  /* SETTING_NUMBER: the smallest value but for 0 */
  uint32_t most;   /* ... the greatest */
};

#define CONTROL(n, r, f, m, on, b, d)                                                                                                      \
  {                                                                                                                                        \
    .name = n, .brief = d, .kind = SETTING_CONTROL, .reg = r, .feature = f, .modes = m, .starts = on, .bit = b                             \
  }
#define SHELL(n, member, d)                                                                                                                \
  {                                                                                                                                        \
    .name = n, .brief = d, .kind = SETTING_SHELL, .offset = offsetof(struct state, member)                                                 \
  }
#define NUMBER(n, member, l, m, d)                                                                                                         \
  {                                                                                                                                        \
    .name = n, .brief = d, .kind = SETTING_NUMBER, .offset = offsetof(struct state, member), .least = l, .most = m                         \
  }

static const struct setting settings[] = {
  CONTROL("cr0.wp", REGISTER_CR0, FEATURE_INVLPG, ALL_MODES, ALL_MODES, CR0_WP, "supervisor writes obey R/W"),
  CONTROL("cr4.pse", REGISTER_CR4, FEATURE_PSE, ALL_MODES, 1u << MACHINE_32, CR4_PSE, "4 MiB pages in 32-bit paging"),
  CONTROL("cr4.pge", REGISTER_CR4, FEATURE_PGE, ALL_MODES, ALL_MODES, CR4_PGE, "global pages"),
  CONTROL("cr4.smep", REGISTER_CR4, FEATURE_SMEP, ALL_MODES, NO_MODES, CR4_SMEP, "the supervisor may not execute user pages"),
  CONTROL("cr4.smap", REGISTER_CR4, FEATURE_SMAP, ALL_MODES, NO_MODES, CR4_SMAP, "the supervisor may not touch user pages"),
  CONTROL("cr4.pcide", REGISTER_CR4, FEATURE_PCID, LONG_MODES, NO_MODES, CR4_PCIDE, "process-context identifiers"),
  CONTROL("cr4.pke", REGISTER_CR4, FEATURE_PKU, LONG_MODES, NO_MODES, CR4_PKE, "protection keys for user pages"),
  CONTROL("efer.nxe", REGISTER_EFER, FEATURE_NX, ALL_MODES, 1u << MACHINE_PAE | LONG_MODES, EFER_NXE,
          "XD bits forbid execution; without it they are reserved"),
  {.name = "pkru",
   .brief = "two bits per protection key: no access, no writes (takes cr4.pke=1)",
   .kind = SETTING_REGISTER,
   .reg = REGISTER_PKRU,
   .least = 1,
   .most = 0xffffffff},
  SHELL("color", color, "colours in the output"),
  SHELL("echo", echo, "show what is typed, in JSON too"),
  SHELL("autoflush", autoflush, "an edit makes the invalidation that it needs"),
  NUMBER("columns", columns, STATE_COLUMNS_LEAST, STATE_COLUMNS_MOST, "longer lines are broken between words; 0: none is"),
  NUMBER("lines", lines, STATE_LINES_LEAST, STATE_LINES_MOST, "longer output waits until it is read; 0: none does"),
  NUMBER("flush.ceiling", flush_ceiling, 1, 1u << 20, "`flush` goes page by page up to so many pages; 0: never"),
  SHELL("unsafe", unsafe, "allow edits that can take the kernel's own memory away"),
};

#define SETTINGS (sizeof settings / sizeof settings[0])

static bool control_here(const struct setting *s)
{
  return machine_features_have(machine_cpu()->features, (enum machine_feature)s->feature) && s->modes >> machine_mode() & 1u;
}

static uint32_t *number_of(const struct setting *s)
{
  return (uint32_t *)(void *)((uint8_t *)state_get() + s->offset);
}

static uint64_t current(const struct setting *s)
{
  if (s->kind == SETTING_NUMBER)
    return *number_of(s);
  if (s->kind == SETTING_REGISTER)
    return machine_register_read((enum machine_register)s->reg);
  if (s->kind == SETTING_SHELL)
    return ((const uint8_t *)state_get())[s->offset];
  return (machine_register_read((enum machine_register)s->reg) & s->bit) != 0;
}

static struct machine_fault control_write(const struct setting *s, uint64_t value)
{
  enum machine_register reg = (enum machine_register)s->reg;
  uint64_t before = machine_register_read(reg);
  return lab_register_write(reg, value ? before | s->bit : before & ~s->bit);
}

static const char *why_not_here(const struct setting *s)
{
  if (machine_features_have(machine_cpu()->features, (enum machine_feature)s->feature))
    return "only long mode (4level, 5level) has it";
  return machine_features[s->feature].cpuid_bit;
}

void settings_list(struct record *r)
{
  struct record_node *list = record_array(r, &r->root, "settings", NULL);
  for (unsigned i = 0; i < SETTINGS; i++) {
    const struct setting *s = &settings[i];
    struct record_node *row = record_object(r, list, NULL);
    record_string(r, row, "name", s->name);
    record_count(r, row, "value", current(s));
    bool missing = s->kind == SETTING_CONTROL && !control_here(s);
    record_format(r, row, "what", "%s%s%s%s", s->brief, missing ? " (not here: " : "", missing ? why_not_here(s) : "", missing ? ")" : "");
  }
}

static const struct setting *setting_named(const char *name)
{
  for (unsigned i = 0; i < SETTINGS; i++)
    if (strcmp(settings[i].name, name) == 0)
      return &settings[i];
  return NULL;
}

static bool control_change(struct record *r, const struct setting *s, uint64_t value)
{
  struct state *state = state_get();
  uint64_t row = 1ULL << (s - settings);
  if (value && !control_here(s))
    return record_refuse(r, "%s cannot be 1 here: %s%s", s->name,
                         machine_features_have(machine_cpu()->features, (enum machine_feature)s->feature) ? "" : "this CPU lacks ",
                         why_not_here(s));
  if (value != current(s)) {
    struct machine_fault fault = control_write(s, value);
    if (fault.raised)
      return record_refuse(r, "the CPU refused it with exception %u, error 0x%x", fault.vector, fault.error);
  }
  state->control_set = value ? state->control_set | row : state->control_set & ~row;
  state->control_clear = value ? state->control_clear & ~row : state->control_clear | row;
  lab_refresh();
  return true;
}

static bool register_change(struct record *r, const struct setting *s, uint64_t value)
{
  if (!(machine_register_read(REGISTER_CR4) & CR4_PKE))
    return record_refuse(r, "PKRU is there only while CR4.PKE is 1: set cr4.pke=1");
  lab_register_write((enum machine_register)s->reg, value);
  lab_refresh();
  return true;
}

bool settings_change(struct record *r, const char *name, size_t at, uint64_t value)
{
  const struct setting *s = setting_named(name);
  if (s == NULL)
    return record_usage(r, at, "no setting '%s'; 'set' lists them", name);
  if (s->most && (value > s->most || (value && value < s->least)))
    return record_usage(r, at, "'%s' is 0 or a number from %u to %u", name, (unsigned)s->least, (unsigned)s->most);
  if (!s->most && value > 1)
    return record_usage(r, at, "'%s' is 0 or 1", name);
  uint64_t was = current(s);
  if (s->kind == SETTING_NUMBER)
    *number_of(s) = (uint32_t)value;
  else if (s->kind == SETTING_REGISTER) {
    if (!register_change(r, s, value))
      return false;
  } else if (s->kind == SETTING_SHELL)
    ((uint8_t *)state_get())[s->offset] = (uint8_t)value;
  else if (!control_change(r, s, value))
    return false;
  lab_unsafe_set(state_get()->unsafe != 0);
  record_string(r, &r->root, "name", s->name);
  record_count(r, &r->root, "value", current(s));
  record_count(r, &r->root, "was", was);
  return true;
}

void settings_apply(void)
{
  const struct state *state = state_get();
  for (unsigned i = 0; i < SETTINGS; i++) {
    const struct setting *s = &settings[i];
    if (s->kind != SETTING_CONTROL || !control_here(s))
      continue;
    if (state->control_set >> i & 1)
      control_write(s, 1);
    if (state->control_clear >> i & 1)
      control_write(s, 0);
  }
  lab_unsafe_set(state->unsafe != 0);
}

void settings_restore(void)
{
  struct state *state = state_get();
  state->control_set = state->control_clear = 0;
  if (machine_register_read(REGISTER_CR4) & CR4_PKE)
    lab_register_write(REGISTER_PKRU, 0);
  for (unsigned i = 0; i < SETTINGS; i++) {
    const struct setting *s = &settings[i];
    uint64_t starts = s->starts >> machine_mode() & 1u;
    if (s->kind == SETTING_CONTROL && control_here(s) && current(s) != starts)
      control_write(s, starts);
  }
  lab_refresh();
}

const char *settings_name(unsigned index)
{
  return index < SETTINGS ? settings[index].name : NULL;
}

const char *settings_brief(unsigned index)
{
  return index < SETTINGS ? settings[index].brief : NULL;
}
