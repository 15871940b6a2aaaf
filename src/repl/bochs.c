#include "repl/bochs.h"

#include "lab/lab.h"
#include "repl/state.h"
#include "repl/watch.h"

#define ROUNDS 8
#define EXPECTED_MAX 160

/* Bochs 2.x and 3.x: direct-mapped, a place for each value of the page number's low bits. */
static const struct bochs_tlb {
  const char *name, *serves;
  uint16_t places;
} tlbs[] = {{"DTLB", "data", 2048}, {"ITLB", "code", 1024}};

#define DTLB_BYTES (2048ULL * PAGE_SIZE)

static uint64_t ticks_of_read(laddr_t va)
{
  struct machine_access access = {.op = OP_READ, .va = va, .size = 4};
  return machine_access(&access).ticks;
}

/* Bochs's clock counts instructions: what is done takes as long each time, whether the TLB has the translation or not. */
static bool clock_counts_instructions(laddr_t va)
{
  const struct machine_invlpg operand = {.va = va};
  uint64_t first = ticks_of_read(va);
  for (unsigned i = 0; i < ROUNDS; i++) {
    machine_invlpg(&operand);
    uint64_t miss = ticks_of_read(va), hit = ticks_of_read(va);
    if (miss != first || hit != first)
      return false;
  }
  return first != 0;
}

/* Whether a read of @p va makes the CPU walk: then A comes back where it was cleared. */
static bool read_walks(laddr_t va, const struct walk_step *leaf, uint64_t a)
{
  uint64_t after = 0;
  machine_entry_write(leaf->at, lab_paging()->format->entry_bytes, leaf->entry & ~a);
  ticks_of_read(va);
  machine_entry_read(leaf->at, lab_paging()->format->entry_bytes, &after);
  machine_entry_write(leaf->at, lab_paging()->format->entry_bytes, leaf->entry);
  return (after & a) != 0;
}

/* Where the DTLB is direct-mapped with 2048 places, one page 8 MiB away pushes a page out, and pages less far away do not. The frames M0
 * and M1 are 8 MiB apart, and identity-mapped in 4 KiB pages, whose A flag is set; here far from what students map there. */
static bool tlb_is_direct_mapped(void)
{
  const struct machine_layout *layout = machine_layout();
  const uint64_t offset = 0x278000;
  if (layout->big[0].v == 0 || layout->big[1].v != layout->big[0].v + DTLB_BYTES)
    return false;
  laddr_t va = laddr(layout->big[0].v + offset), far = laddr(layout->big[1].v + offset);
  struct walk walk = walk_run(lab_paging(), va);
  const struct walk_step *leaf = walk_last(&walk);
  uint64_t a = format_mask(lab_paging(), leaf->level, leaf->entry, ROLE_A);
  ticks_of_read(va);
  for (uint64_t distance = PAGE_SIZE; distance <= MIB; distance *= 2) {
    ticks_of_read(laddr(va.v - distance));
    if (read_walks(va, leaf, a))
      return false;
  }
  ticks_of_read(far);
  bool pushed_out = read_walks(va, leaf, a), back = !read_walks(va, leaf, a);
  return pushed_out && back;
}

static enum bochs_verdict judge(void)
{
  struct machine_tlb_array array;
  if (machine_tlb_array(0, &array))
    return BOCHS_NOT_SIMULATED;
  if (machine_mode() == MACHINE_OFF)
    return BOCHS_UNKNOWN;
  if (!machine_features_have(machine_cpu()->features, FEATURE_TSC) || !clock_counts_instructions(laddr(machine_layout()->frames.v)))
    return BOCHS_NOT_BY_CLOCK;
  return tlb_is_direct_mapped() ? BOCHS : BOCHS_NOT_BY_TLB;
}

void bochs_judge(void)
{
  struct state *state = state_get();
  if (state->bochs == BOCHS_UNKNOWN)
    state->bochs = (uint8_t)judge();
}

bool bochs_here(void)
{
  return state_get()->bochs == BOCHS;
}

const char *bochs_why_not(void)
{
  static const char *const reasons[] = {
    [BOCHS_UNKNOWN] = "whether this is Bochs cannot be found out without paging: 'mode 32' turns it on",
    [BOCHS] = "",
    [BOCHS_NOT_BY_CLOCK] = "this is not Bochs: its clock does not count instructions",
    [BOCHS_NOT_BY_TLB] = "this is not Bochs: its TLB is not direct-mapped with 2048 places",
    [BOCHS_NOT_SIMULATED] = "this is not Bochs but the simulated machine, which has no debugger: 'tlb' looks into its TLB",
  };
  return reasons[state_get()->bochs];
}

static void places(struct record *r, laddr_t va)
{
  struct record_node *list = record_array(r, &r->root, "sets", NULL);
  for (unsigned i = 0; i < sizeof tlbs / sizeof tlbs[0]; i++) {
    struct record_node *row = record_object(r, list, NULL);
    record_string(r, row, "array", tlbs[i].name);
    record_string(r, row, "for", tlbs[i].serves);
    record_count(r, row, "set", va.v / PAGE_SIZE % tlbs[i].places);
    record_count(r, row, "of", tlbs[i].places);
    record_count(r, row, "ways", 1);
  }
}

void bochs_report_at(struct record *r, laddr_t va)
{
  char expected[EXPECTED_MAX];
  uint64_t page = va.v & ~(uint64_t)(PAGE_SIZE - 1);
  record_hex(r, &r->root, "va", va.v);
  places(r, va);
  record_string(r, &r->root, "answer", "Bochs's debugger shows what is there");
  record_format(
    r, &r->root, "ask",
    "Ctrl-C in the debugger, 'tlb 0x%llx', then 'c' to go on; a TLB holds the page if its lpf is 0x%llx, all ones is an empty place",
    (unsigned long long)page, (unsigned long long)page);
  bool may = watch_describe(va, expected, sizeof expected);
  record_format(r, &r->root, "expected", "%s%s", may ? "may be cached as " : "", expected);
}

void bochs_report(struct record *r)
{
  record_string(r, &r->root, "answer", "Bochs's debugger shows it");
  record_string(
    r, &r->root, "ask",
    "'tools/bochs-tlb' beside it shows what comes and goes; or Ctrl-C in the debugger, 'show \"DTLB\"', 'show \"ITLB\"', then 'c'");
}
