#include "dev/console.h"

#include "cpu/cpu.h"
#include "dev/input.h"
#include "dev/keyboard.h"
#include "dev/pci.h"
#include "dev/screen.h"
#include "dev/serial.h"
#include "lib/format.h"
#include "machine/console.h"
#include "machine/real.h"

#include <string.h>

#define BAUD_DEFAULT 115200u
#define POLLS_BEFORE_HALT 300
#define PCI 4 /* behind the COM ports */
#define SERIALS 5

static const struct {
  char name[5];
  uint16_t port; /* 0: it is to be found */
  uint8_t irq;   /* 0: not known; PCI's interrupt lines go where the firmware's tables say, so a card is polled */
} serials[SERIALS] = {{"com1", 0x3f8, 4}, {"com2", 0x2f8, 3}, {"com3", 0x3e8, 4}, {"com4", 0x2e8, 3}, {"pci", 0, 0}};

static char name[96];
static const char *volatile notice;
static bool has_serial, has_screen, has_keyboard;

/* What the command line asks for. */
struct choice {
  unsigned baud;
  bool serial, screen; /* asked for by name */
  unsigned number;     /* of the serial line */
  unsigned asked;      /* ... that was asked for */
  bool json;
};

static unsigned digits(const char *text)
{
  unsigned value = 0;
  for (; *text >= '0' && *text <= '9' && value < 1000000; text++)
    value = value * 10 + (unsigned)(*text - '0');
  return value;
}

static void choose_console(struct choice *choice, const char *text)
{
  choice->screen = strncmp(text, "screen", 6) == 0;
  for (unsigned i = 0; i < SERIALS; i++) {
    size_t length = strlen(serials[i].name);
    if (strncmp(text, serials[i].name, length) != 0)
      continue;
    choice->serial = true;
    choice->number = choice->asked = i;
    unsigned baud = text[length] == ',' ? digits(text + length + 1) : 0;
    if (baud >= 2 && baud <= BAUD_DEFAULT)
      choice->baud = baud;
  }
}

static struct choice choose(const char *line)
{
  struct choice choice = {.baud = BAUD_DEFAULT};
  for (const char *at = line; *at; at++) {
    if (at != line && at[-1] != ' ')
      continue;
    if (strncmp(at, "console=", 8) == 0)
      choose_console(&choice, at + 8);
    if (strncmp(at, "json=1", 6) == 0)
      choice.json = true;
  }
  return choice;
}

static bool open_serial(unsigned number, unsigned baud, bool again)
{
  struct boot_info *info = real_boot_info();
  uint16_t port = serials[number].port;
  if (port == 0 && !again)
    info->serial_card = pci_serial_port();
  if (port == 0)
    port = (uint16_t)info->serial_card;
  return port != 0 && serial_init(port, serials[number].irq, baud, again);
}

/* The one that was asked for, else the first there is. At a mode switch the one that it was. */
static bool find_serial(struct choice *choice, bool again)
{
  struct boot_info *info = real_boot_info();
  if (again) {
    choice->number = info->serial - 1;
    return info->serial != 0 && open_serial(choice->number, choice->baud, true);
  }
  info->serial = 0;
  for (unsigned i = 0; i <= SERIALS && info->serial == 0; i++) {
    unsigned number = i == 0 ? choice->number : i - 1;
    if (open_serial(number, choice->baud, false)) {
      info->serial = number + 1;
      choice->number = number;
    }
  }
  return info->serial != 0;
}

static void describe(const struct choice *choice)
{
  size_t used = 0;
  name[0] = '\0';
  if (has_serial)
    used += (size_t)format(name, sizeof name, "%s, %u baud, %s", serials[choice->number].name, choice->baud, serial_kind());
  if (has_screen)
    used += (size_t)format(name + used, sizeof name - used, "%s%s", used ? "; " : "", screen_name());
  if (has_keyboard)
    used += (size_t)format(name + used, sizeof name - used, "%skeyboard", used ? "; " : "");
  if (used == 0)
    format(name, sizeof name, "none");
}

void console_init(const char *command_line, bool again)
{
  struct choice choice = choose(command_line);
  if (!again)
    input_init();
  has_serial = !choice.screen && find_serial(&choice, again);
  bool as_asked = choice.serial && choice.number == choice.asked;
  bool screen_wanted = choice.screen || !has_serial || !(as_asked || choice.json);
  has_screen = screen_wanted && screen_init(again);
  has_keyboard = screen_wanted && keyboard_init(again);
  if (!has_screen && !has_serial && choice.screen) /* better another console than none */
    has_serial = find_serial(&choice, again);
  describe(&choice);
  cpu_interrupts_on();
}

const char *console_name(void)
{
  return name;
}

unsigned console_columns(void)
{
  return has_screen && !has_serial ? screen_columns() : 0;
}

unsigned console_lines(void)
{
  return has_screen && !has_serial ? screen_lines() : 0;
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

static void poll(void)
{
  if (has_serial)
    serial_continue();
  keyboard_poll();
}

static bool can_halt(void)
{
  return (!has_serial || serial_interrupts()) && (!has_keyboard || keyboard_interrupts());
}

/* Until something may have been typed. */
static void wait(void)
{
  if (!can_halt()) {
    cpu_pause();
    return;
  }
  /* The next byte of a burst comes soon: look for it awake for a while, before the interrupt that waits for more of them. */
  cpu_interrupts_off();
  for (unsigned polls = 0; polls < POLLS_BEFORE_HALT && has_serial && input_empty(); polls++)
    serial_poll();
  if (input_empty())
    cpu_wait();
  cpu_interrupts_on();
}

/* The screen is drawn when there is nothing else to do: a burst of output costs one drawing. */
int console_read(void)
{
  int byte;
  real_boot_info()->panics = 0; /* someone can type again: the kernel works */
  poll();
  while ((byte = input_get()) < 0) {
    if (has_screen)
      screen_draw();
    wait();
    poll();
  }
  return byte;
}

void console_write(const char *text, size_t length)
{
  if (has_screen)
    screen_write(text, length);
  if (has_serial)
    serial_write(text, length);
  else if (has_screen)
    screen_draw(); /* nobody sees it otherwise before the command has ended */
}

void console_flush(void)
{
  if (has_screen)
    screen_draw();
}

bool console_interrupted(void)
{
  poll();
  return input_break();
}

void console_interrupt_clear(void)
{
  input_break_clear();
}
