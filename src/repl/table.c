#include "repl/table.h"

#include "repl/value.h"

#include <string.h>

#define COLUMNS_MAX 16
#define GAP 2 /* between two columns */

struct column {
  const char *key;
  size_t width;
  bool right;
};

/* Members mostly come in the order of the columns, so the search starts where the last one was found. */
static const struct record_node *cell(const struct record_node *element, const char *key, const struct record_node **next)
{
  const struct record_node *node = *next;
  if (!node || node->key != key) {
    node = record_find(element, key);
  }
  *next = node ? node->next : *next;
  return node;
}

static struct column *column_of(struct column *columns, size_t *count, size_t guess, const struct record_node *node)
{
  if (guess < *count && columns[guess].key == node->key) {
    return &columns[guess];
  }
  for (size_t i = 0; i < *count; i++) {
    if (strcmp(columns[i].key, node->key) == 0) {
      return &columns[i];
    }
  }
  if (*count == COLUMNS_MAX) {
    return NULL;
  }
  struct column *column = &columns[(*count)++];
  column->key = node->key;
  column->width = strlen(node->key);
  column->right = value_is_number(node);
  return column;
}

static size_t measure(const struct record_node *array, struct column *columns)
{
  size_t count = 0;
  for (const struct record_node *element = array->child; element; element = element->next) {
    size_t place = 0;
    for (const struct record_node *node = element->child; node && node->key; node = node->next) {
      struct column *column = column_of(columns, &count, place++, node);
      size_t length = value_length(node);
      if (column && length > column->width) {
        column->width = length;
      }
    }
  }
  return count;
}

/* Blanks before what stands in a column, up to where it begins. */
static void lead(struct line *line, const struct column *columns, size_t i, size_t length)
{
  line_blanks(line, (i ? GAP : 0) + (columns[i].right ? columns[i].width - length : 0));
}

static void trail(struct line *line, const struct column *columns, size_t i, size_t length)
{
  line_blanks(line, columns[i].right ? 0 : columns[i].width - length);
}

static void heading(struct line *line, const struct column *columns, size_t count)
{
  line_code(line, line_bold);
  for (size_t i = 0; i < count; i++) {
    size_t length = strlen(columns[i].key);
    lead(line, columns, i, length);
    line_hang(line);
    line_text(line, columns[i].key);
    trail(line, columns, i, length);
  }
  line_code(line, line_plain);
  line_end(line);
}

static void row(struct line *line, const struct record_node *array, const struct record_node *element, const struct column *columns,
                size_t count)
{
  const struct record_node *next = element->child;
  for (size_t i = 0; i < count; i++) {
    const struct record_node *node = cell(element, columns[i].key, &next);
    size_t length = node ? value_length(node) : 0;
    lead(line, columns, i, length);
    if (node) {
      line_hang(line);
      line_value(line, node, array->key);
    }
    trail(line, columns, i, length);
  }
  line_end(line);
}

void table_show(struct line *line, const struct record_node *array)
{
  struct column columns[COLUMNS_MAX];
  size_t count = measure(array, columns);
  if (count == 0) {
    return;
  }
  heading(line, columns, count);
  for (const struct record_node *element = array->child; element; element = element->next) {
    row(line, array, element, columns, count);
  }
}
