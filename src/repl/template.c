#include "repl/template.h"

#include "lib/text.h"
#include "repl/value.h"

#include <string.h>

/* "{key.sub%-8}" or "{key%?page|pages}", taken apart. */
struct slot {
  const char *name;
  size_t length;
  size_t width;
  bool right;
  const char *words; /* what stands behind %?, or NULL */
};

static const char *read_slot(const char *t, struct slot *slot)
{
  memset(slot, 0, sizeof *slot);
  slot->name = ++t;
  while (*t && *t != '}' && *t != '%') {
    t++;
  }
  slot->length = (size_t)(t - slot->name);
  if (*t == '%' && t[1] == '?') {
    slot->words = t + 2;
  } else if (*t == '%') {
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
static const char *read_condition(const struct template_view *view, const char *t, bool *holds)
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
  *holds = (node && value_is_true(node)) == wanted;
  return *end ? end + 1 : end;
}

static bool is_empty(const struct record_node *node)
{
  return (node->type == RECORD_ARRAY || node->type == RECORD_STRING) && !value_is_true(node);
}

/* Goes past a part, or past a whole template, without showing it. *complete: whether it has all members that it names itself. */
static const char *skip_part(const struct template_view *view, const char *t, bool whole, bool *complete)
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
      *complete = *complete && node && !is_empty(node);
    } else if (*t == '[') {
      t = skip_part(view, t + 1, false, &ignored);
    } else {
      t++;
    }
  }
  return *t && !whole ? t + 1 : t;
}

static const char *show_part(const struct template_view *view, const char *t, bool whole);

static const char *show_optional(const struct template_view *view, const char *t)
{
  bool holds, complete;
  const char *inside = read_condition(view, t + 1, &holds);
  const char *behind = skip_part(view, inside, false, &complete);
  return holds && complete ? show_part(view, inside, false) : behind;
}

static void show_padded(struct line *line, const struct record_node *node, const char *array, size_t width, bool right)
{
  size_t length = width ? value_length(node) : 0;
  size_t blanks = length < width ? width - length : 0;
  line_blanks(line, right ? blanks : 0);
  line_value(line, node, array);
  if (width && !right) { /* a column; what comes behind it is one more */
    line_blanks(line, blanks);
    line_hang(line);
  }
}

/* The word before the bar for one, the one behind it for any other number. */
static void show_word(struct line *line, const char *words, bool one)
{
  const char *bar = text_find(words, strlen(words), '|');
  if (!one && bar) {
    words = bar + 1;
  }
  for (; *words && *words != '|' && *words != '}'; words++) {
    line_char(line, *words);
  }
}

static const char *show_slot(const struct template_view *view, const char *t)
{
  struct slot slot;
  t = read_slot(t, &slot);
  const struct record_node *node = find_path(view->node, slot.name, slot.length);
  if (node && slot.words) {
    show_word(view->line, slot.words, node->number == 1);
  } else if (node) {
    show_padded(view->line, node, view->array, slot.width, slot.right);
  } else {
    line_text(view->line, "?");
  }
  return t;
}

static const char *show_part(const struct template_view *view, const char *t, bool whole)
{
  while (*t && (whole || *t != ']')) {
    if ((*t == '{' || *t == '[') && t[1] == *t) {
      line_char(view->line, *t);
      t += 2;
    } else if (*t == '{') {
      t = show_slot(view, t);
    } else if (*t == '[') {
      t = show_optional(view, t);
    } else {
      line_char(view->line, *t++);
    }
  }
  return *t && !whole ? t + 1 : t;
}

void template_show(const struct template_view *view, const char *t)
{
  show_part(view, t, true);
}

bool template_complete(const struct template_view *view, const char *t)
{
  bool complete;
  skip_part(view, t, true, &complete);
  return complete;
}

bool template_names(const char *t, const char *key)
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
