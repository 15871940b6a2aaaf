// The kernel's own branch of the paging structures, and the framebuffer behind it.
#include <doctest/doctest.h>

#include <cstring>
#include <vector>

extern "C" {
#include "machine/identity.h"
#include "machine/layout.h"
}

namespace
{

struct Tables {
  std::vector<uint64_t> memory = std::vector<uint64_t>((LAYOUT_KERNEL_TABLES + 0x10000) / 8, ~0ULL);
  enum machine_mode mode;

  Tables(enum machine_mode m, uint64_t framebuffer) : mode(m)
  {
    identity_build(mode, reinterpret_cast<uintptr_t>(memory.data()), framebuffer);
  }

  uint64_t entry(uint64_t table, unsigned index) const
  {
    uint64_t value = 0;
    unsigned bytes = identity_entry_bytes(mode);
    std::memcpy(&value, reinterpret_cast<const uint8_t *>(memory.data()) + table + index * bytes, bytes);
    return value;
  }

  // Where a linear address leads; 0 where it does not.
  uint64_t translate(uint64_t va) const
  {
    bool wide = identity_entry_bytes(mode) == 8;
    std::vector<unsigned> shifts = wide ? std::vector<unsigned>{21, 12} : std::vector<unsigned>{22, 12};
    if (mode != MACHINE_32)
      shifts.insert(shifts.begin(), 30);
    if (mode >= MACHINE_4LEVEL)
      shifts.insert(shifts.begin(), 39);
    if (mode == MACHINE_5LEVEL)
      shifts.insert(shifts.begin(), 48);
    uint64_t table = LAYOUT_KERNEL_TABLES;
    for (unsigned shift : shifts) {
      uint64_t e = entry(table, va >> shift & (wide ? 511 : 1023));
      uint64_t address = e & 0xffffffffff000;
      if (!(e & 1))
        return 0;
      if (shift == 12 || (shift == 21 && e & 0x80))
        return address + (va & ((1ULL << shift) - 1));
      table = address;
    }
    return 0;
  }
};

const enum machine_mode modes[] = {MACHINE_32, MACHINE_PAE, MACHINE_4LEVEL, MACHINE_5LEVEL};

TEST_CASE("the low 16 MiB are mapped to themselves, but for page 0 and the windows")
{
  for (enum machine_mode mode : modes)
    for (uint64_t framebuffer : {0x0ULL, 0xfd000000ULL}) {
      Tables t(mode, framebuffer);
      for (uint64_t va = 0; va < LAYOUT_KERNEL_END; va += PAGE_SIZE) {
        bool window = va >= LAYOUT_WINDOWS && va < LAYOUT_WINDOWS + LAYOUT_WINDOW_COUNT * PAGE_SIZE;
        REQUIRE(t.translate(va) == (window ? 0 : va));
      }
    }
}

TEST_CASE("a framebuffer is behind them")
{
  const uint64_t somewhere = 0xfd123000, page = LAYOUT_FRAMEBUFFER_PAGE;
  for (enum machine_mode mode : modes) {
    CHECK(identity_framebuffer(mode, somewhere));
    Tables with(mode, somewhere), without(mode, 0);
    for (uint64_t va = LAYOUT_FRAMEBUFFER; va < LAYOUT_FRAMEBUFFER_END; va += PAGE_SIZE) {
      REQUIRE(with.translate(va) == (somewhere & ~(page - 1)) + va - LAYOUT_FRAMEBUFFER);
      REQUIRE(without.translate(va) == 0);
    }
    CHECK(with.translate(LAYOUT_FRAMEBUFFER_END) == 0);
  }
}

TEST_CASE("one above 4 GiB takes 8-byte entries")
{
  const uint64_t high = 0x4000000000;
  CHECK_FALSE(identity_framebuffer(MACHINE_32, high));
  CHECK_FALSE(identity_framebuffer(MACHINE_OFF, 0xfd000000));
  CHECK_FALSE(identity_framebuffer(MACHINE_4LEVEL, 0));
  CHECK(Tables(MACHINE_32, high).translate(LAYOUT_FRAMEBUFFER) == 0);
  CHECK(Tables(MACHINE_PAE, high).translate(LAYOUT_FRAMEBUFFER + 5) == high + 5);
  CHECK(Tables(MACHINE_4LEVEL, high).translate(LAYOUT_FRAMEBUFFER + 5) == high + 5);
}

} // namespace
