/* The boot code's C: 32-bit, unpaged. Puts the boot loader's information where the kernels find it, and enters a kernel in a mode. */
#include "boot/multiboot.h"
#include "cpu/cpu.h"
#include "machine/boot_info.h"
#include "machine/describe.h"
#include "machine/features.h"
#include "machine/identity.h"
#include "machine/layout.h"
#include "machine/machine.h"

#include <string.h>

#define TEXT_MEMORY 0xb8000 /* VGA's, in the text mode that a BIOS sets */

#define INFO ((struct boot_info *)LAYOUT_CARRY)

/* Both kernels, the tables and the lab frames A..Z lie below this; nothing works without it. */
#define BOOT_MEMORY_NEEDED LAYOUT_BIG0

void boot_main(uint32_t magic, const void *multiboot) __attribute__((noreturn));
void boot_enter(enum machine_mode mode) __attribute__((noreturn));
void boot_jump32(uint32_t cr0) __attribute__((noreturn));
void boot_jump64(uint32_t cr0) __attribute__((noreturn));
extern const char boot_switch32[], boot_switch64[];

static void range_add(uint64_t base, uint64_t length, bool usable)
{
  if (INFO->ranges == BOOT_RANGES)
    return; /* what is not in the map is not RAM: nothing unsafe follows from a short map */
  INFO->range[INFO->ranges++] = (struct boot_range){.base = base, .length = length, .usable = usable};
}

static void command_line_copy(const char *from)
{
  size_t length = strlen(from);
  if (length >= BOOT_COMMAND_LINE)
    length = BOOT_COMMAND_LINE - 1;
  memcpy(INFO->command_line, from, length);
  INFO->command_line[length] = '\0';
}

static void multiboot1_read(const struct multiboot1_info *info)
{
  if (info->flags & 1u << 2)
    command_line_copy((const char *)(uintptr_t)info->cmdline);
  if (!(info->flags & 1u << 6))
    return;
  uintptr_t at = info->mmap_addr;
  while (at < info->mmap_addr + info->mmap_length) {
    const struct multiboot1_mmap *entry = (const struct multiboot1_mmap *)at;
    range_add(entry->base, entry->length, entry->type == MULTIBOOT_MEMORY_AVAILABLE);
    at += entry->size + sizeof entry->size;
  }
}

static void multiboot2_mmap_read(const struct multiboot2_mmap *map)
{
  uintptr_t end = (uintptr_t)map + map->tag.size;
  for (uintptr_t at = (uintptr_t)(map + 1); at + sizeof(struct multiboot2_mmap_entry) <= end; at += map->entry_size) {
    const struct multiboot2_mmap_entry *entry = (const struct multiboot2_mmap_entry *)at;
    range_add(entry->base, entry->length, entry->type == MULTIBOOT_MEMORY_AVAILABLE);
  }
}

static void rsdp_copy(const struct multiboot2_tag *tag)
{
  size_t length = tag->size - sizeof *tag;
  if (length > sizeof INFO->rsdp_copy)
    length = sizeof INFO->rsdp_copy;
  memcpy(INFO->rsdp_copy, tag + 1, length);
  INFO->rsdp = (uintptr_t)INFO->rsdp_copy;
}

static void framebuffer_read(const struct multiboot2_framebuffer *tag)
{
  struct boot_screen *screen = &INFO->screen;
  if (tag->type != MULTIBOOT2_FRAMEBUFFER_RGB || (tag->bits != 24 && tag->bits != 32))
    return;
  *screen = (struct boot_screen){.address = tag->address,
                                 .kind = BOOT_SCREEN_PIXELS,
                                 .width = tag->width,
                                 .height = tag->height,
                                 .pitch = tag->pitch,
                                 .bits = tag->bits};
  for (unsigned i = 0; i < 3; i++) {
    screen->position[i] = tag->part[i].position;
    screen->size[i] = tag->part[i].size;
  }
}

