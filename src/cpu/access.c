#include "cpu/access.h"

#include "cpu/cpu.h"
#include "cpu/invalidate.h"
#include "cpu/traps.h"
#include "machine/layout.h"

#include <string.h>

enum access_variant { PLAIN, TIMED, STOPPING, VARIANTS };

extern const uintptr_t access_entries[2][VARIANTS][ACCESS_KINDS];
extern const uint8_t user_begin[], user_end[];
extern uint8_t *const access_fences[], *const access_fences_end[];
extern const uintptr_t access_sweeps[2][3][3];
void access_call(uintptr_t entry, uintptr_t registers[3]);
void access_call_sweep(uintptr_t entry, const uintptr_t registers[3]);

struct call {
  uintptr_t entry;
  uintptr_t registers[3]; /* bx, cx, ax */
};

static bool has_tsc;

/* CPUID.01H:EDX.SSE2[bit 26]: LFENCE came with SSE2. */
static bool has_lfence(void)
{
  uint32_t regs[4] = {0};
  if (cpu_has_cpuid())
    cpu_cpuid(1, 0, regs);
  return regs[CPUID_EDX] >> 26 & 1;
}

static void fences_write(void)
{
  static const uint8_t lfence[] = {0x0f, 0xae, 0xe8};
  for (uint8_t *const *fence = access_fences; fence < access_fences_end; fence++)
    memcpy(*fence, lfence, sizeof lfence);
}

void access_init(void)
{
  has_tsc = cpu_has(FEATURE_TSC);
  if (has_lfence())
    fences_write();
  memcpy((void *)LAYOUT_USER_CODE, user_begin, (size_t)(user_end - user_begin));
}

static void call_ring0(void *argument)
{
  struct call *call = argument;
  access_call(call->entry, call->registers);
}

/* Where the ring-3 routines' text at @p at was copied to. */
static uintptr_t in_user_page(uintptr_t at)
{
  return LAYOUT_USER_CODE + (at - (uintptr_t)user_begin);
}

static void call_ring3(void *argument)
{
  const struct call *call = argument;
  const struct traps_frame registers = {.bx = call->registers[0], .cx = call->registers[1]};
  traps_enter_user(in_user_page(call->entry), LAYOUT_USER_STACK + PAGE_SIZE - 16, &registers);
}

/* A ring-3 routine ends in UD2 on purpose; any other exception, or one elsewhere, is the access's own. */
static bool came_home(const struct machine_fault *fault)
{
  return fault->cpl == 3 && fault->vector == VECTOR_UD && fault->ip - LAYOUT_USER_CODE < (uintptr_t)(user_end - user_begin);
}

struct machine_result access_perform(unsigned kind, unsigned cpl, uintptr_t address, uint64_t *value)
{
  enum access_variant variant = cpu_stop_take() ? STOPPING : has_tsc ? TIMED : PLAIN;
  struct machine_result result = {.timed = variant == TIMED};
  struct call call = {.entry = access_entries[cpl == 3][variant][kind], .registers = {address, (uintptr_t)*value, 0}};
  uintptr_t flags = cpu_read_flags();
  cpu_interrupts_off();
  struct traps_outcome outcome = traps_try(cpl == 3 ? call_ring3 : call_ring0, &call);
  cpu_write_flags(flags);
  if (cpl == 3 && came_home(&outcome.fault)) {
    outcome.fault = (struct machine_fault){0};
    call.registers[1] = outcome.cx;
    call.registers[2] = outcome.ax;
  }
  result.fault = outcome.fault;
  result.timed = result.timed && !result.fault.raised;
  result.ticks = (uint32_t)call.registers[2];
  *value = call.registers[1];
  return result;
}

/* ---- sweeps ---- */

static struct {
  const struct machine_sweep *sweep;
  uintptr_t entry, body, next;
} sweeping;

/* A fault of one access: noted, and the sweep goes on with the next. */
static bool sweep_step(struct traps_frame *frame)
{
  const struct machine_sweep *sweep = sweeping.sweep;
  bool at_access = frame->ip == sweeping.body || (sweep->op == OP_EXEC && frame->ip == frame->bx);
  bool kind = frame->vector == VECTOR_PF || frame->vector == VECTOR_GP || frame->vector == VECTOR_SS || frame->vector == VECTOR_AC;
  if (!at_access || !kind)
    return false;
  uint32_t came = MACHINE_CAME(frame->vector, frame->error);
  if (frame->vector == VECTOR_PF && cpu_read_cr2() != frame->bx)
    came |= MACHINE_CAME_CR2;
  sweep->came[sweep->count - (unsigned)frame->di] = came;
  frame->ip = sweeping.next;
  return true;
}

static void sweep_ring0(void *argument)
{
  const struct machine_sweep *sweep = argument;
  const uintptr_t registers[3] = {(uintptr_t)sweep->va.v, (uintptr_t)sweep->stride, sweep->count};
  access_call_sweep(sweeping.entry, registers);
}

static void sweep_ring3(void *argument)
{
  const struct machine_sweep *sweep = argument;
  const struct traps_frame registers = {.bx = (uintptr_t)sweep->va.v, .si = (uintptr_t)sweep->stride, .di = sweep->count};
  traps_enter_user(sweeping.entry, LAYOUT_USER_STACK + PAGE_SIZE - 16, &registers);
}

struct machine_fault access_sweep(const struct machine_sweep *sweep)
{
  const uintptr_t *labels = access_sweeps[sweep->cpl == 3][sweep->op];
  uintptr_t moved = sweep->cpl == 3 ? in_user_page(0) : 0;
  uintptr_t flags = cpu_read_flags();
  memset(sweep->came, 0, sweep->count * sizeof sweep->came[0]);
  sweeping.sweep = sweep;
  sweeping.entry = labels[0] + moved;
  sweeping.body = labels[1] + moved;
  sweeping.next = labels[2] + moved;
  cpu_interrupts_off();
  if (sweep->ac && sweep->cpl == 0)
    cpu_write_flags(cpu_read_flags() | FLAGS_AC);
  traps_step_set(sweep_step);
  struct machine_fault fault = traps_try(sweep->cpl == 3 ? sweep_ring3 : sweep_ring0, (void *)(uintptr_t)sweep).fault;
  traps_step_set(NULL);
  cpu_write_flags(flags);
  return sweep->cpl == 3 && came_home(&fault) ? (struct machine_fault){0} : fault;
}
