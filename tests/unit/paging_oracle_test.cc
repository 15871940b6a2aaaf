/* The model against a CPU that caches whatever it may: a set of all translations and all entries of paging-structure caches that any CPU
 * could hold by now, brought up to date after each step of a random history. Whatever is in it the model must permit; and where the model
 * does not round up, it permits no more. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_lab.h"

#include <algorithm>
#include <map>
#include <vector>

/* What can be told from outside about a cached translation. */
static std::string describe(const struct walk &w, uint64_t leaf_dirty)
{
  char text[96];
  std::snprintf(text, sizeof text, "%llx %u%s%s%s%s%s", (unsigned long long)w.pa.v, w.shift, w.writable ? " W" : "", w.user ? " U" : "",
                w.executable ? "" : " NX", w.global ? " G" : "", leaf_dirty ? " D" : "");
  return text;
}

/* A walk that has come so far, by entries of which some may have changed since. */
struct Prefix {
  struct walk walk;
  uint64_t table; /* the next one */
  uint16_t pcid;

  std::string key() const
  {
    char text[96];
    std::snprintf(text, sizeof text, "%u %llx %llx %d%d%d %u", walk.steps, (unsigned long long)walk.va.v, (unsigned long long)table,
                  walk.writable, walk.user, walk.executable, pcid);
    return text;
  }
};

struct Translation {
  uint64_t va;
  uint16_t pcid;
  struct walk walk;
  bool dirty;

  std::string key() const { return std::to_string(va) + " " + std::to_string(pcid) + " " + describe(walk, dirty); }
};

struct Oracle {
  FakeLab &lab;
  std::vector<uint64_t> addresses;
  uint16_t pcid = 0;
  uint64_t latch[4] = {};
  std::map<std::string, Translation> tlb;
  std::map<std::string, Prefix> structures;

  Oracle(FakeLab &lab_, std::vector<uint64_t> addresses_) : lab(lab_), addresses(addresses_) { load(); }

  void load()
  {
    for (unsigned i = 0; lab.paging.format->root_latched && i < 4; i++)
      latch[i] = fake_entry(paddr(lab.paging.root.v + 8 * i), 8);
  }

  /* One step on from @p at; what comes of it is cached. */
  void go(Prefix at)
  {
    unsigned level = at.walk.steps;
    uint64_t entry = 0;
    bool latched = lab.is_pdpte(level);
    uint64_t index = format_index(lab.paging.format, level, at.walk.va);
    if (latched)
      entry = latch[index];
    else if (!machine_entry_read(paddr(at.table + index * lab.bytes()), lab.bytes(), &entry))
      return;
    if (!(entry & E_P) || (!latched && !(entry & E_A)))
      return;
    bool further = walk_enter(&lab.paging, &at.walk, paddr(at.table), entry);
    if (further) {
      at.table = format_address(&lab.paging, level, entry).v;
      structures[at.key()] = at;
      go(at);
    } else if (at.walk.end == WALK_MAPPED) {
      Translation t = {at.walk.va.v, at.pcid, at.walk, (entry & E_D) != 0};
      tlb[t.key()] = t;
    }
  }

  /* Whatever can be cached now is. */
  void fill()
  {
    for (uint64_t va : addresses) {
      Prefix start = {};
      start.pcid = pcid;
      start.table = lab.paging.root.v;
      if (walk_begin(&lab.paging, laddr(va), &start.walk))
        go(start);
    }
    std::vector<Prefix> all;
    for (auto &s : structures)
      if (s.second.pcid == pcid)
        all.push_back(s.second);
    for (Prefix &p : all)
      go(p);
  }

  template <typename Map, typename Test> static void erase(Map &map, Test test)
  {
    for (auto i = map.begin(); i != map.end();)
      i = test(i->second) ? map.erase(i) : std::next(i);
  }

  /* What translates the page of @p va, and if the tables map it as a large one, the other fragments of that. */
  void drop_page(uint64_t va, uint16_t of, bool globals, bool fragments = true)
  {
    struct walk now = walk_run(&lab.paging, laddr(va));
    unsigned large = now.end == WALK_MAPPED && fragments ? now.shift : PAGE_SHIFT;
    if (lab.paging.format->root_latched && now.steps && now.step[0].entry != latch[now.step[0].index])
      large = PAGE_SHIFT;
    erase(tlb, [&](const Translation &t) {
      unsigned both = std::min<unsigned>(large, t.walk.shift);
      bool here = t.va >> both == va >> both;
      return here && (t.walk.global ? globals : t.pcid == of);
    });
  }
  void drop_structures(uint16_t of)
  {
    erase(structures, [&](const Prefix &p) { return p.pcid == of; });
  }
  void drop_context(uint16_t of)
  {
    erase(tlb, [&](const Translation &t) { return !t.walk.global && t.pcid == of; });
    drop_structures(of);
  }
  void drop_all()
  {
    tlb.clear();
    structures.clear();
  }
  /* As a page fault does, and INVPCID: of the paging-structure caches what is on the way to the page. What a large page is in another
   * address space the tables in force do not tell. */
  void drop_address(uint64_t va, uint16_t of, bool fragments)
  {
    drop_page(va, of, false, fragments);
    erase(structures, [&](const Prefix &p) {
      unsigned shift = lab.shift(p.walk.steps - 1u);
      return p.pcid == of && p.walk.va.v >> shift == va >> shift;
    });
  }

