/* Fuzzes the whole shell on the simulated machine: the input's first byte chooses profile, defect and mode, the rest is what is typed, byte for byte:
 * line editor, parser, commands, paging core, records and rendering. Whatever is typed, nothing may crash, hang or leak. */
#define _GNU_SOURCE
#include "lab/lab.h"
#include "machine/console.h"
#include "machine/sim.h"
#include "repl/shell.h"
#include "repl/state.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* These break a rule or two, as the emulators that they imitate do. */
static const char *const not_quite_correct[] = {"qemu-tcg", "bochs"};

/* A long command is interrupted after it has asked so often: that stands for a person's Ctrl-C. */
#define PATIENCE 300

static const uint8_t *input;
static size_t left;
static unsigned asked;

int console_read(void)
{
  if (left == 0)
    return -1;
  left--;
  return *input++;
}

void console_write(const char *text, size_t length)
{
  for (size_t i = 0; i < length; i++)
    if (text[i] == '\0')
      __builtin_trap(); /* no NUL ever reaches a terminal */
}

bool console_interrupted(void)
{
  return ++asked > PATIENCE;
}

void console_interrupt_clear(void)
{
  asked = 0;
}

/* Numbers behind the last profile are the first ones again, with a defect: which one follows from how much is typed. */
static struct sim_profile profile_of(unsigned number, size_t typed, bool *broken)
{
  unsigned profiles = 0, defects = 0;
  while (sim_profiles[profiles].name)
    profiles++;
  while (sim_defects[defects].name)
    defects++;
  struct sim_profile profile = sim_profiles[number % profiles];
  *broken = number >= profiles;
  if (*broken)
    sim_profile_break(&profile, &sim_defects[typed % defects]);
  return profile;
}

/* With unsafe=1 the kernel's own tables can change, which nobody watches. */
static bool must_be_clean(const struct sim_profile *profile, const uint8_t *data, size_t size)
{
  for (unsigned i = 0; i < sizeof not_quite_correct / sizeof not_quite_correct[0]; i++)
    if (strcmp(profile->name, not_quite_correct[i]) == 0)
      return false;
  return !memmem(data, size, "unsafe", 6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  size_t carry_size;
  enum machine_feature missing;
  if (size == 0)
    return 0;
  bool broken;
  const struct sim_profile profile = profile_of(data[0] / 8, size, &broken);
  enum machine_mode mode = (enum machine_mode)(data[0] % 8 % MACHINE_MODES);
  memset(machine_carry(&carry_size), 0, sizeof(struct state));
  sim_command_line(data[0] & 0x80 ? "json=1" : "color=1");
  if (!sim_init(&profile, MACHINE_32, data[0]))
    return 0;
  if (machine_mode_supported(mode, &missing))
    machine_mode_switch(mode);
  input = data + 1;
  left = size - 1;
  asked = 0;
  *lab_counts_change() = (struct lab_counts){0};
  shell_run(false);
  if (lab_counts()->violations > 0 && !broken && must_be_clean(&profile, data, size))
    __builtin_trap(); /* the model has accused a machine that obeys the architecture */
  return 0;
}

const char *console_notice_take(void)
{
  return NULL;
}
