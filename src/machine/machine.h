/* The one contract with a CPU. real.c fulfils it over src/cpu on a booted machine; a simulated machine can fulfil it in
 * plain memory. Everything above this line is pure C, which also builds on the host.
 *
 * Two rules hold for every function here. A fault is a value: nothing an access or an instruction raises escapes, it comes
 * back as a struct machine_fault. And nothing here invalidates more than its name says: MOV CR3 loads CR3, INVLPG
 * invalidates one page, reading or writing a paging-structure entry invalidates nothing. */
#ifndef MACHINE_MACHINE_H
#define MACHINE_MACHINE_H

#include "lib/address.h"
#include "machine/features.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum machine_mode { MACHINE_OFF, MACHINE_32, MACHINE_PAE, MACHINE_4LEVEL, MACHINE_5LEVEL, MACHINE_MODES };

/** The CPU as CPUID describes it. Strings are "" where the CPU does not say. */
struct machine_cpu {
  uint32_t features;  /* a bit per enum machine_feature */
  uint8_t maxphyaddr; /* physical-address width in bits (SDM: CPUID.80000008H:EAX[7:0], else 36 with PAE or PSE-36, else 32) */
  uint8_t linear_bits;
  uint8_t family, model, stepping;
  char vendor[13];
  char brand[49];
};

/** A control register or flag that `set` and the measuring commands read and write. */
enum machine_register { REGISTER_CR0, REGISTER_CR2, REGISTER_CR3, REGISTER_CR4, REGISTER_EFER, REGISTER_PKRU, REGISTER_FLAGS, REGISTERS };

/* Bits of control registers (SDM Vol. 3, Control Registers). */
#define CR0_PE (1ULL << 0)
#define CR0_MP (1ULL << 1)
#define CR0_EM (1ULL << 2)
#define CR0_TS (1ULL << 3)
#define CR0_ET (1ULL << 4)
#define CR0_NE (1ULL << 5)
#define CR0_WP (1ULL << 16)
#define CR0_AM (1ULL << 18)
#define CR0_NW (1ULL << 29)
#define CR0_CD (1ULL << 30)
#define CR0_PG (1ULL << 31)
#define CR4_TSD (1ULL << 2)
#define CR4_PSE (1ULL << 4)
#define CR4_PAE (1ULL << 5)
#define CR4_PGE (1ULL << 7)
#define CR4_LA57 (1ULL << 12)
#define CR4_PCIDE (1ULL << 17)
#define CR4_SMEP (1ULL << 20)
#define CR4_SMAP (1ULL << 21)
#define CR4_PKE (1ULL << 22)
#define EFER_LME (1ULL << 8)
#define EFER_LMA (1ULL << 10)
#define EFER_NXE (1ULL << 11)
#define FLAGS_AC (1ULL << 18)

enum {
  VECTOR_DE = 0,
  VECTOR_DB = 1,
  VECTOR_NMI = 2,
  VECTOR_BP = 3,
  VECTOR_OF = 4,
  VECTOR_UD = 6,
  VECTOR_DF = 8,
  VECTOR_TS = 10,
  VECTOR_NP = 11,
  VECTOR_SS = 12,
  VECTOR_GP = 13,
  VECTOR_PF = 14,
  VECTOR_AC = 17,
  VECTOR_MC = 18,
};

/** What an instruction raised, as a value. */
struct machine_fault {
  bool raised;
  bool has_error;
  uint8_t vector;
  uint8_t cpl; /* the privilege level it was raised at */
  uint32_t error;
  uint64_t cr2; /* meaningful for #PF only */
  uint64_t ip;
};

enum machine_op { OP_READ, OP_WRITE, OP_EXEC };

/** One access by the CPU itself, through the MMU. */
struct machine_access {
  enum machine_op op;
  laddr_t va;
  uint8_t cpl;    /* 0 or 3 */
  uint8_t size;   /* bytes: 1, 2, 4, and 8 in 64-bit modes; ignored by OP_EXEC */
  uint64_t value; /* in: what OP_WRITE writes. out: what OP_READ read, or what the called routine returned */
};

struct machine_result {
  struct machine_fault fault;
  bool timed;     /* false where the CPU has no time-stamp counter */
  uint64_t ticks; /* TSC ticks around the access, the measuring itself included */
};

/** INVLPG's operand: an address expression, not memory that is read. */
struct machine_invlpg {
  laddr_t va; /* the offset; in a segment with a base, the linear address is base + va */
  uint8_t cpl;
  bool segment;     /* with an FS override whose base and limit follow */
  bool null;        /* ... holding a NULL selector instead (segment must be set too) */
  bool expand_down; /* ... an expand-down data segment (32-bit modes) */
  uint64_t base;
  uint32_t limit; /* in bytes, inclusive */
};

