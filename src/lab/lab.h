/* The lab: the student's frames and paging structures, who may change what, and what changed.
 *
 * frames.c      the frames A..Z, M0, M1: names, contents, whose page a value came from
 * tables.c      where tables come from; a shadow of each, and the diff against it
 * guard.c       what would cut the branch that the kernel sits on
 * undo.c        the way back
 * touch.c       one access: whether it was fresh, stale or a fault, and whether it may be
 * invalidate.c  whatever invalidates: done, told to the model, counted
 * spaces.c      address spaces: roots with a kernel's branch each
 * recursive.c   the tables mapped by themselves */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "paging/edit.h"
#include "paging/predict.h"
#include "paging/rights.h"
#include "paging/walk.h"

/** Starts the lab in the mode the machine is in. @p again: the frames keep what is in them. */
void lab_init(bool again);

/** Back to the beginning: fresh tables, fresh frames, a full flush. */
void lab_reset(void);

/** The paging state as it is now (CR0, CR3, CR4, EFER are read again at each call of lab_refresh()). */
const struct paging *lab_paging(void);
void lab_refresh(void);

/** What the CPU may have cached. Whatever the lab does is told to it. */
const struct model *lab_model(void);
/** Changes from here on are those of command number @p command. */
void lab_command(uint32_t command);

/* ---- frames ---- */

/** A frame's routine, which `exec` calls, is in its last bytes; the rest says whose frame it is. */
#define LAB_ROUTINE_OFFSET 0xff0u

/** The physical address of the frame called @p name: A..Z, M0, M1. */
bool lab_frame_named(const char *name, size_t length, uint64_t *physical);

/** What a person calls the page at @p pa: "A", "M0+0x3000", "p:0x2000000". Returns @p text. */
char *lab_frame_name(paddr_t pa, char *text, unsigned size);

/** Fills the 4 KiB page at @p pa with its name, if it is the student's and does not bear one already. */
void lab_frame_stamp(paddr_t pa);

/** Whether the page at @p pa holds a routine that `exec` may call. */
bool lab_frame_has_routine(paddr_t pa);

/** What the routine in the page at @p pa returns. */
uint32_t lab_frame_routine_value(paddr_t pa);

/* ---- guard: each gives NULL, or why not (a literal); with unsafe set always NULL ---- */

void lab_unsafe_set(bool unsafe);
/** May an entry that maps [va, va + span) be changed? */
const char *lab_guard_linear(laddr_t va, uint64_t span);
/** May [pa, pa + length) be mapped or written by the student? */
const char *lab_guard_physical(paddr_t pa, uint64_t length);
/** May the entry at @p at be changed, whatever it translates? */
const char *lab_guard_entry(paddr_t at);
/** Whether @p at is in the root or in a page that paging structures are made of. */
bool lab_guard_is_table(paddr_t at);
/** May an entry refer to a table at @p pa? */
const char *lab_guard_table(paddr_t pa);

/* ---- tables ---- */

/** For the functions of edit.h. */
const struct edit_tables *lab_tables(void);

unsigned lab_tables_used(void);

/** Whether some entry that the walk can reach refers to a table in the page at @p at. */
bool lab_tables_refer(paddr_t at);

/** Gives back a page that lab_tables()->take gave, which no entry refers to and which is full of zeros again. */
void lab_tables_return(paddr_t table);

/** From lab_plan(true) to lab_plan(false) edits are planned and not made: lab_planned() gives what they would write, the first
 * LAB_PLAN_MAX entries of as many as it says. */
#define LAB_PLAN_MAX 16
void lab_plan(bool on);
bool lab_planning(void);
unsigned lab_planned(const struct edit_write **writes);

struct lab_change {
  laddr_t va; /* the first linear address that the entry translates */
  uint8_t level;
  bool watched; /* it is in a table of the pool or in the root, and was before this command too */
  paddr_t at;
  uint64_t before, after;
};

/** Calls @p each for every entry that differs from what it was at the last call, root first; then takes the present as the past. */
void lab_diff(void (*each)(void *context, const struct lab_change *change), void *context);

