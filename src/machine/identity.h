/* The kernel's branch of the paging structures: the same in every mode and on every machine. */
#ifndef MACHINE_IDENTITY_H
#define MACHINE_IDENTITY_H

#include "machine/machine.h"

/** Builds the root and the kernel's branch for @p mode at LAYOUT_KERNEL_TABLES. Physical address p is at @p memory + p. The low 16 MiB are
 * mapped to themselves in 4 KiB pages, which every CPU has and which keep large-page effects out of the student's experiments;
 * page 0 and the windows are left not present, and only the ring-3 pages have U/S set. A framebuffer at @p framebuffer (0: none) is mapped
 * behind them, from LAYOUT_FRAMEBUFFER on: where identity_framebuffer() says so, and in pages of 2 MiB where the mode has them. */
void identity_build(enum machine_mode mode, uintptr_t memory, uint64_t framebuffer);

/** Whether @p mode has room for the addresses of a framebuffer at @p framebuffer. False without one, and without paging. */
bool identity_framebuffer(enum machine_mode mode, uint64_t framebuffer);

/** The physical address of the page-table entry that maps the kernel's linear address @p va. */
paddr_t identity_entry(enum machine_mode mode, uint64_t va);

/** Bytes of a paging-structure entry in @p mode: 4 or 8. */
unsigned identity_entry_bytes(enum machine_mode mode);

#endif