/** A stretch of the physical address space, as firmware reports it. */
struct machine_range {
  paddr_t base;
  uint64_t length;
  bool usable; /* RAM; false: reserved, ACPI, or unknown */
};

/** Where the lab lives in physical memory. All of it is in the low 16 MiB, which the kernel keeps for itself. */
struct machine_layout {
  paddr_t root;   /* the paging structure that CR3 locates; the kernel's branch is already in it */
  paddr_t tables; /* pages for the student's paging structures */
  unsigned table_count;
  void *shadows; /* pages for copies of paging structures, which the diff compares with */
  unsigned shadow_count;
  paddr_t frames; /* the lab frames A..Z, a page each */
  unsigned frame_count;
  paddr_t big[2];      /* 4 MiB frames, aligned to 4 MiB; 0 where this machine has no RAM for one */
  uint64_t kernel_end; /* linear addresses below this belong to the kernel (16 MiB; 32 where it draws in a framebuffer) */
  laddr_t user_code;   /* the kernel page that ring 3 runs on, and its stack: the only kernel pages with U/S set */
  laddr_t user_stack;
};

/** The CPU. The pointer stays valid until the next mode switch. */
const struct machine_cpu *machine_cpu(void);

const struct machine_layout *machine_layout(void);

enum machine_mode machine_mode(void);

/** Whether the CPU can run in @p mode; if not, *@p missing names the feature it lacks. */
bool machine_mode_supported(enum machine_mode mode, enum machine_feature *missing);

/** Switches to @p mode with fresh paging structures. A booted machine starts the other kernel over and does not return; what
 * is in machine_carry() survives. Call machine_mode_supported() first. */
void machine_mode_switch(enum machine_mode mode);

/** Puts the root and the kernel's branch of the paging structures back as they were after machine_mode_switch(), and reloads
 * CR3 with a full flush, globals included. Entries above the kernel's branch become 0. */
void machine_paging_reset(void);

/** The memory that survives a mode switch: *@p size bytes, zeroed at power-on. Holds no pointers. */
void *machine_carry(size_t *size);

/** Range number @p index of the memory map, or false past its end. */
bool machine_memory(unsigned index, struct machine_range *range);

/** The kernel's own view of the page of physical memory that holds @p at, or NULL where there is no RAM or no way to reach it.
 * The pointer is to the byte @p at and good up to the end of that 4 KiB page. */
void *machine_physical(paddr_t at);

/** Reads or writes one paging-structure entry of @p bytes (4 or 8) bytes in one go (atomically, as a walker would see it).
 * Returns false where there is no RAM at @p at. */
bool machine_entry_read(paddr_t at, unsigned bytes, uint64_t *value);
bool machine_entry_write(paddr_t at, unsigned bytes, uint64_t value);

/** Reads a control register; 0 where the CPU has no such register. */
uint64_t machine_register_read(enum machine_register reg);

/** Writes a control register with exactly the MOV (or WRMSR, WRPKRU) that does it. The caller asks for the feature first. */
struct machine_fault machine_register_write(enum machine_register reg, uint64_t value);

/** Performs one access with interrupts off. */
struct machine_result machine_access(struct machine_access *access);

/** Many accesses of one kind, one to each of many pages. One machine_access() costs ten times what its access does: the way to the right
 * privilege level and back, the clock, a fault's recovery. Here that is done once for all of them. */
struct machine_sweep {
  enum machine_op op;
  laddr_t va;      /* of the first access; each is 4 bytes wide */
  uint64_t stride; /* from each to the next */
  unsigned count;  /* at least 1 */
  uint8_t cpl;     /* 0 or 3 */
  bool ac;         /* with EFLAGS.AC set, which at CPL 0 suspends SMAP */
  uint32_t *came;  /* of each: 0, or MACHINE_CAME of what it raised, perhaps with MACHINE_CAME_CR2 */
};

#define MACHINE_CAME(vector, error) (1u << 31 | (uint32_t)(vector) << 16 | ((error)&0xffffu))
#define MACHINE_CAME_CR2 (1u << 30) /* a page fault, but CR2 is not the address */
#define MACHINE_CAME_VECTOR(came) ((came) >> 16 & 0xffu)
#define MACHINE_CAME_ERROR(came) ((came)&0xffffu)

/** Performs them with interrupts off. What comes back is a fault that was none of an access's, and ended the sweep. */
struct machine_fault machine_sweep(const struct machine_sweep *sweep);

