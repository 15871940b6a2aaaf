/* Commands that look and change nothing: walk, maps, tlb, regs, cpu, frames, va, dump. */
#include "lib/format.h"
#include "machine/console.h"
#include "repl/capacity.h"
#include "repl/common.h"
#include "repl/tlb.h"

#include <string.h>

static const char *end_text(enum walk_end end)
{
  switch (end) {
  case WALK_MAPPED: return "mapped";
  case WALK_NOT_PRESENT: return "not present";
  case WALK_RESERVED: return "reserved bit set";
  case WALK_NOT_CANONICAL: return "not canonical";
  default: return "no memory";
  }
}

/* What one entry means, in words: the next table, the page, or nothing. */
static void step_means(const struct walk_step *step, char *text, unsigned size)
{
  const struct paging *paging = lab_paging();
  char name[32];
  paddr_t at = format_address(paging, step->level, step->entry);
  if (!(step->entry & 1))
    format(text, size, "not present");
  else if (step->leaf)
    format(text, size, "%s page, %s", common_size_name(paging->format->level[step->level].shift), lab_frame_name(at, name, sizeof name));
  else
    format(text, size, "table at 0x%llx", (unsigned long long)at.v);
}

static void step_row(struct record *r, struct record_node *list, const struct walk_step *step)
{
  char text[96];
  const struct paging *paging = lab_paging();
  struct record_node *row = record_object(r, list, NULL);
  record_string(r, row, "level", paging->format->level[step->level].name);
  record_count(r, row, "index", step->index);
  record_hex(r, row, "at", step->at.v);
  record_hex(r, row, "entry", step->entry);
  step_means(step, text, sizeof text);
  record_string(r, row, "means", text);
  record_string(r, row, "flags", format_flags(paging, step->level, step->entry, text, sizeof text));
}

static void rights_text(const struct walk *walk, char *text, unsigned size)
{
  format(text, size, "%s %s%s%s", walk->user ? "user" : "supervisor", walk->writable ? "read-write" : "read-only",
         walk->executable ? "" : " no-execute", walk->global ? " global" : "");
}

static bool cmd_walk(const struct args *args, struct record *r)
{
  char text[64];
  struct walk walk = walk_run(lab_paging(), laddr(args_number(args, "va", 0)));
  record_hex(r, &r->root, "va", walk.va.v);
  record_string(r, &r->root, "end", end_text(walk.end));
  if (walk.end == WALK_MAPPED) {
    record_hex(r, &r->root, "pa", walk.pa.v);
    record_string(r, &r->root, "frame", lab_frame_name(walk.pa, text, sizeof text));
    record_string(r, &r->root, "size", common_size_name(walk.shift));
    rights_text(&walk, text, sizeof text);
    record_string(r, &r->root, "rights", text);
  }
  struct record_node *list = record_array(r, &r->root, "levels", NULL);
  for (unsigned i = 0; i < walk.steps; i++)
    step_row(r, list, &walk.step[i]);
  return true;
}

/* ---- maps ---- */

/* Neighbouring pages with the same size and flags and one run of frames are one line. */
struct run {
  bool open;
  uint64_t va, pa, bytes, flag_bits;
  unsigned shift;
  uint8_t level;
};

struct maps {
  struct record *record;
  struct record_node *list;
  struct run run;
  uint64_t from, to; /* inclusive */
  unsigned rows;
  bool stopped;
};

#define MAPS_ROWS 200

static void run_close(struct maps *maps)
{
  char text[64];
  struct run *run = &maps->run;
  struct record *r = maps->record;
  if (!run->open)
    return;
  run->open = false;
  if (maps->rows == MAPS_ROWS) {
    maps->stopped = true;
    return;
  }
  maps->rows++;
  struct record_node *row = record_object(r, maps->list, NULL);
  record_hex(r, row, "va", run->va);
  record_hex(r, row, "end", run->va + run->bytes - 1);
  record_hex(r, row, "pa", run->pa);
  record_string(r, row, "frame", lab_frame_name(paddr(run->pa), text, sizeof text));
  record_string(r, row, "size", common_size_name(run->shift));
  record_count(r, row, "pages", run->bytes >> run->shift);
  record_string(r, row, "flags", format_flags(lab_paging(), run->level, run->flag_bits, text, sizeof text));
}

