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

/* An NMI, or a debug trap between commands, is reported before the next prompt. */
static const char *harmless(unsigned vector)
{
  if (vector == VECTOR_NMI)
    return "an NMI arrived";
  return vector == VECTOR_DB || vector == VECTOR_BP ? "a debug exception came between commands" : NULL;
}

/* The exception came between commands, or from the kernel's own code outside any guard. Say so, and start the kernel over, which brings the
 * prompt back. */
static void start_over(const struct machine_fault *fault)
{
  char text[160];
  struct boot_info *info = real_boot_info();
  bool again = info->panics < PANICS_MAX;
  int length = format(text, sizeof text, "\r\nunexpected exception %u (error 0x%x) at 0x%llx, CR2 0x%llx: %s\r\n", fault->vector,
                      fault->error, (unsigned long long)fault->ip, (unsigned long long)fault->cr2, again ? "starting over" : "halted");
  console_write(text, (size_t)length);
  console_flush();
  if (!again)
    for (;;)
      cpu_halt();
  info->panics++;
  real_enter(info->mode);
}

static void on_exception(const struct machine_fault *fault)
{
  const char *text = harmless(fault->vector);
  if (text == NULL)
    start_over(fault);
  console_notice(text);
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
  boot_console(console_name(), console_columns(), console_lines());
  shell_run(again);
  machine_poweroff();
  for (;;)
    cpu_halt();
}
