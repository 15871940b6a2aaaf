/* What CPUID says of TLBs, and which performance counters there are: decoded from leaves as real CPUs give them. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_machine.h"

#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include "measure/counters.h"
#include "measure/documented.h"
}

static std::vector<std::string> documented()
{
  std::vector<std::string> lines;
  struct documented tlb;
  char text[96];
  for (unsigned i = 0; documented_tlb(i, &tlb); i++)
    lines.push_back(documented_text(&tlb, text, sizeof text));
  return lines;
}

TEST_CASE("documented: leaf 18H, as Sapphire Rapids has it")
{
  fake_reset();
  fake.cpuid[{0, 0}] = {0x20, 0, 0, 0};
  fake.cpuid[{0x18, 0}] = {8, 0, 0, 0};
  fake.cpuid[{0x18, 1}] = {0, 0x00080001, 32, 0x00000022};  /* code, level 1, 4 KiB, 8 ways of 32 sets */
  fake.cpuid[{0x18, 2}] = {0, 0x00060001, 16, 0x00000024};  /* loads, level 1, 4 KiB, 6 ways of 16 sets */
  fake.cpuid[{0x18, 3}] = {0, 0x00100003, 128, 0x00000043}; /* both, level 2, 4 KiB and 2 MiB, 16 ways of 128 sets */
  fake.cpuid[{0x18, 4}] = {0, 0x00100001, 1, 0x00000125};   /* stores, level 1, fully associative */
  CHECK(documented() == std::vector<std::string>{"code, level 1, 4 KiB: 256 entries, 8-way (CPUID.18H)",
                                                 "data, level 1, 4 KiB: 96 entries, 6-way (CPUID.18H)",
                                                 "data and code, level 2, 4 KiB, 2 MiB: 2048 entries, 16-way (CPUID.18H)",
                                                 "data, level 1, 4 KiB: 16 entries, fully associative (CPUID.18H)"});
}

TEST_CASE("documented: leaf 2, as Skylake and the Pentium Pro have it")
{
  fake_reset();
  fake.cpuid[{0, 0}] = {0x16, 0, 0, 0};
  fake.cpuid[{2, 0}] = {0x76036301, 0x00f0b5ff, 0x00000000, 0x00c30000};
  std::vector<std::string> lines = documented();
  REQUIRE(lines.size() == 7);
  CHECK(lines[0] == "data, level 1, 2 MiB, 4 MiB: 32 entries, 4-way (CPUID.02H)");
  CHECK(lines[1] == "data, level 1, 1 GiB: 4 entries, 4-way (CPUID.02H)");
  CHECK(lines[2] == "data, level 1, 4 KiB: 64 entries, 4-way (CPUID.02H)");
  CHECK(lines[4] == "code, level 1, 4 KiB: 64 entries, 8-way (CPUID.02H)");
  CHECK(lines[5] == "data and code, level 2, 4 KiB, 2 MiB: 1536 entries, 6-way (CPUID.02H)");
  fake.cpuid[{0, 0}] = {2, 0, 0, 0};
  fake.cpuid[{2, 0}] = {0x03020101, 0x80000004, 0, 0x06040a42}; /* EBX is not valid: bit 31 */
  lines = documented();
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "code, level 1, 4 KiB: 32 entries, 4-way (CPUID.02H)");
  CHECK(lines[3] == "data, level 1, 4 MiB: 8 entries, 4-way (CPUID.02H)");
}

TEST_CASE("documented: AMD's leaves, as Zen 4 has them")
{
  fake_reset();
  fake.cpuid[{0, 0}] = {0x10, 0, 0, 0};
  fake.cpuid[{0x80000000, 0}] = {0x80000028, 0, 0, 0};
  fake.cpuid[{0x80000005, 0}] = {0xff48ff40, 0xff48ff40, 0, 0};
  fake.cpuid[{0x80000006, 0}] = {0x5c002200, 0x6c004200, 0, 0};
  fake.cpuid[{0x80000019, 0}] = {0xf048f040, 0x0000f040, 0, 0};
  std::vector<std::string> lines = documented();
  REQUIRE(lines.size() == 11);
  CHECK(lines[0] == "code, level 1, 4 KiB: 64 entries, fully associative (CPUID.80000005H)");
  CHECK(lines[1] == "data, level 1, 4 KiB: 72 entries, fully associative (CPUID.80000005H)");
  CHECK(lines[5] == "data, level 2, 4 KiB: 3072 entries, 8-way (CPUID.80000006H)");
  CHECK(lines[10] == "data and code, level 2, 1 GiB: 64 entries, fully associative (CPUID.80000019H)");
}

TEST_CASE("documented: a CPU without CPUID says nothing")
{
  fake_reset();
  CHECK(documented().empty());
}

static std::string why_no_counters()
{
  char why[128] = "";
  return counters_here(why, sizeof why) ? "" : why;
}

TEST_CASE("counters: which CPU has which, and what is missing elsewhere")
{
  fake_reset();
  std::strcpy(fake.cpu.vendor, "GenuineIntel");
  fake.cpu.family = 6;
  fake.cpu.model = 0x8f;
  CHECK(why_no_counters() == "this CPU has no performance counters: CPUID.0AH:EAX[7:0] is 0");
  fake.cpuid[{0, 0}] = {0x20, 0, 0, 0};
  fake.cpuid[{0xa, 0}] = {0x00300805, 0, 0, 0};
  char why[128];
  const struct counters_cpu *cpu = counters_here(why, sizeof why);
  REQUIRE(cpu != nullptr);
  CHECK(std::string(cpu->name) == "Golden Cove");
  fake.cpu.model = 1;
  CHECK(why_no_counters().find("family 0x6 model 0x1 is not in our table") != std::string::npos);
  std::strcpy(fake.cpu.vendor, "AuthenticAMD");
  fake.cpu.family = 0x19;
  CHECK(why_no_counters() == "this CPU has no performance counters: CPUID.80000001H:ECX.PerfCtrExtCore[bit 23] is 0");
  fake.cpuid[{0x80000001, 0}] = {0, 0, 1u << 23, 0};
  CHECK(why_no_counters().empty());
}

TEST_CASE("counters: an event is selected in both rings, counted, and stopped")
{
  fake_reset();
  std::strcpy(fake.cpu.vendor, "GenuineIntel");
  fake.cpu.family = 6;
  fake.cpu.model = 0x55;
  fake.cpuid[{0, 0}] = {0x16, 0, 0, 0};
  fake.cpuid[{0xa, 0}] = {0x07300404, 0, 0, 0};
  char why[128];
  const struct counters_cpu *cpu = counters_here(why, sizeof why);
  REQUIRE(cpu != nullptr);
  fake.msrs[0xc1] = 77;
  counters_begin(&cpu->event[1]);
  CHECK(fake.msrs[0x186] == 0x430e08); /* EN, OS, USR, unit mask 0e, event 08 */
  CHECK(fake.msrs[0x38f] == 1);
  CHECK(fake.msrs[0xc1] == 0);
  fake.msrs[0xc1] = 5;
  CHECK(counters_end() == 5);
  CHECK(fake.msrs[0x186] == 0);
  CHECK(!counters_count()); /* nothing counts here but what the test says */
  CHECK(fake.msrs[0x186] == 0);
}
