/* The rights check against facts from the SDM ("Determination of Access Rights", "Page-Fault Exceptions"), and over all
 * combinations of flags against a second reading of the same sections. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_machine.h"

extern "C" {
#include "paging/rights.h"
}

#include <cstring>
#include <string>

/* ---- Facts -------------------------------------------------------------------------------------------------------------- */

/* A page of known rights, in a machine of known settings. */
enum page_flags { RO = 0, RW = 1, US = 2, XD = 4, KEY3 = 8 };
enum setting { WP = 1, SMEP = 2, SMAP = 4, AC = 8, NXE = 16, AD3 = 32, WD3 = 64, NO_PKE = 128 };
enum { OK = -1 };

struct right_fact {
  const char *what;
  unsigned page, settings;
  enum machine_op op;
  unsigned cpl;
  int error; /* OK, or the error code */
};

static const right_fact facts[] = {
  {"supervisor reads a supervisor page", RO, WP, OP_READ, 0, OK},
  {"supervisor writes a read-only page, WP", RO, WP, OP_WRITE, 0, PF_P | PF_WR},
  {"supervisor writes a read-only page, no WP", RO, 0, OP_WRITE, 0, OK},
  {"supervisor writes a read-only user page, no WP", US, 0, OP_WRITE, 0, OK},
  {"supervisor writes a writable page", RW, WP, OP_WRITE, 0, OK},
  {"user reads a supervisor page", RW, WP, OP_READ, 3, PF_P | PF_US},
  {"user writes a supervisor page", RW, WP, OP_WRITE, 3, PF_P | PF_US | PF_WR},
  {"user writes a read-only page, no WP: WP does not help the user", US, 0, OP_WRITE, 3, PF_P | PF_US | PF_WR},
  {"user writes a writable page", US | RW, WP, OP_WRITE, 3, OK},
  {"user fetches from a supervisor page; I/D needs NXE or SMEP", RW, WP, OP_EXEC, 3, PF_P | PF_US},
  {"user fetches from a supervisor page, NXE", RW, WP | NXE, OP_EXEC, 3, PF_P | PF_US | PF_ID},
  {"user fetches from a supervisor page, SMEP", RW, WP | SMEP, OP_EXEC, 3, PF_P | PF_US | PF_ID},
  {"user fetches from an XD page", US | XD, WP | NXE, OP_EXEC, 3, PF_P | PF_US | PF_ID},
  {"user reads an XD page", US | XD, WP | NXE, OP_READ, 3, OK},
  {"supervisor fetches from an XD page", XD, WP | NXE, OP_EXEC, 0, PF_P | PF_ID},
  {"supervisor fetches from a user page", US, WP | NXE, OP_EXEC, 0, OK},
  {"supervisor fetches from a user page, SMEP", US, WP | SMEP, OP_EXEC, 0, PF_P | PF_ID},
  {"supervisor fetches from a user page, SMEP; AC does not help", US, WP | SMEP | AC, OP_EXEC, 0, PF_P | PF_ID},
  {"supervisor fetches from a user page, SMAP: that is for data", US, WP | SMAP, OP_EXEC, 0, OK},
  {"user fetches from a user page, SMEP", US, WP | SMEP, OP_EXEC, 3, OK},
  {"supervisor reads a user page, SMAP", US, WP | SMAP, OP_READ, 0, PF_P},
  {"supervisor reads a user page, SMAP and AC", US, WP | SMAP | AC, OP_READ, 0, OK},
  {"supervisor writes a user page, SMAP, no WP", US, SMAP, OP_WRITE, 0, PF_P | PF_WR},
  {"supervisor writes a read-only user page, SMAP and AC, WP", US, WP | SMAP | AC, OP_WRITE, 0, PF_P | PF_WR},
  {"user reads a user page, SMAP", US, WP | SMAP, OP_READ, 3, OK},
  {"an XD bit without NXE is reserved", US | XD, WP, OP_READ, 0, PF_P | PF_RSVD},
  {"a reserved bit, user write", US | RW | XD, WP, OP_WRITE, 3, PF_P | PF_RSVD | PF_US | PF_WR},
  {"user reads, key's AD", US | RW | KEY3, WP | AD3, OP_READ, 3, PF_P | PF_US | PF_PK},
  {"supervisor reads a user page, key's AD", US | RW | KEY3, WP | AD3, OP_READ, 0, PF_P | PF_PK},
  {"supervisor reads a supervisor page, key's AD", RW | KEY3, WP | AD3, OP_READ, 0, OK},
  {"user fetches, key's AD", US | RW | KEY3, WP | AD3, OP_EXEC, 3, OK},
  {"another key's AD", US | RW, WP | AD3, OP_READ, 3, OK},
  {"user reads, key's WD", US | RW | KEY3, WP | WD3, OP_READ, 3, OK},
  {"user writes, key's WD", US | RW | KEY3, WP | WD3, OP_WRITE, 3, PF_P | PF_WR | PF_US | PF_PK},
  {"user writes, key's WD, no WP", US | RW | KEY3, WD3, OP_WRITE, 3, PF_P | PF_WR | PF_US | PF_PK},
  {"supervisor writes, key's WD", US | RW | KEY3, WP | WD3, OP_WRITE, 0, PF_P | PF_WR | PF_PK},
  {"supervisor writes, key's WD, no WP", US | RW | KEY3, WD3, OP_WRITE, 0, OK},
  {"PK is set even where R/W refuses too", US | KEY3, WP | WD3, OP_WRITE, 3, PF_P | PF_WR | PF_US | PF_PK},
  {"no keys without CR4.PKE", US | RW | KEY3, WP | AD3 | NO_PKE, OP_READ, 3, OK},
};

