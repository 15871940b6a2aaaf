/* What the boot code leaves at LAYOUT_CARRY for whichever kernel runs: the firmware's facts, and the way back to the trampoline.
 * Same layout at both widths: fixed-size members, no pointers. */
#ifndef MACHINE_BOOT_INFO_H
#define MACHINE_BOOT_INFO_H

#include <stdint.h>

#define BOOT_RANGES 64
#define BOOT_COMMAND_LINE 1024

struct boot_range {
  uint64_t base, length;
  uint32_t usable;
  uint32_t reserved;
};

enum { BOOT_SCREEN_NONE, BOOT_SCREEN_TEXT, BOOT_SCREEN_PIXELS };

/* The framebuffer that the boot loader left; or VGA's text memory. */
struct boot_screen {
  uint64_t address;
  uint32_t kind; /* BOOT_SCREEN_... */
  uint32_t width, height, pitch, bits;
  uint8_t position[3], size[3]; /* of red, green and blue in a pixel, in bits */
  uint16_t reserved;
  uint32_t reserved2; /* the same size at both widths */
};

struct boot_info {
  uint32_t switch32; /* entry of the trampoline from the 32-bit kernel: mode in EAX */
  uint32_t switch64; /* ... and from the 64-bit kernel: mode in EDI */
  uint32_t mode;     /* enum machine_mode that is entered */
  uint32_t switches; /* how often a kernel has been entered since power-on */
  uint32_t ranges;
  uint32_t multiboot;   /* 1 or 2 */
  uint32_t efi;         /* 1 when EFI firmware started us */
  uint32_t panics;      /* kernels that started over since the last prompt */
  uint32_t serial;      /* the console's serial line: dev/console.c's number of it + 1; 0 = none */
  uint32_t serial_card; /* the port of a PCI serial card, where that is it */
  uint64_t rsdp;        /* physical address of ACPI's RSDP (or of our copy of it); 0 = not found */
  uint8_t rsdp_copy[40];
  struct boot_screen screen __attribute__((aligned(8)));
  struct boot_range range[BOOT_RANGES];
  char command_line[BOOT_COMMAND_LINE];
};

/** The address of the framebuffer; 0 where there is none. */
static inline uint64_t boot_framebuffer(const struct boot_info *info)
{
  return info->screen.kind == BOOT_SCREEN_PIXELS ? info->screen.address : 0;
}

#endif