static void run_add(struct maps *maps, unsigned level, uint64_t va, uint64_t entry)
{
  const struct paging *paging = lab_paging();
  unsigned shift = paging->format->level[level].shift;
  uint64_t pa = format_address(paging, level, entry).v;
  uint64_t flag_bits = format_set_address(paging, level, entry, paddr(0));
  struct run *run = &maps->run;
  bool continues =
    run->open && run->shift == shift && run->flag_bits == flag_bits && run->va + run->bytes == va && run->pa + run->bytes == pa;
  if (!continues) {
    run_close(maps);
    *run = (struct run){.open = true, .va = va, .pa = pa, .flag_bits = flag_bits, .shift = shift, .level = (uint8_t)level};
  }
  run->bytes += 1ULL << shift;
}

static void maps_table(struct maps *maps, unsigned level, paddr_t table, uint64_t base)
{
  const struct paging *paging = lab_paging();
  const struct format_level *l = &paging->format->level[level];
  for (unsigned i = 0; i < 1u << l->index_bits && !maps->stopped; i++) {
    uint64_t va = format_sign_extend(paging->format, base + ((uint64_t)i << l->shift)).v, entry;
    if (va > maps->to || va + ((1ULL << l->shift) - 1) < maps->from)
      continue;
    if (console_interrupted())
      maps->stopped = true;
    if (!machine_entry_read(paddr(table.v + (uint64_t)i * paging->format->entry_bytes), paging->format->entry_bytes, &entry) ||
        !(entry & 1))
      continue;
    if (format_is_leaf(paging, level, entry))
      run_add(maps, level, va, entry);
    else if (level + 1u < paging->format->levels)
      maps_table(maps, level + 1, format_address(paging, level, entry), va);
  }
}

static bool cmd_maps(const struct args *args, struct record *r)
{
  struct maps maps = {.record = r, .from = machine_layout()->kernel_end, .to = ~0ULL};
  if (args_has(args, "from")) {
    maps.from = args_number(args, "from", 0);
    maps.to = maps.from + args_number(args, "bytes", 1) - 1;
  } else if (args_has(args, "all")) {
    maps.from = 0;
  }
  maps.list = record_array(r, &r->root, "maps", NULL);
  maps_table(&maps, 0, lab_paging()->root, 0);
  run_close(&maps);
  record_count(r, &r->root, "rows", maps.rows);
  if (maps.stopped)
    record_string(r, &r->root, "more", "there is more: name a range");
  return true;
}

/* ---- registers and CPU ---- */

struct flag {
  const char *name;
  uint64_t bit;
};

struct shown_register {
  const char *name;
  enum machine_register reg;
  struct flag flags[18];
};

// clang-format off
static const struct shown_register shown_registers[] = {
  {"CR0", REGISTER_CR0, {{"PE", CR0_PE}, {"MP", CR0_MP}, {"EM", CR0_EM}, {"TS", CR0_TS}, {"ET", CR0_ET}, {"NE", CR0_NE},
                         {"WP", CR0_WP}, {"AM", CR0_AM}, {"NW", CR0_NW}, {"CD", CR0_CD}, {"PG", CR0_PG}}},
  {"CR2", REGISTER_CR2, {{NULL, 0}}},
  {"CR3", REGISTER_CR3, {{"PWT", 1 << 3}, {"PCD", 1 << 4}}},
  {"CR4", REGISTER_CR4, {{"TSD", CR4_TSD}, {"PSE", CR4_PSE}, {"PAE", CR4_PAE}, {"MCE", 1 << 6}, {"PGE", CR4_PGE},
                         {"LA57", CR4_LA57}, {"PCIDE", CR4_PCIDE}, {"SMEP", CR4_SMEP}, {"SMAP", CR4_SMAP}, {"PKE", CR4_PKE}}},
  {"EFER", REGISTER_EFER, {{"LME", EFER_LME}, {"LMA", EFER_LMA}, {"NXE", EFER_NXE}}},
  {"FLAGS", REGISTER_FLAGS, {{"AC", FLAGS_AC}}},
};
// clang-format on

static bool cmd_regs(const struct args *args, struct record *r)
{
  (void)args;
  struct record_node *list = record_array(r, &r->root, "registers", NULL);
  for (unsigned i = 0; i < sizeof shown_registers / sizeof shown_registers[0]; i++) {
    const struct shown_register *s = &shown_registers[i];
    uint64_t value = machine_register_read(s->reg);
    char text[80] = "";
    size_t used = 0;
    for (const struct flag *f = s->flags; f < s->flags + 18 && f->name; f++)
      if (value & f->bit && used < sizeof text)
        used += (size_t)format(text + used, sizeof text - used, "%s%s", used ? " " : "", f->name);
    struct record_node *row = record_object(r, list, NULL);
    record_string(r, row, "name", s->name);
    record_hex(r, row, "value", value);
    record_string(r, row, "flags", text);
  }
  return true;
}

