#include "repl/render.h"

#include <string.h>

#define BUFFER_BYTES 512
#define DIGITS_MAX 24
#define COLUMNS_MAX 16
#define SCREEN_COLUMNS 80

/* Collects what is written, so that the sink is called seldom. */
struct out {
  render_sink sink;
  void *context;
  size_t used;
  unsigned indent; /* blanks to put at the start of each line of text */
  bool in_line;    /* the line has something in it already */
  bool color;
  char buffer[BUFFER_BYTES];
};

static const char *const status_words[] = {
  [STATUS_OK] = "ok",       [STATUS_USAGE] = "usage", [STATUS_REFUSED] = "refused",
  [STATUS_FAULT] = "fault", [STATUS_ERROR] = "error", [STATUS_INTERRUPTED] = "interrupted",
};

static const char red[] = "\x1b[31m", green[] = "\x1b[32m", yellow[] = "\x1b[33m";
static const char bold[] = "\x1b[1m", bold_red[] = "\x1b[1;31m", plain[] = "\x1b[0m";

/* Which values get a colour: by the value itself, or by the key, perhaps only in the elements of one array. */
static const struct paint {
  const char *array, *key, *value, *code;
} paints[] = {
  {NULL, NULL, "stale", yellow}, {NULL, NULL, "fresh", green}, {NULL, NULL, "fault", red},    {NULL, NULL, "violation", bold_red},
  {NULL, NULL, "pass", green},   {NULL, NULL, "fail", red},    {"diff", "flags", NULL, bold},
};

/* ---- raw output */

static void flush(struct out *out)
{
  if (out->used) {
    out->sink(out->context, out->buffer, out->used);
  }
  out->used = 0;
}

static void put_char(struct out *out, char c)
{
  if (out->used == BUFFER_BYTES) {
    flush(out);
  }
  out->buffer[out->used++] = c;
}

static void put_bytes(struct out *out, const char *text, size_t length)
{
  while (length) {
    if (out->used == BUFFER_BYTES) {
      flush(out);
    }
    size_t part = BUFFER_BYTES - out->used < length ? BUFFER_BYTES - out->used : length;
    memcpy(out->buffer + out->used, text, part);
    out->used += part;
    text += part;
    length -= part;
  }
}

static void put_text(struct out *out, const char *text)
{
  put_bytes(out, text, strlen(text));
}

/* ---- values */

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

static bool is_scalar(const struct record_node *node)
{
  return node->type != RECORD_OBJECT && node->type != RECORD_ARRAY;
}

static bool is_number(const struct record_node *node)
{
  return node->type == RECORD_HEX || node->type == RECORD_COUNT;
}

/* The text of a plain value; @p digits is room for a number's. */
static const char *scalar_text(const struct record_node *node, char digits[DIGITS_MAX])
{
  char *end = digits + DIGITS_MAX - 1;
  *end = 0;
  switch (node->type) {
  case RECORD_STRING: return node->text;
  case RECORD_HEX: return hex_digits(node->number, end);
  case RECORD_COUNT: return decimal_digits(node->number, end);
  default: return node->number ? "yes" : "no";
  }
}

static size_t value_length(const struct record_node *node)
{
  char digits[DIGITS_MAX];
  if (is_scalar(node)) {
    return strlen(scalar_text(node, digits));
  }
  size_t length = 0;
  for (const struct record_node *child = node->child; child; child = child->next) {
    length += value_length(child) + (child->next ? 2 : 0);
  }
  return length;
}

static bool is_true(const struct record_node *node)
{
  if (node->type == RECORD_STRING) {
    return node->text[0] != 0;
  }
  return is_scalar(node) ? node->number != 0 : node->child != NULL;
}

/* ---- JSON */

static bool json_plain(char c)
{
  return (uint8_t)c >= 0x20 && (uint8_t)c < 0x7f && c != '"' && c != '\\';
}

static void json_escape(struct out *out, uint8_t c)
{
  if (c == '"' || c == '\\') {
    put_char(out, '\\');
    put_char(out, (char)c);
    return;
  }
  put_text(out, "\\u00");
  put_char(out, "0123456789abcdef"[c >> 4]);
  put_char(out, "0123456789abcdef"[c & 15]);
}

