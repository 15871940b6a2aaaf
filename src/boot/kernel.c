/* Where each kernel's C begins, at power-on and after every mode switch. */
#include "boot/boot_info.h"
#include "cpu/reset.h"
#include "cpu/traps.h"
#include "dev/console.h"
#include "dev/pic.h"
#include "machine/machine.h"
#include "machine/real.h"
#include "repl/boot.h"
#include "repl/shell.h"

void kernel_main(void) __attribute__((noreturn));

void kernel_main(void)
{
  const struct boot_info *info = reset_boot_info();
  bool again = info->switches > 1;
  traps_init();
  pic_init();
  real_init();
  console_init(info->command_line, again);
  boot_console(console_name());
  shell_run(again);
  machine_poweroff();
  for (;;)
    ;
}
