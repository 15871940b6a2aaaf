#include "dev/screen.h"

#include "cpu/cpu.h"
#include "lib/address.h"
#include "lib/format.h"
#include "machine/layout.h"
#include "machine/real.h"
#include "term/vt.h"

#define TEXT_COLUMNS 80
#define TEXT_ROWS 25
#define CRTC_INDEX 0x3d4
#define CRTC_DATA 0x3d5
#define CRTC_CURSOR_START 0x0a
#define CRTC_CURSOR_END 0x0b
#define CRTC_CURSOR_HIGH 0x0e
#define CRTC_CURSOR_LOW 0x0f
#define GLYPH_WIDTH 8
#define GLYPH_HEIGHT 16
#define FONT_FIRST 0x20
#define FONT_LAST 0x7e
#define CURSOR_ROWS 2
#define NO_CELL 0 /* what no cell of a terminal is */
#define NOWHERE 0xffffffffu

extern const uint8_t font[][GLYPH_HEIGHT];

/* The terminal, and what of it is on the screen: only cells that differ are drawn. Both kernels share it. */
struct screen {
  struct vt vt;
  uint32_t cursor; /* the cell that it is drawn in */
  uint32_t drawn_scrolled;
  vt_cell shown[VT_CELLS];
};

_Static_assert(sizeof(struct screen) <= LAYOUT_SCREEN_BYTES, "the screen does not fit");

#define SCREEN ((struct screen *)LAYOUT_SCREEN)

/* VGA's sixteen colours. */
static const uint8_t palette[16][3] = {
  {0x00, 0x00, 0x00}, {0x00, 0x00, 0xaa}, {0x00, 0xaa, 0x00}, {0x00, 0xaa, 0xaa}, {0xaa, 0x00, 0x00}, {0xaa, 0x00, 0xaa},
  {0xaa, 0x55, 0x00}, {0xaa, 0xaa, 0xaa}, {0x55, 0x55, 0x55}, {0x55, 0x55, 0xff}, {0x55, 0xff, 0x55}, {0x55, 0xff, 0xff},
  {0xff, 0x55, 0x55}, {0xff, 0x55, 0xff}, {0xff, 0xff, 0x55}, {0xff, 0xff, 0xff},
};

static char name[48];
static uint8_t *memory; /* the framebuffer's, where the text begins; or text memory; NULL where there is no screen */
static bool text_mode;
static uint32_t pitch, pixel_bytes;
static uint32_t row_at[VT_ROWS_MAX]; /* where each row of characters begins in the framebuffer */
static uint32_t pixels[16];          /* the palette as pixels */

/* ---- VGA's text mode ---- */

static void crtc(uint8_t index, uint8_t value)
{
  cpu_out8(CRTC_INDEX, index);
  cpu_out8(CRTC_DATA, value);
}

static void text_cell(unsigned at, vt_cell cell, bool cursor)
{
  (void)cursor; /* the hardware's */
  ((volatile vt_cell *)(void *)memory)[at] = cell;
}

static void text_cursor(unsigned at)
{
  crtc(CRTC_CURSOR_HIGH, (uint8_t)(at >> 8));
  crtc(CRTC_CURSOR_LOW, (uint8_t)at);
}

/* ---- framebuffer ---- */

static void put_pixel(uint8_t *to, uint32_t pixel)
{
  if (pixel_bytes == 4) {
    *(volatile uint32_t *)(void *)to = pixel;
    return;
  }
  volatile uint8_t *byte = to;
  byte[0] = (uint8_t)pixel;
  byte[1] = (uint8_t)(pixel >> 8);
  byte[2] = (uint8_t)(pixel >> 16);
}

static void glyph_cell(unsigned at, vt_cell cell, bool cursor)
{
  uint8_t character = (uint8_t)cell;
  const uint8_t *rows = font[character >= FONT_FIRST && character <= FONT_LAST ? character - FONT_FIRST : '?' - FONT_FIRST];
  uint32_t ink = pixels[cell >> 8 & 0xf], paper = pixels[cell >> 12 & 0x7];
  uint8_t *line = memory + row_at[at / SCREEN->vt.columns] + at % SCREEN->vt.columns * GLYPH_WIDTH * pixel_bytes;
  for (unsigned y = 0; y < GLYPH_HEIGHT; y++, line += pitch) {
    uint8_t bits = cursor && y >= GLYPH_HEIGHT - CURSOR_ROWS ? 0xff : rows[y];
    for (unsigned x = 0; x < GLYPH_WIDTH; x++)
      put_pixel(line + x * pixel_bytes, (bits & 0x80 >> x) ? ink : paper);
  }
}

/* How a colour is put into a pixel: the upper bits of each of its parts. */
static uint32_t pixel_of(const struct boot_screen *s, const uint8_t rgb[3])
{
  uint32_t pixel = 0;
  for (unsigned i = 0; i < 3; i++)
    pixel |= (s->size[i] < 8 ? (uint32_t)rgb[i] >> (8 - s->size[i]) : (uint32_t)rgb[i]) << s->position[i];
  return pixel;
}

static unsigned at_most(unsigned value, unsigned most)
{
  return value < most ? value : most;
}

