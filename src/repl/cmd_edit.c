/* Commands that change paging structures. None of them invalidates anything. */
#include "lib/format.h"
#include "repl/common.h"

#define DEFAULT_FLAGS EDIT_RW

static bool canonical(struct record *r, laddr_t va)
{
  if (format_canonical(lab_paging()->format, va))
    return true;
  return record_refuse(r, "0x%llx is not canonical: bits 63:%u must all be equal", (unsigned long long)va.v,
                       lab_paging()->format->linear_bits - 1u);
}

/* May the entry at @p level that translates @p va be changed? */
static bool entry_free(struct record *r, laddr_t va, unsigned level)
{
  unsigned shift = lab_paging()->format->level[level].shift;
  struct walk walk = walk_run(lab_paging(), va);
  const struct walk_step *step = walk_at(&walk, level) ? walk_at(&walk, level) : walk_last(&walk);
  if (!common_allowed(r, lab_guard_linear(laddr(va.v & ~address_mask(shift)), 1ULL << shift)))
    return false;
  return step == NULL || common_allowed(r, lab_guard_entry(step->at));
}

static bool done(struct record *r, const char *error)
{
  return common_allowed(r, error);
}

static void say_mapping(struct record *r, laddr_t va)
{
  char text[32];
  struct walk walk = walk_run(lab_paging(), va);
  record_hex(r, &r->root, "va", va.v);
  if (walk.end != WALK_MAPPED)
    return;
  record_hex(r, &r->root, "pa", walk.pa.v);
  record_string(r, &r->root, "frame", lab_frame_name(walk.pa, text, sizeof text));
  record_string(r, &r->root, "size", common_size_name(walk.shift));
}

static bool cmd_map(const struct args *args, struct record *r)
{
  const struct paging *paging = lab_paging();
  laddr_t va = laddr(args_number(args, "va", 0));
  paddr_t pa = paddr(args_number(args, "frame", 0));
  unsigned shift = (unsigned)args_number(args, "size", PAGE_SHIFT);
  const struct args_value *flags = args_get(args, "flags");
  const char *missing = NULL;
  int level = format_level_of_size(paging, shift, &missing);
  if (level < 0)
    return record_refuse(r, "no %s pages here: %s", common_size_name(shift), missing ? missing : "this paging mode has no such size");
  if (!canonical(r, va) || !entry_free(r, va, (unsigned)level))
    return false;
  if (va.v & address_mask(shift))
    return record_refuse(r, "0x%llx is not where a %s page starts: it must be a multiple of 0x%llx", (unsigned long long)va.v,
                         common_size_name(shift), 1ULL << shift);
  if (pa.v & address_mask(shift))
    return record_refuse(r, "0x%llx is no place for a %s page: it must be a multiple of 0x%llx%s", (unsigned long long)pa.v,
                         common_size_name(shift), 1ULL << shift, shift > PAGE_SHIFT ? " (the frames M0 and M1 are)" : "");
  if (!common_allowed(r, lab_guard_physical(pa, 1ULL << shift)))
    return false;
  unsigned lacking, mask = flags ? (unsigned)flags->number : DEFAULT_FLAGS;
  edit_flag_bits(paging, (unsigned)level, mask, &lacking);
  if (lacking)
    return record_refuse(r, "entries in this mode have no bit for that flag (nx needs pae, 4level or 5level)");
  if (!done(r, edit_map(paging, lab_tables(), va, pa, mask, flags ? (unsigned)flags->number2 : 0, shift)))
    return false;
  say_mapping(r, va);
  return true;
}

static bool cmd_unmap(const struct args *args, struct record *r)
{
  laddr_t va = laddr(args_number(args, "va", 0));
  const struct walk walk = walk_run(lab_paging(), va);
  if (!canonical(r, va) || !entry_free(r, va, walk.steps ? walk.step[walk.steps - 1].level : 0))
    return false;
  record_hex(r, &r->root, "va", va.v);
  return done(r, edit_unmap(lab_paging(), lab_tables(), va, args_has(args, "keep")));
}

/* The level that VA/LEVEL names, or else where the walk of VA ends; -1 when there is neither. */
static int level_of(const struct args_value *entry)
{
  if (entry->number2)
    return (int)entry->number2 - 1;
  struct walk walk = walk_run(lab_paging(), laddr(entry->number));
  const struct walk_step *last = walk_last(&walk);
  return last ? last->level : -1;
}

