/* Where rendered bytes go: they are collected, so that the sink is called seldom. */
#ifndef REPL_OUT_H
#define REPL_OUT_H

#include "repl/render.h"

#include <string.h>

#define OUT_BYTES 512

struct out {
  render_sink sink;
  void *context;
  size_t used;
  char buffer[OUT_BYTES];
};

/** Hands over what was collected. */
void out_flush(struct out *out);

/** As out_bytes(), piece by piece where there is no room for all of it. */
void out_pieces(struct out *out, const char *text, size_t length);

static inline void out_char(struct out *out, char c)
{
  if (out->used == OUT_BYTES) {
    out_flush(out);
  }
  out->buffer[out->used++] = c;
}

/* Inline, for a record in JSON is mostly short literals. */
static inline void out_bytes(struct out *out, const char *text, size_t length)
{
  if (length > OUT_BYTES - out->used) {
    out_pieces(out, text, length);
    return;
  }
  memcpy(out->buffer + out->used, text, length);
  out->used += length;
}

static inline void out_text(struct out *out, const char *text)
{
  out_bytes(out, text, strlen(text));
}

#endif
