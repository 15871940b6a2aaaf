#include "lab/private.h"

static void begin(void)
{
  lab_refresh();
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