/* Pages whose number ends in 00 to 07 fall on the places of a small direct-mapped TLB that students' own pages want (layout.h). */
static bool keeps_off(uint32_t from, uint32_t to)
{
  for (uint32_t page = from >> PAGE_SHIFT; page <= to >> PAGE_SHIFT; page++)
    if ((page & 0xff) < 8)
      return false;
  return true;
}

/* As many whole characters as fit; what is left over stays black: at the right, at the bottom, and where a row would touch such a page. */
static void place_rows(const struct boot_screen *s, unsigned columns, unsigned lines, unsigned *rows)
{
  uint32_t offset = (uint32_t)(s->address & (LAYOUT_FRAMEBUFFER_PAGE - 1));
  uint32_t length = (GLYPH_HEIGHT - 1) * pitch + columns * GLYPH_WIDTH * pixel_bytes;
  *rows = 0;
  for (uint32_t line = 0; line + GLYPH_HEIGHT <= lines && *rows < VT_ROWS_MAX;) {
    uint32_t at = line * pitch;
    bool fits = keeps_off(offset + at, offset + at + length - 1);
    if (fits)
      row_at[(*rows)++] = at;
    line += fits ? GLYPH_HEIGHT : 1;
  }
}

static bool framebuffer_init(const struct boot_screen *s, unsigned *columns, unsigned *rows)
{
  uint32_t bytes;
  memory = real_screen(&bytes);
  if (memory == NULL || s->pitch == 0)
    return false;
  pitch = s->pitch;
  pixel_bytes = s->bits / 8;
  for (unsigned i = 0; i < 16; i++)
    pixels[i] = pixel_of(s, palette[i]);
  *columns = at_most(s->width / GLYPH_WIDTH, VT_COLUMNS_MAX);
  place_rows(s, *columns, at_most(s->height, bytes / pitch), rows);
  return *columns > 0 && *rows > 0;
}

/* What the firmware left there goes. */
static void framebuffer_clear(const struct boot_screen *s)
{
  uint32_t bytes, lines;
  real_screen(&bytes);
  lines = at_most(s->height, bytes / pitch);
  for (uint32_t y = 0; y < lines; y++)
    for (uint32_t x = 0; x < s->width; x++)
      put_pixel(memory + y * pitch + x * pixel_bytes, 0);
}

/* ---- either ---- */

static bool find(unsigned *columns, unsigned *rows)
{
  const struct boot_info *info = real_boot_info();
  if (info->screen.kind == BOOT_SCREEN_PIXELS)
    return framebuffer_init(&info->screen, columns, rows);
  text_mode = true;
  memory = (uint8_t *)(uintptr_t)info->screen.address;
  *columns = TEXT_COLUMNS;
  *rows = TEXT_ROWS;
  return info->screen.kind == BOOT_SCREEN_TEXT;
}

bool screen_init(bool again)
{
  unsigned columns, rows;
  if (!find(&columns, &rows)) {
    memory = NULL;
    return false;
  }
  format(name, sizeof name, "screen %ux%u", columns, rows);
  if (again)
    return true;
  vt_init(&SCREEN->vt, columns, rows);
  for (unsigned i = 0; i < VT_CELLS; i++)
    SCREEN->shown[i] = NO_CELL;
  SCREEN->cursor = NOWHERE;
  SCREEN->drawn_scrolled = 0;
  if (!text_mode)
    framebuffer_clear(&real_boot_info()->screen);
  if (text_mode) {
    crtc(CRTC_CURSOR_START, GLYPH_HEIGHT - CURSOR_ROWS);
    crtc(CRTC_CURSOR_END, GLYPH_HEIGHT - 1);
  }
  return true;
}

void screen_draw(void)
{
  void (*draw)(unsigned at, vt_cell cell, bool cursor) = text_mode ? text_cell : glyph_cell;
  struct screen *s = SCREEN;
  if (memory == NULL)
    return;
  unsigned cells = (unsigned)s->vt.columns * s->vt.rows, cursor = (unsigned)s->vt.y * s->vt.columns + s->vt.x;
  for (unsigned i = 0; i < cells; i++) {
    bool cursor_moved = s->cursor != cursor && (i == cursor || i == s->cursor);
    if (s->shown[i] == s->vt.cell[i] && !cursor_moved)
      continue;
    draw(i, s->vt.cell[i], i == cursor);
    s->shown[i] = s->vt.cell[i];
  }
  if (text_mode && s->cursor != cursor)
    text_cursor(cursor);
  s->cursor = cursor;
  s->drawn_scrolled = s->vt.scrolled;
}

void screen_write(const char *text, size_t length)
{
  struct screen *s = SCREEN;
  if (memory == NULL)
    return;
  for (; length > 0; length--)
    vt_put(&s->vt, (uint8_t)*text++);
  if (s->vt.scrolled - s->drawn_scrolled >= s->vt.rows)
    screen_draw();
}

unsigned screen_columns(void)
{
  return SCREEN->vt.columns;
}

unsigned screen_lines(void)
{
  return SCREEN->vt.rows;
}

const char *screen_name(void)
{
  return memory ? name : "";
}
