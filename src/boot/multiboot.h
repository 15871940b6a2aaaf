/* The few structures of Multiboot 1 and 2 that are used. Source: The Multiboot Specification, version 0.6.96, and the
 * Multiboot2 Specification, version 2.0. */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#define MULTIBOOT1_HEADER_MAGIC 0x1badb002
#define MULTIBOOT1_BOOT_MAGIC 0x2badb002
#define MULTIBOOT1_MEMORY_INFO 0x2 /* header flag: pass the memory map */
#define MULTIBOOT2_HEADER_MAGIC 0xe85250d6
#define MULTIBOOT2_BOOT_MAGIC 0x36d76289

#ifndef __ASSEMBLER__
#include <stdint.h>

struct multiboot1_info {
  uint32_t flags; /* bit 2: cmdline, bit 6: mmap */
  uint32_t mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
  uint32_t mmap_length, mmap_addr;
};

struct multiboot1_mmap {
  uint32_t size; /* of what follows */
  uint64_t base, length;
  uint32_t type;
} __attribute__((packed));

struct multiboot2_tag {
  uint32_t type, size;
};

enum multiboot2_tag_type {
  MULTIBOOT2_END = 0,
  MULTIBOOT2_COMMAND_LINE = 1,
  MULTIBOOT2_MMAP = 6,
  MULTIBOOT2_FRAMEBUFFER = 8,
  MULTIBOOT2_EFI32 = 11,
  MULTIBOOT2_EFI64 = 12,
  MULTIBOOT2_ACPI_OLD = 14,
  MULTIBOOT2_ACPI_NEW = 15,
};

struct multiboot2_mmap {
  struct multiboot2_tag tag;
  uint32_t entry_size, entry_version;
};

struct multiboot2_mmap_entry {
  uint64_t base, length;
  uint32_t type, reserved;
};

struct multiboot2_framebuffer {
  struct multiboot2_tag tag;
  uint64_t address;
  uint32_t pitch, width, height;
  uint8_t bits, type;
  uint16_t reserved;
  struct {
    uint8_t position, size;
  } part[3]; /* red, green, blue: where the type is RGB */
};

#define MULTIBOOT2_FRAMEBUFFER_RGB 1

#define MULTIBOOT_MEMORY_AVAILABLE 1
#endif

#endif
