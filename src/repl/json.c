#include "repl/json.h"

#include "repl/value.h"

static bool json_plain(char c)
{
  return (uint8_t)c >= 0x20 && (uint8_t)c < 0x7f && c != '"' && c != '\\';
}

static void json_escape(struct out *out, uint8_t c)
{
  if (c == '"' || c == '\\') {
    out_char(out, '\\');
    out_char(out, (char)c);
    return;
  }
  out_text(out, "\\u00");
  out_char(out, "0123456789abcdef"[c >> 4]);
  out_char(out, "0123456789abcdef"[c & 15]);
}

static void json_string(struct out *out, const char *text)
{
  out_char(out, '"');
  while (*text) {
    size_t plain_bytes = 0;
    while (json_plain(text[plain_bytes])) {
      plain_bytes++;
    }
    out_bytes(out, text, plain_bytes);
    text += plain_bytes;
    if (*text) {
      json_escape(out, (uint8_t)*text++);
    }
  }
  out_char(out, '"');
}

/* Keys are literals with nothing in them to escape. */
static void json_key(struct out *out, const char *key)
{
  out_char(out, '"');
  out_text(out, key);
  out_bytes(out, "\":", 2);
}

static void json_members(struct out *out, const struct record_node *parent, bool first);

static void json_value(struct out *out, const struct record_node *node)
{
  char digits[VALUE_DIGITS_MAX];
  switch (node->type) {
  case RECORD_OBJECT:
  case RECORD_ARRAY:
    out_char(out, node->type == RECORD_OBJECT ? '{' : '[');
    json_members(out, node, true);
    out_char(out, node->type == RECORD_OBJECT ? '}' : ']');
    break;
  case RECORD_STRING: json_string(out, node->text); break;
  case RECORD_HEX:
    out_char(out, '"');
    out_text(out, value_text(node, digits));
    out_char(out, '"');
    break;
  case RECORD_COUNT: out_text(out, value_text(node, digits)); break;
  default: out_text(out, node->number ? "true" : "false"); break;
  }
}

static void json_members(struct out *out, const struct record_node *parent, bool first)
{
  for (const struct record_node *node = parent->child; node; node = node->next) {
    if (!first) {
      out_char(out, ',');
    }
    first = false;
    if (parent->type == RECORD_OBJECT) {
      json_key(out, node->key);
    }
    json_value(out, node);
  }
}

static const char *const status_words[] = {
  [STATUS_OK] = "ok",       [STATUS_USAGE] = "usage", [STATUS_REFUSED] = "refused",
  [STATUS_FAULT] = "fault", [STATUS_ERROR] = "error", [STATUS_INTERRUPTED] = "interrupted",
};

void json_record(struct out *out, const struct record *record, const char *mode)
{
  out_char(out, '{');
  json_key(out, "cmd");
  json_string(out, record->cmd);
  out_char(out, ',');
  json_key(out, "status");
  json_string(out, status_words[record->status]);
  if (mode) {
    out_char(out, ',');
    json_key(out, "mode");
    json_string(out, mode);
  }
  json_members(out, &record->root, false);
  out_text(out, record->truncated ? ",\"truncated\":true}\r\n" : "}\r\n");
}
