/* Commands about the machine as a whole: set, mode, raise, platform, reboot, poweroff. */
#include "lib/format.h"
#include "repl/bochs.h"
#include "repl/common.h"
#include "repl/platform.h"
#include "repl/settings.h"
#include "repl/shell.h"
#include "repl/state.h"

#include <string.h>

static bool cmd_set(const struct args *args, struct record *r)
{
  char name[24];
  const struct args_value *setting = args_get(args, "name");
  if (setting == NULL) {
    settings_list(r);
    return true;
  }
  if (!args_has(args, "value"))
    return record_usage(r, setting->at, "set what to what? 'set NAME=VALUE'; 'set' alone lists the settings");
  return settings_change(r, args_text(args, "name", name, sizeof name), setting->at, args_number(args, "value", 0));
}

static bool cmd_mode(const struct args *args, struct record *r)
{
  enum machine_feature missing;
  enum machine_mode wanted = (enum machine_mode)args_number(args, "mode", 0);
  if (!args_has(args, "mode") || wanted == machine_mode()) {
    record_string(r, &r->root, "to", state_mode_name());
    return true;
  }
  if (!machine_mode_supported(wanted, &missing))
    return record_refuse(r, "this CPU has no %s paging: %s is 0", state_mode_name_of(wanted), machine_features[missing].cpuid_bit);
  return shell_switch(wanted, r);
}

static bool cmd_raise(const struct args *args, struct record *r)
{
  static const uint8_t vectors[] = {VECTOR_DE, VECTOR_DB, VECTOR_NMI, VECTOR_BP, VECTOR_OF, VECTOR_UD,
                                    VECTOR_DF, VECTOR_NP, VECTOR_SS,  VECTOR_GP, VECTOR_PF, VECTOR_MC};
  uint8_t vector = vectors[args_number(args, "exception", 0)];
  bool needs_paging = vector == VECTOR_DF || vector == VECTOR_PF;
  if (needs_paging && machine_mode() == MACHINE_OFF)
    return record_refuse(r, "with paging off nothing raises %s", common_vector_name(vector));
  struct machine_fault fault = machine_raise(vector, args_has(args, "user") ? 3 : 0);
  r->status = STATUS_FAULT;
  common_fault(r, &fault);
  if (fault.vector != vector)
    record_format(r, &r->root, "note", "ring 3 may not raise %s", common_vector_name(vector));
  return true;
}

static bool cmd_platform(const struct args *args, struct record *r)
{
  (void)args;
  return platform_report(r);
}

static bool cmd_break(const struct args *args, struct record *r)
{
  const struct args_value *wanted = args_get(args, "state");
  bool on = wanted ? wanted->number == 0 : state_get()->stops != 0;
  if (on && !bochs_here())
    return record_refuse(r, "nobody would stop: %s", bochs_why_not());
  state_get()->stops = on;
  record_bool(r, &r->root, "break", on);
  return true;
}

static bool cmd_reboot(const struct args *args, struct record *r)
{
  (void)args;
  (void)r;
  machine_reboot();
  return true;
}

static bool cmd_poweroff(const struct args *args, struct record *r)
{
  (void)args;
  machine_poweroff();
  return record_error(r, "found no way to turn this machine off: it is safe to do it by hand");
}

static const struct command commands[] = {
  {.name = "set",
   .args = "name:word? (= value:num)?",
   .brief = "list the settings, or change one: set NAME=VALUE",
   .example = "set; set cr0.wp=0; set cr0.wp=1",
   .sdm = "Control Registers",
   .text = "[{name} = {value} (was {was})]",
   .more = "A setting stays across mode switches; one that a mode or CPU lacks is taken up again where it exists.",
   .run = cmd_set},
  {.name = "mode",
   .args = "mode:off|32|pae|4level|5level?",
   .brief = "switch the paging mode, without a reboot",
   .example = "mode pae; mode 4level",
   .sdm = "Paging Modes and Control Bits",
   .text = "[{from} -> ]{to}",
   .more = "The tables start afresh; frames, history, settings and variables stay.",
   .run = cmd_mode},
  {.name = "platform",
   .args = "",
   .brief = "find out by experiment what this machine's TLB shows",
   .example = "platform",
   .text = "[{note}]",
   .flags = COMMAND_PAGED,
   .run = cmd_platform},
  {.name = "break",
   .args = "state:on|off?",
   .brief = "stop in Bochs's debugger right before a command acts",
   .example = "break off",
   .text = "[?break:each command now stops in the debugger before its first access, INVLPG or MOV to a control register: 's' does that one "
           "instruction, 'c' goes on][?!break:no command stops in the debugger]",
   .more = "Only under Bochs, which the shell knows by experiment. 'trace-mem on' in the debugger shows the walk that 's' takes.",
   .flags = COMMAND_ASIDE,
   .run = cmd_break},
  {.name = "raise",
   .args = "exception:de|db|nmi|bp|of|ud|df|np|ss|gp|pf|mc user?",
   .brief = "raise an exception, and see it come back as a value",
   .example = "raise ud; raise pf user; raise df",
   .sdm = "Exception and Interrupt Reference",
   .text = "{fault.name}[ error {fault.error}][ ({fault.flags})][ CR2 {fault.cr2}] at CPL {fault.cpl}[ ({note})]",
   .run = cmd_raise},
  {.name = "reboot", .args = "", .brief = "reset the machine", .example = "", .text = "", .run = cmd_reboot},
  {.name = "poweroff", .args = "", .brief = "turn the machine off", .example = "", .text = "", .run = cmd_poweroff},
  {.name = NULL},
};

const struct command_family cmd_control = {"control", "modes, settings, the machine", commands};
