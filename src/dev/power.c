#include "dev/power.h"

#include "cpu/cpu.h"
#include "lib/address.h"

#include <string.h>

/* ACPI Specification 6.5: "Root System Description Pointer", "System Description Table Header", "Fixed ACPI Description Table". */
struct rsdp {
  char signature[8];
  uint8_t checksum;
  char oem[6];
  uint8_t revision;
  uint32_t rsdt;
} __attribute__((packed));

struct sdt {
  char signature[4];
  uint32_t length;
  uint8_t revision, checksum;
  char oem[6], oem_table[8];
  uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));

struct fadt {
  struct sdt header;
  uint32_t facs, dsdt;
  uint8_t reserved, profile;
  uint16_t sci_int;
  uint32_t smi_cmd;
  uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
  uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt;
} __attribute__((packed));

#define PM1_SCI_ENABLED 0x0001u
#define PM1_SLP_TYP_SHIFT 10
#define PM1_SLP_EN 0x2000u
#define TABLE_MAX (1024u * 1024u)

static void *(*firmware_view)(uint64_t at);

/* Firmware tables may lie anywhere and cross pages; the kernel sees physical memory a page at a time. */
static bool firmware_copy(uint64_t from, void *to, uint32_t length)
{
  uint8_t *out = to;
  while (length > 0) {
    const void *in = firmware_view(from);
    uint32_t piece = PAGE_SIZE - (uint32_t)(from & (PAGE_SIZE - 1));
    if (in == NULL)
      return false;
    if (piece > length)
      piece = length;
    memcpy(out, in, piece);
    out += piece;
    from += piece;
    length -= piece;
  }
  return true;
}

static bool fadt_find(uint64_t rsdp_at, struct fadt *fadt)
{
  struct rsdp rsdp;
  struct sdt rsdt;
  if (rsdp_at == 0 || !firmware_copy(rsdp_at, &rsdp, sizeof rsdp) || !firmware_copy(rsdp.rsdt, &rsdt, sizeof rsdt))
    return false;
  for (uint32_t at = sizeof rsdt; at + 4 <= rsdt.length && rsdt.length < TABLE_MAX; at += 4) {
    uint32_t table;
    if (!firmware_copy(rsdp.rsdt + at, &table, sizeof table) || !firmware_copy(table, fadt, sizeof *fadt))
      return false;
    if (memcmp(fadt->header.signature, "FACP", 4) == 0)
      return true;
  }
  return false;
}

/* An AML integer, as \_S5's package holds them: a BytePrefix and a byte, or ZeroOp, OneOp. */
static unsigned aml_integer(const uint8_t **at)
{
  const uint8_t byte_prefix = 0x0a;
  if (**at == byte_prefix) {
    unsigned value = (*at)[1];
    *at += 2;
    return value;
  }
  return *(*at)++;
}

/* Looks for Name(_S5_, Package{SLP_TYPa, SLP_TYPb, ...}) in the DSDT's byte code: 08 [5c] "_S5_" 12 PkgLength NumElements ... */
static bool sleep_types(uint32_t dsdt, unsigned types[2])
{
  struct sdt header;
  uint8_t window[32];
  if (!firmware_copy(dsdt, &header, sizeof header) || header.length > TABLE_MAX)
    return false;
  for (uint32_t at = sizeof header; at + sizeof window <= header.length; at++) {
    const uint8_t *byte = firmware_view((uint64_t)dsdt + at);
    if (byte == NULL || *byte != '_' || !firmware_copy((uint64_t)dsdt + at, window, sizeof window))
      continue;
    const uint8_t package_op = 0x12;
    if (memcmp(window, "_S5_", 4) != 0 || window[4] != package_op)
      continue;
    const uint8_t *next = window + 5;
    next += (*next >> 6) + 1; /* PkgLength: its top two bits count the bytes that follow */
    next++;                   /* NumElements */
    types[0] = aml_integer(&next);
    types[1] = aml_integer(&next);
    return true;
  }
  return false;
}

static void acpi_off(uint64_t rsdp)
{
  struct fadt fadt;
  unsigned types[2];
  if (!fadt_find(rsdp, &fadt) || !sleep_types(fadt.dsdt, types))
    return;
  uint16_t pm1a = (uint16_t)fadt.pm1a_cnt, pm1b = (uint16_t)fadt.pm1b_cnt;
  if (!(cpu_in16(pm1a) & PM1_SCI_ENABLED) && fadt.smi_cmd && fadt.acpi_enable) {
    cpu_out8((uint16_t)fadt.smi_cmd, fadt.acpi_enable);
    for (unsigned spin = 0; spin < 1000000 && !(cpu_in16(pm1a) & PM1_SCI_ENABLED); spin++)
      cpu_pause();
  }
  cpu_out16(pm1a, (uint16_t)(types[0] << PM1_SLP_TYP_SHIFT | PM1_SLP_EN));
  if (pm1b)
    cpu_out16(pm1b, (uint16_t)(types[1] << PM1_SLP_TYP_SHIFT | PM1_SLP_EN));
  /* The power goes a moment later: an emulator ends when its main loop comes round to it. A port read takes about a microsecond. */
  for (unsigned spin = 0; spin < 500000; spin++)
    cpu_in16(pm1a);
}

void power_off(uint64_t rsdp, void *(*physical)(uint64_t at))
{
  firmware_view = physical;
  /* Bochs ends when this word is written to its port; elsewhere nothing listens there. */
  for (const char *word = "Shutdown"; *word; word++)
    cpu_out8(0x8900, (uint8_t)*word);
  acpi_off(rsdp);
}

void power_reboot(void)
{
  static const struct {
    uint16_t limit;
    uintptr_t base;
  } __attribute__((packed)) no_idt = {0, 0};
  cpu_interrupts_off();
  for (unsigned spin = 0; spin < 100000 && cpu_in8(0x64) & 2; spin++)
    cpu_pause();
  cpu_out8(0x64, 0xfe); /* keyboard controller: pulse the reset line */
  for (unsigned spin = 0; spin < 100000; spin++)
    cpu_pause();
  cpu_out8(0xcf9, 0x06);
  cpu_load_idt(&no_idt);
  __asm__ volatile("int3");
  for (;;)
    cpu_halt();
}