static void json_string(struct out *out, const char *text)
{
  put_char(out, '"');
  while (*text) {
    size_t plain_bytes = 0;
    while (json_plain(text[plain_bytes])) {
      plain_bytes++;
    }
    put_bytes(out, text, plain_bytes);
    text += plain_bytes;
    if (*text) {
      json_escape(out, (uint8_t)*text++);
    }
  }
  put_char(out, '"');
}

/* Keys are literals with nothing in them to escape. */
static void json_key(struct out *out, const char *key)
{
  put_char(out, '"');
  put_text(out, key);
  put_bytes(out, "\":", 2);
}

static void json_members(struct out *out, const struct record_node *parent, bool first);

static void json_value(struct out *out, const struct record_node *node)
{
  char digits[DIGITS_MAX];
  switch (node->type) {
  case RECORD_OBJECT:
  case RECORD_ARRAY:
    put_char(out, node->type == RECORD_OBJECT ? '{' : '[');
    json_members(out, node, true);
    put_char(out, node->type == RECORD_OBJECT ? '}' : ']');
    break;
  case RECORD_STRING: json_string(out, node->text); break;
  case RECORD_HEX:
    put_char(out, '"');
    put_text(out, scalar_text(node, digits));
    put_char(out, '"');
    break;
  case RECORD_COUNT: put_text(out, scalar_text(node, digits)); break;
  default: put_text(out, node->number ? "true" : "false"); break;
  }
}

static void json_members(struct out *out, const struct record_node *parent, bool first)
{
  for (const struct record_node *node = parent->child; node; node = node->next) {
    if (!first) {
      put_char(out, ',');
    }
    first = false;
    if (parent->type == RECORD_OBJECT) {
      json_key(out, node->key);
    }
    json_value(out, node);
  }
}

static void json_record(struct out *out, const struct record *record, const char *mode)
{
  put_char(out, '{');
  json_key(out, "cmd");
  json_string(out, record->cmd);
  put_char(out, ',');
  json_key(out, "status");
  json_string(out, status_words[record->status]);
  if (mode) {
    put_char(out, ',');
    json_key(out, "mode");
    json_string(out, mode);
  }
  json_members(out, &record->root, false);
  put_text(out, record->truncated ? ",\"truncated\":true}\r\n" : "}\r\n");
}

/* ---- lines of text */

static void start_line(struct out *out)
{
  for (unsigned i = 0; !out->in_line && i < out->indent; i++) {
    put_char(out, ' ');
  }
  out->in_line = true;
}

static void line_char(struct out *out, char c)
{
  if (c == '\n') {
    put_char(out, '\r');
    put_char(out, '\n');
    out->in_line = false;
    return;
  }
  if (!out->in_line) {
    start_line(out);
  }
  put_char(out, (uint8_t)c < 0x20 || (uint8_t)c >= 0x7f ? '?' : c); /* nothing in a record may steer the terminal */
}

static void line_text(struct out *out, const char *text)
{
  while (*text) {
    line_char(out, *text++);
  }
}

static void line_blanks(struct out *out, size_t count)
{
  while (count--) {
    line_char(out, ' ');
  }
}

/* A line that was begun is ended; one that was not is not there. */
static void line_end(struct out *out)
{
  if (out->in_line) {
    line_char(out, '\n');
  }
}

static void line_code(struct out *out, const char *code)
{
  if (out->color) {
    start_line(out);
    put_text(out, code);
  }
}

static const char *paint_of(const char *array, const char *key, const char *value)
{
  for (size_t i = 0; i < sizeof paints / sizeof paints[0]; i++) {
    const struct paint *p = &paints[i];
    if ((!p->array || (array && strcmp(p->array, array) == 0)) && (!p->key || (key && strcmp(p->key, key) == 0)) &&
        (!p->value || strcmp(p->value, value) == 0)) {
      return p->code;
    }
  }
  return NULL;
}

static void line_value(struct out *out, const struct record_node *node, const char *array)
{
  char digits[DIGITS_MAX];
  if (!is_scalar(node)) {
    for (const struct record_node *child = node->child; child; child = child->next) {
      line_value(out, child, array);
      line_text(out, child->next ? ", " : "");
    }
    return;
  }
  const char *text = scalar_text(node, digits);
  const char *code = out->color && node->type == RECORD_STRING ? paint_of(array, node->key, text) : NULL;
  if (!code) {
    line_text(out, text);
    return;
  }
  line_code(out, code);
  line_text(out, text);
  line_code(out, plain);
}

