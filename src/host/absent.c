/* machine.h and console.h where there is no machine: for host programs that want the pure code and nothing beneath it. Every CPU feature is
 * missing, there is no RAM, nothing is ever typed, and what is written is lost. */
#include "machine/console.h"
#include "machine/machine.h"

#include <string.h>

static const struct machine_fault no_fault;
static const struct machine_result no_result;

const struct machine_cpu *machine_cpu(void)
{
  static const struct machine_cpu none;
  return &none;
}

const struct machine_layout *machine_layout(void)
{
  static const struct machine_layout none;
  return &none;
}

enum machine_mode machine_mode(void)
{
  return MACHINE_OFF;
}

bool machine_mode_supported(enum machine_mode mode, enum machine_feature *missing)
{
  *missing = FEATURE_CPUID;
  return mode == MACHINE_OFF;
}

void machine_mode_switch(enum machine_mode mode)
{
  (void)mode;
}

void machine_paging_reset(void)
{
}

void *machine_carry(size_t *size)
{
  static uint64_t carry[32 * KIB / sizeof(uint64_t)];
  *size = sizeof carry;
  return carry;
}

bool machine_memory(unsigned index, struct machine_range *range)
{
  (void)index;
  (void)range;
  return false;
}

void *machine_physical(paddr_t at)
{
  (void)at;
  return NULL;
}

bool machine_entry_read(paddr_t at, unsigned bytes, uint64_t *value)
{
  (void)at;
  (void)bytes;
  (void)value;
  return false;
}

bool machine_entry_write(paddr_t at, unsigned bytes, uint64_t value)
{
  (void)at;
  (void)bytes;
  (void)value;
  return false;
}

uint64_t machine_register_read(enum machine_register reg)
{
  (void)reg;
  return 0;
}

struct machine_fault machine_register_write(enum machine_register reg, uint64_t value)
{
  (void)reg;
  (void)value;
  return no_fault;
}

struct machine_result machine_access(struct machine_access *access)
{
  (void)access;
  return no_result;
}

struct machine_result machine_invlpg(const struct machine_invlpg *operand)
{
  (void)operand;
  return no_result;
}

struct machine_result machine_invpcid(uint64_t type, uint64_t pcid, laddr_t va)
{
  (void)type;
  (void)pcid;
  (void)va;
  return no_result;
}

struct machine_fault machine_sweep(const struct machine_sweep *sweep)
{
  (void)sweep;
  return no_fault;
}

struct machine_fault machine_paging_toggle(void)
{
  return no_fault;
}

struct machine_fault machine_task_switch(uint64_t cr3)
{
  (void)cr3;
  return no_fault;
}

bool machine_tlb_array(unsigned index, struct machine_tlb_array *array)
{
  (void)index;
  (void)array;
  return false;
}

unsigned machine_tlb_set(unsigned index, laddr_t va, unsigned shift)
{
  (void)index;
  (void)va;
  (void)shift;
  return 0;
}

bool machine_tlb_entry(unsigned *cursor, struct machine_tlb_entry *entry)
{
  (void)cursor;
  (void)entry;
  return false;
}

struct machine_result machine_cost(enum machine_cost what, uint8_t cpl, uint64_t value, uint64_t count)
{
  (void)what;
  (void)cpl;
  (void)value;
  (void)count;
  return (struct machine_result){.fault = no_fault};
}

struct machine_fault machine_msr_read(uint32_t msr, uint64_t *value)
{
  (void)msr;
  *value = 0;
  return no_fault;
}

struct machine_fault machine_msr_write(uint32_t msr, uint64_t value)
{
  (void)msr;
  (void)value;
  return no_fault;
}

struct machine_fault machine_raise(uint8_t vector, uint8_t cpl)
{
  (void)vector;
  (void)cpl;
  return no_fault;
}

void machine_stop_arm(bool on)
{
  (void)on;
}

void machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
  (void)leaf;
  (void)subleaf;
  memset(regs, 0, 4 * sizeof regs[0]);
}

uint64_t machine_ticks(void)
{
  return 0;
}

struct machine_fault machine_guard(void (*fn)(void *argument), void *argument)
{
  fn(argument);
  return no_fault;
}

const char *machine_command_line(void)
{
  return "";
}

void machine_reboot(void)
{
}

void machine_poweroff(void)
{
}

int console_read(void)
{
  return -1;
}

void console_write(const char *text, size_t length)
{
  (void)text;
  (void)length;
}

bool console_interrupted(void)
{
  return false;
}

void console_interrupt_clear(void)
{
}

const char *console_notice_take(void)
{
  return NULL;
}
