#include "repl/journal.h"

#include "lab/lab.h"
#include "lib/format.h"

#include <string.h>

#define KEPT 64
#define TEXT_MAX 48

static char texts[KEPT][TEXT_MAX];
static uint32_t now;

void journal_begin(const char *text)
{
  now++;
  char *kept = texts[now % KEPT];
  size_t length = strlen(text);
  memcpy(kept, text, length < TEXT_MAX ? length + 1 : TEXT_MAX);
  if (length >= TEXT_MAX)
    memcpy(kept + TEXT_MAX - 4, "...", 4);
  lab_command(now);
}

uint32_t journal_now(void)
{
  return now;
}

const char *journal_text(uint32_t command)
{
  return command != 0 && command <= now && now - command < KEPT ? texts[command % KEPT] : NULL;
}

char *journal_name(uint32_t command, char *text, unsigned size)
{
  const char *said = journal_text(command);
  uint32_t ago = now - command;
  if (said == NULL)
    format(text, size, "an earlier command");
  else if (ago == 0)
    format(text, size, "this command");
  else
    format(text, size, "'%s' (%u command%s ago)", said, (unsigned)ago, ago == 1 ? "" : "s");
  return text;
}
