/* The boot command line and the boot record. */
#ifndef REPL_BOOT_H
#define REPL_BOOT_H

#include "repl/record.h"
#include "repl/shell.h"
#include "repl/state.h"

/** Sets what `json=`, `color=` and the like on the command line say. */
void boot_settings(struct state *state);

/** The record that says who started on what. */
struct record *boot_record(void);

/** The commands of `run="..."`, if there are any. */
bool boot_run_line(char *line, size_t size);

/** What the console is, for the record, and how large (0: unknown); set before shell_run() by whoever opened it. */
void boot_console(const char *name, unsigned columns, unsigned lines);

#endif