static void multiboot2_tag_read(const struct multiboot2_tag *tag)
{
  switch (tag->type) {
  case MULTIBOOT2_COMMAND_LINE: command_line_copy((const char *)(tag + 1)); break;
  case MULTIBOOT2_MMAP: multiboot2_mmap_read((const struct multiboot2_mmap *)tag); break;
  case MULTIBOOT2_FRAMEBUFFER: framebuffer_read((const struct multiboot2_framebuffer *)tag); break;
  case MULTIBOOT2_EFI32:
  case MULTIBOOT2_EFI64: INFO->efi = 1; break;
  case MULTIBOOT2_ACPI_OLD:
  case MULTIBOOT2_ACPI_NEW: rsdp_copy(tag); break;
  default: break;
  }
}

static void multiboot2_read(const void *info)
{
  uintptr_t at = (uintptr_t)info + 8; /* total_size, reserved */
  for (const struct multiboot2_tag *tag = (const void *)at; tag->type != MULTIBOOT2_END; tag = (const void *)at) {
    multiboot2_tag_read(tag);
    at += (tag->size + 7u) & ~7u; /* tags are 8-byte aligned */
  }
}

/* ACPI, "Finding the RSDP on IA-PC Systems": the first KiB of the EBDA, then the BIOS area, on 16-byte boundaries. */
static uint32_t rsdp_search(uintptr_t from, uintptr_t to)
{
  for (uintptr_t at = from; at < to; at += 16) {
    if (memcmp((const void *)at, "RSD PTR ", 8) != 0)
      continue;
    uint8_t sum = 0;
    for (unsigned i = 0; i < 20; i++)
      sum = (uint8_t)(sum + ((const uint8_t *)at)[i]);
    if (sum == 0)
      return (uint32_t)at;
  }
  return 0;
}

static void rsdp_find(void)
{
  if (INFO->rsdp || INFO->efi)
    return;
  uint16_t segment;
  uintptr_t pointer = 0x40e;   /* BIOS data area: the EBDA's segment */
  __asm__("" : "+r"(pointer)); /* hides the low address from the compiler, which takes it for a null pointer plus something */
  memcpy(&segment, (const void *)pointer, sizeof segment);
  uintptr_t ebda = (uintptr_t)segment << 4;
  if (ebda >= 0x80000 && ebda < 0xa0000)
    INFO->rsdp = rsdp_search(ebda, ebda + 1024);
  if (!INFO->rsdp)
    INFO->rsdp = rsdp_search(0xe0000, 0x100000);
}

static uint16_t kept(volatile uint16_t *cell, uint16_t value)
{
  *cell = value;
  return *cell;
}

/* Without a framebuffer a BIOS machine is in the text mode that its BIOS set; where it has a screen, what is written to text memory is
 * there. Colour text is mode 2 or 3. */
static void text_screen_find(void)
{
  uintptr_t video_mode = 0x449;   /* BIOS data area */
  __asm__("" : "+r"(video_mode)); /* as above */
  uint8_t mode = *(const volatile uint8_t *)video_mode;
  if (INFO->efi || INFO->screen.kind != BOOT_SCREEN_NONE || (mode != 2 && mode != 3))
    return;
  volatile uint16_t *cell = (volatile uint16_t *)TEXT_MEMORY;
  uint16_t before = *cell, probe = before ^ 0xff;
  if (kept(cell, probe) == probe)
    INFO->screen = (struct boot_screen){.address = TEXT_MEMORY, .kind = BOOT_SCREEN_TEXT};
  *cell = before;
}

static bool memory_covers(uint64_t from, uint64_t to)
{
  for (unsigned i = 0; i < INFO->ranges; i++) {
    const struct boot_range *r = &INFO->range[i];
    if (!r->usable || r->base > from || r->base + r->length <= from)
      continue;
    if (r->base + r->length >= to)
      return true;
    return memory_covers(r->base + r->length, to); /* maps list neighbouring ranges separately at times */
  }
  return false;
}