static bool change_flags(struct record *r, const struct args_value *entry, unsigned set, unsigned clear)
{
  const struct paging *paging = lab_paging();
  laddr_t va = laddr(entry->number);
  if (!canonical(r, va))
    return false;
  int level = level_of(entry);
  unsigned lacking = 0;
  if (!entry_free(r, va, (unsigned)level))
    return false;
  edit_flag_bits(paging, (unsigned)level, set | clear, &lacking);
  if (lacking)
    return record_refuse(r, "a %s has no such bit in this mode", paging->format->level[level].name);
  record_hex(r, &r->root, "va", va.v);
  return done(r, edit_protect(paging, lab_tables(), va, entry->number2 ? level : -1, set, clear));
}

static bool cmd_protect(const struct args *args, struct record *r)
{
  const struct args_value *change = args_get(args, "change");
  return change_flags(r, args_get(args, "va"), (unsigned)change->number, (unsigned)change->number2);
}

static bool cmd_global(const struct args *args, struct record *r)
{
  bool on = args_number(args, "state", 0) == 0;
  if (!change_flags(r, args_get(args, "va"), on ? EDIT_G : 0, on ? 0 : EDIT_G))
    return false;
  record_bool(r, &r->root, "global", on);
  if (on && !(machine_register_read(REGISTER_CR4) & CR4_PGE))
    record_string(r, &r->root, "note",
                  machine_features_have(machine_cpu()->features, FEATURE_PGE) ? "CR4.PGE is 0: the CPU ignores G"
                                                                              : "this CPU ignores G: it has no CR4.PGE");
  return true;
}

static bool cmd_clear_ad(const struct args *args, struct record *r)
{
  return change_flags(r, args_get(args, "va"), 0, EDIT_A | EDIT_D);
}

/* ---- pte ---- */

/* What a field is worth here; of an address the bits from MAXPHYADDR on are reserved. */
static const char *field_here(const struct walk_step *step, const struct format_field *f)
{
  enum field_role role = format_role(lab_paging(), f);
  uint64_t field = address_mask(f->width) << f->low;
  if (role == ROLE_RESERVED)
    return "reserved";
  if (role == ROLE_IGNORED)
    return "ignored";
  return step->entry & field & format_reserved(lab_paging(), step->level, step->entry) ? "with reserved bits set" : "";
}

static bool pte_show(struct record *r, laddr_t va, const struct walk_step *step)
{
  const struct paging *paging = lab_paging();
  char text[96];
  record_hex(r, &r->root, "va", va.v);
  record_string(r, &r->root, "level", paging->format->level[step->level].name);
  record_hex(r, &r->root, "at", step->at.v);
  record_hex(r, &r->root, "entry", step->entry);
  record_string(r, &r->root, "flags", format_flags(paging, step->level, step->entry, text, sizeof text));
  struct record_node *list = record_array(r, &r->root, "fields", NULL);
  FORMAT_FOR_EACH_FIELD(f, format_fields(paging, step->level, step->entry)) {
    struct record_node *row = record_object(r, list, NULL);
    if (f->width == 1)
      format(text, sizeof text, "%u", f->low);
    else
      format(text, sizeof text, "%u:%u", f->low + f->width - 1u, f->low);
    record_string(r, row, "bits", text);
    record_string(r, row, "field", f->name);
    record_hex(r, row, "value", step->entry >> f->low & address_mask(f->width));
    record_string(r, row, "here", field_here(step, f));
  }
  return true;
}

/* What the new entry leads to must not be the kernel's: a page of its memory, or a table that is none. */
static const char *target_guard(unsigned level, uint64_t value)
{
  const struct paging *paging = lab_paging();
  if (!(value & 1) || value & format_reserved(paging, level, value))
    return NULL;
  paddr_t to = format_address(paging, level, value);
  if (format_is_leaf(paging, level, value))
    return lab_guard_physical(to, 1ULL << paging->format->level[level].shift);
  return lab_guard_table(to);
}

static bool pte_write(struct record *r, laddr_t va, unsigned level, const struct args_value *value)
{
  const struct paging *paging = lab_paging();
  if (paging->format->entry_bytes == 4 && value->number >> 32)
    return record_usage(r, value->at, "0x%llx does not fit: entries have 32 bits in this mode", (unsigned long long)value->number);
  if (!entry_free(r, va, level) || !common_allowed(r, target_guard(level, value->number)))
    return false;
  return done(r, edit_entry(paging, lab_tables(), va, level, value->number));
}

