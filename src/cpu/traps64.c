/* Trap tables of the 64-bit kernel (SDM Vol. 3A, Exception and Interrupt Handling in 64-bit Mode; Task Management in 64-bit Mode). */
#include "cpu/cpu.h"
#include "cpu/segments.h"
#include "cpu/traps_width.h"

struct tss {
  uint32_t reserved0;
  uint64_t rsp[3];
  uint64_t reserved1;
  uint64_t ist[7];
  uint64_t reserved2;
  uint16_t reserved3, io_map;
} __attribute__((packed));

struct gate {
  uint16_t offset_low, selector;
  uint8_t ist, type;
  uint16_t offset_middle;
  uint32_t offset_high, reserved;
};

#define GATE_INTERRUPT 0x8e
#define GATE_DPL3 0x60

static struct tss tss;
static struct gate idt[TRAPS_VECTORS] __attribute__((aligned(16)));
/* #DF, NMI and #MC may come at any moment, with any stack: each has its own. */
static uint8_t stacks[3][TRAPS_STACK] __attribute__((aligned(16)));

static const uint8_t own_stack[] = {VECTOR_DF, VECTOR_NMI, VECTOR_MC};

static void gate_set(unsigned vector, uintptr_t handler)
{
  uint8_t type = GATE_INTERRUPT;
  if (vector == VECTOR_BP || vector == VECTOR_OF)
    type |= GATE_DPL3; /* INT3 and INTO are for ring 3 too */
  idt[vector] = (struct gate){.offset_low = (uint16_t)handler,
                              .selector = SELECTOR_CODE,
                              .type = type,
                              .offset_middle = (uint16_t)(handler >> 16),
                              .offset_high = (uint32_t)((uint64_t)handler >> 32)};
}

void traps_tables_init(uint64_t *gdt, uintptr_t ring0_stack_top)
{
  gdt[SELECTOR_CODE / 8] = DESCRIPTOR_FLAT | DESCRIPTOR_CODE | DESCRIPTOR_LONG;
  gdt[SELECTOR_USER_CODE / 8] = DESCRIPTOR_FLAT | DESCRIPTOR_CODE | DESCRIPTOR_LONG | DESCRIPTOR_DPL3;
  tss.rsp[0] = ring0_stack_top;
  tss.io_map = sizeof tss;
  for (unsigned i = 0; i < sizeof own_stack; i++)
    tss.ist[i] = (uintptr_t)stacks[i] + TRAPS_STACK;
  uintptr_t base = (uintptr_t)&tss;
  gdt[SELECTOR_TSS / 8] = descriptor((uint32_t)base, sizeof tss - 1, DESCRIPTOR_PRESENT | DESCRIPTOR_TSS);
  gdt[SELECTOR_TSS / 8 + 1] = (uint64_t)base >> 32;
  for (unsigned v = 0; v < TRAPS_VECTORS; v++)
    gate_set(v, traps_stubs[v]);
  for (unsigned i = 0; i < sizeof own_stack; i++)
    idt[own_stack[i]].ist = (uint8_t)(i + 1);
  struct {
    uint16_t limit;
    uint64_t base;
  } __attribute__((packed)) gdtr = {GDT_SLOTS * 8 - 1, (uintptr_t)gdt}, idtr = {sizeof idt - 1, (uintptr_t)idt};
  cpu_load_gdt(&gdtr);
  cpu_load_cs(SELECTOR_CODE); /* the boot code's selector means something else here */
  cpu_load_idt(&idtr);
  cpu_load_tr(SELECTOR_TSS);
}

void traps_set_cr3(uintptr_t cr3)
{
  (void)cr3; /* no task switches in long mode: a double fault runs on the CR3 in force */
}

/* SDM, JMP: in 64-bit mode a TSS as the target is a #GP whose error code is the selector. */
struct machine_fault traps_task_switch(uintptr_t cr3)
{
  (void)cr3;
  return (struct machine_fault){.raised = true, .has_error = true, .vector = VECTOR_GP, .error = SELECTOR_TSS};
}
