#include "repl/state.h"

#include "paging/format.h"
#include "repl/clock.h"

struct state *state_get(void)
{
  size_t size;
  struct state *state = machine_carry(&size);
  _Static_assert(sizeof(struct state) < 20 * 1024, "the state must fit into what survives a mode switch");
  return state;
}

const char *state_mode_name_of(enum machine_mode mode)
{
  const struct format *format = format_of(mode);
  return format ? format->name : "off";
}

const char *state_mode_name(void)
{
  return state_mode_name_of(machine_mode());
}

const char *state_clock(void)
{
  return clock_name((enum clock_kind)state_get()->clock);
}