static bool cmd_pte(const struct args *args, struct record *r)
{
  const struct args_value *entry = args_get(args, "va");
  const struct args_value *value = args_get(args, "value");
  laddr_t va = laddr(entry->number);
  if (!canonical(r, va))
    return false;
  int level = entry->number2 ? (int)entry->number2 - 1 : value ? lab_paging()->format->levels - 1 : level_of(entry);
  if (value && !pte_write(r, va, (unsigned)level, value))
    return false;
  struct walk walk = walk_run(lab_paging(), va);
  const struct walk_step *step = walk_at(&walk, (unsigned)level);
  if (step == NULL)
    return record_refuse(r, "there is no %s for 0x%llx: the walk ends above it", lab_paging()->format->level[level].name,
                         (unsigned long long)va.v);
  return pte_show(r, va, step);
}

/* ---- large pages, undo ---- */

static bool cmd_split(const struct args *args, struct record *r)
{
  laddr_t va = laddr(args_number(args, "va", 0));
  struct walk walk = walk_run(lab_paging(), va);
  const struct walk_step *last = walk_last(&walk);
  if (!canonical(r, va) || !entry_free(r, va, last ? last->level : 0) || !done(r, edit_split(lab_paging(), lab_tables(), va)))
    return false;
  say_mapping(r, va);
  return true;
}

static bool cmd_merge(const struct args *args, struct record *r)
{
  laddr_t va = laddr(args_number(args, "va", 0));
  struct walk walk = walk_run(lab_paging(), va);
  const struct walk_step *last = walk_last(&walk);
  if (!canonical(r, va) || !entry_free(r, va, last && last->level ? last->level - 1u : 0) ||
      !done(r, edit_merge(lab_paging(), lab_tables(), va)))
    return false;
  say_mapping(r, va);
  return true;
}

static bool cmd_undo(const struct args *args, struct record *r)
{
  (void)args;
  unsigned entries = lab_undo();
  if (entries == 0)
    return record_refuse(r, "there is no edit to undo");
  record_count(r, &r->root, "entries", entries);
  return true;
}

static bool cmd_reset(const struct args *args, struct record *r)
{
  (void)args;
  (void)r;
  lab_reset();
  return true;
}

static bool cmd_recursive(const struct args *args, struct record *r)
{
  static const char *const keys[] = {"pte", "pde", "pdpte", "pml4e"};
  laddr_t entry, va = laddr(0x40000000);
  bool on = args_number(args, "state", 0) == 0;
  if (args_has(args, "state") && !done(r, lab_recursive_set(on)))
    return false;
  record_bool(r, &r->root, "recursive", lab_recursive());
  for (unsigned up = 0; up < lab_paging()->format->levels - 0u && up < 4 && lab_recursive(); up++)
    if (lab_recursive_address(va, lab_paging()->format->levels - 1u - up, &entry))
      record_hex(r, &r->root, keys[up], entry.v);
  return true;
}

#define NEEDS_TEXT "[needs {needs}]"
#define MAPPED_TEXT "{va} -> {pa}, frame {frame}, {size}[; needs {needs}]"

