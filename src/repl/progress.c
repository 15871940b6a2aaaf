#include "repl/progress.h"

#include "repl/state.h"

static struct state_lesson *now(void)
{
  return &state_get()->lesson;
}

static uint32_t bit(unsigned question)
{
  return 1u << (question - 1);
}

static unsigned bits(uint32_t word)
{
  unsigned count = 0;
  for (; word; word &= word - 1)
    count++;
  return count;
}

bool progress_settled(unsigned lesson, unsigned question)
{
  return (now()->settled[lesson] & bit(question)) != 0;
}

void progress_settle(unsigned lesson, unsigned question, bool right)
{
  if (progress_settled(lesson, question))
    return;
  now()->settled[lesson] |= bit(question);
  now()->left_out[lesson] &= ~bit(question);
  if (right)
    now()->right[lesson] |= bit(question);
}

void progress_leave_out(unsigned lesson, unsigned question)
{
  if (!progress_settled(lesson, question))
    now()->left_out[lesson] |= bit(question);
}

bool progress_begun(unsigned lesson)
{
  return now()->settled[lesson] != 0;
}

bool progress_done(unsigned lesson, unsigned questions)
{
  return questions > 0 && bits(now()->settled[lesson] | now()->left_out[lesson]) >= questions;
}

unsigned progress_right(unsigned lesson)
{
  return bits(now()->right[lesson]);
}

unsigned progress_asked(unsigned lesson, unsigned questions)
{
  return questions - bits(now()->left_out[lesson]);
}

uint32_t progress_open(unsigned lesson)
{
  return ~(now()->settled[lesson] | now()->left_out[lesson]);
}

uint32_t progress_left_out(unsigned lesson)
{
  return now()->left_out[lesson];
}
