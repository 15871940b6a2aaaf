#include "dev/serial.h"

#include "cpu/cpu.h"
#include "dev/input.h"
#include "dev/pic.h"

/* Registers (PC16550D data sheet), as offsets from the base port. With LCR.DLAB set, 0 and 1 are the divisor. */
#define RBR 0 /* receive; writing transmits */
#define IER 1
#define IIR 2 /* writing: FCR */
#define FCR 2
#define LCR 3
#define MCR 4
#define LSR 5
#define SCR 7

#define IER_RECEIVE 0x01
#define IER_TRANSMIT_EMPTY 0x02
#define IIR_FIFO_WORKS 0xc0
#define FCR_ENABLE_CLEAR 0xc7 /* enable, clear both; interrupt at 14 bytes, or when the line falls silent for four characters */
#define FCR_ENABLE 0x01
#define LCR_8N1 0x03
#define LCR_DLAB 0x80
#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT2 0x08 /* gates the interrupt on PCs */
#define MCR_LOOP 0x10
#define LSR_READY 0x01
#define LSR_THRE 0x20
#define BAUD_BASE 115200u
#define FIFO_BYTES 16

static uint16_t base;
static bool has_fifo, has_interrupt, interrupt_seen;
static bool stopped; /* the receive interrupt is off and RTS is down: too much has come that nobody has read yet */

static void reg_write(unsigned reg, uint8_t value)
{
  cpu_out8((uint16_t)(base + reg), value);
}

static uint8_t reg_read(unsigned reg)
{
  return cpu_in8((uint16_t)(base + reg));
}

static void flow(bool go)
{
  stopped = !go;
  reg_write(MCR, go ? MCR_DTR | MCR_RTS | MCR_OUT2 : MCR_DTR | MCR_OUT2);
  if (has_interrupt)
    reg_write(IER, go ? IER_RECEIVE : 0);
}

static void receive(void)
{
  while (!input_nearly_full() && reg_read(LSR) & LSR_READY)
    input_put(reg_read(RBR));
  if (input_nearly_full() && !stopped)
    flow(false);
}

static void on_interrupt(void)
{
  interrupt_seen = true;
  (void)reg_read(IIR); /* acknowledges a transmitter-empty interrupt */
  receive();
}

/* There is a UART where the scratch register holds what is written to it, or, on an 8250, which has none, where the loopback
 * of the modem lines answers. */
static bool uart_present(void)
{
  reg_write(SCR, 0x5a);
  if (reg_read(SCR) == 0x5a)
    return true;
  reg_write(MCR, MCR_LOOP | MCR_RTS);
  bool answers = (reg_read(6) & 0xf0) == 0x10; /* MSR: CTS follows RTS */
  reg_write(MCR, 0);
  return answers;
}

/* Whether an interrupt arrives is found out by asking for one: an empty transmitter raises it at once. */
static bool interrupt_works(unsigned irq)
{
  pic_enable(irq, on_interrupt);
  reg_write(IER, IER_TRANSMIT_EMPTY);
  cpu_interrupts_on();
  for (unsigned spin = 0; spin < 100000 && !interrupt_seen; spin++)
    cpu_pause();
  cpu_interrupts_off();
  return interrupt_seen;
}

bool serial_init(uint16_t port, unsigned irq, unsigned baud, bool again)
{
  base = port;
  if (!again) {
    if (!uart_present()) {
      base = 0;
      return false;
    }
    unsigned divisor = BAUD_BASE / baud;
    reg_write(IER, 0);
    reg_write(LCR, LCR_DLAB);
    reg_write(0, (uint8_t)divisor);
    reg_write(1, (uint8_t)(divisor >> 8));
    reg_write(LCR, LCR_8N1);
    reg_write(FCR, FCR_ENABLE_CLEAR);
  }
  reg_write(MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
  has_fifo = (reg_read(IIR) & IIR_FIFO_WORKS) == IIR_FIFO_WORKS;
  has_interrupt = irq != 0 && interrupt_works(irq);
  flow(!input_nearly_full());
  return true;
}

void serial_poll(void)
{
  if (base == 0)
    return;
  uintptr_t flags = cpu_read_flags();
  cpu_interrupts_off();
  if (stopped && input_half_empty())
    flow(true);
  if (!stopped)
    receive();
  cpu_write_flags(flags);
}

void serial_continue(void)
{
  if (base != 0 && (!has_interrupt || stopped))
    serial_poll();
}

bool serial_interrupts(void)
{
  return has_interrupt;
}

static void wait_transmitter(void)
{
  for (unsigned spin = 0; spin < 1000000 && !(reg_read(LSR) & LSR_THRE); spin++)
    cpu_pause();
}

void serial_write(const char *text, size_t length)
{
  if (base == 0)
    return;
  unsigned burst = has_fifo ? FIFO_BYTES : 1;
  while (length > 0) {
    wait_transmitter();
    for (unsigned i = 0; i < burst && length > 0; i++, length--)
      reg_write(RBR, (uint8_t)*text++);
  }
}

const char *serial_kind(void)
{
  if (has_interrupt)
    return has_fifo ? "16550, by interrupt" : "8250, by interrupt";
  return has_fifo ? "16550, polled" : "8250, polled";
}