static const struct command commands[] = {
  {.name = "map",
   .args = "va:addr frame:phys flags:flags? size:size?",
   .brief = "map a page; the tables above it are made as needed",
   .example = "map 0x40000000 A; map 0x40001000 B ro user; map 0x40400000 M0 rw 4m",
   .sdm = "Paging; Hierarchical Paging Structures",
   .text = MAPPED_TEXT,
   .more = "A page is read-write and the supervisor's unless the flags say otherwise (ro rw user g nx pwt pcd pat a d key=N). "
           "FRAME is a lab frame (A..Z, M0, M1) or a physical address. Sizes: 4k, 4m (32), 2m (pae, 4level, 5level), 1g (4level, 5level).",
   .flags = COMMAND_PAGED | COMMAND_EDITS,
   .run = cmd_map},
  {.name = "unmap",
   .args = "va:addr keep?",
   .brief = "make a page not present",
   .example = "map 0x40000000 A; unmap 0x40000000",
   .sdm = "Invalidation of TLBs and Paging-Structure Caches; Recommended Invalidation",
   .text = "{va} is not present[; needs {needs}]",
   .more = "The whole entry becomes 0; with 'keep' only its P flag does.",
   .flags = COMMAND_PAGED | COMMAND_EDITS,
   .run = cmd_unmap},
  {.name = "protect",
   .args = "va:entry change:change",
   .brief = "change an entry's flags: +w -w +user -user +nx -g",
   .example = "map 0x40000000 A; protect 0x40000000 -w; protect 0x40000000/PDE +user",
   .sdm = "Determination of Access Rights",
   .text = NEEDS_TEXT,
   .flags = COMMAND_PAGED | COMMAND_EDITS,
   .run = cmd_protect},
  {.name = "global",
   .args = "va:entry state:on|off",
   .brief = "mark a page global, or not",
   .example = "map 0x40000000 A; global 0x40000000 on",
   .sdm = "Global Pages",
   .text = "[{note}. ]" NEEDS_TEXT,
   .flags = COMMAND_PAGED | COMMAND_EDITS,
   .run = cmd_global},
  {.name = "pte",
   .args = "va:entry (= value:num)?",
   .brief = "show an entry field by field, or write it by hand",
   .example = "map 0x40000000 A; pte 0x40000000; pte 0x40000000 = B | 0x7; pte 0x40000000/PDE",
   .sdm = "Formats of CR3 and Paging-Structure Entries",
   .text = "{level} of {va} at {at}: {entry}  {flags}[\n" NEEDS_TEXT "]",
   .more = "Without a level it is the entry where the walk ends; to write one, the lowest. "
           "Any value can be written, reserved bits included.",
   .flags = COMMAND_PAGED | COMMAND_EDITS,
   .run = cmd_pte},
  {.name = "clear-ad",
   .args = "va:entry",
   .brief = "clear the accessed and dirty flags of an entry",
   .example = "map 0x40000000 A; read 0x40000000; clear-ad 0x40000000",
   .sdm = "Accessed and Dirty Flags",
   .text = NEEDS_TEXT,
   .flags = COMMAND_PAGED | COMMAND_EDITS,
   .run = cmd_clear_ad},
  {.name = "split",
   .args = "va:addr",
   .brief = "replace a large page by a table of smaller ones",
   .example = "map 0x40000000 M0 rw 2m; split 0x40000000",
   .sdm = "Translation Lookaside Buffers; Details of TLB Use",
   .text = MAPPED_TEXT,
   .flags = COMMAND_PAGED | COMMAND_EDITS,
   .run = cmd_split},
  {.name = "merge",
   .args = "va:addr",
   .brief = "replace a table of adjoining pages by one large page",
   .example = "map 0x40000000 M0 rw 2m; split 0x40000000; merge 0x40000000",
   .sdm = "Translation Lookaside Buffers; Details of TLB Use",
   .text = MAPPED_TEXT,
   .flags = COMMAND_PAGED | COMMAND_EDITS,
   .run = cmd_merge},
  {.name = "recursive",
   .args = "state:on|off?",
   .brief = "map the paging structures by themselves, or stop it",
   .example = "recursive on; recursive; recursive off",
   .sdm = "Multiple Cached Entries for a Single Paging-Structure Entry",
   .text =
     "[?recursive:on][?!recursive:off][; 0x40000000's PTE is at {pte}][, its PDE at {pde}][, its PDPTE at {pdpte}][, its PML4E at {pml4e}]"
     "[\n" NEEDS_TEXT "]",
   .more =
     "The root's last entry refers to the root then; in PAE paging four PDEs to the four directories. Each entry has a linear address of "
     "its own, and a translation there that can be stale too: a changed PDE leaves the window on its page table as it was, until that is "
     "invalidated as well.",
   .flags = COMMAND_PAGED | COMMAND_EDITS,
   .run = cmd_recursive},
  {.name = "undo",
   .args = "",
   .brief = "put back the entries that the last edit changed",
   .example = "map 0x40000000 A; undo",
   .text = "{entries} {entries%?entry|entries} put back[; needs {needs}]",
   .more = "Like every edit it invalidates nothing.",
   .flags = COMMAND_PAGED | COMMAND_UNDOES,
   .run = cmd_undo},
  {.name = "reset",
   .args = "",
   .brief = "start over: fresh tables, fresh frames, a full flush",
   .example = "reset",
   .text = "the tables hold the kernel only, the frames are as new, the TLB is flushed",
   .flags = COMMAND_PAGED,
   .run = cmd_reset},
  {.name = NULL},
};

const struct command_family cmd_edit = {"edit", "change the paging structures; nothing is invalidated", commands};
