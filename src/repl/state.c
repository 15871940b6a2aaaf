#include "repl/state.h"

#include "lib/text.h"
#include "measure/clock.h"
#include "paging/format.h"

#include <string.h>

struct state *state_get(void)
{
  size_t size;
  struct state *state = machine_carry(&size);
  _Static_assert(sizeof(struct state) < 20 * 1024, "the state must fit into what survives a mode switch");
  return state;
}

static struct state_variable *variable_slot(const char *name)
{
  struct state_variable *free_slot = NULL;
  struct state *state = state_get();
  for (unsigned i = 0; i < STATE_VARIABLES; i++) {
    struct state_variable *v = &state->variable[i];
    if (strcmp(v->name, name) == 0)
      return v;
    if (!v->name[0] && free_slot == NULL)
      free_slot = v;
  }
  return free_slot;
}

bool state_variable_set(const char *name, uint64_t value)
{
  struct state_variable *v = variable_slot(name);
  if (v == NULL)
    return false;
  text_copy(v->name, sizeof v->name, name, strlen(name));
  v->value = value;
  return true;
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