static uint64_t entry_of(uint64_t address, unsigned page)
{
  return address | 1 | (page & RW ? 2 : 0) | (page & US ? 4 : 0) | (page & XD ? 1ULL << 63 : 0) | (page & KEY3 ? 3ULL << 59 : 0);
}

static struct paging settle(unsigned settings)
{
  fake.registers[REGISTER_CR0] = CR0_PE | CR0_PG | (settings & WP ? CR0_WP : 0);
  fake.registers[REGISTER_CR4] =
    CR4_PAE | CR4_PGE | (settings & SMEP ? CR4_SMEP : 0) | (settings & SMAP ? CR4_SMAP : 0) | (settings & NO_PKE ? 0 : CR4_PKE);
  fake.registers[REGISTER_EFER] = EFER_LME | EFER_LMA | (settings & NXE ? EFER_NXE : 0);
  fake.registers[REGISTER_FLAGS] = settings & AC ? FLAGS_AC : 0;
  fake.registers[REGISTER_PKRU] = (settings & AD3 ? 1u << 6 : 0) | (settings & WD3 ? 1u << 7 : 0);
  return fake_paging_read();
}

TEST_CASE("rights: facts")
{
  for (const right_fact &f : facts) {
    CAPTURE(std::string(f.what));
    fake_paging(MACHINE_4LEVEL);
    for (unsigned i = 0; i < 3; i++)
      machine_entry_write(paddr(fake.base + i * PAGE_SIZE), 8, (fake.base + (i + 1) * PAGE_SIZE) | 7);
    uint64_t entry = entry_of(0x800000, f.page);
    machine_entry_write(paddr(fake.base + 3 * PAGE_SIZE), 8, entry);
    struct paging paging = settle(f.settings);
    struct walk walk = walk_run(&paging, laddr(0));
    struct rights rights = rights_check(&paging, &walk, f.op, f.cpl);
    CHECK(rights.allowed == (f.error == OK));
    CHECK(std::strlen(rights.reason) > 0);
    if (f.error == OK)
      continue;
    CHECK(rights.vector == VECTOR_PF);
    CHECK(rights.error == (uint32_t)f.error);
  }
}

