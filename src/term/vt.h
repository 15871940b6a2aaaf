/* A terminal in memory: bytes as the shell sends them to a serial line become cells of text. It knows the sequences that the shell uses,
 * and skips others. No pointers, and the same size at both widths: it survives a mode switch. */
#ifndef TERM_VT_H
#define TERM_VT_H

#include <stdbool.h>
#include <stdint.h>

#define VT_COLUMNS_MAX 128
#define VT_ROWS_MAX 48
#define VT_CELLS (VT_COLUMNS_MAX * VT_ROWS_MAX)
#define VT_PARAMETERS 8

/* A cell is as VGA's text mode has it:
 *   15      14:12        11      10:8         7:0
 *   blink   background   bright  foreground   character
 * and so are the numbers of colours: blue is 1, green 2, red 4. */
typedef uint16_t vt_cell;

struct vt {
  uint16_t columns, rows;
  uint16_t x, y;
  uint32_t scrolled; /* lines, since the beginning */
  uint8_t attribute; /* of what is written next */
  uint8_t state;     /* within an escape sequence */
  bool wraps;        /* the last column has been written: the next character goes to the next line */
  uint8_t parameters;
  uint16_t parameter[VT_PARAMETERS];
  vt_cell cell[VT_CELLS]; /* row by row, `columns` wide */
};

/** An empty screen of that size, at most VT_COLUMNS_MAX by VT_ROWS_MAX. */
void vt_init(struct vt *vt, unsigned columns, unsigned rows);

/** Takes one byte. */
void vt_put(struct vt *vt, uint8_t byte);

#endif
