#include "dev/pci.h"

#include "cpu/cpu.h"

#define ADDRESS 0xcf8
#define DATA 0xcfc
/* Offsets in a function's configuration space (PCI Local Bus Specification 3.0, "Configuration Space Decoding"). */
#define ID 0x00
#define COMMAND 0x04
#define CLASS 0x08
#define HEADER 0x0c
#define BAR0 0x10
#define COMMAND_IO 0x1u
#define CLASS_SERIAL 0x0700u
#define SERIAL_16950 0x06u /* programming interfaces up to this are a 16450's descendants */
#define HEADER_MANY (1u << 23)
#define BAR_IO 0x1u
#define NOBODY 0xffffffffu

struct function {
  unsigned bus, device, number;
};

/*  31     30:24     23:16  15:11   10:8      7:0
 *  enable reserved  bus    device  function  offset */
static void select(struct function f, unsigned offset)
{
  cpu_out32(ADDRESS, 1u << 31 | f.bus << 16 | f.device << 11 | f.number << 8 | offset);
}

static uint32_t read(struct function f, unsigned offset)
{
  select(f, offset);
  return cpu_in32(DATA);
}

/*  31:24  23:16     15:8       7:0
 *  class  subclass  interface  revision */
static uint16_t serial_port(struct function f)
{
  uint32_t class = read(f, CLASS), bar = read(f, BAR0);
  if (class >> 16 != CLASS_SERIAL || (class >> 8 & 0xff) > SERIAL_16950 || !(bar & BAR_IO) || (bar & 0xfff8) == 0)
    return 0;
  uint32_t command = read(f, COMMAND) & 0xffff; /* the upper half is status, whose bits are cleared by writing 1 */
  select(f, COMMAND);
  cpu_out32(DATA, command | COMMAND_IO);
  return (uint16_t)(bar & 0xfff8);
}

static uint16_t in_device(struct function f)
{
  if (read(f, ID) == NOBODY)
    return 0;
  unsigned functions = (read(f, HEADER) & HEADER_MANY) ? 8 : 1;
  for (f.number = 0; f.number < functions; f.number++) {
    uint16_t port = read(f, ID) == NOBODY ? 0 : serial_port(f);
    if (port)
      return port;
  }
  return 0;
}

/* Where there is no configuration mechanism 1 the address register does not hold what is written to it. */
static bool present(void)
{
  select((struct function){0, 0, 0}, ID);
  return cpu_in32(ADDRESS) == 1u << 31;
}

uint16_t pci_serial_port(void)
{
  uint16_t port = 0;
  if (!present())
    return 0;
  for (unsigned bus = 0; bus < 256 && !port; bus++)
    for (unsigned device = 0; device < 32 && !port; device++)
      port = in_device((struct function){bus, device, 0});
  return port;
}
