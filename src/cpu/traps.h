/* Exceptions and interrupts. A fault is a value: traps_try() runs a function and gives back whatever it raised. */
#ifndef CPU_TRAPS_H
#define CPU_TRAPS_H

#include "machine/machine.h"

/** The general registers at a trap, in the order in which the stubs push them (traps_entry.S). */
struct traps_frame {
#ifdef __x86_64__
  uintptr_t r15, r14, r13, r12, r11, r10, r9, r8;
#endif
  uintptr_t di, si, bp, skipped_sp, bx, dx, cx, ax;
  uintptr_t vector, error;
  uintptr_t ip, cs, flags, sp, ss; /* in the 32-bit kernel sp and ss are there only when the privilege level changed */
};

/** What became of a traps_try(). */
struct traps_outcome {
  struct machine_fault fault;
  uintptr_t ax, cx; /* at the fault: how ring 3, which can only leave by one, hands back its results */
};

/** What happens where nobody waits for it: a hardware interrupt, and an exception outside any traps_try(). on_exception() returns only for
 * those that may be passed over. */
struct traps_handlers {
  void (*on_interrupt)(unsigned irq);
  void (*on_exception)(const struct machine_fault *fault);
};

/** Builds GDT, IDT and TSS and loads them. */
void traps_init(const struct traps_handlers *handlers);

/** Runs @p fn(@p argument); an exception inside ends it and comes back as the outcome. May be nested. */
struct traps_outcome traps_try(void (*fn)(void *argument), void *argument);

/** From here on @p step is asked first about each exception: where it says true, it has changed @p frame so that what was interrupted goes
 * on. NULL: nobody is asked. */
void traps_step_set(bool (*step)(struct traps_frame *frame));

/** Sets the scratch segment's descriptor: a data segment for both rings with @p base and byte-granular or page-granular @p limit. */
void traps_scratch_segment(uint32_t base, uint32_t limit, bool expand_down);

/** Whether vector 2 is what a traps_try() waits for. Otherwise an NMI comes from outside and is no fault of what it interrupts: it goes to
 * on_exception(), and what was interrupted goes on. */
void traps_expect_nmi(bool expected);

/** Gives the segment that is not present the privilege level @p dpl. */
void traps_not_present_segment(unsigned dpl);

/** Tells the double-fault task (32-bit) which paging structures to run on. Call it whenever CR3 got another value. */
void traps_set_cr3(uintptr_t cr3);

/** Switches tasks (SDM Vol. 3A, Task Switching) by a far JMP to a TSS that holds @p cr3 as its CR3. The new task goes on right here, on the
 * same stack. 64-bit mode has no task switching: there the #GP that the JMP would raise comes back, and nothing else happens. */
struct machine_fault traps_task_switch(uintptr_t cr3);

/** Enters ring 3 at @p ip with @p sp; does not return (a trap ends it). */
void traps_enter_user(uintptr_t ip, uintptr_t sp, const struct traps_frame *registers) __attribute__((noreturn));

#endif
