/* The formats as data: that the rows add up to the words they describe, and that decoding agrees with the SDM's tables, restated
 * here as plain conditions. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_machine.h"

#include <cstring>
#include <string>

static const enum machine_mode modes[] = {MACHINE_32, MACHINE_PAE, MACHINE_4LEVEL, MACHINE_5LEVEL};

static uint64_t bits(unsigned high, unsigned low)
{
  return low > high ? 0 : address_mask(high - low + 1) << low;
}

static struct paging paging_with(enum machine_mode mode, unsigned conditions, unsigned maxphyaddr)
{
  struct paging paging;
  std::memset(&paging, 0, sizeof paging);
  paging.format = format_of(mode);
  paging.conditions = conditions;
  paging.maxphyaddr = (uint8_t)maxphyaddr;
  return paging;
}

static const unsigned all_conditions =
  CONDITION_PSE | CONDITION_PSE36 | CONDITION_PGE | CONDITION_PAT | CONDITION_NXE | CONDITION_PAGE1GB | CONDITION_PKE;

static std::string flags(const struct paging &paging, unsigned level, uint64_t entry)
{
  char text[100];
  return format_flags(&paging, level, entry, text, sizeof text);
}

static std::string difference(const struct paging &paging, unsigned level, uint64_t before, uint64_t after)
{
  char text[100];
  return format_difference(&paging, level, before, after, text, sizeof text);
}

/* ---- The rows ----------------------------------------------------------------------------------------------------------- */

static void check_fields(const struct format *format, const struct format_field *fields)
{
  uint64_t covered = 0;
  unsigned next = 0;
  FORMAT_FOR_EACH_FIELD(f, fields) {
    CAPTURE(std::string(f->name));
    CHECK(f->low == next);
    CHECK((covered & format_field_bits(f)) == 0);
    covered |= format_field_bits(f);
    next = f->low + f->width;
  }
  CHECK(next == 8u * format->entry_bytes);
  CHECK(covered == address_mask(8 * format->entry_bytes));
}

TEST_CASE("format: every fields table covers each bit exactly once, in order")
{
  for (enum machine_mode mode : modes) {
    const struct format *format = format_of(mode);
    for (unsigned i = 0; i < format->levels; i++) {
      CAPTURE(std::string(format->name));
      CAPTURE(std::string(format->level[i].name));
      if (format->level[i].table_fields)
        check_fields(format, format->level[i].table_fields);
      if (format->level[i].leaf_fields)
        check_fields(format, format->level[i].leaf_fields);
    }
  }
}

TEST_CASE("format: the index widths and the page offset add up to the linear address")
{
  for (enum machine_mode mode : modes) {
    const struct format *format = format_of(mode);
    CAPTURE(std::string(format->name));
    CHECK(format->mode == mode);
    unsigned above = format->linear_bits;
    for (unsigned i = 0; i < format->levels; i++) {
      above -= format->level[i].index_bits;
      CHECK(format->level[i].shift == above);
    }
    CHECK(above == PAGE_SHIFT);
  }
  CHECK(format_of(MACHINE_OFF) == nullptr);
}

TEST_CASE("format: a table is a page or less, and leaves and tables have the rows they need")
{
  for (enum machine_mode mode : modes) {
    const struct format *format = format_of(mode);
    for (unsigned i = 0; i < format->levels; i++) {
      const struct format_level &l = format->level[i];
      CAPTURE(std::string(l.name));
      CHECK(((unsigned)format->entry_bytes << l.index_bits) <= PAGE_SIZE);
      CHECK((l.leaf_fields != nullptr) == (l.leaf != LEAF_NEVER));
      CHECK((l.table_fields != nullptr) == (l.leaf != LEAF_ALWAYS));
      CHECK((l.leaf == LEAF_ALWAYS) == (i + 1u == format->levels));
      if (l.leaf == LEAF_IF_PS) {
        CHECK(format_field_of(l.leaf_fields, ROLE_PS)->low == format_field_of(l.table_fields, ROLE_PS)->low);
      }
    }
  }
}

static uint64_t ignored_bits(const struct format_field *fields)
{
  uint64_t all = 0;
  FORMAT_FOR_EACH_FIELD(f, fields) {
    if (f->role == ROLE_IGNORED)
      all |= format_field_bits(f);
  }
  return all;
}

