/* The instructions that students come to see, each a small named routine of its own, so that a debugger can stop on it: the touches,
 * INVLPG and INVPCID, for ring 0 and for ring 3, with and without the time-stamp counter around them (access.S). */
#ifndef CPU_ACCESS_H
#define CPU_ACCESS_H

/* In the order of the table in access.S. */
#define ACCESS_READ1 0
#define ACCESS_READ2 1
#define ACCESS_READ4 2
#define ACCESS_READ8 3
#define ACCESS_WRITE1 4
#define ACCESS_WRITE2 5
#define ACCESS_WRITE4 6
#define ACCESS_WRITE8 7
#define ACCESS_EXEC 8
#define ACCESS_INVLPG 9
#define ACCESS_INVLPG_FS 10
#define ACCESS_INVPCID 11
#define ACCESS_NOTHING 12
#define ACCESS_CR3 13
#define ACCESS_PGE 14
#define ACCESS_CHASE 15
#define ACCESS_KINDS 16

#ifndef __ASSEMBLER__
#include "machine/machine.h"

/** Makes the routines wait for what they measure where the CPU has LFENCE, and copies those for ring 3 to the page that ring 3 can execute.
 */
void access_init(void);

/** Performs @p kind at @p cpl with interrupts off. @p address is the operand's; *@p value goes in and comes out. (ACCESS_CR3: *@p value is
 * written to CR3. ACCESS_PGE: @p address is written to CR4, then *@p value. ACCESS_CHASE: *@p value is how many words.) */
struct machine_result access_perform(unsigned kind, unsigned cpl, uintptr_t address, uint64_t *value);

/** machine_sweep(). */
struct machine_fault access_sweep(const struct machine_sweep *sweep);
#endif

#endif
