/* The one ordered list of command families. A new family: its file, and a line in each of the two lists here. */
#include "repl/command.h"

extern const struct command_family cmd_see, cmd_edit, cmd_invalidate, cmd_access, cmd_explain, cmd_spaces, cmd_measure, cmd_prove,
  cmd_control, cmd_learn, cmd_shell;

static const struct command_family end;

const struct command_family *const command_families[] = {
  &cmd_see,     &cmd_edit,  &cmd_invalidate, &cmd_access, &cmd_explain, &cmd_spaces,
  &cmd_measure, &cmd_prove, &cmd_control,    &cmd_learn,  &cmd_shell,   &end,
};