/* Split and merge leave software's bits where they are, which is right only if they are software's at every leaf. */
TEST_CASE("format: the bits that software owns are the same in all leaves of a format")
{
  for (enum machine_mode mode : modes) {
    const struct format *format = format_of(mode);
    uint64_t expected = ignored_bits(format->level[format->levels - 1].leaf_fields);
    for (unsigned i = 0; i < format->levels; i++) {
      if (format->level[i].leaf_fields)
        CHECK(ignored_bits(format->level[i].leaf_fields) == expected);
    }
  }
}

TEST_CASE("format: the roles share out the bits of any entry, each to one")
{
  Random random(test_seed());
  for (int round = 0; round < 20000; round++) {
    enum machine_mode mode = modes[random.below(4)];
    struct paging paging = paging_with(mode, (unsigned)random.below(128), 32 + (unsigned)random.below(21));
    unsigned level = (unsigned)random.below(paging.format->levels);
    uint64_t entry = random.next() & address_mask(8 * paging.format->entry_bytes);
    uint64_t seen = 0, twice = 0;
    for (unsigned role = ROLE_P; role <= ROLE_IGNORED; role++) {
      uint64_t mask = format_mask(&paging, level, entry, (enum field_role)role);
      twice |= seen & mask;
      seen |= mask;
    }
    REQUIRE(twice == 0);
    REQUIRE(seen == address_mask(8 * paging.format->entry_bytes));
  }
}

/* ---- Reserved bits ------------------------------------------------------------------------------------------------------ */

struct reserved_fact {
  enum machine_mode mode;
  unsigned level;
  uint64_t entry;
  unsigned without; /* conditions that do not hold */
  unsigned maxphyaddr;
  uint64_t reserved;
};

TEST_CASE("format: reserved bits as the SDM lists them")
{
  static const reserved_fact facts[] = {
    {MACHINE_32, 0, 0x81, 0, 32, 0x003fe000},
    {MACHINE_32, 0, 0x81, 0, 36, 0x003e0000},
    {MACHINE_32, 0, 0x81, 0, 40, 0x00200000},
    {MACHINE_32, 0, 0x81, 0, 52, 0x00200000},
    {MACHINE_32, 0, 0x81, CONDITION_PSE36, 36, 0x003fe000},
    {MACHINE_32, 0, 0x81, CONDITION_PSE36 | CONDITION_PAT, 36, 0x003ff000},
    {MACHINE_32, 0, 0x81, CONDITION_PSE, 36, 0},
    {MACHINE_32, 0, 0x01, 0, 36, 0},
    {MACHINE_32, 1, 0x01, 0, 36, 0},
    {MACHINE_32, 1, 0x01, CONDITION_PAT, 36, 0x80},
    {MACHINE_32, 1, 0x01, CONDITION_PAT | CONDITION_PSE, 36, 0},
    {MACHINE_PAE, 0, 0x01, 0, 36, 0xfffffff0000001e6},
    {MACHINE_PAE, 0, 0x01, 0, 52, 0xfff00000000001e6},
    {MACHINE_PAE, 1, 0x01, 0, 36, 0x7ffffff000000000},
    {MACHINE_PAE, 1, 0x81, 0, 36, 0x7ffffff0001fe000},
    {MACHINE_PAE, 1, 0x81, CONDITION_NXE, 40, 0xffffff00001fe000},
    {MACHINE_PAE, 2, 0x01, 0, 40, 0x7fffff0000000000},
    {MACHINE_PAE, 2, 0x01, CONDITION_PAT, 40, 0x7fffff0000000080},
    {MACHINE_4LEVEL, 0, 0x01, 0, 52, 0x80},
    {MACHINE_4LEVEL, 0, 0x81, 0, 46, 0x000fc00000000080},
    {MACHINE_4LEVEL, 1, 0x01, 0, 40, 0x000fff0000000000},
    {MACHINE_4LEVEL, 1, 0x81, 0, 40, 0x000fff003fffe000},
    {MACHINE_4LEVEL, 1, 0x81, CONDITION_PAGE1GB, 40, 0x000fff0000000080},
    {MACHINE_4LEVEL, 2, 0x81, 0, 40, 0x000fff00001fe000},
    {MACHINE_4LEVEL, 3, 0x01, 0, 40, 0x000fff0000000000},
    {MACHINE_4LEVEL, 3, 0x01, CONDITION_NXE, 40, 0x800fff0000000000},
    {MACHINE_4LEVEL, 3, 0x01, CONDITION_PKE, 52, 0},
    {MACHINE_5LEVEL, 0, 0x01, CONDITION_NXE, 52, 0x8000000000000080},
    {MACHINE_5LEVEL, 1, 0x01, 0, 52, 0x80},
    {MACHINE_5LEVEL, 2, 0x81, 0, 52, 0x3fffe000},
  };
  for (const reserved_fact &f : facts) {
    struct paging paging = paging_with(f.mode, all_conditions & ~f.without, f.maxphyaddr);
    CAPTURE(std::string(paging.format->name));
    CAPTURE(f.level);
    CAPTURE(f.entry);
    CAPTURE(f.without);
    CAPTURE(f.maxphyaddr);
    CHECK(format_reserved(&paging, f.level, f.entry) == f.reserved);
  }
}