TEST_CASE("rights: where the walk ends early")
{
  struct paging paging = fake_paging(MACHINE_4LEVEL);
  struct walk walk = walk_run(&paging, laddr(0));
  CHECK(rights_check(&paging, &walk, OP_READ, 0).error == 0);
  CHECK(rights_check(&paging, &walk, OP_READ, 0).vector == VECTOR_PF);
  CHECK_FALSE(rights_check(&paging, &walk, OP_READ, 0).allowed);
  CHECK(rights_check(&paging, &walk, OP_WRITE, 3).error == (PF_WR | PF_US));
  CHECK(rights_check(&paging, &walk, OP_EXEC, 0).error == PF_ID);
  walk = walk_run(&paging, laddr(0x800000000000));
  CHECK_FALSE(rights_check(&paging, &walk, OP_READ, 0).allowed);
  CHECK(rights_check(&paging, &walk, OP_READ, 3).vector == VECTOR_GP);
  CHECK(rights_check(&paging, &walk, OP_READ, 3).error == 0);
  machine_entry_write(paging.root, 8, 0x7000000007);
  walk = walk_run(&paging, laddr(0));
  CHECK_FALSE(rights_check(&paging, &walk, OP_READ, 0).allowed);
}

TEST_CASE("rights: EFER.NXE says nothing of fetches in 32-bit paging, and with paging off nothing is refused")
{
  struct paging paging = fake_paging(MACHINE_32);
  struct walk walk = walk_run(&paging, laddr(0));
  CHECK(paging.nxe);
  CHECK(rights_check(&paging, &walk, OP_EXEC, 0).error == 0);
  paging = fake_paging(MACHINE_OFF);
  paging.smap = paging.smep = true;
  walk = walk_run(&paging, laddr(0x12345));
  for (enum machine_op op : {OP_READ, OP_WRITE, OP_EXEC})
    CHECK(rights_check(&paging, &walk, op, 0).allowed);
}

TEST_CASE("rights: error codes in words")
{
  char text[40];
  CHECK(std::string(rights_error_flags(0, text, sizeof text)) == "");
  CHECK(std::string(rights_error_flags(2, text, sizeof text)) == "W");
  CHECK(std::string(rights_error_flags(7, text, sizeof text)) == "P W U");
  CHECK(std::string(rights_error_flags(0x11, text, sizeof text)) == "P I");
  CHECK(std::string(rights_error_flags(0x3f, text, sizeof text)) == "P W U RSVD I PK");
  for (unsigned size = 1; size < 20; size++) {
    std::vector<char> small(size, 'x');
    CHECK(std::strlen(rights_error_flags(0x3f, small.data(), size)) < size);
  }
}

/* ---- All combinations --------------------------------------------------------------------------------------------------- */

/* What the oracle knows: the flags of two entries of the walk, and the machine's settings. Not the code under test. */
struct situation {
  enum machine_mode mode;
  unsigned upper, leaf; /* page_flags of the PDE and of the PTE; all entries above are permissive */
  unsigned settings;
  bool has_key; /* the format has protection keys and CR4.PKE is 1 */
};

/* Which accesses to a mapped page are permitted, as the SDM's section goes through them: first by the kind of access, then by
 * the kind of address. */
static bool permitted(const situation &s, enum machine_op op, bool user_access)
{
  bool user_address = s.upper & s.leaf & US;
  bool all_writable = s.upper & s.leaf & RW;
  bool some_xd = (s.upper | s.leaf) & XD;
  bool wp = s.settings & WP;
  bool key_reads = !(s.has_key && (s.leaf & KEY3) && (s.settings & AD3));
  bool key_writes = key_reads && !(s.has_key && (s.leaf & KEY3) && (s.settings & WD3));
  if (user_access) {
    if (!user_address)
      return false;
    if (op == OP_READ)
      return key_reads;
    if (op == OP_WRITE)
      return all_writable && key_writes;
    return !some_xd;
  }
  bool smap_open = !(s.settings & SMAP) || (s.settings & AC);
  switch (op) {
  case OP_READ: return !user_address || (smap_open && key_reads);
  case OP_WRITE:
    if (!wp)
      return !user_address || (smap_open && key_reads);
    return user_address ? smap_open && all_writable && key_writes : all_writable;
  default: return user_address ? !(s.settings & SMEP) && !some_xd : !some_xd;
  }
}

