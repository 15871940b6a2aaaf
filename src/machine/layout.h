/* Where everything is in physical memory. Read by C, by assembly and by the link scripts; numbers only.
 *
 *   0x100000  boot code (Multiboot headers, entry, the trampoline between modes)
 *   0x108000  the page that ring 3 runs on, and the ring-3 stack
 *   0x10a000  what survives a mode switch
 *   0x110000  the 32-bit kernel's code and constants
 *   0x180000  the 64-bit kernel's code and constants
 *   0x208000  the variables of the kernel that runs: each kernel clears them when it is entered
 *   0x2c0000  the lessons' text, which both kernels read
 *   0x2f0000  the root and the kernel's branch of the paging structures
 *   0x300000  the student's paging structures, then a shadow copy of each for the diff
 *   0x3d0000  lab frames A..Z
 *   0x3f0000  what was typed and not read yet
 *   0x3f9000  what is on the screen
 *   0x400000  big frame M0
 *   0x800000  (linear only) windows on physical memory that is not identity-mapped
 *   0xc00000  big frame M1
 *  0x1000000  the end of the kernel's linear range; above it everything is the student's. Where there is a framebuffer, it is (linear only)
 *             from here, and the kernel's range ends at 0x2000000
 *
 * A small direct-mapped TLB puts pages that are alike in their low bits into one place. So what every command uses keeps away from pages
 * whose number ends in 0 to 7: that is where people map theirs (0x40000000 and the next few), and the kernel must not push them out.
 * Neither do they end in 0x78 to 0x7f, where tests map theirs: of the variables the records' arena is there, whose far end is rarely used
 * (tests/static/variables checks that).
 */
#ifndef MACHINE_LAYOUT_H
#define MACHINE_LAYOUT_H

#define LAYOUT_BOOT 0x100000
#define LAYOUT_USER_CODE 0x108000
#define LAYOUT_USER_STACK 0x109000
#define LAYOUT_CARRY 0x10a000
#define LAYOUT_CARRY_END 0x110000
#define LAYOUT_KERNEL32 0x110000
#define LAYOUT_KERNEL32_END 0x178000
#define LAYOUT_KERNEL64 0x180000
#define LAYOUT_KERNEL64_END 0x200000
#define LAYOUT_VARIABLES 0x208000
#define LAYOUT_VARIABLES_END 0x2c0000
#define LAYOUT_LESSONS 0x2c0000
#define LAYOUT_LESSONS_END 0x2f0000
#define LAYOUT_KERNEL_TABLES 0x2f0000
#define LAYOUT_TABLES 0x300000
#define LAYOUT_TABLE_COUNT 96
#define LAYOUT_SHADOWS 0x360000
#define LAYOUT_SHADOW_COUNT 112
#define LAYOUT_FRAMES 0x3d0000
#define LAYOUT_FRAME_COUNT 26
#define LAYOUT_RING 0x3f0000
#define LAYOUT_RING_SIZE 0x8000
#define LAYOUT_SCREEN 0x3f9000
#define LAYOUT_SCREEN_BYTES 0x7000
#define LAYOUT_BIG0 0x400000
#define LAYOUT_WINDOWS 0x800000
#define LAYOUT_WINDOW_COUNT 1024
#define LAYOUT_BIG1 0xc00000
#define LAYOUT_BIG_BYTES 0x400000
#define LAYOUT_KERNEL_END 0x1000000
#define LAYOUT_FRAMEBUFFER 0x1000000
#define LAYOUT_FRAMEBUFFER_END 0x2000000
#define LAYOUT_FRAMEBUFFER_PAGE 0x200000

#endif