static void line_padded(struct out *out, const struct record_node *node, const char *array, size_t width, bool right)
{
  size_t length = width ? value_length(node) : 0;
  size_t blanks = length < width ? width - length : 0;
  line_blanks(out, right ? blanks : 0);
  line_value(out, node, array);
  line_blanks(out, right ? 0 : blanks);
}

/* ---- templates */

/* What a template's names are looked up in. */
struct view {
  struct out *out;
  const struct record_node *node;
  const char *array; /* the array that node is an element of, or NULL */
};

/* "{key.sub%-8}", taken apart. */
struct slot {
  const char *name;
  size_t length;
  size_t width;
  bool right;
};

static const char *read_slot(const char *t, struct slot *slot)
{
  memset(slot, 0, sizeof *slot);
  slot->name = ++t;
  while (*t && *t != '}' && *t != '%') {
    t++;
  }
  slot->length = (size_t)(t - slot->name);
  if (*t == '%') {
    t++;
    slot->right = *t != '-';
    t += *t == '-';
    for (; *t >= '0' && *t <= '9'; t++) {
      slot->width = slot->width * 10 + (size_t)(*t - '0');
    }
  }
  while (*t && *t != '}') {
    t++;
  }
  return *t ? t + 1 : t;
}

static const struct record_node *find_member(const struct record_node *parent, const char *name, size_t length)
{
  for (const struct record_node *node = parent->child; node; node = node->next) {
    if (node->key && strncmp(node->key, name, length) == 0 && node->key[length] == 0) {
      return node;
    }
  }
  return NULL;
}

static const struct record_node *find_path(const struct record_node *node, const char *name, size_t length)
{
  const char *end = name + length;
  while (node && name < end) {
    const char *dot = name;
    while (dot < end && *dot != '.') {
      dot++;
    }
    node = find_member(node, name, (size_t)(dot - name));
    name = dot < end ? dot + 1 : end;
  }
  return node;
}

/* The condition of "[?key:" or "[?!key:", read from behind the bracket; other parts have none. */
static const char *read_condition(const struct view *view, const char *t, bool *holds)
{
  *holds = true;
  if (*t != '?') {
    return t;
  }
  bool wanted = t[1] != '!';
  const char *name = t + (wanted ? 1 : 2);
  const char *end = name;
  while (*end && *end != ':') {
    end++;
  }
  const struct record_node *node = find_path(view->node, name, (size_t)(end - name));
  *holds = (node && is_true(node)) == wanted;
  return *end ? end + 1 : end;
}

/* Goes past a part, or past a whole template, without showing it. *complete: whether it has all members that it names itself. */
static const char *skip_part(const struct view *view, const char *t, bool whole, bool *complete)
{
  *complete = true;
  while (*t && (whole || *t != ']')) {
    struct slot slot;
    bool ignored;
    if ((*t == '{' || *t == '[') && t[1] == *t) {
      t += 2;
    } else if (*t == '{') {
      t = read_slot(t, &slot);
      const struct record_node *node = find_path(view->node, slot.name, slot.length);
      *complete = *complete && node && (node->type != RECORD_ARRAY || node->child);
    } else if (*t == '[') {
      t = skip_part(view, t + 1, false, &ignored);
    } else {
      t++;
    }
  }
  return *t && !whole ? t + 1 : t;
}

static const char *show_part(const struct view *view, const char *t, bool whole);

static const char *show_optional(const struct view *view, const char *t)
{
  bool holds, complete;
  const char *inside = read_condition(view, t + 1, &holds);
  const char *behind = skip_part(view, inside, false, &complete);
  return holds && complete ? show_part(view, inside, false) : behind;
}

static const char *show_slot(const struct view *view, const char *t)
{
  struct slot slot;
  t = read_slot(t, &slot);
  const struct record_node *node = find_path(view->node, slot.name, slot.length);
  if (node) {
    line_padded(view->out, node, view->array, slot.width, slot.right);
  } else {
    line_text(view->out, "?");
  }
  return t;
}

static const char *show_part(const struct view *view, const char *t, bool whole)
{
  while (*t && (whole || *t != ']')) {
    if ((*t == '{' || *t == '[') && t[1] == *t) {
      line_char(view->out, *t);
      t += 2;
    } else if (*t == '{') {
      t = show_slot(view, t);
    } else if (*t == '[') {
      t = show_optional(view, t);
    } else {
      line_char(view->out, *t++);
    }
  }
  return *t && !whole ? t + 1 : t;
}

