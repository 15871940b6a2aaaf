/* The hosted program: the same shell, on a simulated machine, as an ordinary program. */
#include "host/terminal.h"
#include "lib/format.h"
#include "machine/describe.h"
#include "machine/sim.h"
#include "repl/shell.h"
#include "repl/state.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(FILE *to)
{
  fprintf(to, "usage: tlbsh [--mode off|32|pae|4level|5level] [--profile NAME] [--defect NAME]... [--seed N] [--json] [--color]\n"
              "A shell for page tables on a simulated machine. Reads commands from standard input.\nProfiles:\n");
  for (const struct sim_profile *p = sim_profiles; p->name; p++)
    fprintf(to, "  %-23s %s\n", p->name, p->brief);
  fprintf(to, "Defects, which make it behave as the architecture forbids:\n");
  for (const struct sim_defect *d = sim_defects; d->name; d++)
    fprintf(to, "  %-23s %s\n", d->name, d->brief);
}

static int mode_named(const char *name)
{
  for (int m = 0; m < MACHINE_MODES; m++)
    if (strcmp(state_mode_name_of((enum machine_mode)m), name) == 0)
      return m;
  return -1;
}

static void end(void)
{
  terminal_restore();
  exit(0);
}

static bool mode_exists(const struct sim_profile *profile, int mode)
{
  enum machine_feature missing = FEATURES;
  if (machine_mode_supported((enum machine_mode)mode, &missing))
    return true;
  fprintf(stderr, "tlbsh: a %s has no %s paging: it lacks %s\n", profile->name, state_mode_name_of((enum machine_mode)mode),
          machine_features[missing].name);
  return false;
}

struct options {
  struct sim_profile profile;
  int mode; /* enum machine_mode, or -1: the best */
  int json, color;
  uint64_t seed;
};

static bool mode_option(struct options *o, const char *name)
{
  o->mode = mode_named(name);
  if (o->mode < 0)
    fprintf(stderr, "tlbsh: no mode '%s'; there are off, 32, pae, 4level and 5level\n", name);
  return o->mode >= 0;
}

static bool profile_option(struct options *o, const char *name)
{
  const struct sim_profile *profile = sim_profile_named(name);
  if (profile == NULL) {
    fprintf(stderr, "tlbsh: no profile '%s'; --help lists them\n", name);
    return false;
  }
  o->profile = *profile;
  return true;
}

/* Defects go on top of the profile, wherever on the command line that is named: so they are taken in a second round. */
static bool defect_option(struct options *o, const char *name)
{
  const struct sim_defect *defect = sim_profile_defect(name);
  if (defect == NULL) {
    fprintf(stderr, "tlbsh: no defect '%s'; --help lists them\n", name);
    return false;
  }
  sim_profile_break(&o->profile, defect);
  return true;
}

static bool options_read(int argc, char **argv, struct options *o)
{
  static const struct option options[] = {{"mode", required_argument, NULL, 'm'},   {"profile", required_argument, NULL, 'p'},
                                          {"defect", required_argument, NULL, 'd'}, {"seed", required_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},         {"color", no_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
  int option;
  bool good = true;
  while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
    switch (option) {
    case 'm': good = mode_option(o, optarg); break;
    case 'p': good = profile_option(o, optarg); break;
    case 's': o->seed = strtoull(optarg, NULL, 0); break;
    case 'j': o->json = 1; break;
    case 'c': o->color = 1; break;
    case 'd': break;
    case 'h': usage(stdout); exit(0);
    default: usage(stderr); good = false;
    }
  for (optind = 1; good && (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
    good = option != 'd' || defect_option(o, optarg);
  return good;
}

int main(int argc, char **argv)
{
  struct options o = {.profile = *sim_profile_named("modern-intel"), .mode = -1, .color = terminal_is_person(), .seed = 1};
  if (!options_read(argc, argv, &o))
    return 2;
  char line[64];
  format(line, sizeof line, "json=%d color=%d batch=%d columns=%u", o.json, o.color, !terminal_is_person(), terminal_columns());
  sim_command_line(line);
  if (!sim_init(&o.profile, o.mode < 0 ? describe_mode_best(o.profile.features) : (enum machine_mode)o.mode, o.seed)) {
    fprintf(stderr, "tlbsh: no memory for the simulated machine\n");
    return 1;
  }
  if (o.mode >= 0 && !mode_exists(&o.profile, o.mode))
    return 2;
  sim_on_end(end);
  terminal_start();
  shell_run(false);
  terminal_restore();
  return state_get()->failed ? 1 : 0;
}
