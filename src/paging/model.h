/* The architectural model: what a CPU could still have cached.
 *
 * It remembers every value that a paging-structure entry had, with the time in which it had it, and when which operation was
 * guaranteed to drop what. A translation can be cached if there is a path of entry values, from the root down to a page, such that
 * the CPU could have read them one after the other since the last operation that had to drop it:
 *
 *       time --->      drop                          now
 *       PDE   ---- v1 ---|-----------[ v2 ]-------------|      v2, and the PTE's w1 or w2: two translations
 *       PTE   ---- w1 ---|------[ w1 ]|----[ w2 ]-------|      can be cached here
 *
 * That covers speculative fills, paging-structure caches, fragments of large pages, several address spaces and global pages, because
 * none of them can hold anything else. One rule makes it sharp: nothing is cached from an entry whose P or A flag is 0 (SDM, Details
 * of TLB Use). It over-approximates where it must and so never cries wolf. It holds no pointers into memory but the struct itself. */
#ifndef PAGING_MODEL_H
#define PAGING_MODEL_H

#include "paging/rules.h"
#include "paging/walk.h"

#define MODEL_PASTS 4096
#define MODEL_CHAINS 1024
#define MODEL_CONTEXTS 16
#define MODEL_PAGES 64
#define MODEL_REGIMES 8
#define MODEL_ROOTS 16

/** A value that something had: a paging-structure entry, a PDPTE register, or the root. */
struct model_past {
  uint64_t key; /* the entry's physical address; of a PDPTE register or a root, see model.c */
  uint64_t value;
  uint64_t from, to; /* it had the value at times from <= t < to */
  uint32_t command;  /* the command that changed it */
  int32_t next;      /* the next older one of the same chain, or -1 */
};

/** When what was guaranteed to be dropped last, by which operation of which command. */
struct model_drop {
  uint64_t time; /* 0: never since the model began, when nothing was cached */
  uint32_t command;
  uint8_t operation; /* enum rule_operation */
};

struct model_context {
  bool used;
  uint16_t pcid;
  struct model_drop tlb, caches; /* of what is not global; of the paging-structure caches */
};

/** A page whose translations were dropped by itself. */
struct model_page {
  bool used, globals;
  uint8_t shift; /* log2 of the page's size, as the tables mapped it then */
  uint16_t pcid;
  laddr_t va;
  bool caches_only_here; /* a page fault, or INVPCID: of the paging-structure caches only what translates this page */
  struct model_drop drop;
};

struct model {
  uint64_t now;
  uint32_t command; /* whose changes are coming in */
  unsigned vendor;  /* enum rule_vendor */
  uint16_t pcid;
  bool pcide;
  bool globals;       /* an entry with G has been seen */
  bool latches;       /* PAE paging: there are PDPTE registers */
  uint64_t forgotten; /* values that ended before this time may be missing */
  uint64_t newest;    /* the latest end of any value in `past`, of a root or of a regime */
  uint64_t latch[4];  /* the PDPTE registers */
  uint64_t maybe[4];  /* what a PDPTE may count as instead; nearly always the same */
  uint64_t root, root_from;
  struct model_past old_root[MODEL_ROOTS]; /* key: the PCID that it was used under */
  unsigned old_roots;
  struct model_drop all, nonglobal; /* of all PCIDs: everything; everything but global translations */
  struct model_context context[MODEL_CONTEXTS];
  struct model_page page[MODEL_PAGES];
  unsigned next_page, next_context;
  struct {
    unsigned conditions;
    uint64_t from;
  } regime[MODEL_REGIMES]; /* what the entries meant when: [0] is now, then older ones */
  unsigned regimes;
  struct model_past past[MODEL_PASTS];
  uint32_t pasts; /* how many were ever recorded; the newest is at (pasts - 1) % MODEL_PASTS */
  int32_t chain[MODEL_CHAINS];
};

/** Begins with nothing cached, on a CPU made by @p vendor (an enum rule_vendor bit), the tables being those of @p paging. */
void model_init(struct model *model, unsigned vendor, const struct paging *paging);

/** What comes in from here on belongs to command number @p command. */
void model_command(struct model *model, uint32_t command);

/** The entry at @p at is about to change, or has just changed, from @p before to @p after. Call it for each change, in order. */
void model_wrote(struct model *model, paddr_t at, uint64_t before, uint64_t after);

/** The same, for a change that was found after a command by comparing: it may have been told of as it was written. */
void model_saw(struct model *model, paddr_t at, uint64_t before, uint64_t after);

/** An entry that nobody was told of is part of a paging structure from here on: memory that was something else before. */
void model_found(struct model *model, uint64_t entry);

/** An operation was done; @p paging is as it is afterwards. @p va and @p pcid count where its rule's scope is a page or a context. */
void model_operation(struct model *model, const struct paging *paging, enum rule_operation operation, laddr_t va, uint16_t pcid);

/** Entries may have changed up to now that nobody watched: until the next full drop the model knows that it does not know all. */
void model_forget(struct model *model);

/** CR3 was loaded (before model_operation() for it): the root of @p paging now belongs to @p pcid. */
void model_root(struct model *model, const struct paging *paging, bool pcide, uint16_t pcid);

/** The PDPTE registers may have been loaded, or not: until they certainly are, a PDPTE counts both as it is in memory now and as it was. */
void model_may_have_latched(struct model *model, const struct paging *paging);

/** The meaning of entries changed without an operation that invalidates (CR4.PSE, EFER.NXE). */
void model_conditions(struct model *model, const struct paging *paging);

/** A way to translate an address. */
struct model_path {
  struct walk walk;
  bool fresh;                    /* it is what the tables say now */
  bool walked;                   /* a walk now can take it, starting from the paging-structure caches where it must */
  bool cached;                   /* a TLB may hold it. Only a path that ends with WALK_MAPPED (or on some CPUs WALK_NOT_PRESENT) */
  const struct model_past *past; /* the lowest entry on it that has another value now; NULL where all are as they were */
  uint8_t past_level;            /* ... at this level, or MODEL_ROOT */
  uint8_t pasts;                 /* a bit per level whose entry has another value now */
};

#define MODEL_ROOT 0xff

/** Asks for what the architecture permits. Instead an operation (enum rule_operation): for what it would permit if that one dropped
 * nothing; MODEL_NO_DROPS: if nothing ever had been dropped. So one finds out which drop forbids an outcome. */
#define MODEL_PERMITTED OPERATION_NONE
#define MODEL_NO_DROPS OPERATIONS

/** Calls @p each for every path that translates the address of @p now, which is the walk of it as walk_run() finds it. The same translation
 * may come more than once. Returns false where the model has forgotten too much to name all: then nothing that happens is a violation. */
bool model_paths(const struct model *model, const struct paging *paging, const struct walk *now, enum rule_operation ignored,
                 void (*each)(void *context, const struct model_path *path), void *context);

/** The last operation that had to drop a translation of @p va by a page of 1 << @p shift bytes, which is (not) global; without those of
 * the kind @p ignored, as for model_paths(). */
struct model_drop model_dropped(const struct model *model, laddr_t va, bool global, unsigned shift, enum rule_operation ignored);

#endif
