#include "dev/console.h"

#include "dev/serial.h"
#include "lib/format.h"
#include "machine/console.h"
#include "machine/real.h"

#include <string.h>

#define COM_PORTS 4
#define BAUD_DEFAULT 115200u

static char name[64];
static const char *volatile notice;

struct choice {
  unsigned number, baud;
};

static unsigned digits(const char *text)
{
  unsigned value = 0;
  for (; *text >= '0' && *text <= '9' && value < 1000000; text++)
    value = value * 10 + (unsigned)(*text - '0');
  return value;
}

static struct choice choose(const char *line)
{
  struct choice choice = {1, BAUD_DEFAULT};
  for (const char *at = line; *at; at++) {
    if ((at != line && at[-1] != ' ') || strncmp(at, "console=com", 11) != 0)
      continue;
    unsigned number = digits(at + 11);
    if (number >= 1 && number <= COM_PORTS)
      choice.number = number;
    if (at[12] == ',') {
      unsigned baud = digits(at + 13);
      if (baud >= 2 && baud <= BAUD_DEFAULT)
        choice.baud = baud;
    }
  }
  return choice;
}

void console_init(const char *command_line, bool again)
{
  struct choice choice = choose(command_line);
  bool open = serial_init(choice.number, choice.baud, again);
  for (unsigned n = 1; n <= COM_PORTS && !open; n++)
    if (n != choice.number && serial_init(n, choice.baud, again)) {
      choice.number = n;
      open = true;
    }
  if (open)
    format(name, sizeof name, "com%u, %u baud, %s", choice.number, choice.baud, serial_kind());
  else
    format(name, sizeof name, "none");
}

const char *console_name(void)
{
  return name;
}

void console_notice(const char *text)
{
  notice = text;
}

const char *console_notice_take(void)
{
  const char *text = notice;
  notice = NULL;
  return text;
}

int console_read(void)
{
  int byte;
  real_boot_info()->panics = 0; /* someone can type again: the kernel works */
  while ((byte = serial_read()) < 0)
    serial_wait();
  return byte;
}

void console_write(const char *text, size_t length)
{
  serial_write(text, length);
}

bool console_interrupted(void)
{
  return serial_break();
}

void console_interrupt_clear(void)
{
  serial_break_clear();
}
