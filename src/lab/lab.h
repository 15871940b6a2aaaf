/* The lab: the student's frames and paging structures, who may change what, and what changed.
 *
 * frames.c   the frames A..Z, M0, M1: names, contents, whose page a value came from
 * tables.c   where tables come from; a shadow of each, and the diff against it
 * guard.c    what would cut the branch that the kernel sits on
 * undo.c     the way back
 * touch.c    one access, and whether it was fresh, stale or a fault */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "paging/edit.h"
#include "paging/rights.h"
#include "paging/walk.h"

/** Starts the lab in the mode the machine is in. @p again: the frames keep what is in them. */
void lab_init(bool again);

/** Back to the beginning: fresh tables, fresh frames, a full flush. */
void lab_reset(void);

/** The paging state as it is now (CR0, CR3, CR4, EFER are read again at each call of lab_refresh()). */
const struct paging *lab_paging(void);
void lab_refresh(void);

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
/** May an entry refer to a table at @p pa? */
const char *lab_guard_table(paddr_t pa);

/* ---- tables ---- */

/** For the functions of edit.h. */
const struct edit_tables *lab_tables(void);

unsigned lab_tables_used(void);

struct lab_change {
  laddr_t va; /* the first linear address that the entry translates */
  uint8_t level;
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
};

/** Performs one access. NULL, or why it was not done (a literal). */
const char *lab_touch(struct machine_access *access, struct lab_touch *touch);

/** Remembers that @p va's page was translated to @p pa, so that a stale access can be recognised. Called by the diff. */
void lab_touch_remember(laddr_t va, unsigned shift, paddr_t pa);
void lab_touch_forget(void);

#endif
