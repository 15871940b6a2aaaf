/* Trap tables of the 32-bit kernel. A double fault gets a task of its own: only a task switch changes the stack without using the
 * one that may be broken (SDM Vol. 3A, Interrupt Tasks). */
#include "cpu/cpu.h"
#include "cpu/segments.h"
#include "cpu/traps_width.h"

/* Aligned, because a TSS should not cross a page boundary (SDM, Task-State Segment). */
struct tss {
  uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
  uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
  uint32_t es, cs, ss, ds, fs, gs, ldt;
  uint16_t trap, io_map;
} __attribute__((aligned(128)));

#define TSS_LIMIT (offsetof(struct tss, io_map) + 1)

/* The operand of an indirect far JMP. To a TSS it goes by the selector alone. */
struct far_pointer {
  uint32_t offset;
  uint16_t selector;
};

struct jump {
  struct tss *to;
  struct far_pointer target;
};

#define GATE_INTERRUPT 0x8e00u
#define GATE_TASK 0x8500u
#define GATE_DPL3 0x6000u
#define FLAGS_NT (1u << 14)

/* The kernel runs in tasks[0], or after an odd number of task switches in tasks[1]. */
static struct tss tasks[2], df_tss;
static uint64_t idt[TRAPS_VECTORS];
static uint8_t df_stack[TRAPS_STACK] __attribute__((aligned(16)));
static uint64_t *gdt_in_use;
static uintptr_t ring0_stack_in_use;

void traps_double_fault_task(void);
void traps_double_fault(void) __attribute__((noreturn));
void traps_task_jump(struct tss *to, const struct far_pointer *target);

static uint64_t gate(uint32_t offset, uint16_t selector, uint32_t type)
{
  return (offset & 0xffff) | (uint32_t)selector << 16 | (uint64_t)((offset & 0xffff0000) | type) << 32;
}

/* A task in ring 0 with interrupts off. */
static struct tss task(uintptr_t cr3)
{
  return (struct tss){.cr3 = cr3,
                      .eflags = 2, /* bit 1 is always 1 */
                      .cs = SELECTOR_CODE,
                      .ss = SELECTOR_DATA,
                      .ds = SELECTOR_DATA,
                      .es = SELECTOR_DATA,
                      .io_map = TSS_LIMIT + 1};
}

static void df_task_init(void)
{
  df_tss = task(cpu_read_cr3());
  df_tss.eip = (uint32_t)traps_double_fault_task;
  df_tss.esp = (uint32_t)df_stack + TRAPS_STACK;
}

static struct tss *task_of(uint16_t selector)
{
  return &tasks[selector == SELECTOR_OTHER_TSS];
}

static uint64_t tss_descriptor(const struct tss *tss)
{
  return descriptor((uint32_t)tss, TSS_LIMIT, DESCRIPTOR_PRESENT | DESCRIPTOR_TSS);
}

void traps_tables_init(uint64_t *gdt, uintptr_t ring0_stack_top)
{
  gdt_in_use = gdt;
  gdt[SELECTOR_CODE / 8] = descriptor(0, 0xfffff, DESCRIPTOR_FLAT | DESCRIPTOR_CODE | DESCRIPTOR_32);
  gdt[SELECTOR_USER_CODE / 8] = descriptor(0, 0xfffff, DESCRIPTOR_FLAT | DESCRIPTOR_CODE | DESCRIPTOR_32 | DESCRIPTOR_DPL3);
  ring0_stack_in_use = ring0_stack_top;
  tasks[0] = task(cpu_read_cr3());
  tasks[0].esp0 = ring0_stack_top;
  tasks[0].ss0 = SELECTOR_DATA;
  df_task_init();
  gdt[SELECTOR_TSS / 8] = tss_descriptor(&tasks[0]);
  gdt[SELECTOR_OTHER_TSS / 8] = tss_descriptor(&tasks[1]);
  gdt[SELECTOR_DF_TSS / 8] = tss_descriptor(&df_tss);
  for (unsigned v = 0; v < TRAPS_VECTORS; v++) {
    bool for_user = v == VECTOR_BP || v == VECTOR_OF; /* INT3 and INTO are for ring 3 too */
    idt[v] = gate(traps_stubs[v], SELECTOR_CODE, for_user ? GATE_INTERRUPT | GATE_DPL3 : GATE_INTERRUPT);
  }
  idt[VECTOR_DF] = gate(0, SELECTOR_DF_TSS, GATE_TASK);
  struct {
    uint16_t limit;
    uint32_t base;
  } __attribute__((packed)) gdtr = {GDT_SLOTS * 8 - 1, (uint32_t)gdt}, idtr = {sizeof idt - 1, (uint32_t)idt};
  cpu_load_gdt(&gdtr);
  cpu_load_idt(&idtr);
  cpu_load_tr(SELECTOR_TSS);
}

void traps_set_cr3(uintptr_t cr3)
{
  df_tss.cr3 = (uint32_t)cr3;
}

static void jump(void *argument)
{
  const struct jump *j = argument;
  traps_task_jump(j->to, &j->target);
}

struct machine_fault traps_task_switch(uintptr_t cr3)
{
  uint16_t next = cpu_read_tr() == SELECTOR_TSS ? SELECTOR_OTHER_TSS : SELECTOR_TSS;
  struct jump j = {.to = task_of(next), .target = {.selector = next}};
  *j.to = task(cr3);
  j.to->esp0 = ring0_stack_in_use;
  j.to->ss0 = SELECTOR_DATA;
  struct machine_fault fault = traps_try(jump, &j).fault;
  cpu_clear_ts(); /* every task switch sets CR0.TS */
  df_tss.cr3 = (uint32_t)cpu_read_cr3();
  return fault;
}

/* Runs in the double-fault task. The task that faulted, which the link names, is still marked busy, and its state was saved in its TSS;
 * leaving it for good means taking the task register back by hand and starting the double-fault task afresh for the next time. */
void traps_double_fault(void)
{
  uint16_t from = (uint16_t)df_tss.link;
  const struct tss *tss = task_of(from);
  struct machine_fault fault =
    {.raised = true, .has_error = true, .vector = VECTOR_DF, .cpl = tss->cs & 3, .cr2 = cpu_read_cr2(), .ip = tss->eip};
  gdt_in_use[from / 8] &= ~DESCRIPTOR_BUSY;
  gdt_in_use[SELECTOR_DF_TSS / 8] &= ~DESCRIPTOR_BUSY;
  cpu_load_tr(from);
  cpu_clear_ts();
  cpu_write_flags(cpu_read_flags() & ~(uintptr_t)FLAGS_NT);
  df_task_init();
  traps_raise(&fault, 0, 0);
}
