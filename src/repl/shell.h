/* The shell: reads lines, runs commands, prints records. What survives a mode switch is in state.h. */
#ifndef REPL_SHELL_H
#define REPL_SHELL_H

#include "repl/command.h"
#include "repl/editor.h"

#include "machine/machine.h"

/** Runs until the input ends, which on a booted machine it never does. @p again: after a mode switch. */
void shell_run(bool again);

/** Names for expressions. */
const struct args_names *shell_names(void);

/** Executes @p count times what is between @p start and @p end of the running text. False when too many are nested. */
bool shell_push(size_t start, size_t end, uint32_t count);

/** Runs @p text next, behind the command that is being run: commands with ';' between. False where there is no room for it. */
bool shell_script(const char *text);

/** Runs what is between @p start and @p end of the running text in every mode, and then shows the table of compare.h. False after
 * record_refuse(). On a booted machine it does not return: the other kernels do the work. */
bool shell_compare(struct record *r, size_t start, size_t end);

/** Where in the running text the command that is being executed starts. */
size_t shell_command_start(void);

/** Switches to @p mode and reports it in @p r. On a booted machine the other kernel does the reporting, and goes on with the text. */
bool shell_switch(enum machine_mode mode, struct record *r);

#endif