static uint64_t book_32(const struct paging &p, bool pde, uint64_t entry)
{
  bool pat = p.conditions & CONDITION_PAT;
  if (!(p.conditions & CONDITION_PSE))
    return 0;
  if (!pde)
    return pat ? 0 : bits(7, 7);
  if (!(entry & 0x80))
    return 0;
  unsigned m = p.maxphyaddr < 40 ? p.maxphyaddr : 40;
  return ((p.conditions & CONDITION_PSE36) ? bits(21, m - 19) : bits(21, 13)) | (pat ? 0 : bits(12, 12));
}

static uint64_t book_leaf(const struct paging &p, unsigned shift)
{
  uint64_t pat = p.conditions & CONDITION_PAT ? 0 : (shift == 12 ? bits(7, 7) : bits(12, 12));
  return pat | (shift == 12 ? 0 : bits(shift - 1, 13));
}

static uint64_t book_64(const struct paging &p, unsigned shift, uint64_t entry)
{
  bool pae = p.format->mode == MACHINE_PAE;
  if (pae && shift == 30)
    return bits(63, p.maxphyaddr) | bits(2, 1) | bits(8, 5);
  uint64_t all = pae ? bits(62, p.maxphyaddr) : bits(51, p.maxphyaddr);
  if (!(p.conditions & CONDITION_NXE))
    all |= bits(63, 63);
  if (shift >= 39)
    return all | bits(7, 7);
  if (shift == 30 && !(p.conditions & CONDITION_PAGE1GB))
    return all | bits(7, 7);
  return shift == 12 || (entry & 0x80) ? all | book_leaf(p, shift) : all;
}

TEST_CASE("format: reserved bits of random entries agree with the SDM's tables written out")
{
  Random random(test_seed() + 1);
  for (int round = 0; round < 50000; round++) {
    enum machine_mode mode = modes[random.below(4)];
    struct paging paging = paging_with(mode, (unsigned)random.below(128), 32 + (unsigned)random.below(21));
    unsigned level = (unsigned)random.below(paging.format->levels);
    uint64_t entry = random.next() & address_mask(8 * paging.format->entry_bytes);
    uint64_t expected = mode == MACHINE_32 ? book_32(paging, level == 0, entry) : book_64(paging, paging.format->level[level].shift, entry);
    CAPTURE(std::string(paging.format->name));
    CAPTURE(level);
    CAPTURE(paging.conditions);
    REQUIRE(format_reserved(&paging, level, entry) == expected);
  }
}

/* ---- Addresses ---------------------------------------------------------------------------------------------------------- */

TEST_CASE("format: addresses of known entries")
{
  struct paging p32 = paging_with(MACHINE_32, all_conditions, 40);
  struct paging p4 = paging_with(MACHINE_4LEVEL, all_conditions, 46);
  CHECK(format_address(&p32, 0, 0x12345067).v == 0x12345000);
  CHECK(format_address(&p32, 0, 0x12400087).v == 0x12400000);
  CHECK(format_address(&p32, 0, 0x00402087).v == 0x100400000); /* PSE-36: bit 13 is address bit 32 */
  CHECK(format_address(&p32, 0, 0x005fe087).v == 0xff00400000);
  CHECK(format_address(&p32, 1, 0xfffff007).v == 0xfffff000);
  CHECK(format_address(&p4, 3, 0xffffffffffffffff).v == 0x3ffffffff000);
  CHECK(format_address(&p4, 2, 0x80000000402000e7).v == 0x40200000);
  CHECK(format_address(&p4, 1, 0x80000000400000e7).v == 0x40000000);
  struct paging no_pse = paging_with(MACHINE_32, all_conditions & ~CONDITION_PSE, 40);
  CHECK_FALSE(format_is_leaf(&no_pse, 0, 0x12345087));
  CHECK(format_address(&no_pse, 0, 0x12345087).v == 0x12345000);
}