  std::set<std::string> held(uint64_t va)
  {
    std::set<std::string> all;
    for (auto &t : tlb)
      if (t.second.va == va && (t.second.walk.global || t.second.pcid == pcid))
        all.insert(describe(t.second.walk, t.second.dirty));
    return all;
  }
};

static void note(void *context, const struct model_path *path)
{
  std::set<std::string> *all = (std::set<std::string> *)context;
  if (path->cached && path->walk.end == WALK_MAPPED)
    all->insert(describe(path->walk, walk_last(&path->walk)->entry & E_D));
}

static std::set<std::string> permitted(FakeLab &lab, uint64_t va, bool *complete)
{
  std::set<std::string> all;
  struct walk now = walk_run(&lab.paging, laddr(va));
  *complete = model_paths(lab.model(), &lab.paging, &now, MODEL_PERMITTED, note, &all);
  return all;
}

static std::string joined(const std::set<std::string> &set)
{
  std::string text;
  for (const std::string &s : set)
    text += (text.empty() ? "" : ", ") + s;
  return text;
}

/* What a history is made of. */
enum { LEAVES = 1, TABLES = 2, SIZES = 4, GLOBALS = 8, SPACES = 16, FAULTS = 32, REGIMES = 64 };

struct History {
  FakeLab lab;
  std::unique_ptr<Oracle> oracle;
  Random random;
  unsigned kinds;
  std::vector<uint64_t> addresses, tables[FORMAT_LEVELS_MAX]; /* tables[level]: that entries of that level may refer to */
  std::vector<std::string> log;
  uint16_t pcid_now = 0;

  History(enum machine_mode mode, unsigned kinds_, uint64_t seed) : lab(mode), random(seed), kinds(kinds_)
  {
    const uint64_t base = 0x40000000;
    addresses = {base, base + 0x1000, base + 0x3000, base + 0x800000, base + 0x801000};
    for (unsigned space = 0; space < (kinds & SPACES ? 2u : 1u); space++) {
      lab.paging.root = paddr(FakeLab::root(space));
      for (uint64_t va : addresses)
        lab.map(va, leaf(false));
      for (unsigned level = 0; level < lab.last(); level++)
        for (uint64_t va : addresses)
          tables[level].push_back(lab.at(va, level + 1) & ~(uint64_t)(PAGE_SIZE - 1));
    }
    lab.paging.root = paddr(FakeLab::root(0));
    lab.begin();
    oracle = std::make_unique<Oracle>(lab, addresses);
    oracle->fill();
  }

  uint64_t flag(uint64_t bit, unsigned out_of_8) { return random.below(8) < out_of_8 ? bit : 0; }

  uint64_t leaf(bool large)
  {
    uint64_t frame = (random.below(4) + 1) << (large ? 22 : 12);
    uint64_t value = frame | flag(E_P, 7) | flag(E_RW, 5) | flag(E_US, 5) | flag(E_A, 6) | flag(E_D, 4);
    value |= kinds & GLOBALS ? flag(E_G, 4) : 0;
    value |= lab.bytes() == 8 ? flag(E_NX, 2) : 0;
    return value | (large ? E_PS : 0);
  }

  uint64_t table(unsigned level)
  {
    uint64_t to = tables[level][(size_t)random.below(tables[level].size())];
    if (lab.is_pdpte(level))
      return to | flag(E_P, 7);
    return to | flag(E_P, 7) | flag(E_RW, 6) | flag(E_US, 6) | flag(E_A, 6);
  }

  /* Some entry that leads, or would lead, to one of the addresses; its level. */
  uint64_t some_entry(unsigned *level)
  {
    uint64_t va = addresses[(size_t)random.below(addresses.size())];
    *level = kinds & TABLES && random.coin() ? (unsigned)random.below(lab.last()) : lab.last();
    uint64_t of = *level ? tables[*level - 1][(size_t)random.below(tables[*level - 1].size())] : lab.paging.root.v;
    if (!(kinds & TABLES) && *level)
      of = lab.at(va, *level) & ~(uint64_t)(PAGE_SIZE - 1);
    return of + format_index(lab.paging.format, *level, laddr(va)) * (uint64_t)lab.bytes();
  }

  void say(const char *what, uint64_t a = 0, uint64_t b = 0)
  {
    char text[96];
    std::snprintf(text, sizeof text, "%s %llx %llx", what, (unsigned long long)a, (unsigned long long)b);
    log.push_back(text);
  }

  void edit()
  {
    unsigned level;
    uint64_t at = some_entry(&level), old = fake_entry(paddr(at), lab.bytes());
    bool large = kinds & SIZES && level + 1 == lab.last() && random.coin();
    uint64_t value = level == lab.last() || large ? leaf(large) : table(level);
    if (random.below(4) == 0) /* a flag alone */
      value = old ^ (1ULL << (lab.is_pdpte(level) ? 0 : random.below(3)));
    if (random.below(4) == 0 && old & E_P && !lab.is_pdpte(level)) /* as the CPU sets A */
      value = old | E_A;
    say("write", at, value);
    lab.put(at, value);
  }

