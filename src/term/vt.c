#include "term/vt.h"

#define ESCAPE 0x1b
#define PLAIN 0x07 /* light grey on black */
#define BRIGHT 0x08
#define TAB 8

enum { TEXT, AFTER_ESCAPE, IN_CSI };

void vt_init(struct vt *vt, unsigned columns, unsigned rows)
{
  vt->columns = (uint16_t)(columns < VT_COLUMNS_MAX ? columns : VT_COLUMNS_MAX);
  vt->rows = (uint16_t)(rows < VT_ROWS_MAX ? rows : VT_ROWS_MAX);
  vt->x = vt->y = 0;
  vt->scrolled = 0;
  vt->attribute = PLAIN;
  vt->state = TEXT;
  vt->wraps = false;
  vt->parameters = 0;
  for (unsigned i = 0; i < VT_CELLS; i++)
    vt->cell[i] = PLAIN << 8 | ' ';
}

/* ---- cells ---- */

static void blank(struct vt *vt, unsigned from, unsigned to)
{
  for (; from < to; from++)
    vt->cell[from] = (vt_cell)(vt->attribute << 8 | ' ');
}

static unsigned here(const struct vt *vt)
{
  return vt->y * vt->columns + vt->x;
}

static unsigned end(const struct vt *vt)
{
  return (unsigned)vt->rows * vt->columns;
}

static void line_feed(struct vt *vt)
{
  if (vt->y + 1u < vt->rows) {
    vt->y++;
    return;
  }
  for (unsigned i = vt->columns; i < end(vt); i++)
    vt->cell[i - vt->columns] = vt->cell[i];
  blank(vt, end(vt) - vt->columns, end(vt));
  vt->scrolled++;
}

static void put_character(struct vt *vt, uint8_t character)
{
  if (vt->wraps) {
    vt->x = 0;
    line_feed(vt);
  }
  vt->cell[here(vt)] = (vt_cell)(vt->attribute << 8 | character);
  vt->wraps = vt->x + 1u == vt->columns;
  vt->x = (uint16_t)(vt->x + !vt->wraps);
}

static void move(struct vt *vt, int x, int y)
{
  vt->x = (uint16_t)(x < 0 ? 0 : x >= vt->columns ? vt->columns - 1 : x);
  vt->y = (uint16_t)(y < 0 ? 0 : y >= vt->rows ? vt->rows - 1 : y);
  vt->wraps = false;
}

static void control(struct vt *vt, uint8_t byte)
{
  switch (byte) {
  case '\r': move(vt, 0, vt->y); break;
  case '\n':
    vt->wraps = false;
    line_feed(vt);
    break;
  case '\b': move(vt, vt->x - 1, vt->y); break;
  case '\t': move(vt, (vt->x / TAB + 1) * TAB, vt->y); break;
  default: break;
  }
}

/* ---- control sequences: ESC [ parameters final. ECMA-48 ---- */

/* A count: what is left out, or 0, is 1. */
static int count(const struct vt *vt, unsigned index)
{
  return index < vt->parameters && vt->parameter[index] ? vt->parameter[index] : 1;
}

static void cursor_up(struct vt *vt)
{
  move(vt, vt->x, vt->y - count(vt, 0));
}

static void cursor_down(struct vt *vt)
{
  move(vt, vt->x, vt->y + count(vt, 0));
}

static void cursor_right(struct vt *vt)
{
  move(vt, vt->x + count(vt, 0), vt->y);
}

static void cursor_left(struct vt *vt)
{
  move(vt, vt->x - count(vt, 0), vt->y);
}

static void cursor_to(struct vt *vt)
{
  move(vt, count(vt, 1) - 1, count(vt, 0) - 1);
}

/* 0: from the cursor to the end; 1: from the beginning to the cursor; 2: all. */
static void erase(struct vt *vt, unsigned first, unsigned last)
{
  unsigned what = vt->parameters ? vt->parameter[0] : 0;
  blank(vt, what == 0 ? here(vt) : first, what == 1 ? here(vt) + 1 : last);
}

