#include "measure/counters.h"

#include "lib/format.h"
#include "machine/machine.h"

#include <string.h>

/* IA32_PERFEVTSELx, and AMD's PERF_CTLx, whose event has four bits more in 35:32:
 *   22 EN, 17 OS (ring 0), 16 USR (rings 1 to 3), 15:8 unit mask, 7:0 event */
#define SELECT_ENABLE (1u << 22)
#define SELECT_OS (1u << 17)
#define SELECT_USER (1u << 16)

/* Where the first counter is, and what says that there is one. */
struct counters_registers {
  uint32_t select, counter;
  uint32_t global; /* enables counters as a bit each; 0: there is no such register */
};

#define MSR_GLOBAL_CTRL 0x38fu
static const struct counters_registers intel = {0x186, 0xc1, MSR_GLOBAL_CTRL}, intel_first = {0x186, 0xc1, 0},
                                       amd = {0xc0010200, 0xc0010201, 0};

#define MODELS 10

/* Which family and models a table is for; a family of which it is for all has no models. */
static const struct counters_row {
  const char *vendor;
  uint8_t family;
  uint8_t model[MODELS];
  struct counters_cpu cpu;
} rows[] = {
  {"GenuineIntel",
   6,
   {0x8f, 0xcf, 0x97, 0x9a, 0xb7, 0xba, 0xbf},
   {"Golden Cove",
    "SDM Vol. 3B, Performance-Monitoring Events",
    {{"DTLB_LOAD_MISSES.STLB_HIT", "loads that miss the first level and hit the second", 0x12, 0x20},
     {"DTLB_LOAD_MISSES.WALK_COMPLETED", "page walks of loads", 0x12, 0x0e},
     {"DTLB_LOAD_MISSES.WALK_PENDING", "cycles that page walks of loads take", 0x12, 0x10},
     {"ITLB_MISSES.WALK_COMPLETED", "page walks of fetches", 0x11, 0x0e},
     {"ITLB_MISSES.WALK_PENDING", "cycles that page walks of fetches take", 0x11, 0x10}}}},
  {"GenuineIntel",
   6,
   {0x4e, 0x5e, 0x55, 0x8e, 0x9e, 0xa5, 0xa6, 0x7e, 0x6a, 0x8c},
   {"Skylake to Tiger Lake",
    "SDM Vol. 3B, Performance-Monitoring Events",
    {{"DTLB_LOAD_MISSES.STLB_HIT", "loads that miss the first level and hit the second", 0x08, 0x20},
     {"DTLB_LOAD_MISSES.WALK_COMPLETED", "page walks of loads", 0x08, 0x0e},
     {"DTLB_LOAD_MISSES.WALK_PENDING", "cycles that page walks of loads take", 0x08, 0x10},
     {"ITLB_MISSES.WALK_COMPLETED", "page walks of fetches", 0x85, 0x0e},
     {"ITLB_MISSES.WALK_PENDING", "cycles that page walks of fetches take", 0x85, 0x10}}}},
  {"GenuineIntel",
   6,
   {0x3c, 0x45, 0x46, 0x3f, 0x3d, 0x47, 0x4f, 0x56},
   {"Haswell, Broadwell",
    "SDM Vol. 3B, Performance-Monitoring Events",
    {{"DTLB_LOAD_MISSES.STLB_HIT", "loads that miss the first level and hit the second", 0x08, 0x60},
     {"DTLB_LOAD_MISSES.WALK_COMPLETED", "page walks of loads", 0x08, 0x0e},
     {"DTLB_LOAD_MISSES.WALK_DURATION", "cycles that page walks of loads take", 0x08, 0x10},
     {"ITLB_MISSES.WALK_COMPLETED", "page walks of fetches", 0x85, 0x0e},
     {"ITLB_MISSES.WALK_DURATION", "cycles that page walks of fetches take", 0x85, 0x10}}}},
  {"GenuineIntel",
   6,
   {0x2a, 0x2d},
   {"Sandy Bridge",
    "SDM Vol. 3B, Performance-Monitoring Events",
    {{"DTLB_LOAD_MISSES.STLB_HIT", "loads that miss the first level and hit the second", 0x08, 0x10},
     {"DTLB_LOAD_MISSES.WALK_COMPLETED", "page walks of loads", 0x08, 0x02},
     {"DTLB_LOAD_MISSES.WALK_DURATION", "cycles that page walks of loads take", 0x08, 0x04},
     {"ITLB_MISSES.WALK_COMPLETED", "page walks of fetches", 0x85, 0x02},
     {"ITLB_MISSES.WALK_DURATION", "cycles that page walks of fetches take", 0x85, 0x04}}}},
  {"AuthenticAMD",
   0x17,
   {0},
   {"Zen",
    "PPR for Family 17h, Core Performance Monitor Counters",
    {{"LsL1DTlbMiss, second level hit", "data accesses that miss the first level and hit the second", 0x45, 0x0f},
     {"LsL1DTlbMiss, second level missed", "data accesses that take a page walk", 0x45, 0xf0},
     {"IcL1ItlbMissL2Hit", "fetches that miss the first level and hit the second", 0x84, 0x00},
     {"IcL1ItlbMissL2Miss", "fetches that take a page walk", 0x85, 0x07}}}},
  {"AuthenticAMD",
   0x19,
   {0},
   {"Zen 3 and 4",
    "PPR for Family 19h, Core Performance Monitor Counters",
    {{"LsL1DTlbMiss, second level hit", "data accesses that miss the first level and hit the second", 0x45, 0x0f},
     {"LsL1DTlbMiss, second level missed", "data accesses that take a page walk", 0x45, 0xf0},
     {"BpL1TlbMissL2TlbHit", "fetches that miss the first level and hit the second", 0x84, 0x00},
     {"BpL1TlbMissL2TlbMiss", "fetches that take a page walk", 0x85, 0x0f}}}},
};