static bool cmd_cpu(const struct args *args, struct record *r)
{
  (void)args;
  const struct machine_cpu *cpu = machine_cpu();
  record_string(r, &r->root, "vendor", cpu->vendor);
  record_string(r, &r->root, "brand", cpu->brand);
  record_count(r, &r->root, "family", cpu->family);
  record_count(r, &r->root, "model", cpu->model);
  record_count(r, &r->root, "stepping", cpu->stepping);
  record_count(r, &r->root, "physical_bits", cpu->maxphyaddr);
  record_count(r, &r->root, "linear_bits", cpu->linear_bits);
  struct record_node *list = record_array(r, &r->root, "features", NULL);
  for (unsigned i = 0; i < FEATURES; i++) {
    struct record_node *row = record_object(r, list, NULL);
    record_string(r, row, "name", machine_features[i].name);
    record_bool(r, row, "here", machine_features_have(cpu->features, (enum machine_feature)i) != 0);
    record_string(r, row, "bit", machine_features[i].cpuid_bit);
  }
  capacity_documented(r);
  return true;
}

/* ---- frames and memory ---- */

static void frame_row(struct record *r, struct record_node *list, const char *name, uint64_t pa, uint64_t bytes, const char *what)
{
  struct record_node *row = record_object(r, list, NULL);
  record_string(r, row, "name", name);
  record_hex(r, row, "pa", pa);
  record_count(r, row, "kib", bytes / KIB);
  record_string(r, row, "what", what);
}

static bool cmd_frames(const struct args *args, struct record *r)
{
  (void)args;
  const struct machine_layout *l = machine_layout();
  struct machine_range range;
  struct record_node *list = record_array(r, &r->root, "frames", NULL);
  frame_row(r, list, "A..Z", l->frames.v, (uint64_t)l->frame_count * PAGE_SIZE, "a 4 KiB page each, full of its letter");
  for (unsigned i = 0; i < 2; i++) {
    char name[3] = {'M', (char)('0' + i), '\0'};
    if (l->big[i].v)
      frame_row(r, list, name, l->big[i].v, 4 * MIB, "for large pages; each 4 KiB is full of its own address");
  }
  struct record_node *memory = record_array(r, &r->root, "memory", NULL);
  for (unsigned i = 0; machine_memory(i, &range); i++) {
    struct record_node *row = record_object(r, memory, NULL);
    record_hex(r, row, "from", range.base.v);
    record_hex(r, row, "to", range.base.v + range.length - 1);
    record_string(r, row, "use", range.usable ? "RAM" : "reserved");
  }
  record_count(r, &r->root, "tables_used", lab_tables_used());
  record_count(r, &r->root, "tables", l->table_count);
  return true;
}

static bool cmd_va(const struct args *args, struct record *r)
{
  const struct format *format_now = lab_paging()->format;
  laddr_t va = laddr(args_number(args, "va", 0));
  record_hex(r, &r->root, "va", va.v);
  record_bool(r, &r->root, "canonical", format_canonical(format_now, va));
  record_hex(r, &r->root, "offset", va.v & (PAGE_SIZE - 1));
  struct record_node *list = record_array(r, &r->root, "indexes", NULL);
  for (unsigned level = 0; level < format_now->levels; level++) {
    const struct format_level *l = &format_now->level[level];
    char bits[16];
    format(bits, sizeof bits, "%u:%u", l->shift + l->index_bits - 1u, l->shift);
    struct record_node *row = record_object(r, list, NULL);
    record_string(r, row, "level", l->name);
    record_string(r, row, "bits", bits);
    record_count(r, row, "index", format_index(format_now, level, va));
    record_string(r, row, "of", l->table_name);
  }
  return true;
}

static bool cmd_tlb(const struct args *args, struct record *r)
{
  const struct args_value *va = args_get(args, "va");
  return va ? tlb_report_at(r, laddr(va->number)) : tlb_report(r);
}

/* ---- dump ---- */

#define DUMP_MAX 1024

/* Looks through the kernel's own window: it fills no TLB entry for the student's page, and sets no A flag. */
static bool dump_byte(bool physical, uint64_t at, paddr_t *pa, uint8_t *byte)
{
  *pa = paddr(at);
  if (!physical) {
    struct walk walk = walk_run(lab_paging(), laddr(at));
    if (walk.end != WALK_MAPPED)
      return false;
    *pa = walk.pa;
  }
  lab_frame_stamp(*pa);
  const uint8_t *memory = machine_physical(*pa);
  if (memory != NULL)
    *byte = *memory;
  return memory != NULL;
}

