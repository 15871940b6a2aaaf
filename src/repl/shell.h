/* The shell: reads lines, runs commands, prints records. What a user would be sorry to lose lives in struct shell_state, which
 * survives mode switches. */
#ifndef REPL_SHELL_H
#define REPL_SHELL_H

#include "repl/command.h"
#include "repl/editor.h"

#include "machine/machine.h"

#define TLBSH_VERSION "0.1"

#define SHELL_VARIABLES 48
#define SHELL_NAME_MAX 16
#define SHELL_FRAMES 8

struct shell_variable {
  char name[SHELL_NAME_MAX];
  uint64_t value __attribute__((aligned(8)));
};

/** A stretch of the program text that is being executed: the line itself, or the body of a repeat. */
struct shell_frame {
  uint32_t start, end, at;
  uint32_t done, count;
};

/** Same layout in both kernels: no pointers, no longs. */
struct shell_state {
  uint64_t control_set __attribute__((aligned(8))); /* a bit per row of the settings table: `set` made it 1 */
  uint64_t control_clear;                           /* ... or 0 */
  uint8_t json, color, unsafe, echo, clock;
  uint8_t depth;         /* frames in use */
  uint8_t switched_from; /* a mode switch is under way: the old mode + 1 */
  uint8_t from_prompt;   /* the text was typed at the prompt, so it stands on the line above */
  struct shell_variable variable[SHELL_VARIABLES];
  struct shell_frame frame[SHELL_FRAMES];
  char text[EDITOR_LINE_MAX];
  struct editor_history history;
};

/** The one state. */
struct shell_state *shell_state(void);

/** Runs until `poweroff` finds no way to turn the machine off, or the input ends. @p again: after a mode switch. */
void shell_run(bool again);

/** The current mode's name, as the prompt shows it. */
const char *shell_mode_name(void);
const char *shell_mode_name_of(enum machine_mode mode);

/** Names for expressions. */
const struct args_names *shell_names(void);

/** Executes @p count times what is between @p start and @p end of the running text. False when too many are nested. */
bool shell_push(size_t start, size_t end, uint32_t count);

/** Where in the running text the command that is being executed starts. */
size_t shell_command_start(void);

/** Switches to @p mode and reports it in @p r. On a booted machine the other kernel does the reporting, and goes on with the text. */
bool shell_switch(enum machine_mode mode, struct record *r);

/** Ends shell_run(). */
void shell_quit(void);

/** What the clock is worth: "hardware", "emulated" or "none". */
const char *shell_clock(void);

#endif