/* The only words the boot code can say: there is no kernel yet. COM1 as the firmware left it, and the first row of the screen. */
static void boot_fail(const char *why) __attribute__((noreturn));
static void boot_fail(const char *why)
{
  const uint16_t white = 0x0f00;
  volatile uint16_t *cell = (volatile uint16_t *)TEXT_MEMORY;
  for (; *why; why++) {
    if (!INFO->efi && *why >= ' ')
      *cell++ = white | (uint8_t)*why;
    for (unsigned spin = 0; spin < 100000 && !(cpu_in8(0x3fd) & 0x20); spin++)
      ;
    cpu_out8(0x3f8, (uint8_t)*why);
  }
  for (;;)
    cpu_halt();
}

/* The mode that `mode=` on the command line asks for, or else the best one up to 4level. One that the CPU lacks is entered as
 * the best one it has; the kernel says so. */
static enum machine_mode mode_first(void)
{
  static const struct {
    char name[8];
    enum machine_mode mode;
  } names[] = {{"off", MACHINE_OFF}, {"32", MACHINE_32}, {"pae", MACHINE_PAE}, {"4level", MACHINE_4LEVEL}, {"5level", MACHINE_5LEVEL}};
  const char *line = INFO->command_line;
  uint32_t features = cpu_features();
  enum machine_feature missing;
  for (const char *at = line; *at; at++) {
    if ((at != line && at[-1] != ' ') || strncmp(at, "mode=", 5) != 0)
      continue;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
      size_t length = strlen(names[i].name);
      bool whole = strncmp(at + 5, names[i].name, length) == 0 && (at[5 + length] == ' ' || at[5 + length] == '\0');
      if (whole && describe_mode_supported(features, names[i].mode, &missing))
        return names[i].mode;
    }
  }
  return describe_mode_best(features);
}

void boot_main(uint32_t magic, const void *multiboot)
{
  memset((void *)LAYOUT_CARRY, 0, LAYOUT_CARRY_END - LAYOUT_CARRY);
  if (magic == MULTIBOOT1_BOOT_MAGIC) {
    INFO->multiboot = 1;
    multiboot1_read(multiboot);
  } else if (magic == MULTIBOOT2_BOOT_MAGIC) {
    INFO->multiboot = 2;
    multiboot2_read(multiboot);
  } else {
    boot_fail("tlbsh: not started by a Multiboot loader\r\n");
  }
  if (!memory_covers(LAYOUT_BOOT, BOOT_MEMORY_NEEDED))
    boot_fail("tlbsh: needs RAM from 1 MiB to 4 MiB, and this machine's memory map has none there\r\n");
  rsdp_find();
  text_screen_find();
  INFO->switch32 = (uint32_t)(uintptr_t)boot_switch32;
  INFO->switch64 = (uint32_t)(uintptr_t)boot_switch64;
  boot_enter(mode_first());
}

void boot_enter(enum machine_mode mode)
{
  static const uint32_t cr4[MACHINE_MODES] = {
    [MACHINE_PAE] = (uint32_t)CR4_PAE,
    [MACHINE_4LEVEL] = (uint32_t)CR4_PAE,
    [MACHINE_5LEVEL] = (uint32_t)(CR4_PAE | CR4_LA57),
  };
  bool long_mode = mode == MACHINE_4LEVEL || mode == MACHINE_5LEVEL;
  INFO->mode = (uint32_t)mode;
  INFO->switches++;
  identity_build(mode, 0, boot_framebuffer(INFO));
  if (cpu_has_cr4())
    cpu_write_cr4(cr4[mode]);
  if (cpu_has(FEATURE_LM) || cpu_has(FEATURE_NX))
    cpu_write_msr(MSR_EFER, long_mode ? EFER_LME : 0);
  uint32_t cr0 = (uint32_t)(CR0_PE | CR0_ET | CR0_NE);
  if (mode != MACHINE_OFF) {
    cpu_write_cr3(LAYOUT_KERNEL_TABLES);
    cr0 |= (uint32_t)CR0_PG;
  }
  if (long_mode)
    boot_jump64(cr0);
  boot_jump32(cr0);
}
