#include "repl/quiz.h"

#include "lab/lab.h"
#include "lib/format.h"
#include "lib/text.h"
#include "repl/state.h"

#include <string.h>

#define SETUP_MAX 512

enum topic { TOPIC_INDEX, TOPIC_PHYSICAL, TOPIC_RIGHTS, TOPIC_STALE, TOPICS };

/* A question as it is made: from the same seed, number and mode always the same. */
struct made {
  uint32_t random;
  enum topic topic;
  uint64_t va;
  char setup[SETUP_MAX];
  char say[160];
  struct lesson_question question;
};

/* A linear congruential generator: plenty for questions, and the same everywhere. Its high bits are the good ones. */
static unsigned pick(struct made *m, unsigned count)
{
  m->random = m->random * 1664525u + 1013904223u;
  return (m->random >> 16) % count;
}

static const char *one_of(struct made *m, const char *const *words, unsigned count)
{
  return words[pick(m, count)];
}

static void set_up(struct made *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void set_up(struct made *m, const char *fmt, ...)
{
  size_t used = strlen(m->setup);
  va_list ap;
  va_start(ap, fmt);
  if (used > 0 && used + 2 < sizeof m->setup) {
    memcpy(m->setup + used, "; ", 3);
    used += 2;
  }
  format_args(m->setup + used, sizeof m->setup - used, fmt, ap);
  va_end(ap);
}

/* A page above the kernel, in every mode. */
static uint64_t page(struct made *m)
{
  uint64_t number = 0x10000u + (uint64_t)pick(m, 0x7000) * 16u + pick(m, 16);
  return number << PAGE_SHIFT;
}

static unsigned long long va(const struct made *m)
{
  return (unsigned long long)m->va;
}

static void make_index(struct made *m)
{
  const struct format *format_now = format_of(machine_mode());
  const char *level = format_now->level[pick(m, format_now->levels)].name;
  m->va = page(m) + pick(m, PAGE_SIZE);
  if (format_now->linear_bits > 32)
    m->va |= (uint64_t)pick(m, 0x7f00) << 32;
  m->question.kind = ANSWER_NUMBER;
  format(m->say, sizeof m->say, "A walk for 0x%llx: which index picks its %s?", va(m), level);
  format(m->question.run, sizeof m->question.run, "va 0x%llx", va(m));
  format(m->question.field, sizeof m->question.field, "indexes.%s.index", level);
}

static void make_physical(struct made *m)
{
  m->va = page(m);
  set_up(m, "map 0x%llx %c", va(m), 'A' + (int)pick(m, 26));
  uint64_t at = m->va + pick(m, PAGE_SIZE);
  m->question.kind = ANSWER_NUMBER;
  format(m->say, sizeof m->say, "To which physical address does 0x%llx translate now? ('frames' tells where the frames are)",
         (unsigned long long)at);
  format(m->question.run, sizeof m->question.run, "walk 0x%llx", (unsigned long long)at);
  format(m->question.field, sizeof m->question.field, "pa");
}

static void ask_access(struct made *m, bool user_allowed)
{
  m->question.kind = ANSWER_OUTCOME;
  switch (pick(m, user_allowed ? 4 : 2)) {
  case 0: format(m->question.run, sizeof m->question.run, "read 0x%llx", va(m)); break;
  case 1: format(m->question.run, sizeof m->question.run, "write 0x%llx 1", va(m)); break;
  case 2: format(m->question.run, sizeof m->question.run, "read 0x%llx user", va(m)); break;
  default: format(m->question.run, sizeof m->question.run, "write 0x%llx 1 user", va(m)); break;
  }
  format(m->say, sizeof m->say, "What will '%s' come to?", m->question.run);
}

static void make_rights(struct made *m)
{
  static const char *const flags[] = {"rw user", "ro user", "rw", "ro"};
  static const char *const changes[] = {"-w", "-user", "-w -user"};
  m->va = page(m);
  set_up(m, "map 0x%llx %c %s", va(m), 'A' + (int)pick(m, 26), one_of(m, flags, 4));
  if (pick(m, 2))
    set_up(m, "protect 0x%llx/PDE %s", va(m), one_of(m, changes, 3));
  set_up(m, "cr3");
  ask_access(m, true);
}

static void make_change(struct made *m, char frame)
{
  switch (pick(m, 4)) {
  case 0: set_up(m, "unmap 0x%llx", va(m)); break;
  case 1: set_up(m, "protect 0x%llx -w", va(m)); break;
  default: set_up(m, "map 0x%llx %c rw user", va(m), frame + 1);
  }
}

static void make_invalidation(struct made *m, bool global)
{
  switch (pick(m, global ? 5 : 4)) {
  case 0: set_up(m, "invlpg 0x%llx", va(m)); break;
  case 1: set_up(m, "invlpg 0x%llx", va(m) + PAGE_SIZE); break;
  case 2: set_up(m, "cr3"); break;
  case 4: set_up(m, "pge"); break;
  default: break; /* none */
  }
}

static void make_stale(struct made *m)
{
  char frame = (char)('A' + (int)pick(m, 25));
  bool pge = (machine_register_read(REGISTER_CR4) & CR4_PGE) != 0, global = pge && pick(m, 2);
  m->va = page(m);
  set_up(m, "map 0x%llx %c rw user%s", va(m), frame, global ? " g" : "");
  set_up(m, "cr3");
  if (pick(m, 4))
    set_up(m, "write 0x%llx 1", va(m));
  make_change(m, frame);
  make_invalidation(m, pge);
  ask_access(m, false);
}

static void make(struct made *m, uint32_t seed, unsigned number)
{
  static void (*const makers[TOPICS])(struct made *) =
    {[TOPIC_INDEX] = make_index, [TOPIC_PHYSICAL] = make_physical, [TOPIC_RIGHTS] = make_rights, [TOPIC_STALE] = make_stale};
  memset(m, 0, sizeof *m);
  m->random = seed * 2654435761u + number * 40503u;
  pick(m, 2);
  /* Each topic comes in turn, so that ten questions have some of all; what can be stale comes most. */
  static const uint8_t order[] = {TOPIC_INDEX, TOPIC_RIGHTS, TOPIC_STALE, TOPIC_PHYSICAL, TOPIC_STALE};
  m->topic = (enum topic)order[(number - 1) % sizeof order];
  set_up(m, "reset");
  makers[m->topic](m);
  m->question.number = number;
}

bool quiz_question(uint32_t seed, unsigned number, char *setup, struct lesson_question *question)
{
  static struct made m;
  make(&m, seed, number);
  if (setup)
    memcpy(setup, m.setup, sizeof m.setup);
  *question = m.question;
  return true;
}

void quiz_say(struct record *r, uint32_t seed, unsigned number)
{
  static struct made m;
  make(&m, seed, number);
  record_string(r, &r->root, "ask", m.say);
  struct record_node *list = record_array(r, &r->root, "typed", "[?first:\n  The shell has typed:\n]    {command}");
  for (char *at = m.setup; *at;) {
    size_t length = 0;
    while (at[length] && at[length] != ';')
      length++;
    char text[96];
    text_copy(text, sizeof text, at, length);
    struct record_node *row = record_object(r, list, NULL);
    record_string(r, row, "command", text);
    if (at == m.setup)
      record_bool(r, row, "first", true);
    at += length + (at[length] == ';');
    while (*at == ' ')
      at++;
  }
}

bool quiz_hint(const struct lesson_question *question, struct record *r)
{
  char word[96];
  text_copy(word, sizeof word, question->run, text_word(question->run));
  r->text = "{says}";
  if (question->kind == ANSWER_OUTCOME)
    record_format(r, &r->root, "says", "'walk' shows what the tables say; 'watch' what may be cached. 'predict %s' would tell it all.",
                  question->run);
  else
    record_format(r, &r->root, "says", "'help %s'; and count the bits: 12 of the offset, then those of each level.", word);
  return true;
}

uint32_t quiz_seed(void)
{
  uint64_t ticks = machine_ticks();
  return (uint32_t)(ticks ^ ticks >> 17) % 10000u + 1u;
}
