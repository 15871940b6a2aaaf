/* Where each kernel's C begins, at power-on and after every mode switch; and what becomes of exceptions that nobody waits for. */
#include "cpu/cpu.h"
#include "cpu/traps.h"
#include "dev/console.h"
#include "dev/pic.h"
#include "lib/format.h"
#include "machine/console.h"
#include "machine/machine.h"
#include "machine/real.h"
#include "repl/boot.h"
#include "repl/shell.h"

/* A kernel that cannot even reach its prompt is not started over for ever. */
#define PANICS_MAX 3

void kernel_main(void) __attribute__((noreturn));

/* An NMI or a debug trap between commands interrupts nothing that matters: report it and go on. */
static const char *harmless(unsigned vector)
{
  if (vector == VECTOR_NMI)
    return "NMI";
  return vector == VECTOR_DB || vector == VECTOR_BP ? "debug exception" : NULL;
}

/* The exception came between commands, or from the kernel's own code outside any guard. Say so, and start the kernel over, which brings the
 * prompt back. */
static void on_exception(const struct machine_fault *fault)
{
  char text[160];
  struct boot_info *info = real_boot_info();
  const char *name = harmless(fault->vector);
  bool again = info->panics < PANICS_MAX;
  int length = name
                 ? format(text, sizeof text, "\r\n%s at the prompt\r\n", name)
                 : format(text, sizeof text, "\r\nunexpected exception %u (error 0x%x) at 0x%llx, CR2 0x%llx: %s\r\n", fault->vector,
                          fault->error, (unsigned long long)fault->ip, (unsigned long long)fault->cr2, again ? "starting over" : "halted");
  console_write(text, (size_t)length);
  if (name)
    return;
  if (!again)
    for (;;)
      cpu_halt();
  info->panics++;
  real_enter(info->mode);
}

void kernel_main(void)
{
  const struct traps_handlers handlers = {.on_interrupt = pic_interrupt, .on_exception = on_exception};
  const struct boot_info *info = real_boot_info();
  bool again = info->switches > 1;
  traps_init(&handlers);
  pic_init();
  real_init();
  console_init(info->command_line, again);
  boot_console(console_name());
  shell_run(again);
  machine_poweroff();
  for (;;)
    cpu_halt();
}
