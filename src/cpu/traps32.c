/* Trap tables of the 32-bit kernel. A double fault gets a task of its own: only a task switch changes the stack without using the
 * one that may be broken (SDM Vol. 3A, Interrupt Tasks). */
#include "cpu/cpu.h"
#include "cpu/segments.h"
#include "cpu/traps_width.h"

struct tss {
  uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
  uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
  uint32_t es, cs, ss, ds, fs, gs, ldt;
  uint16_t trap, io_map;
};

#define GATE_INTERRUPT 0x8e00u
#define GATE_TASK 0x8500u
#define GATE_DPL3 0x6000u
#define FLAGS_NT (1u << 14)

static struct tss tss, df_tss;
static uint64_t idt[TRAPS_VECTORS];
static uint8_t df_stack[TRAPS_STACK] __attribute__((aligned(16)));
static uint64_t *gdt_in_use;

void traps_double_fault_task(void);
void traps_double_fault(void) __attribute__((noreturn));

static uint64_t gate(uint32_t offset, uint16_t selector, uint32_t type)
{
  return (offset & 0xffff) | (uint32_t)selector << 16 | (uint64_t)((offset & 0xffff0000) | type) << 32;
}

static void task_init(void)
{
  df_tss = (struct tss){.eip = (uint32_t)traps_double_fault_task,
                        .eflags = 2,
                        .esp = (uint32_t)df_stack + TRAPS_STACK,
                        .cs = SELECTOR_CODE,
                        .ss = SELECTOR_DATA,
                        .ds = SELECTOR_DATA,
                        .es = SELECTOR_DATA,
                        .cr3 = (uint32_t)cpu_read_cr3(),
                        .io_map = sizeof df_tss};
}

void traps_tables_init(uint64_t *gdt, uintptr_t ring0_stack_top)
{
  gdt_in_use = gdt;
  gdt[SELECTOR_CODE / 8] = descriptor(0, 0xfffff, DESCRIPTOR_FLAT | DESCRIPTOR_CODE | DESCRIPTOR_32);
  gdt[SELECTOR_USER_CODE / 8] = descriptor(0, 0xfffff, DESCRIPTOR_FLAT | DESCRIPTOR_CODE | DESCRIPTOR_32 | DESCRIPTOR_DPL3);
  tss.esp0 = ring0_stack_top;
  tss.ss0 = SELECTOR_DATA;
  tss.io_map = sizeof tss;
  task_init();
  gdt[SELECTOR_TSS / 8] = descriptor((uint32_t)&tss, sizeof tss - 1, DESCRIPTOR_PRESENT | DESCRIPTOR_TSS);
  gdt[SELECTOR_DF_TSS / 8] = descriptor((uint32_t)&df_tss, sizeof df_tss - 1, DESCRIPTOR_PRESENT | DESCRIPTOR_TSS);
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

/* Runs in the double-fault task. The task that faulted is still marked busy, and its state was saved in its TSS; leaving it
 * for good means taking the task register back by hand and starting the double-fault task afresh for the next time. */
void traps_double_fault(void)
{
  struct machine_fault fault =
    {.raised = true, .has_error = true, .vector = VECTOR_DF, .cpl = tss.cs & 3, .cr2 = cpu_read_cr2(), .ip = tss.eip};
  gdt_in_use[SELECTOR_TSS / 8] &= ~DESCRIPTOR_BUSY;
  gdt_in_use[SELECTOR_DF_TSS / 8] &= ~DESCRIPTOR_BUSY;
  cpu_load_tr(SELECTOR_TSS);
  cpu_write_flags(cpu_read_flags() & ~(uintptr_t)FLAGS_NT);
  task_init();
  traps_raise(&fault, 0, 0);
}