TEST_CASE("format: an address goes into an entry and comes out, and touches nothing else")
{
  Random random(test_seed() + 2);
  unsigned fitting = 0;
  for (int round = 0; round < 50000; round++) {
    enum machine_mode mode = modes[random.below(4)];
    struct paging paging = paging_with(mode, (unsigned)random.below(128), 32 + (unsigned)random.below(21));
    unsigned level = (unsigned)random.below(paging.format->levels);
    uint64_t entry = random.next() & address_mask(8 * paging.format->entry_bytes);
    bool leaf = format_is_leaf(&paging, level, entry);
    unsigned align = leaf ? paging.format->level[level].shift : 12;
    paddr_t pa = paddr((random.next() & address_mask(random.coin() ? 32 : 53)) >> align << align);
    uint64_t set = format_set_address(&paging, level, entry, pa);
    bool pse36 = leaf && align == 22 && (paging.conditions & CONDITION_PSE36);
    unsigned widest = mode != MACHINE_32 ? paging.maxphyaddr : !pse36 ? 32 : paging.maxphyaddr < 40 ? paging.maxphyaddr : 40;
    bool fits = (pa.v & ~address_mask(widest)) == 0;
    fitting += fits;
    REQUIRE(format_address_fits(&paging, level, entry, pa) == fits);
    REQUIRE((format_address(&paging, level, set).v == pa.v) == fits);
    uint64_t address = format_mask(&paging, level, entry, ROLE_ADDRESS) | format_mask(&paging, level, entry, ROLE_ADDRESS_HIGH);
    REQUIRE(((set ^ entry) & ~address) == 0);
    REQUIRE(format_set_address(&paging, level, set, format_address(&paging, level, entry)) == entry);
  }
  CHECK(fitting > 1000);
}

/* ---- Words -------------------------------------------------------------------------------------------------------------- */

TEST_CASE("format: flags in words")
{
  struct paging p32 = paging_with(MACHINE_32, all_conditions, 36);
  struct paging p486 = paging_with(MACHINE_32, 0, 32);
  struct paging pae = paging_with(MACHINE_PAE, all_conditions, 36);
  struct paging p4 = paging_with(MACHINE_4LEVEL, all_conditions, 46);
  struct paging no_nx = paging_with(MACHINE_4LEVEL, all_conditions & ~CONDITION_NXE, 46);
  CHECK(flags(p4, 3, 0) == "");
  CHECK(flags(p4, 3, 0x801066) == "");
  CHECK(flags(p4, 3, 0x801001) == "P");
  CHECK(flags(p4, 3, 0x801067) == "P RW US A D");
  CHECK(flags(p4, 3, 0x80000000008011ff) == "P RW US PWT PCD A D PAT G XD");
  CHECK(flags(p4, 2, 0x2011e3) == "P RW A D PS G PAT");
  CHECK(flags(p4, 3, 0x1800000000801007) == "P RW US PK=3");
  CHECK(flags(p4, 0, 0x801087) == "P RW US RSVD");
  CHECK(flags(no_nx, 3, 0x8000000000801003) == "P RW RSVD");
  CHECK(flags(pae, 0, 0x801001) == "P");
  CHECK(flags(pae, 0, 0x801003) == "P RSVD");
  CHECK(flags(pae, 0, 0x801019) == "P PWT PCD");
  CHECK(flags(p32, 0, 0x4000e7) == "P RW US A D PS");
  CHECK(flags(p486, 0, 0x4000a7) == "P RW US A (PS)");
  CHECK(flags(p486, 1, 0x400107) == "P RW US (G)");
}

