#include "dev/pic.h"

#include "cpu/cpu.h"

#define PRIMARY 0x20
#define SECONDARY 0xa0
#define COMMAND 0
#define DATA 1
#define ICW1_INIT_ICW4 0x11
#define ICW4_8086 0x01
#define OCW2_EOI 0x20
#define OCW3_READ_ISR 0x0b
#define CASCADE 2

static void (*handlers[16])(void);

void pic_init(void)
{
  static const uint16_t sequence[][2] = {
    {PRIMARY + COMMAND, ICW1_INIT_ICW4},      {PRIMARY + DATA, 32},     {PRIMARY + DATA, 1 << CASCADE}, {PRIMARY + DATA, ICW4_8086},
    {SECONDARY + COMMAND, ICW1_INIT_ICW4},    {SECONDARY + DATA, 40},   {SECONDARY + DATA, CASCADE},    {SECONDARY + DATA, ICW4_8086},
    {PRIMARY + DATA, 0xff & ~(1 << CASCADE)}, {SECONDARY + DATA, 0xff},
  };
  for (unsigned i = 0; i < sizeof sequence / sizeof sequence[0]; i++)
    cpu_out8(sequence[i][0], (uint8_t)sequence[i][1]);
}

static uint16_t controller(unsigned irq)
{
  return irq < 8 ? PRIMARY : SECONDARY;
}

void pic_enable(unsigned irq, void (*handler)(void))
{
  handlers[irq] = handler;
  uint16_t port = controller(irq) + DATA;
  cpu_out8(port, (uint8_t)(cpu_in8(port) & ~(1u << (irq & 7))));
}

static void acknowledge(unsigned irq)
{
  if (irq >= 8)
    cpu_out8(SECONDARY + COMMAND, OCW2_EOI);
  cpu_out8(PRIMARY + COMMAND, OCW2_EOI);
}

/* Whether this IRQ 7 or 15 is the controller's own invention (8259A data sheet, "default IR7"). Acknowledges what must be. */
static bool spurious(unsigned irq)
{
  if ((irq & 7) != 7)
    return false;
  cpu_out8(controller(irq) + COMMAND, OCW3_READ_ISR);
  if (cpu_in8(controller(irq) + COMMAND) & 0x80)
    return false;
  if (irq == 15)
    cpu_out8(PRIMARY + COMMAND, OCW2_EOI); /* the cascade did interrupt the primary */
  return true;
}

void pic_interrupt(unsigned irq)
{
  if (spurious(irq))
    return;
  if (handlers[irq])
    handlers[irq]();
  acknowledge(irq);
}
