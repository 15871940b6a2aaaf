/* Tables made by hand in the fake machine's memory, with a model that is told of every change. */
#ifndef TESTS_UNIT_FAKE_LAB_H
#define TESTS_UNIT_FAKE_LAB_H

#include "fake_machine.h"

#include <memory>
#include <set>
#include <string>

#define class class_ /* a member's name, in C */
extern "C" {
#include "paging/advice.h"
#include "paging/predict.h"
}
#undef class

/* Bits of entries. */
static const uint64_t E_P = 1, E_RW = 2, E_US = 4, E_PWT = 8, E_A = 0x20, E_D = 0x40, E_PS = 0x80, E_G = 0x100, E_NX = 1ULL << 63;
static const uint64_t E_TABLE = E_P | E_RW | E_US | E_A; /* an entry that has been used and refuses nothing */
static const uint64_t E_PAGE = E_P | E_RW | E_US | E_A | E_D;
static const uint64_t ENTRY_BITS = 0x8000000000000fffULL;

static const enum machine_mode PAGING_MODES[] = {MACHINE_32, MACHINE_PAE, MACHINE_4LEVEL, MACHINE_5LEVEL};

struct FakeLab {
  struct paging paging;
  unsigned vendor;
  std::unique_ptr<struct model> kept; /* until begin() there is none, and tables are only made */
  unsigned pages_taken = 2;           /* the first two are roots */

  explicit FakeLab(enum machine_mode mode, unsigned vendor_ = RULE_INTEL) : paging(fake_paging(mode)), vendor(vendor_) {}

  struct model *model() { return kept.get(); }
  unsigned bytes() const { return paging.format->entry_bytes; }
  unsigned last() const { return paging.format->levels - 1u; }
  unsigned shift(unsigned level) const { return paging.format->level[level].shift; }
  bool is_pdpte(unsigned level) const { return level == 0 && paging.format->root_latched; }
  uint64_t new_table_at() const { return fake.base + pages_taken * PAGE_SIZE; }
  uint64_t new_table()
  {
    pages_taken++;
    return new_table_at() - PAGE_SIZE;
  }
  static uint64_t root(unsigned number) { return fake.base + number * PAGE_SIZE; }

  /** Nothing is cached, and the tables are as they are: the model begins. */
  void begin()
  {
    kept = std::make_unique<struct model>();
    model_init(kept.get(), vendor, &paging);
    for (uint64_t at = root(0); at < new_table_at(); at += bytes())
      model_found(kept.get(), fake_entry(paddr(at), bytes()));
  }

  /** Writes an entry as software does. */
  void put(uint64_t at, uint64_t value)
  {
    if (kept)
      model_wrote(kept.get(), paddr(at), fake_entry(paddr(at), bytes()), value);
    machine_entry_write(paddr(at), bytes(), value);
  }

  /** Where the entry of @p va at @p level is; the tables above it are there. */
  uint64_t at(uint64_t va, unsigned level)
  {
    uint64_t table = paging.root.v;
    for (unsigned i = 0;; i++) {
      uint64_t entry_at = table + (uint64_t)format_index(paging.format, i, laddr(va)) * bytes();
      if (i == level)
        return entry_at;
      table = format_address(&paging, i, fake_entry(paddr(entry_at), bytes())).v;
    }
  }
  uint64_t get(uint64_t va, unsigned level) { return fake_entry(paddr(at(va, level)), bytes()); }
  void set(uint64_t va, unsigned level, uint64_t value) { put(at(va, level), value); }
  void flags(uint64_t va, unsigned level, uint64_t gain, uint64_t lose = 0) { set(va, level, (get(va, level) | gain) & ~lose); }

  /** Maps @p va by an entry at @p level that holds @p value, with tables as they are needed. */
  void map(uint64_t va, unsigned level, uint64_t value)
  {
    for (unsigned i = 0; i < level; i++)
      if (!(get(va, i) & E_P))
        set(va, i, new_table() | (is_pdpte(i) ? E_P : E_TABLE));
    set(va, level, value);
  }
  void map(uint64_t va, uint64_t value) { map(va, last(), value); }

  void op(enum rule_operation operation, uint64_t va = 0, uint16_t pcid = 0)
  {
    model_operation(kept.get(), &paging, operation, laddr(va), pcid);
  }
  void invlpg(uint64_t va) { op(OPERATION_INVLPG, va, kept->pcid); }
  void drop_all() { op(OPERATION_CR4_PGE); }
  void mov_cr3(unsigned number, uint16_t pcid = 0, bool pcide = false, bool keep = false)
  {
    paging.root = paddr(root(number));
    model_root(kept.get(), &paging, pcide, pcid);
    op(keep ? OPERATION_MOV_CR3_KEEP : OPERATION_MOV_CR3, 0, pcid);
  }

  struct Paths {
    std::set<uint64_t> cached, walked; /* the pages that are reached */
    unsigned absent_cached = 0;
    bool complete = false;
  };
  static void note(void *context, const struct model_path *path)
  {
    Paths *paths = (Paths *)context;
    const uint64_t page = ~(uint64_t)(PAGE_SIZE - 1);
    if (path->walk.end == WALK_NOT_PRESENT)
      paths->absent_cached += path->cached;
    if (path->walk.end != WALK_MAPPED)
      return;
    if (path->cached)
      paths->cached.insert(path->walk.pa.v & page);
    if (path->walked)
      paths->walked.insert(path->walk.pa.v & page);
  }
  Paths paths(uint64_t va)
  {
    Paths found;
    struct walk now = walk_run(&paging, laddr(va));
    found.complete = model_paths(kept.get(), &paging, &now, MODEL_PERMITTED, note, &found);
    return found;
  }
  bool may_have(uint64_t va, uint64_t page) { return paths(va).cached.count(page) != 0; }

  struct prediction predict(uint64_t va, enum machine_op access = OP_READ, unsigned cpl = 0)
  {
    struct prediction p;
    struct walk now = walk_run(&paging, laddr(va));
    predict_access(kept.get(), &paging, &now, access, (uint8_t)cpl, &p);
    return p;
  }
};

#endif