static void dump_row(struct record *r, struct record_node *list, uint64_t at, const uint8_t *bytes, unsigned count)
{
  char hex[16 * 3 + 1] = "", ascii[17] = "";
  for (unsigned i = 0; i < count; i++) {
    format(hex + (size_t)i * 3, 4, "%02x ", bytes[i]);
    ascii[i] = bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '.';
    ascii[i + 1] = '\0';
  }
  hex[(size_t)count * 3 - 1] = '\0';
  struct record_node *row = record_object(r, list, NULL);
  record_hex(r, row, "at", at);
  record_string(r, row, "bytes", hex);
  record_string(r, row, "text", ascii);
}

static bool cmd_dump(const struct args *args, struct record *r)
{
  const struct args_value *place = args_get(args, "at");
  bool physical = place->number2 != 0;
  uint64_t count = args_number(args, "bytes", 64), at = place->number;
  if (count > DUMP_MAX)
    return record_usage(r, args_get(args, "bytes")->at, "%llu bytes are too many: at most %u at a time", (unsigned long long)count,
                        DUMP_MAX);
  struct record_node *list = record_array(r, &r->root, "bytes", "{at%16}  {bytes%-47}  {text}");
  uint8_t line[16];
  for (uint64_t done = 0; done < count;) {
    unsigned length = 0;
    paddr_t pa;
    while (length < sizeof line && done + length < count && dump_byte(physical, at + done + length, &pa, &line[length]))
      length++;
    if (length > 0)
      dump_row(r, list, at + done, line, length);
    done += length;
    if (length < sizeof line && done < count)
      return record_refuse(r, "%s 0x%llx there is nothing to show: %s", physical ? "at p:" : "at", (unsigned long long)(at + done),
                           physical ? "no RAM the kernel can see" : "no page is mapped, or not to RAM");
  }
  return true;
}

static const struct command commands[] = {
  {.name = "walk",
   .args = "va:addr",
   .brief = "walk the paging structures for an address, by level",
   .example = "walk 0x40000000",
   .sdm = "Paging; Determination of Access Rights",
   .text = "{va}: {end}[ to {pa} (frame {frame}), {size}, {rights}]",
   .more = "It reads memory only: what a TLB holds may differ.",
   .flags = COMMAND_PAGED,
   .run = cmd_walk},
  {.name = "maps",
   .args = "all? (from:addr bytes:num?)?",
   .brief = "list what is mapped above the kernel, or in a range",
   .example = "maps; maps all; maps 0x40000000 4m",
   .text = "[{more}]",
   .flags = COMMAND_PAGED,
   .run = cmd_maps},
  {.name = "tlb",
   .args = "va:addr?",
   .brief = "look into the TLB: all of it, or one address's place",
   .example = "map 0x40000000 A; read 0x40000000; tlb; tlb 0x40000000",
   .sdm = "Caching Translation Information",
   .text = "[{va}: ][{answer}][?!answer:{held} held][; {more} more than are shown][\n  {ask}][\n  by the rules: {expected}]",
   .more =
     "Only a simulated machine can, and under Bochs it says what to ask its debugger: a CPU tells nobody. 'cached?' asks any machine by "
     "experiment.",
   .flags = COMMAND_PAGED | COMMAND_ASIDE,
   .run = cmd_tlb},
  {.name = "regs",
   .args = "",
   .brief = "show the control registers",
   .example = "regs",
   .sdm = "Control Registers",
   .text = "",
   .run = cmd_regs},
  {.name = "cpu",
   .args = "",
   .brief = "show what the CPU is and which features it has",
   .example = "cpu",
   .sdm = "CPUID - CPU Identification",
   .text = "{vendor} {brand}\n"
           "family {family}, model {model}, stepping {stepping}; {physical_bits} physical-address bits, {linear_bits} linear",
   .run = cmd_cpu},
  {.name = "frames",
   .args = "",
   .brief = "list the lab frames and the machine's memory",
   .example = "frames",
   .text = "{tables_used} of {tables} pages for paging structures are in use",
   .run = cmd_frames},
  {.name = "va",
   .args = "va:addr",
   .brief = "split a linear address into its indexes",
   .example = "va 0x40201abc",
   .sdm = "Paging; Hierarchical Paging Structures",
   .text = "{va}: offset {offset} in the page[?canonical:, canonical]",
   .flags = COMMAND_PAGED,
   .run = cmd_va},
  {.name = "dump",
   .args = "at:place bytes:num?",
   .brief = "show memory without touching it through the TLB",
   .example = "map 0x40000000 A; dump 0x40000000; dump p:A 16",
   .text = "",
   .run = cmd_dump},
  {.name = NULL},
};

const struct command_family cmd_see = {"see", "look at tables, registers, frames and memory", commands};