static const struct counters_registers *registers;

static bool is_for(const struct counters_row *row, const struct machine_cpu *cpu)
{
  if (strcmp(row->vendor, cpu->vendor) != 0 || row->family != cpu->family)
    return false;
  bool listed = row->model[0] == 0;
  for (unsigned i = 0; i < MODELS && row->model[i]; i++)
    listed = listed || row->model[i] == cpu->model;
  return listed;
}

/* SDM, Architectural Performance Monitoring: CPUID.0AH:EAX 7:0 version, 15:8 counters. Version 1 has no global register. */
static const struct counters_registers *intel_here(void)
{
  uint32_t regs[4];
  machine_cpuid(0, 0, regs);
  if (regs[CPUID_EAX] < 0xa)
    return NULL;
  machine_cpuid(0xa, 0, regs);
  uint32_t version = regs[CPUID_EAX] & 0xff, count = regs[CPUID_EAX] >> 8 & 0xff;
  if (version == 0 || count == 0)
    return NULL;
  return version > 1 ? &intel : &intel_first;
}

/* APM Vol. 3: CPUID Fn8000_0001_ECX[PerfCtrExtCore], bit 23. */
static const struct counters_registers *amd_here(void)
{
  uint32_t regs[4];
  machine_cpuid(0x80000001, 0, regs);
  return regs[CPUID_ECX] >> 23 & 1 ? &amd : NULL;
}

const struct counters_cpu *counters_here(char *why, size_t size)
{
  const struct machine_cpu *cpu = machine_cpu();
  bool is_amd = strcmp(cpu->vendor, "AuthenticAMD") == 0;
  registers = is_amd ? amd_here() : intel_here();
  if (registers == NULL || !machine_features_have(cpu->features, FEATURE_MSR)) {
    format(why, size, "this CPU has no performance counters: %s",
           is_amd ? "CPUID.80000001H:ECX.PerfCtrExtCore[bit 23] is 0" : "CPUID.0AH:EAX[7:0] is 0");
    return NULL;
  }
  for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (is_for(&rows[i], cpu))
      return &rows[i].cpu;
  format(why, size, "this CPU has performance counters, but which events they count in %s family 0x%x model 0x%x is not in our table",
         cpu->vendor, cpu->family, cpu->model);
  return NULL;
}

void counters_begin(const struct counters_event *event)
{
  uint64_t select = SELECT_ENABLE | SELECT_OS | SELECT_USER | (uint64_t)event->umask << 8 | event->event;
  machine_msr_write(registers->select, 0);
  machine_msr_write(registers->counter, 0);
  if (registers->global)
    machine_msr_write(registers->global, 1);
  machine_msr_write(registers->select, select);
}

uint64_t counters_end(void)
{
  uint64_t count = 0;
  machine_msr_write(registers->select, 0);
  machine_msr_read(registers->counter, &count);
  return count;
}

bool counters_count(void)
{
  static const struct counters_event retired = {"INST_RETIRED", "instructions", 0xc0, 0}; /* the same on both makers' CPUs */
  counters_begin(&retired);
  for (volatile unsigned i = 0; i < 1000; i++) {
  }
  return counters_end() > 0;
}
