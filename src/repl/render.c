#include "repl/render.h"

#include "repl/editor.h"
#include "repl/json.h"
#include "repl/line.h"
#include "repl/table.h"
#include "repl/template.h"
#include "repl/value.h"

#include <string.h>

static void text_rows(struct line *line, const struct record_node *array)
{
  line->indent = 2;
  for (const struct record_node *element = array->child; element; element = element->next) {
    struct template_view view = {line, element, array->key};
    template_show(&view, array->text);
    line_end(line);
  }
  line->indent = 0;
}

static bool is_list(const struct record_node *array)
{
  return array->type == RECORD_ARRAY && !array->text && array->child && value_is_plain(array->child);
}

static void text_array(struct line *line, const struct record_node *array)
{
  if (array->text) {
    text_rows(line, array);
  } else {
    table_show(line, array);
  }
}

/* Members that have a place of their own on the screen, or none. */
static bool is_special(const char *key)
{
  return strcmp(key, "reason") == 0 || strcmp(key, "at") == 0;
}

static size_t pair_width(const struct record_node *parent)
{
  size_t width = 0;
  for (const struct record_node *node = parent->child; node; node = node->next) {
    size_t length = strlen(node->key);
    if (node->type == RECORD_OBJECT) {
      length += 1 + pair_width(node);
    } else if ((!value_is_plain(node) && !is_list(node)) || is_special(node->key)) {
      length = 0;
    }
    width = length > width ? length : width;
  }
  return width;
}

static void text_pairs(struct line *line, const struct record_node *root)
{
  size_t width = pair_width(root);
  for (const struct record_node *node = root->child; node; node = node->next) {
    if (is_special(node->key)) {
      continue;
    }
    if (value_is_plain(node) || is_list(node)) {
      line_pair(line, "", node, width);
    }
    for (const struct record_node *child = node->type == RECORD_OBJECT ? node->child : NULL; child; child = child->next) {
      line_pair(line, node->key, child, width);
    }
  }
}

static void text_arrays(struct line *line, const struct record *record)
{
  for (const struct record_node *node = record->root.child; node; node = node->next) {
    if (node->type != RECORD_ARRAY || !node->child || (record->text && template_names(record->text, node->key))) {
      continue;
    }
    if (!is_list(node)) {
      text_array(line, node);
    } else if (record->text) { /* without a template it is among the pairs */
      line_pair(line, "", node, 0);
    }
  }
}

/* After an error only as much of the answer is shown as makes sense without the rest. */
static void text_body(struct line *line, const struct record *record)
{
  struct template_view view = {line, &record->root, NULL};
  bool all = record->status != STATUS_ERROR;
  bool complete = record->text && template_complete(&view, record->text);
  if (record->text && (complete || record->status == STATUS_OK || record->status == STATUS_FAULT)) {
    template_show(&view, record->text);
    line_end(line);
  } else if (!record->text && all) {
    text_pairs(line, &record->root);
  }
  text_arrays(line, record);
}

static void text_reason(struct line *line, const char *word, const char *code, const struct record *record)
{
  const struct record_node *reason = record_find(&record->root, "reason");
  line_code(line, code);
  line_text(line, word);
  line_code(line, line_plain);
  if (reason) {
    line_text(line, ": ");
    line_text(line, reason->text);
  }
  line_end(line);
}

static void text_member(struct line *line, const char *prefix, const struct record *record, const char *key)
{
  const struct record_node *node = record_find(&record->root, key);
  if (node) {
    line_text(line, prefix);
    line_value(line, node, NULL);
    line_end(line);
  }
}

static void text_caret(struct line *line, const struct record *record, const struct render_options *options)
{
  const struct record_node *at = record_find(&record->root, "at");
  if (options->input) {
    line_text(line, options->input);
    line_end(line);
  }
  /* A line that does not fit was scrolled by the editor, or broken, and a caret would point at nothing. */
  size_t columns = options->columns ? options->columns : EDITOR_COLUMNS;
  bool fits = options->indent + (at ? at->number : 0) < columns && (!options->input || strlen(options->input) <= columns);
  if (!at || !fits) {
    return;
  }
  line_blanks(line, options->indent + (size_t)at->number);
  line_code(line, line_red);
  line_text(line, "^");
  line_code(line, line_plain);
  line_end(line);
}

static void text_record(struct line *line, const struct record *record, const struct render_options *options)
{
  switch (record->status) {
  case STATUS_USAGE:
    text_caret(line, record, options);
    text_member(line, "", record, "reason");
    text_member(line, "usage: ", record, "usage");
    break;
  case STATUS_REFUSED: text_reason(line, "refused", line_red, record); break;
  case STATUS_ERROR:
    text_body(line, record);
    text_reason(line, "error", line_red, record);
    break;
  case STATUS_INTERRUPTED:
    text_body(line, record);
    text_reason(line, "interrupted", line_yellow, record);
    break;
  default: text_body(line, record); break;
  }
  if (record->truncated) {
    line_text(line, "(the answer is cut short: it did not fit)");
    line_end(line);
  }
}

void render_record(const struct record *record, const struct render_options *options, render_sink sink, void *context)
{
  struct out out;
  out.sink = sink;
  out.context = context;
  out.used = 0;
  if (options->json) {
    json_record(&out, record, options->mode);
  } else {
    struct line line = {.out = &out, .columns = options->columns, .color = options->color};
    text_record(&line, record, options);
  }
  out_flush(&out);
}
