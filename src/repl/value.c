#include "repl/value.h"

#include <string.h>

static char *hex_digits(uint64_t value, char *end)
{
  do {
    *--end = "0123456789abcdef"[value & 15];
    value >>= 4;
  } while (value);
  *--end = 'x';
  *--end = '0';
  return end;
}

static char *decimal_digits(uint64_t value, char *end)
{
  while (value > UINT32_MAX) { /* a 64-bit division is slow where the CPU has none */
    *--end = (char)('0' + value % 10);
    value /= 10;
  }
  uint32_t low = (uint32_t)value;
  do {
    *--end = (char)('0' + low % 10);
    low /= 10;
  } while (low);
  return end;
}

bool value_is_plain(const struct record_node *node)
{
  return node->type != RECORD_OBJECT && node->type != RECORD_ARRAY;
}

bool value_is_number(const struct record_node *node)
{
  return node->type == RECORD_HEX || node->type == RECORD_COUNT;
}

const char *value_text(const struct record_node *node, char digits[VALUE_DIGITS_MAX])
{
  char *end = digits + VALUE_DIGITS_MAX - 1;
  *end = 0;
  switch (node->type) {
  case RECORD_STRING: return node->text;
  case RECORD_HEX: return hex_digits(node->number, end);
  case RECORD_COUNT: return decimal_digits(node->number, end);
  default: return node->number ? "yes" : "no";
  }
}

size_t value_length(const struct record_node *node)
{
  char digits[VALUE_DIGITS_MAX];
  if (value_is_plain(node)) {
    return strlen(value_text(node, digits));
  }
  size_t length = 0;
  for (const struct record_node *child = node->child; child; child = child->next) {
    length += value_length(child) + (child->next ? 2 : 0);
  }
  return length;
}

bool value_is_true(const struct record_node *node)
{
  if (node->type == RECORD_STRING) {
    return node->text[0] != 0;
  }
  return value_is_plain(node) ? node->number != 0 : node->child != NULL;
}