static bool template_names(const char *t, const char *key)
{
  size_t length = strlen(key);
  while (*t) {
    struct slot slot;
    if (*t != '{' || t[1] == '{') {
      t += *t == '{' ? 2 : 1;
      continue;
    }
    t = read_slot(t, &slot);
    if (slot.length == length && memcmp(slot.name, key, length) == 0) {
      return true;
    }
  }
  return false;
}

/* ---- tables */

struct column {
  const char *key;
  size_t width;
  bool right;
};

/* Members mostly come in the order of the columns, so the search starts where the last one was found. */
static const struct record_node *table_cell(const struct record_node *element, const char *key, const struct record_node **next)
{
  const struct record_node *node = *next;
  if (!node || node->key != key) {
    node = record_find(element, key);
  }
  *next = node ? node->next : *next;
  return node;
}

static struct column *table_column(struct column *columns, size_t *count, size_t guess, const struct record_node *node)
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
  column->right = is_number(node);
  return column;
}

static size_t table_measure(const struct record_node *array, struct column *columns)
{
  size_t count = 0;
  for (const struct record_node *element = array->child; element; element = element->next) {
    size_t place = 0;
    for (const struct record_node *node = element->child; node && node->key; node = node->next) {
      struct column *column = table_column(columns, &count, place++, node);
      size_t length = value_length(node);
      if (column && length > column->width) {
        column->width = length;
      }
    }
  }
  return count;
}

static void table_heading(struct out *out, const struct column *columns, size_t count)
{
  line_code(out, bold);
  for (size_t i = 0; i < count; i++) {
    size_t blanks = columns[i].width - strlen(columns[i].key);
    line_blanks(out, columns[i].right ? blanks : 0);
    line_text(out, columns[i].key);
    line_blanks(out, i + 1 < count ? (columns[i].right ? 0 : blanks) + 2 : 0);
  }
  line_code(out, plain);
  line_end(out);
}

static void table_row(struct out *out, const struct record_node *array, const struct record_node *element, const struct column *columns,
                      size_t count)
{
  const struct record_node *next = element->child;
  size_t owed = 0; /* blanks that are written only when something follows them */
  for (size_t i = 0; i < count; i++) {
    const struct record_node *node = table_cell(element, columns[i].key, &next);
    size_t length = node ? value_length(node) : 0;
    size_t blanks = columns[i].width - length;
    if (length) {
      line_blanks(out, owed + (columns[i].right ? blanks : 0));
      line_value(out, node, array->key);
      owed = columns[i].right ? 0 : blanks;
    } else {
      owed += columns[i].width;
    }
    owed += 2;
  }
  line_end(out);
}

static void text_table(struct out *out, const struct record_node *array)
{
  struct column columns[COLUMNS_MAX];
  size_t count = table_measure(array, columns);
  if (count == 0) {
    return;
  }
  table_heading(out, columns, count);
  for (const struct record_node *element = array->child; element; element = element->next) {
    table_row(out, array, element, columns, count);
  }
}

/* ---- whole records as text */

static void text_rows(struct out *out, const struct record_node *array)
{
  out->indent = 2;
  for (const struct record_node *element = array->child; element; element = element->next) {
    struct view view = {out, element, array->key};
    show_part(&view, array->text, true);
    line_end(out);
  }
  out->indent = 0;
}

static bool is_list(const struct record_node *array)
{
  return array->type == RECORD_ARRAY && !array->text && array->child && is_scalar(array->child);
}

static void text_array(struct out *out, const struct record_node *array)
{
  if (array->text) {
    text_rows(out, array);
  } else {
    text_table(out, array);
  }
}

/* Members that have a place of their own on the screen, or none. */
static bool is_special(const char *key)
{
  return strcmp(key, "reason") == 0 || strcmp(key, "at") == 0;
}

static void text_pair(struct out *out, const char *prefix, const struct record_node *node, size_t width)
{
  size_t length = strlen(prefix) + strlen(node->key) + (prefix[0] ? 1 : 0);
  line_text(out, prefix);
  line_text(out, prefix[0] ? "." : "");
  line_text(out, node->key);
  line_blanks(out, (length < width ? width - length : 0) + 2);
  line_value(out, node, NULL);
  line_end(out);
}