/** What has a cost worth knowing besides accesses and invalidations of pages. */
enum machine_cost {
  COST_NOTHING, /* the measuring itself */
  COST_CR3,     /* MOV to CR3 of a value */
  COST_PGE,     /* CR4.PGE changed, and changed back */
  COST_CHASE,   /* loads of words, each of which holds the address of the next */
};

/** Does it between two readings of the clock, with interrupts off. @p value: of CR3; or the address of the first word, of which @p count
 * are loaded. At CPL 3 only COST_NOTHING and COST_CHASE do not fault. */
struct machine_result machine_cost(enum machine_cost what, uint8_t cpl, uint64_t value, uint64_t count);

/** Reads or writes a model-specific register; the #GP of one that is not there comes back. The caller asks for FEATURE_MSR first. */
struct machine_fault machine_msr_read(uint32_t msr, uint64_t *value);
struct machine_fault machine_msr_write(uint32_t msr, uint64_t value);

/** Executes INVLPG. In ring 3 that is a #GP, which comes back as the value. */
struct machine_result machine_invlpg(const struct machine_invlpg *operand);

/** Executes INVPCID with the given type and descriptor. The caller asks for FEATURE_INVPCID first. */
struct machine_result machine_invpcid(uint64_t type, uint64_t pcid, laddr_t va);

/** Turns CR0.PG off and on again (32-bit modes only; long mode cannot: #GP comes back). Ends in the same mode. */
struct machine_fault machine_paging_toggle(void);

/** Switches tasks in hardware, by a far JMP to a TSS that holds @p cr3 (where that changes CR3 in PAE mode, it loads the PDPTEs too); the
 * new task goes on behind this call. What @p cr3 locates must map the kernel as the paging structures in force do, and its PDPTEs must have
 * no reserved bit set: a fault that comes behind the switch finds nothing mapped. 64-bit modes have no task switching: there the #GP that
 * the JMP would raise comes back. SDM: Task Switching. */
struct machine_fault machine_task_switch(uint64_t cr3);

/* Looking into the TLB: what no CPU offers, and a simulated machine can. Where it cannot be done there is no array. */
struct machine_tlb_array {
  const char *name;
  bool data, code; /* which accesses it serves */
  bool structures; /* it is the paging-structure cache */
  uint8_t level;   /* 1 is looked at first */
  uint16_t sets, ways;
  uint64_t pages; /* bit n: it takes translations of 2^n bytes */
};

struct machine_tlb_entry {
  unsigned array, set, way;
  laddr_t va;         /* where it starts */
  paddr_t pa;         /* ... and where that is; of a paging-structure cache's entry: the table */
  uint8_t shift;      /* log2 of what it covers */
  uint8_t page_shift; /* ... and of the page that it is of, or a fragment of */
  uint8_t key;
  uint16_t pcid;
  bool present; /* false: it is remembered that the page was not */
  bool writable, user, executable, global, dirty;
  bool ring3;  /* in a TLB that only ring 3 uses */
  bool proven; /* it serves only what filled it has proven: whether that was a write, and of ring 3 */
  bool by_write, by_user;
  bool current; /* it serves accesses under the current PCID */
};

/** Array number @p index, or false past the last one. */
bool machine_tlb_array(unsigned index, struct machine_tlb_array *array);

/** The set of array number @p index that a page of 2^@p shift bytes at @p va belongs to. */
unsigned machine_tlb_set(unsigned index, laddr_t va, unsigned shift);

/** The next entry in use, array by array; false when there is no more. *@p cursor is 0 at first. */
bool machine_tlb_entry(unsigned *cursor, struct machine_tlb_entry *entry);

/** Has Bochs's debugger stop right before the next instruction of those that students come to see: an access, INVLPG, INVPCID, a MOV to
 * CR0, CR3 or CR4; or (@p on false) takes that back. Nothing comes of it on another machine. */
void machine_stop_arm(bool on);

/** Raises vector @p vector on purpose at privilege level @p cpl and gives back what arrived. */
struct machine_fault machine_raise(uint8_t vector, uint8_t cpl);

/** CPUID; all zeros on a CPU without the instruction. */
void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4]);

/** The time-stamp counter, or 0 where there is none. */
uint64_t machine_ticks(void);

/** Runs @p fn(@p argument) so that an unexpected exception inside comes back as a value. */
struct machine_fault machine_guard(void (*fn)(void *argument), void *argument);

/** The kernel's command line. */
const char *machine_command_line(void);

void machine_reboot(void);
/** Returns only where no way to turn the power off was found. */
void machine_poweroff(void);

#endif