  void load_cr3(unsigned space, bool keep)
  {
    bool pcide = (kinds & SPACES) != 0 && lab.bytes() == 8 && !lab.paging.format->root_latched;
    pcid_now = pcide ? (uint16_t)(space + 1) : 0;
    say(keep && pcide ? "cr3 keep" : "cr3", space);
    lab.mov_cr3(space, pcid_now, pcide, keep && pcide);
    oracle->pcid = pcid_now;
    oracle->load();
    if (!(keep && pcide))
      oracle->drop_context(pcid_now);
  }

  void invalidate()
  {
    uint64_t va = addresses[(size_t)random.below(addresses.size())];
    unsigned space = kinds & SPACES ? (unsigned)random.below(2) : 0;
    uint16_t pcid = kinds & SPACES && random.coin() ? (uint16_t)(random.below(2) + 1) : pcid_now;
    switch (random.below(kinds & FAULTS ? 12 : 8)) {
    case 0: load_cr3(space, false); break;
    case 1: load_cr3(space, true); break;
    case 2:
      say("all");
      lab.op(OPERATION_CR4_PGE);
      oracle->load();
      oracle->drop_all();
      break;
    case 8:
      say("invpcid address", va, pcid);
      lab.op(OPERATION_INVPCID_ADDRESS, va, pcid);
      oracle->drop_address(va, pcid, pcid == pcid_now);
      break;
    case 9:
      say("invpcid context", pcid);
      lab.op(OPERATION_INVPCID_CONTEXT, va, pcid);
      oracle->drop_context(pcid);
      break;
    case 10:
      say("fault", va);
      lab.op(OPERATION_PAGE_FAULT, va, pcid_now);
      oracle->drop_address(va, pcid_now, true);
      break;
    default:
      say("invlpg", va);
      lab.invlpg(va);
      oracle->drop_page(va, pcid_now, true);
      oracle->drop_structures(pcid_now);
      break;
    }
  }

  void regime()
  {
    unsigned bit = lab.bytes() == 4 ? CONDITION_PSE : CONDITION_NXE;
    say("conditions", lab.paging.conditions ^ bit);
    lab.paging.conditions ^= bit;
    model_conditions(lab.model(), &lab.paging);
  }

  std::string story()
  {
    std::string text;
    for (size_t i = log.size() > 40 ? log.size() - 40 : 0; i < log.size(); i++)
      text += log[i] + "\n";
    return text;
  }

  bool check(bool exactly)
  {
    for (uint64_t va : addresses) {
      bool complete;
      std::set<std::string> may = permitted(lab, va, &complete), held = oracle->held(va);
      if (!complete) /* it says so, and so nobody relies on it */
        return true;
      bool covers = std::includes(may.begin(), may.end(), held.begin(), held.end());
      if (covers && (!exactly || may == held))
        continue;
      std::string what = "\nheld: " + joined(held) + "\nmay:  " + joined(may) + "\n" + story();
      CAPTURE(what);
      CAPTURE(va);
      CHECK(covers);
      if (exactly)
        CHECK(may == held);
      return false;
    }
    return true;
  }

  bool step(bool exactly)
  {
    uint64_t dice = random.below(8);
    if (dice < 5)
      edit();
    else if (dice == 5 && kinds & REGIMES && random.below(4) == 0)
      regime();
    else
      invalidate();
    oracle->fill();
    return check(exactly);
  }
};

static void histories(unsigned kinds, bool exactly, unsigned steps)
{
  for (enum machine_mode mode : PAGING_MODES)
    for (unsigned round = 0; round < 6; round++) {
      CAPTURE(mode);
      CAPTURE(kinds);
      History history(mode, kinds, test_seed() + 100 * mode + round + 1000 * kinds);
      for (unsigned i = 0; i < steps; i++)
        if (!history.step(exactly))
          return;
    }
}

TEST_CASE("oracle: edits of one level are told exactly")
{
  histories(LEAVES, true, 150);
  histories(LEAVES | GLOBALS, true, 150);
}

TEST_CASE("oracle: upper levels and large pages: nothing that a CPU may hold is forbidden")
{
  histories(LEAVES | TABLES, false, 100);
  histories(LEAVES | TABLES | SIZES, false, 100);
  histories(LEAVES | TABLES | SIZES | GLOBALS | FAULTS, false, 100);
}

TEST_CASE("oracle: several address spaces: nothing that a CPU may hold is forbidden")
{
  histories(LEAVES | SPACES, false, 100);
  histories(LEAVES | TABLES | SPACES | GLOBALS | FAULTS, false, 100);
}

TEST_CASE("oracle: entries that change their meaning: nothing that a CPU may hold is forbidden")
{
  histories(LEAVES | TABLES | SIZES | REGIMES, false, 100);
  histories(LEAVES | TABLES | SIZES | GLOBALS | SPACES | FAULTS | REGIMES, false, 100);
}
