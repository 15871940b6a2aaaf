#include "dev/input.h"

#include "cpu/cpu.h"
#include "machine/console.h"
#include "machine/layout.h"

struct ring {
  volatile uint32_t head, tail; /* head: next to write; tail: next to read; both run freely */
  volatile uint32_t ctrl_c;
  volatile uint32_t reserved;
  volatile uint8_t byte[];
};

#define RING ((struct ring *)LAYOUT_RING)
#define RING_SIZE LAYOUT_RING_SIZE /* a power of two */
#define RING_STOP (RING_SIZE - 256)
#define RING_GO (RING_SIZE / 2)

static uint32_t used(void)
{
  return RING->head - RING->tail;
}

void input_init(void)
{
  RING->head = RING->tail = RING->ctrl_c = 0;
}

/* As a terminal's line discipline does it: whoever presses Ctrl-C wants all that to stop. */
void input_put(uint8_t byte)
{
  if (byte == CONSOLE_CTRL_C) {
    RING->ctrl_c = 1;
    RING->tail = RING->head;
  }
  if (used() == RING_SIZE)
    return;
  RING->byte[RING->head & (RING_SIZE - 1)] = byte;
  RING->head++;
}

int input_get(void)
{
  if (used() == 0)
    return -1;
  /* An interrupt handler may empty the ring between these two (Ctrl-C): keep it out. */
  uintptr_t flags = cpu_read_flags();
  cpu_interrupts_off();
  int byte = used() ? RING->byte[RING->tail & (RING_SIZE - 1)] : -1;
  RING->tail += byte >= 0;
  cpu_write_flags(flags);
  return byte;
}

bool input_empty(void)
{
  return used() == 0;
}

bool input_nearly_full(void)
{
  return used() >= RING_STOP;
}

bool input_half_empty(void)
{
  return used() <= RING_GO;
}

bool input_break(void)
{
  return RING->ctrl_c != 0;
}

void input_break_clear(void)
{
  RING->ctrl_c = 0;
}
