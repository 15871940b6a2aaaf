#include "paging/rules.h"

#include <string.h>

#define OPERATIONS_SDM "Operations that Invalidate TLBs and Paging-Structure Caches"
#define OPTIONAL_SDM "Optional Invalidation"
#define RECOMMENDED_SDM "Recommended Invalidation"
#define TLB_USE_SDM "Details of TLB Use"
#define AD_SDM "Accessed and Dirty Flags"

#define OPERATION(n, v, o, t, g, c, l, s, a)                                                                                               \
  {                                                                                                                                        \
    .name = n, .class = RULE_MUST, .kind = RULE_OPERATION, .vendors = v, .operation = o, .tlb = t, .globals = g, .caches = c,              \
    .latches = l, .says = s, .sdm = OPERATIONS_SDM, .amd = a                                                                               \
  }
#define OTHER(n, k, c, v, s, t, a)                                                                                                         \
  {                                                                                                                                        \
    .name = n, .class = c, .kind = k, .vendors = v, .says = s, .sdm = t, .amd = a                                                          \
  }

// clang-format off
const struct rule rules[] = {
  /* name, where, operation, TLB entries, globals too, paging-structure caches, PDPTEs loaded */
  OPERATION("invlpg", RULE_ANY, OPERATION_INVLPG, SCOPE_PAGE, true, SCOPE_CONTEXT, false,
            "INVLPG drops every translation of the page, global ones too, and all paging-structure caches of the current PCID", NULL),
  OPERATION("mov-cr3", RULE_ANY, OPERATION_MOV_CR3, SCOPE_CONTEXT, false, SCOPE_CONTEXT, true,
            "MOV to CR3 drops every translation of the (new) PCID that is not global, and its paging-structure caches", NULL),
  OPERATION("mov-cr3-keep", RULE_ANY, OPERATION_MOV_CR3_KEEP, SCOPE_NONE, false, SCOPE_NONE, false,
            "MOV to CR3 with bit 63 set, while CR4.PCIDE is 1, need drop nothing", NULL),
  OPERATION("cr4-pge", RULE_ANY, OPERATION_CR4_PGE, SCOPE_ALL, true, SCOPE_ALL, true,
            "a change of CR4.PGE drops everything: all PCIDs, global translations, all paging-structure caches", NULL),
  OPERATION("cr4-pcide", RULE_ANY, OPERATION_CR4_PCIDE, SCOPE_ALL, true, SCOPE_ALL, false,
            "clearing CR4.PCIDE drops everything", NULL),
  OPERATION("cr4-pae", RULE_ANY, OPERATION_CR4_PAE, SCOPE_CONTEXT, true, SCOPE_CONTEXT, true,
            "a change of CR4.PAE drops everything of the current PCID, global translations too", NULL),
  OPERATION("cr4-pse", RULE_INTEL | RULE_CYRIX, OPERATION_CR4_PSE, SCOPE_NONE, false, SCOPE_NONE, true,
            "a change of CR4.PSE need drop nothing; in PAE paging it loads the PDPTE registers", NULL),
  OPERATION("cr4-pse-amd", RULE_AMD, OPERATION_CR4_PSE, SCOPE_ALL, true, SCOPE_ALL, true,
            "a change of CR4.PSE drops everything", "Implicit Invalidations"),
  OPERATION("cr4-smep", RULE_ANY, OPERATION_CR4_SMEP, SCOPE_CONTEXT, true, SCOPE_CONTEXT, true,
            "setting CR4.SMEP drops everything of the current PCID, global translations too", NULL),
  OPERATION("cr4-smep-off", RULE_ANY, OPERATION_CR4_SMEP_OFF, SCOPE_NONE, false, SCOPE_NONE, true,
            "clearing CR4.SMEP need drop nothing; in PAE paging it loads the PDPTE registers", NULL),
  OPERATION("cr0-pg", RULE_ANY, OPERATION_CR0_PG, SCOPE_ALL, true, SCOPE_ALL, true,
            "clearing CR0.PG drops everything: all PCIDs, global translations, all paging-structure caches", NULL),
  OPERATION("invpcid-address", RULE_ANY, OPERATION_INVPCID_ADDRESS, SCOPE_PAGE, false, SCOPE_PAGE, false,
            "INVPCID type 0 drops what translates one address under one PCID, but for global translations", NULL),
  OPERATION("invpcid-context", RULE_ANY, OPERATION_INVPCID_CONTEXT, SCOPE_CONTEXT, false, SCOPE_CONTEXT, false,
            "INVPCID type 1 drops everything of one PCID, but for global translations", NULL),
  OPERATION("invpcid-all", RULE_ANY, OPERATION_INVPCID_ALL, SCOPE_ALL, true, SCOPE_ALL, false,
            "INVPCID type 2 drops everything of all PCIDs, global translations too", NULL),
  OPERATION("invpcid-nonglobal", RULE_ANY, OPERATION_INVPCID_NONGLOBAL, SCOPE_ALL, false, SCOPE_ALL, false,
            "INVPCID type 3 drops everything of all PCIDs, but for global translations", NULL),
  OPERATION("task-switch", RULE_ANY, OPERATION_TASK_SWITCH, SCOPE_CONTEXT, false, SCOPE_CONTEXT, true,
            "a task switch that changes CR3 drops every translation that is not global, and the paging-structure caches", NULL),
  OPERATION("page-fault", RULE_INTEL, OPERATION_PAGE_FAULT, SCOPE_PAGE, false, SCOPE_PAGE, false,
            "a page fault drops what would translate the address, so that it does not recur if the tables allow the access", NULL),
  OPERATION("page-fault-amd", RULE_AMD, OPERATION_PAGE_FAULT, SCOPE_NONE, false, SCOPE_NONE, false,
            "a page fault need drop nothing: before it is raised the tables were walked again", "Invalidation of Table Entry Upgrades"),

  OPERATION("page-fault-kept", RULE_CYRIX, OPERATION_PAGE_FAULT, SCOPE_NONE, false, SCOPE_NONE, false,
            "where a CPU remembers that a page was not present, a page fault does not make it forget", NULL),

  OTHER("tables", RULE_ACCESS, RULE_MUST, RULE_ANY, "where nothing else can be cached, an access goes by the tables as they are",
        "Hierarchical Paging Structures: An Overview", NULL),
  OTHER("tlb-may-keep", RULE_CACHING, RULE_MAY, RULE_ANY,
        "a translation may stay in a TLB, and be used, though the entries that made it have changed", TLB_USE_SDM, NULL),
  OTHER("tlb-may-drop", RULE_CACHING, RULE_MAY, RULE_ANY,
        "a CPU may drop any translation at any time, and walk the tables again", OPERATIONS_SDM, NULL),
  OTHER("structures-may-keep", RULE_CACHING, RULE_MAY, RULE_ANY,
        "a paging-structure cache may lead to the old table though the entry above it has changed",
        "Using the Paging-Structure Caches to Translate Linear Addresses", NULL),
  OTHER("global-may-keep", RULE_CACHING, RULE_MAY, RULE_ANY,
        "a global translation may outlive MOV to CR3 and be used under every PCID, while CR4.PGE is 1", "Global Pages", NULL),
  OTHER("pcid-may-keep", RULE_CACHING, RULE_MAY, RULE_ANY,
        "what is cached under a PCID may outlive a MOV to CR3 with bit 63 set, and be used when CR3 names that PCID again",
        "Process-Context Identifiers (PCIDs)", NULL),
  OTHER("speculation", RULE_CACHING, RULE_MAY, RULE_ANY,
        "a translation may be cached though nobody asked for it; its A flags are set then", TLB_USE_SDM,
        "Speculative Caching of Address Translations"),
  OTHER("fragments", RULE_CACHING, RULE_MAY, RULE_ANY,
        "a large page may be cached as several smaller ones; one INVLPG drops them all", TLB_USE_SDM, NULL),
  OTHER("two-sizes", RULE_CACHING, RULE_MAY, RULE_ANY,
        "after a change of page size, translations of both sizes may be cached, and either used", RECOMMENDED_SDM, NULL),
  OTHER("not-present", RULE_CACHING, RULE_MUST, RULE_INTEL | RULE_AMD, "that an entry is not present, or has a reserved bit set, is never cached",
        "Caching Translations in TLBs", NULL),
  OTHER("not-present-kept", RULE_CACHING, RULE_PLATFORM, RULE_CYRIX,
        "some CPUs remember that a page was not present, until it is invalidated", "Caching Translations in TLBs", NULL),
  OTHER("accessed-first", RULE_CACHING, RULE_MUST, RULE_ANY, "nothing is cached from an entry whose A flag is 0: the CPU sets it first", TLB_USE_SDM, NULL),

  OTHER("rights", RULE_ACCESS, RULE_MUST, RULE_ANY, "every entry used in the walk must grant the access", "Determination of Access Rights", NULL),
  OTHER("reserved-bits", RULE_ACCESS, RULE_MUST, RULE_ANY, "a reserved bit that is 1 in an entry of the walk raises a page fault", "Page-Fault Exceptions", NULL),
  OTHER("error-code", RULE_ACCESS, RULE_MUST, RULE_ANY, "the page-fault error code tells why the walk refused, and CR2 which address", "Page-Fault Exceptions",
        NULL),
  OTHER("not-canonical", RULE_ACCESS, RULE_MUST, RULE_ANY, "an address that is not canonical raises #GP (or #SS), and nothing is walked",
        "Canonical Addressing", NULL),
  OTHER("spurious-fault", RULE_ACCESS, RULE_MAY, RULE_INTEL | RULE_CYRIX,
        "an older, stricter translation may raise a page fault that the tables no longer ask for, once", OPTIONAL_SDM, NULL),
  OTHER("walk-again", RULE_ACCESS, RULE_MUST, RULE_AMD,
        "before a protection violation the tables are walked again, so that a right added there counts at once", OPTIONAL_SDM,
        "Invalidation of Table Entry Upgrades"),
  OTHER("accessed", RULE_ACCESS, RULE_MUST, RULE_ANY, "a walk that is used for a translation sets A in each of its entries", AD_SDM, NULL),
  OTHER("dirty", RULE_ACCESS, RULE_MUST, RULE_ANY, "a write sets D in the entry that maps the page; nothing else does", AD_SDM, NULL),
  OTHER("flags-only", RULE_ACCESS, RULE_MUST, RULE_ANY, "the CPU changes nothing in an entry but A and D", AD_SDM, NULL),
  OTHER("pdptes", RULE_ACCESS, RULE_MUST, RULE_INTEL | RULE_CYRIX,
        "PAE paging uses the PDPTE registers: a PDPTE that changed in memory counts when CR3 is loaded", "PDPTE Registers", NULL),
  OTHER("pdptes-amd", RULE_ACCESS, RULE_MAY, RULE_AMD,
        "a PDPTE that changed in memory may count at once, as in a guest, or when CR3 is loaded", "PDPTE Registers", "Legacy PAE Mode"),

  OTHER("edit-nothing", RULE_EDIT, RULE_MUST, RULE_ANY, "nothing that a translation is made of has changed", RECOMMENDED_SDM, NULL),
  OTHER("edit-maps", RULE_EDIT, RULE_MUST, RULE_INTEL | RULE_AMD, "an entry that was not present was not cached", OPTIONAL_SDM, NULL),
  OTHER("edit-maps-kept", RULE_EDIT, RULE_PLATFORM, RULE_CYRIX, "this CPU may remember that the page was not present", OPTIONAL_SDM, NULL),
  OTHER("edit-unused", RULE_EDIT, RULE_MUST, RULE_ANY, "an entry whose A flag was 0 was not cached", OPTIONAL_SDM, NULL),
  OTHER("edit-unmaps", RULE_EDIT, RULE_MAY, RULE_ANY, "until then the old translation may still be used", RECOMMENDED_SDM, NULL),
  OTHER("edit-frame", RULE_EDIT, RULE_MAY, RULE_ANY, "until then either frame may be reached", RECOMMENDED_SDM, NULL),
  OTHER("edit-takes-right", RULE_EDIT, RULE_MAY, RULE_ANY, "until then the right that was taken away may still be used", RECOMMENDED_SDM, NULL),
  OTHER("edit-gives-right", RULE_EDIT, RULE_MAY, RULE_INTEL | RULE_CYRIX, "without it a spurious page fault at most, which repairs itself", OPTIONAL_SDM,
        NULL),
  OTHER("edit-gives-right-amd", RULE_EDIT, RULE_MUST, RULE_AMD, "the CPU walks the tables again before it refuses an access", OPTIONAL_SDM,
        "Invalidation of Table Entry Upgrades"),
  OTHER("edit-clears-a", RULE_EDIT, RULE_MAY, RULE_ANY, "until then A may stay clear though the page is accessed", OPTIONAL_SDM, NULL),
  OTHER("edit-clears-d", RULE_EDIT, RULE_MAY, RULE_ANY, "until then D may stay clear though the page is written", OPTIONAL_SDM, NULL),
  OTHER("edit-sets-ad", RULE_EDIT, RULE_MUST, RULE_ANY, "setting A or D needs none", OPTIONAL_SDM, NULL),
  OTHER("edit-type", RULE_EDIT, RULE_MAY, RULE_ANY, "until then the old memory type may be used", "Caching Translations in TLBs", NULL),
  OTHER("edit-global", RULE_EDIT, RULE_MAY, RULE_ANY, "until then the translation may be kept as it was: global, or not", "Global Pages", NULL),
  OTHER("edit-size", RULE_EDIT, RULE_MAY, RULE_ANY, "until then translations of both page sizes may be used", RECOMMENDED_SDM, NULL),
  OTHER("edit-table", RULE_EDIT, RULE_MAY, RULE_ANY, "until then paging-structure caches may lead to the old table, and TLBs to its pages", RECOMMENDED_SDM,
        NULL),
  OTHER("edit-pdpte", RULE_EDIT, RULE_MUST, RULE_ANY, "PAE paging looks at PDPTEs only when CR3 is loaded", "PDPTE Registers", NULL),
  {.name = NULL},
};
// clang-format on

const struct rule *rules_named(const char *name)
{
  for (const struct rule *r = rules; r->name; r++)
    if (r->name[0] == name[0] && strcmp(r->name, name) == 0) /* it is asked for at every access */
      return r;
  return NULL;
}

const struct rule *rules_of_operation(enum rule_operation operation, unsigned vendor)
{
  const struct rule *r = rules;
  while (r->name && !(r->kind == RULE_OPERATION && r->operation == operation && r->vendors & vendor))
    r++;
  return r->name ? r : rules_named("mov-cr3-keep");
}

const char *rules_class_name(enum rule_class class)
{
  static const char *const names[] = {[RULE_MUST] = "MUST", [RULE_MAY] = "MAY", [RULE_PLATFORM] = "PLATFORM"};
  return names[class];
}

unsigned rules_vendor(const char *vendor)
{
  if (strcmp(vendor, "AuthenticAMD") == 0 || strcmp(vendor, "HygonGenuine") == 0)
    return RULE_AMD;
  return strcmp(vendor, "CyrixInstead") == 0 ? RULE_CYRIX : RULE_INTEL;
}
