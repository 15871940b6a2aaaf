#include "repl/out.h"

void out_flush(struct out *out)
{
  if (out->used) {
    out->sink(out->context, out->buffer, out->used);
  }
  out->used = 0;
}

void out_pieces(struct out *out, const char *text, size_t length)
{
  while (length) {
    size_t part = OUT_BYTES - out->used < length ? OUT_BYTES - out->used : length;
    memcpy(out->buffer + out->used, text, part);
    out->used += part;
    text += part;
    length -= part;
    if (out->used == OUT_BYTES) {
      out_flush(out);
    }
  }
}