TEST_CASE("format: differences in words")
{
  struct paging p4 = paging_with(MACHINE_4LEVEL, all_conditions, 46);
  struct paging p486 = paging_with(MACHINE_32, 0, 32);
  CHECK(difference(p4, 3, 0x801003, 0x801003) == "");
  CHECK(difference(p4, 3, 0x801003, 0x801063) == "+A +D");
  CHECK(difference(p4, 3, 0x801063, 0x801001) == "-RW -A -D");
  CHECK(difference(p4, 3, 0x801003, 0x802003) == "address");
  CHECK(difference(p4, 3, 0x801003, 0x802007) == "+US address");
  CHECK(difference(p4, 3, 0, 0x801003) == "+P +RW address");
  CHECK(difference(p4, 3, 0x801003, 0) == "-P -RW address");
  CHECK(difference(p4, 3, 0x801003, 0x801002) == "-P");
  CHECK(difference(p4, 3, 0x801003, 0x801203) == "ignored");
  CHECK(difference(p4, 3, 0x801003, 0x1800000000801003) == "PK=3");
  CHECK(difference(p4, 0, 0x801003, 0x801083) == "+RSVD");
  CHECK(difference(p4, 0, 0x801083, 0x801003) == "-RSVD");
  CHECK(difference(p4, 2, 0x801003, 0xa00083) == "+PS address");
  CHECK(difference(p4, 2, 0x801003, 0xa011c3) == "+D +PS +G +PAT address");
  CHECK(difference(p4, 2, 0xa011c3, 0x801003) == "-PS -D -G -PAT address"); /* flags that a table entry lacks come last */
  CHECK(difference(p4, 2, 0x80000000008011e3, 0) == "-P -RW -A -D -PS -G -PAT -XD address");
  CHECK(difference(p486, 1, 0x801003, 0x801103) == "+G");
}

TEST_CASE("format: words are cut where the buffer ends")
{
  struct paging p4 = paging_with(MACHINE_4LEVEL, all_conditions, 46);
  std::string whole = "P RW US PWT PCD A D PAT G XD";
  for (unsigned size = 1; size < 40; size++) {
    std::vector<char> text(size, 'x'); /* on the heap, so that the sanitizer sees one byte too many */
    CHECK(std::string(format_flags(&p4, 3, 0x80000000008011ff, text.data(), size)) == whole.substr(0, size - 1));
    format_difference(&p4, 3, 0, 0x80000000008011ff, text.data(), size);
    CHECK(std::strlen(text.data()) < size);
  }
}

/* ---- Linear addresses and levels ---------------------------------------------------------------------------------------- */

TEST_CASE("format: canonical addresses")
{
  const struct format *f32 = format_of(MACHINE_32), *f4 = format_of(MACHINE_4LEVEL), *f5 = format_of(MACHINE_5LEVEL);
  CHECK(format_canonical(f32, laddr(0xffffffff)));
  CHECK_FALSE(format_canonical(f32, laddr(0x100000000)));
  CHECK(format_canonical(f4, laddr(0x00007fffffffffff)));
  CHECK_FALSE(format_canonical(f4, laddr(0x0000800000000000)));
  CHECK_FALSE(format_canonical(f4, laddr(0xffff7fffffffffff)));
  CHECK(format_canonical(f4, laddr(0xffff800000000000)));
  CHECK(format_canonical(f5, laddr(0x00ffffffffffffff)));
  CHECK_FALSE(format_canonical(f5, laddr(0x0100000000000000)));
  CHECK(format_canonical(f5, laddr(0xff00000000000000)));
  CHECK(format_sign_extend(f4, 0x0000800000000000).v == 0xffff800000000000);
  CHECK(format_sign_extend(f4, 0xffff7fffffffffff).v == 0x00007fffffffffff);
  CHECK(format_sign_extend(f32, 0x123456789).v == 0x23456789);
  CHECK(format_sign_extend(nullptr, 0x123456789).v == 0x23456789);
}

TEST_CASE("format: indexes and levels by name")
{
  const struct format *pae = format_of(MACHINE_PAE), *f5 = format_of(MACHINE_5LEVEL);
  CHECK(format_index(format_of(MACHINE_32), 0, laddr(0xffc00000)) == 1023);
  CHECK(format_index(pae, 0, laddr(0xc0201000)) == 3);
  CHECK(format_index(pae, 1, laddr(0xc0201000)) == 1);
  CHECK(format_index(pae, 2, laddr(0xc0201000)) == 1);
  CHECK(format_index(f5, 0, laddr(0xffff800000000000)) == 511);
  CHECK(format_index(f5, 1, laddr(0xffff800000000000)) == 256);
  CHECK(format_level_named(pae, "pde") == 1);
  CHECK(format_level_named(pae, "PTE") == 2);
  CHECK(format_level_named(pae, "PML4E") == -1);
  CHECK(format_level_named(f5, "pml5e") == 0);
  CHECK(format_level_named(f5, "PT") == -1);
  CHECK(format_level_named(f5, "PTEs") == -1);
  CHECK(format_level_named(nullptr, "PTE") == -1);
}