static void erase_screen(struct vt *vt)
{
  erase(vt, 0, end(vt));
}

static void erase_line(struct vt *vt)
{
  unsigned start = (unsigned)vt->y * vt->columns;
  erase(vt, start, start + vt->columns);
}

/* ANSI numbers red 1 and blue 4; VGA the other way round. */
static uint8_t colour(unsigned ansi)
{
  return (uint8_t)((ansi & 1) << 2 | (ansi & 2) | (ansi & 4) >> 2);
}

static uint8_t with_foreground(uint8_t attribute, uint8_t foreground)
{
  return (uint8_t)((attribute & 0xf8) | foreground);
}

static uint8_t with_background(uint8_t attribute, uint8_t background)
{
  return (uint8_t)((attribute & 0x0f) | background << 4);
}

static uint8_t rendition(uint8_t attribute, unsigned code)
{
  if (code >= 30 && code <= 37)
    return with_foreground(attribute, colour(code - 30));
  if (code >= 40 && code <= 47)
    return with_background(attribute, colour(code - 40));
  if (code >= 90 && code <= 97)
    return with_foreground(attribute, colour(code - 90)) | BRIGHT;
  switch (code) {
  case 0: return PLAIN;
  case 1: return attribute | BRIGHT;
  case 7: return (uint8_t)((attribute & 0x08) | (attribute & 0x07) << 4 | (attribute >> 4 & 0x07));
  case 22: return (uint8_t)(attribute & ~BRIGHT);
  case 39: return with_foreground(attribute, PLAIN & 7);
  case 49: return with_background(attribute, PLAIN >> 4);
  default: return attribute;
  }
}

static void select_rendition(struct vt *vt)
{
  if (vt->parameters == 0)
    vt->attribute = PLAIN;
  for (unsigned i = 0; i < vt->parameters; i++)
    vt->attribute = rendition(vt->attribute, vt->parameter[i]);
}

static const struct {
  char final;
  void (*act)(struct vt *vt);
} sequences[] = {
  {'A', cursor_up}, {'B', cursor_down},  {'C', cursor_right}, {'D', cursor_left},      {'H', cursor_to},
  {'f', cursor_to}, {'J', erase_screen}, {'K', erase_line},   {'m', select_rendition},
};

static void sequence(struct vt *vt, char final)
{
  for (unsigned i = 0; i < sizeof sequences / sizeof sequences[0]; i++)
    if (sequences[i].final == final)
      sequences[i].act(vt);
}

static void digit(struct vt *vt, unsigned value)
{
  if (vt->parameters == 0)
    vt->parameter[vt->parameters++] = 0;
  uint16_t *parameter = &vt->parameter[vt->parameters - 1];
  *parameter = (uint16_t)(*parameter < 1000 ? *parameter * 10 + value : *parameter);
}

static void in_sequence(struct vt *vt, uint8_t byte)
{
  if (byte >= '0' && byte <= '9') {
    digit(vt, byte - '0');
  } else if (byte == ';') {
    if (vt->parameters == 0)
      digit(vt, 0);
    if (vt->parameters < VT_PARAMETERS)
      vt->parameter[vt->parameters++] = 0;
  } else if (byte >= 0x40) {
    vt->state = TEXT;
    sequence(vt, (char)byte);
  }
}

void vt_put(struct vt *vt, uint8_t byte)
{
  if (byte == ESCAPE) {
    vt->state = AFTER_ESCAPE;
  } else if (byte < 0x20) {
    control(vt, byte);
  } else if (vt->state == AFTER_ESCAPE) {
    vt->parameters = 0;
    vt->state = byte == '[' ? IN_CSI : TEXT;
  } else if (vt->state == IN_CSI) {
    in_sequence(vt, byte);
  } else if (byte != 0x7f) {
    put_character(vt, byte);
  }
}
