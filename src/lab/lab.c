#include "lab/private.h"

static struct model model;

const struct model *lab_model(void)
{
  return &model;
}

struct model *lab_model_change(void)
{
  return &model;
}

void lab_command(uint32_t command)
{
  model_command(&model, command);
  lab_trace_clear();
  lab_touch_forget();
}

void lab_entry_write(paddr_t at, uint64_t before, uint64_t after)
{
  model_wrote(&model, at, before, after);
  machine_entry_write(at, lab_paging()->format->entry_bytes, after);
}

static void begin(void)
{
  lab_refresh();
  lab_spaces_init();
  model_init(&model, rules_vendor(machine_cpu()->vendor), lab_paging());
  lab_tables_init();
  lab_undo_clear();
  lab_touch_forget();
}

void lab_init(bool again)
{
  if (!again)
    lab_frames_fill();
  begin();
}

void lab_reset(void)
{
  machine_paging_reset();
  lab_frames_fill();
  begin();
}
