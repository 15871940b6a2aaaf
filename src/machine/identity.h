/* The kernel's branch of the paging structures: the same in every mode and on every machine. */
#ifndef MACHINE_IDENTITY_H
#define MACHINE_IDENTITY_H

#include "machine/machine.h"

/** Builds the root and the kernel's branch for @p mode at LAYOUT_KERNEL_TABLES. Physical address p is at @p memory + p. The low 16 MiB are
 * mapped to themselves in 4 KiB pages, which every CPU has and which keep large-page effects out of the student's experiments;
 * page 0 and the windows are left not present, and only the ring-3 pages have U/S set. */
void identity_build(enum machine_mode mode, uintptr_t memory);

/** The physical address of the page-table entry that maps the kernel's linear address @p va. */
paddr_t identity_entry(enum machine_mode mode, uint64_t va);

/** Bytes of a paging-structure entry in @p mode: 4 or 8. */
unsigned identity_entry_bytes(enum machine_mode mode);

#endif