static uint32_t error_of(const situation &s, enum machine_op op, bool user_access, bool reserved)
{
  uint32_t error = 1;
  bool user_address = s.upper & s.leaf & US;
  bool key_used = s.has_key && (s.leaf & KEY3) && user_address && op != OP_EXEC && !reserved;
  bool ad = s.settings & AD3, wd = s.settings & WD3;
  error += op == OP_WRITE ? 2 : 0;
  error += user_access ? 4 : 0;
  error += reserved ? 8 : 0;
  error += op == OP_EXEC && ((s.settings & SMEP) || ((s.settings & NXE) && s.mode != MACHINE_32)) ? 16 : 0;
  error += key_used && (ad || (wd && op == OP_WRITE && (user_access || (s.settings & WP)))) ? 32 : 0;
  return error;
}

/* Tables whose last two entries for address 0 are @p s's. */
static void build(const situation &s, const struct format *format)
{
  unsigned levels = format->levels;
  for (unsigned i = 0; i < levels; i++) {
    uint64_t next = fake.base + (i + 1) * PAGE_SIZE;
    uint64_t above = s.mode == MACHINE_PAE ? next | 1 : next | 7;
    uint64_t entry = i + 1 == levels ? entry_of(next, s.leaf) : i + 2 == levels ? entry_of(next, s.upper & ~(unsigned)KEY3) : above;
    machine_entry_write(paddr(fake.base + i * PAGE_SIZE), format->entry_bytes, entry);
  }
}

static void check_situation(const situation &s, const struct paging &paging)
{
  struct walk walk = walk_run(&paging, laddr(0));
  bool reserved = ((s.upper | s.leaf) & XD) && !(s.settings & NXE);
  for (enum machine_op op : {OP_READ, OP_WRITE, OP_EXEC}) {
    for (unsigned cpl : {0u, 3u}) {
      struct rights rights = rights_check(&paging, &walk, op, cpl);
      bool expected = !reserved && permitted(s, op, cpl == 3);
      bool same = rights.allowed == expected && (expected || rights.error == error_of(s, op, cpl == 3, reserved));
      if (same)
        continue; /* there are too many to count each as an assertion */
      CAPTURE(std::string(paging.format->name));
      CAPTURE(s.upper);
      CAPTURE(s.leaf);
      CAPTURE(s.settings);
      CAPTURE((int)op);
      CAPTURE(cpl);
      CAPTURE(std::string(rights.reason));
      CHECK(rights.allowed == expected);
      REQUIRE(rights.error == error_of(s, op, cpl == 3, reserved));
    }
  }
}

TEST_CASE("rights: all combinations of flags at two levels and of settings")
{
  unsigned count = 0;
  for (enum machine_mode mode : {MACHINE_32, MACHINE_PAE, MACHINE_4LEVEL, MACHINE_5LEVEL}) {
    const struct format *format = format_of(mode);
    bool wide = mode != MACHINE_32, keys = mode >= MACHINE_4LEVEL;
    fake_paging(mode, 8);
    for (unsigned page = 0; page < 128; page++) {
      situation s = {mode, page & 7, page >> 3, 0, false};
      if (!wide && (page & (XD | XD << 3)))
        continue;
      if (!keys && (s.leaf & KEY3))
        continue;
      build(s, format);
      for (s.settings = 0; s.settings < 256; s.settings++) {
        struct paging paging = settle(s.settings);
        s.has_key = keys && !(s.settings & NO_PKE);
        check_situation(s, paging);
        count += 6;
      }
    }
  }
  CHECK(count == (16 + 64 + 128 + 128) * 256 * 6);
}