TEST_CASE("format: levels by page size, and why there is none")
{
  const char *missing;
  struct paging p32 = paging_with(MACHINE_32, all_conditions, 36);
  struct paging p4 = paging_with(MACHINE_4LEVEL, all_conditions, 36);
  struct paging less = paging_with(MACHINE_4LEVEL, 0, 36);
  struct paging p486 = paging_with(MACHINE_32, 0, 32);
  struct paging pae = paging_with(MACHINE_PAE, all_conditions, 32);
  CHECK(format_level_of_size(&p32, 22, &missing) == 0);
  CHECK(format_level_of_size(&p32, 12, &missing) == 1);
  CHECK(format_level_of_size(&p32, 21, &missing) == -1);
  CHECK(missing == nullptr);
  CHECK(format_level_of_size(&p486, 22, &missing) == -1);
  CHECK(std::string(missing) == "CR4.PSE is 0");
  CHECK(format_level_of_size(&p4, 30, &missing) == 1);
  CHECK(format_level_of_size(&less, 21, &missing) == 2);
  CHECK(format_level_of_size(&less, 30, &missing) == -1);
  CHECK(std::string(missing).find("1 GiB") != std::string::npos);
  CHECK(format_level_of_size(&pae, 30, &missing) == -1);
  CHECK(missing == nullptr);
  CHECK(format_level_of_size(&p4, 39, &missing) == -1);
}

/* ---- The machine -------------------------------------------------------------------------------------------------------- */

TEST_CASE("format: paging_read")
{
  struct paging paging = fake_paging(MACHINE_PAE);
  CHECK(paging.format == format_of(MACHINE_PAE));
  CHECK(paging.root.v == fake.base);
  CHECK(paging.conditions == (all_conditions & ~CONDITION_PKE));
  CHECK(paging.wp);
  CHECK_FALSE(paging.smep);
  fake.registers[REGISTER_CR3] = 0x12345678;
  CHECK(fake_paging_read().root.v == 0x12345660);
  fake.mode = MACHINE_4LEVEL;
  fake.registers[REGISTER_CR3] = 0x8000000000105fff; /* a PCID in the low bits, "no flush" in the highest */
  fake.registers[REGISTER_CR4] |= CR4_SMEP | CR4_SMAP | CR4_PKE;
  fake.registers[REGISTER_FLAGS] = FLAGS_AC;
  fake.registers[REGISTER_PKRU] = 0x55555554;
  paging = fake_paging_read();
  CHECK(paging.root.v == 0x105000);
  CHECK(paging.conditions == all_conditions);
  CHECK((paging.smep && paging.smap && paging.pke && paging.ac && paging.nxe));
  CHECK(paging.pkru == 0x55555554);
  CHECK(paging.maxphyaddr == 40);
  fake_reset();
  fake.cpu.features = 0;
  paging = fake_paging_read();
  CHECK(paging.format == nullptr);
  CHECK(paging.conditions == 0);
}

TEST_CASE("features: a row each, in the order of the enum")
{
  std::set<std::string> names;
  std::set<uint64_t> places;
  unsigned without = 0;
  for (const machine_feature_row &row : machine_features) {
    REQUIRE(row.name != nullptr);
    CAPTURE(std::string(row.name));
    CHECK(names.insert(row.name).second);
    CHECK(std::strlen(row.cpuid_bit) > 0);
    if (row.leaf == 0) {
      without++;
      continue;
    }
    CHECK(places.insert((uint64_t)row.leaf << 16 | row.reg << 8 | row.bit).second);
    CHECK(std::string(row.cpuid_bit).find("[bit " + std::to_string(row.bit) + "]") != std::string::npos);
  }
  CHECK(without == 2); /* CPUID itself, and INVLPG */
  CHECK(std::string(machine_features[FEATURE_PAGE1GB].name) == "1gb-pages");
  CHECK(machine_features[FEATURE_LA57].bit == 16);
}
