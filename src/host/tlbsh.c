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
  fprintf(to, "usage: tlbsh [--mode off|32|pae|4level|5level] [--profile NAME] [--seed N] [--json] [--color]\n"
              "A shell for page tables on a simulated machine. Reads commands from standard input.\nProfiles:\n");
  for (const struct sim_profile *p = sim_profiles; p->name; p++)
    fprintf(to, "  %-13s %s\n", p->name, p->brief);
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

int main(int argc, char **argv)
{
  static const struct option options[] = {{"mode", required_argument, NULL, 'm'},
                                          {"profile", required_argument, NULL, 'p'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"color", no_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  const struct sim_profile *profile = sim_profile_named("modern-intel");
  int mode = -1, json = 0, color = terminal_is_person(), option;
  uint64_t seed = 1;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
    switch (option) {
    case 'm':
      mode = mode_named(optarg);
      if (mode < 0) {
        fprintf(stderr, "tlbsh: no mode '%s'; there are off, 32, pae, 4level and 5level\n", optarg);
        return 2;
      }
      break;
    case 'p':
      profile = sim_profile_named(optarg);
      if (profile == NULL) {
        fprintf(stderr, "tlbsh: no profile '%s'; --help lists them\n", optarg);
        return 2;
      }
      break;
    case 's': seed = strtoull(optarg, NULL, 0); break;
    case 'j': json = 1; break;
    case 'c': color = 1; break;
    default: usage(option == 'h' ? stdout : stderr); return option == 'h' ? 0 : 2;
    }
  char line[64];
  format(line, sizeof line, "json=%d color=%d batch=%d", json, color, !terminal_is_person());
  sim_command_line(line);
  if (!sim_init(profile, mode < 0 ? describe_mode_best(profile->features) : (enum machine_mode)mode, seed)) {
    fprintf(stderr, "tlbsh: no memory for the simulated machine\n");
    return 1;
  }
  if (mode >= 0 && !mode_exists(profile, mode))
    return 2;
  sim_on_end(end);
  terminal_start();
  shell_run(false);
  terminal_restore();
  return state_get()->failed ? 1 : 0;
}
