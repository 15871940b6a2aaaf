/* Address spaces: several roots, and PCIDs for them. */
#include "repl/common.h"
#include "repl/explain.h"

#define NO_FLUSH (1ULL << 63)

static bool space_list(struct record *r)
{
  struct record_node *list = record_array(r, &r->root, "spaces", NULL);
  for (unsigned i = 0; i < LAB_SPACES; i++) {
    const struct lab_space *space = lab_space(i);
    if (space == NULL)
      continue;
    struct record_node *row = record_object(r, list, NULL);
    record_count(r, row, "space", i);
    record_hex(r, row, "root", space->root.v);
    record_count(r, row, "pcid", space->pcid);
    record_count(r, row, "entered", space->entered);
    record_string(r, row, "now", i == lab_space_current() ? "here" : "");
  }
  return true;
}

static bool space_new(struct record *r)
{
  unsigned index;
  if (!common_allowed(r, lab_space_new(&index)))
    return false;
  record_count(r, &r->root, "space", index);
  record_hex(r, &r->root, "root", lab_space(index)->root.v);
  return true;
}

static bool space_use(const struct args *args, struct record *r)
{
  const struct args_value *number = args_get(args, "space");
  bool pcide = machine_register_read(REGISTER_CR4) & CR4_PCIDE, keep = args_has(args, "noflush");
  if (number == NULL)
    return record_usage(r, args_get(args, "what")->at, "use which space? 'space use N'; 'space' lists them");
  if (number->number >= LAB_SPACES || lab_space((unsigned)number->number) == NULL)
    return record_usage(r, number->at, "there is no space %llu; 'space' lists them, 'space new' makes one",
                        (unsigned long long)number->number);
  if (keep && !pcide)
    return record_refuse(r, "bit 63 of CR3 means 'keep' only while CR4.PCIDE is 1: set cr4.pcide=1");
  unsigned to = (unsigned)number->number;
  uint64_t cr3 = lab_space_cr3(to);
  struct machine_fault fault = lab_register_write(REGISTER_CR3, keep ? cr3 | NO_FLUSH : cr3);
  record_count(r, &r->root, "space", to);
  record_hex(r, &r->root, "cr3", cr3);
  if (pcide)
    record_count(r, &r->root, "pcid", lab_space(to)->pcid);
  explain_did_operation(keep ? OPERATION_MOV_CR3_KEEP : OPERATION_MOV_CR3);
  if (fault.raised) {
    r->status = STATUS_FAULT;
    common_fault(r, &fault);
  } else {
    lab_space_entered(to);
  }
  return true;
}

static bool cmd_space(const struct args *args, struct record *r)
{
  switch (args_number(args, "what", 2)) {
  case 0: return space_new(r);
  case 1: return space_use(args, r);
  default: return space_list(r);
  }
}

static const struct command commands[] = {
  {.name = "space",
   .args = "what:new|use|list? space:num? noflush?",
   .brief = "make an address space, switch to one, or list them",
   .example = "space new; space use 1; space use 0; space",
   .sdm = "Process-Context Identifiers (PCIDs); Global Pages",
   .text = "[space {space}][, root {root}][, CR3 = {cr3}][, PCID {pcid}][. {fault.name}[ error {fault.error}]]",
   .more =
     "Each has a root of its own with the kernel in it; space 0 is there from the beginning. While CR4.PCIDE is 1 a space's number is its "
     "PCID, and 'noflush' sets bit 63.",
   .flags = COMMAND_PAGED,
   .run = cmd_space},
  {.name = NULL},
};

const struct command_family cmd_spaces = {"spaces", "several address spaces, and what a switch costs", commands};
