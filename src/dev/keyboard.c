#include "dev/keyboard.h"

#include "cpu/cpu.h"
#include "dev/input.h"
#include "dev/pic.h"
#include "term/keys.h"

/* The 8042 (IBM PS/2 Technical Reference, "Keyboard and Auxiliary Device Controller"). */
#define DATA 0x60
#define STATUS 0x64
#define COMMAND 0x64
#define STATUS_OUTPUT 0x01 /* a byte is there to read */
#define STATUS_INPUT 0x02  /* the last byte written has not been taken yet */
#define STATUS_MOUSE 0x20
#define READ_CONFIGURATION 0x20
#define WRITE_CONFIGURATION 0x60
#define DISABLE_MOUSE 0xa7
#define DISABLE_KEYBOARD 0xad
#define ENABLE_KEYBOARD 0xae
#define CONFIGURATION_IRQ1 0x01
#define CONFIGURATION_IRQ12 0x02
#define CONFIGURATION_NO_CLOCK 0x10
#define CONFIGURATION_TRANSLATE 0x40 /* whatever the keyboard sends, set 1 comes */
/* The keyboard's own: */
#define SCAN 0xf4
#define ECHO 0xee
#define ACKNOWLEDGE 0xfa
#define RESEND 0xfe
#define IRQ 1
#define SPINS 20000 /* port accesses take a microsecond or so each on real machines: 20 ms */
#define TRIES 3

static struct keys keys;
static volatile bool interrupt_seen;
static bool controller, answers, has_interrupt;

static bool status_becomes(uint8_t mask, uint8_t value)
{
  for (unsigned spin = 0; spin < SPINS; spin++)
    if ((cpu_in8(STATUS) & mask) == value)
      return true;
  return false;
}

static bool write(uint16_t port, uint8_t value)
{
  bool free = status_becomes(STATUS_INPUT, 0);
  cpu_out8(port, value);
  return free;
}

static int read(void)
{
  return status_becomes(STATUS_OUTPUT, STATUS_OUTPUT) ? cpu_in8(DATA) : -1;
}

static void flush(void)
{
  for (unsigned i = 0; i < 64 && cpu_in8(STATUS) & STATUS_OUTPUT; i++)
    (void)cpu_in8(DATA);
}

static void take(uint8_t code)
{
  char bytes[KEYS_BYTES];
  size_t length = keys_feed(&keys, code, bytes);
  for (size_t i = 0; i < length; i++)
    input_put((uint8_t)bytes[i]);
}

/* While keys are waited for, what comes is scan codes; what answers a command is no code that a key has. */
static void receive(void)
{
  for (uint8_t status = cpu_in8(STATUS); status & STATUS_OUTPUT; status = cpu_in8(STATUS)) {
    uint8_t code = cpu_in8(DATA);
    if (!(status & STATUS_MOUSE) && code != ACKNOWLEDGE && code != ECHO && code != RESEND)
      take(code);
  }
}

static void on_interrupt(void)
{
  interrupt_seen = true;
  receive();
}

static bool tell_keyboard(uint8_t command, uint8_t answer)
{
  for (unsigned i = 0; i < TRIES; i++) {
    if (!write(DATA, command))
      return false;
    int said = read();
    if (said == answer)
      return true;
    if (said < 0)
      return false;
  }
  return false;
}

static bool controller_set_up(void)
{
  if (cpu_in8(STATUS) == 0xff) /* nobody drives the bus */
    return false;
  if (!write(COMMAND, DISABLE_KEYBOARD) || !write(COMMAND, DISABLE_MOUSE))
    return false;
  flush();
  int configuration = write(COMMAND, READ_CONFIGURATION) ? read() : -1;
  if (configuration < 0)
    return false;
  configuration = (configuration | CONFIGURATION_IRQ1 | CONFIGURATION_TRANSLATE) & ~(CONFIGURATION_IRQ12 | CONFIGURATION_NO_CLOCK);
  write(COMMAND, WRITE_CONFIGURATION);
  write(DATA, (uint8_t)configuration);
  write(COMMAND, ENABLE_KEYBOARD);
  return true;
}

/* Whether an interrupt arrives is found out by asking for one: a keyboard answers to ECHO at once. */
static bool interrupt_works(void)
{
  pic_enable(IRQ, on_interrupt);
  write(DATA, ECHO);
  cpu_interrupts_on();
  for (unsigned spin = 0; spin < SPINS && !interrupt_seen; spin++)
    (void)cpu_in8(STATUS);
  cpu_interrupts_off();
  return interrupt_seen;
}

/* A keyboard that does not answer may be one that firmware makes of another, or not be plugged in yet: its interrupt is let through. */
bool keyboard_init(bool again)
{
  controller = again || controller_set_up();
  answers = controller && (again || tell_keyboard(SCAN, ACKNOWLEDGE));
  has_interrupt = controller && interrupt_works();
  return answers;
}

void keyboard_poll(void)
{
  if (!controller || has_interrupt)
    return;
  uintptr_t flags = cpu_read_flags();
  cpu_interrupts_off();
  receive();
  cpu_write_flags(flags);
}

bool keyboard_interrupts(void)
{
  return has_interrupt || !answers;
}