static size_t pair_width(const struct record_node *parent)
{
  size_t width = 0;
  for (const struct record_node *node = parent->child; node; node = node->next) {
    size_t length = strlen(node->key);
    if (node->type == RECORD_OBJECT) {
      length += 1 + pair_width(node);
    } else if ((!is_scalar(node) && !is_list(node)) || is_special(node->key)) {
      length = 0;
    }
    width = length > width ? length : width;
  }
  return width;
}

static void text_pairs(struct out *out, const struct record_node *root)
{
  size_t width = pair_width(root);
  for (const struct record_node *node = root->child; node; node = node->next) {
    if (is_special(node->key)) {
      continue;
    }
    if (is_scalar(node) || is_list(node)) {
      text_pair(out, "", node, width);
    }
    for (const struct record_node *child = node->type == RECORD_OBJECT ? node->child : NULL; child; child = child->next) {
      text_pair(out, node->key, child, width);
    }
  }
}

static void text_arrays(struct out *out, const struct record *record)
{
  for (const struct record_node *node = record->root.child; node; node = node->next) {
    if (node->type != RECORD_ARRAY || !node->child || (record->text && template_names(record->text, node->key))) {
      continue;
    }
    if (!is_list(node)) {
      text_array(out, node);
    } else if (record->text) { /* without a template it is among the pairs */
      text_pair(out, "", node, 0);
    }
  }
}

/* After an error only as much of the answer is shown as makes sense without the rest. */
static void text_body(struct out *out, const struct record *record)
{
  struct view view = {out, &record->root, NULL};
  bool all = record->status != STATUS_ERROR;
  bool complete = record->text != NULL;
  if (record->text) {
    skip_part(&view, record->text, true, &complete);
  }
  if (record->text && (complete || record->status == STATUS_OK || record->status == STATUS_FAULT)) {
    show_part(&view, record->text, true);
    line_end(out);
  } else if (!record->text && all) {
    text_pairs(out, &record->root);
  }
  text_arrays(out, record);
}

static void text_reason(struct out *out, const char *word, const char *code, const struct record *record)
{
  const struct record_node *reason = record_find(&record->root, "reason");
  line_code(out, code);
  line_text(out, word);
  line_code(out, plain);
  if (reason) {
    line_text(out, ": ");
    line_text(out, reason->text);
  }
  line_end(out);
}

static void text_member(struct out *out, const char *prefix, const struct record *record, const char *key)
{
  const struct record_node *node = record_find(&record->root, key);
  if (node) {
    line_text(out, prefix);
    line_value(out, node, NULL);
    line_end(out);
  }
}

static void text_caret(struct out *out, const struct record *record, const struct render_options *options)
{
  const struct record_node *at = record_find(&record->root, "at");
  if (options->input) {
    line_text(out, options->input);
    line_end(out);
  }
  /* Beyond the right margin the line was scrolled, and a caret would point at nothing. */
  if (!at || (!options->input && options->indent + at->number >= SCREEN_COLUMNS)) {
    return;
  }
  line_blanks(out, options->indent + (size_t)at->number);
  line_code(out, red);
  line_text(out, "^");
  line_code(out, plain);
  line_end(out);
}

static void text_record(struct out *out, const struct record *record, const struct render_options *options)
{
  switch (record->status) {
  case STATUS_USAGE:
    text_caret(out, record, options);
    text_member(out, "", record, "reason");
    text_member(out, "usage: ", record, "usage");
    break;
  case STATUS_REFUSED: text_reason(out, "refused", red, record); break;
  case STATUS_ERROR:
    text_body(out, record);
    text_reason(out, "error", red, record);
    break;
  case STATUS_INTERRUPTED:
    text_body(out, record);
    text_reason(out, "interrupted", yellow, record);
    break;
  default: text_body(out, record); break;
  }
  if (record->truncated) {
    line_text(out, "(the answer is cut short: it did not fit)");
    line_end(out);
  }
}

void render_record(const struct record *record, const struct render_options *options, render_sink sink, void *context)
{
  struct out out;
  out.sink = sink;
  out.context = context;
  out.used = 0;
  out.indent = 0;
  out.in_line = false;
  out.color = options->color && !options->json;
  if (options->json) {
    json_record(&out, record, options->mode);
  } else {
    text_record(&out, record, options);
  }
  flush(&out);
}