/* ---- undo ---- */

/** Edits from here on belong to one command. */
void lab_undo_begin(void);
/** Puts back what the last command with edits changed; how many entries that was, 0 = there is none. */
unsigned lab_undo(void);
void lab_undo_clear(void);
/** Called for each entry that an edit writes. */
void lab_undo_wrote(paddr_t at, unsigned bytes, uint64_t before);

/** Writes one entry as it stands in no edit: told to the model, but not to undo. */
void lab_entry_write(paddr_t at, uint64_t before, uint64_t after);

/* ---- invalidations: machine.h's, told to the model and counted ---- */

struct machine_result lab_invlpg(const struct machine_invlpg *operand);
struct machine_result lab_invpcid(uint64_t type, uint64_t pcid, laddr_t va);
struct machine_fault lab_register_write(enum machine_register reg, uint64_t value);
struct machine_fault lab_paging_toggle(void);
struct machine_fault lab_task_switch(uint64_t cr3);
/** A page fault came of an access to @p va. */
void lab_page_fault(laddr_t va);

struct lab_counts {
  uint64_t operation[OPERATIONS]; /* how often each happened */
  uint64_t ticks;                 /* that the invalidations took, where there is a clock */
  uint64_t by_page, in_full;      /* what `flush` chose */
  uint64_t saved, spurious, repaired;
  uint64_t accesses, stale, violations;
};

const struct lab_counts *lab_counts(void);
struct lab_counts *lab_counts_change(void);

/** What has been invalidated since lab_trace_clear(): the first LAB_TRACE_MAX; lab_trace_count() tells how many there were. */
#define LAB_TRACE_MAX 16

struct lab_traced {
  uint8_t operation; /* enum rule_operation */
  uint16_t pcid;
  laddr_t va;
  uint64_t ticks;
};

const struct lab_traced *lab_trace(unsigned index);
unsigned lab_trace_count(void);
void lab_trace_clear(void);

/* ---- address spaces ---- */

#define LAB_SPACES 8

struct lab_space {
  bool used;
  paddr_t root;
  uint16_t pcid;
  uint64_t entered; /* how often it was switched to */
};

/** Space number @p index, or NULL. Number 0 is always there. */
const struct lab_space *lab_space(unsigned index);
/** The one that CR3 names. */
unsigned lab_space_current(void);
/** Makes one, in which nothing but the kernel is mapped. NULL, or why not. */
const char *lab_space_new(unsigned *index);
/** The value of CR3 for it, as CR4.PCIDE is now. */
uint64_t lab_space_cr3(unsigned index);
/** It was switched to. */
void lab_space_entered(unsigned index);

/* ---- recursive mapping ---- */

/** Maps the paging structures by an entry of the root that refers to the root itself (in PAE paging, by four PDEs), or takes that away.
 * NULL, or why not. */
const char *lab_recursive_set(bool on);
bool lab_recursive(void);
/** Where the entry of @p va at @p level can be read and written while the mapping is on; false where it cannot (a PAE PDPTE). */
bool lab_recursive_address(laddr_t va, unsigned level, laddr_t *entry);

/* ---- accesses ---- */

enum lab_outcome { LAB_FRESH, LAB_STALE, LAB_FAULT };

struct lab_touch {
  enum lab_outcome outcome;
  bool spurious; /* a fault, though the tables now allow the access */
  struct machine_result result;
  uint64_t value; /* read, written, or returned */
  bool frame_known;
  paddr_t frame;          /* the page that was really reached */
  struct walk walk;       /* as the tables stood before */
  struct rights expected; /* what the tables alone say */
  const struct prediction *predicted;
  const struct predict_outcome *matched; /* one of predicted, or NULL */
  struct predict_violation violation;    /* .rule is NULL where there is none */
};

/** Performs one access. NULL, or why it was not done (a literal). What *@p touch points to is good until the next one. */
const char *lab_touch(struct machine_access *access, struct lab_touch *touch);

/** Whether the present command has made an access; and whether it wrote the entry at @p at. */
bool lab_touch_since(void);
bool lab_touch_wrote(paddr_t at);

#endif
