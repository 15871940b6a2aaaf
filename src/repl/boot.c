#include "repl/boot.h"
#include "repl/state.h"

#include "lab/lab.h"
#include "lib/format.h"
#include "lib/text.h"

#include <string.h>

static char console[96];
static unsigned console_columns, console_lines;

void boot_console(const char *name, unsigned columns, unsigned lines)
{
  format(console, sizeof console, "%s", name);
  console_columns = columns;
  console_lines = lines;
}

/* The text behind `key` (which ends in '=') on the command line, or NULL. */
static const char *option(const char *key)
{
  const char *line = machine_command_line();
  size_t length = strlen(key);
  bool quoted = false;
  for (const char *at = line; *at; at++) {
    if (*at == '"')
      quoted = !quoted;
    bool word_start = at == line || at[-1] == ' ' || at[-1] == '"'; /* a loader may quote the whole word: "run=a; b" */
    if ((!quoted || at[-1] == '"') && word_start && strncmp(at, key, length) == 0)
      return at + length;
  }
  return NULL;
}

static bool within(uint32_t value, uint32_t least, uint32_t most)
{
  return value >= least && value <= most;
}

/* 0 or a number from @p least to @p most: what the command line says, or what is @p known (0: nothing), or what is taken @p otherwise. */
static uint32_t option_number(const char *key, uint32_t least, uint32_t most, uint32_t known, uint32_t otherwise)
{
  const char *digits = option(key);
  uint32_t value = 0, fallback = within(known, least, most) ? known : otherwise;
  if (digits == NULL || !text_is_digit(*digits))
    return fallback;
  for (; text_is_digit(*digits) && value <= most; digits++)
    value = value * 10 + (uint32_t)(*digits - '0');
  return value == 0 || within(value, least, most) ? value : fallback;
}

static bool option_on(const char *key, bool otherwise)
{
  const char *value = option(key);
  return value ? *value == '1' : otherwise;
}

void boot_settings(struct state *state)
{
  state->json = option_on("json=", false);
  state->color = option_on("color=", true) && !state->json;
  state->batch = option_on("batch=", false);
  state->flush_ceiling = STATE_FLUSH_CEILING;
  state->columns = option_number("columns=", STATE_COLUMNS_LEAST, STATE_COLUMNS_MOST, console_columns, STATE_COLUMNS);
  state->lines = option_number("lines=", STATE_LINES_LEAST, STATE_LINES_MOST, console_lines, 0);
}

bool boot_run_line(char *line, size_t size)
{
  const char *text = option("run=");
  if (text == NULL)
    return false;
  bool quoted = *text == '"' || (text - strlen("run=") > machine_command_line() && text[-(int)strlen("run=") - 1] == '"');
  if (*text == '"')
    text++;
  size_t length = 0;
  while (text[length] && text[length] != (quoted ? '"' : ' ') && length + 1 < size)
    length++;
  memcpy(line, text, length);
  line[length] = '\0';
  return length > 0;
}

static void add_modes(struct record *r)
{
  struct record_node *modes = record_array(r, &r->root, "modes", NULL);
  for (unsigned m = 0; m < MACHINE_MODES; m++) {
    enum machine_feature missing;
    if (machine_mode_supported((enum machine_mode)m, &missing))
      record_string(r, modes, NULL, state_mode_name_of((enum machine_mode)m));
  }
}

/* A mode that the CPU lacks is not entered, whatever the command line says; the boot code took the best there is. */
static void add_refusal(struct record *r)
{
  const char *wanted = option("mode=");
  for (unsigned m = 0; wanted && m < MACHINE_MODES; m++) {
    enum machine_feature missing;
    const char *name = state_mode_name_of((enum machine_mode)m);
    size_t length = strlen(name);
    bool asked = strncmp(wanted, name, length) == 0 && (wanted[length] == ' ' || wanted[length] == '\0');
    if (asked && !machine_mode_supported((enum machine_mode)m, &missing))
      record_format(r, &r->root, "note", "mode=%s: this CPU has no %s paging, %s is 0", name, name, machine_features[missing].cpuid_bit);
  }
}

static uint64_t usable_memory(void)
{
  struct machine_range range;
  uint64_t bytes = 0;
  for (unsigned i = 0; machine_memory(i, &range); i++)
    if (range.usable)
      bytes += range.length;
  return bytes;
}

struct record *boot_record(void)
{
  const struct machine_cpu *cpu = machine_cpu();
  struct record *r = record_begin("boot");
  r->text = "tlbsh {version}: a shell for your page tables.  'help' tells more.\n"
            "CPU: {cpu}.  Modes: {modes}.\n"
            "RAM: {memory_mib} MiB.  Clock: {clock}.[  Console: {console}.][\n{note}.]";
  record_string(r, &r->root, "version", TLBSH_VERSION);
  add_modes(r);
  record_string(r, &r->root, "cpu", cpu->brand[0] ? cpu->brand : cpu->vendor[0] ? cpu->vendor : "without CPUID");
  record_count(r, &r->root, "memory_mib", usable_memory() / MIB);
  record_string(r, &r->root, "clock", state_clock());
  if (console[0])
    record_string(r, &r->root, "console", console);
  add_refusal(r);
  return r;
}
