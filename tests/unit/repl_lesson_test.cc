// The lessons' text, and answers to questions.
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include <cstring>
#include <string>

extern "C" {
#include "repl/answer.h"
#include "repl/lesson_text.h"
}

static std::string text(const struct lesson_line &line)
{
  return std::string(line.text, line.length);
}

TEST_CASE("lessons are found by their place, and their pages")
{
  CHECK(lesson_text_count() == 2);
  const char *one = lesson_text_lesson(0), *four = lesson_text_lesson(1);
  struct lesson_line line;
  REQUIRE(lesson_text_find(one, 'L', &line));
  CHECK(text(line) == "1 One");
  REQUIRE(lesson_text_find(four, 'L', &line));
  CHECK(text(line) == "4 Four");
  CHECK(lesson_text_lesson(2) == nullptr);
  CHECK(lesson_text_pages(one) == 2);
  CHECK(lesson_text_pages(four) == 1);
  CHECK(lesson_text_page(one, 2) == nullptr);
  REQUIRE(lesson_text_find(lesson_text_page(one, 1), 'N', &line));
  CHECK(text(line) == "nx pae");
  // The search stays in its page, and in its lesson.
  CHECK(!lesson_text_find(lesson_text_page(one, 0), '?', &line));
  CHECK(!lesson_text_find(lesson_text_page(one, 1), 'T', &line));
  CHECK(!lesson_text_find(one, '>', &line));
}

TEST_CASE("a line's words")
{
  struct lesson_line line, word;
  REQUIRE(lesson_text_find(lesson_text_lesson(0), 'M', &line));
  REQUIRE(lesson_text_word(&line, 1, &word));
  CHECK(text(word) == "pae");
  CHECK(!lesson_text_word(&line, 2, &word));
}

static struct answer_outcome outcome(const char *said)
{
  struct answer_outcome o;
  REQUIRE_MESSAGE(answer_outcome_read(said, std::strlen(said), &o), said);
  return o;
}

TEST_CASE("outcomes as people write them")
{
  CHECK(outcome("stale").outcome == ANSWER_STALE);
  CHECK(std::string(outcome("Stale a").frame) == "A");
  CHECK(std::string(outcome("fresh from frame B").frame) == "B");
  CHECK(outcome("fault 0x7").error == 7);
  CHECK(outcome("fault:0x10").error == 16);
  CHECK(outcome("fault 7").error == 7);
  CHECK(outcome("fault 7").has_error);
  CHECK(std::string(outcome("M0+0x3000").frame) == "M0+0x3000");
  struct answer_outcome o;
  for (const char *nonsense : {"", "perhaps", "fresh maybe", "0x", "0xzz", "fault seven"})
    CHECK_MESSAGE(!answer_outcome_read(nonsense, std::strlen(nonsense), &o), nonsense);
}

TEST_CASE("yes and no, as people say them")
{
  for (const char *yes : {"yes", "Y", "YES!", "true", "right."})
    CHECK_MESSAGE(answer_yes_or_no(yes, std::strlen(yes)) == ANSWER_YES, yes);
  for (const char *no : {"no", "N", "No!", "false", "'no'"})
    CHECK_MESSAGE(answer_yes_or_no(no, std::strlen(no)) == ANSWER_NO, no);
  for (const char *neither : {"", "1", "none", "invlpg", "yes and no and yes", "nope at all, never"})
    CHECK_MESSAGE(answer_yes_or_no(neither, std::strlen(neither)) == ANSWER_NEITHER, neither);
}

TEST_CASE("who names two outcomes has not decided")
{
  for (const char *both : {"either", "fresh or stale", "fresh, stale", "stale/fresh", "MAY", "stale a, fresh B"})
    CHECK_MESSAGE(answer_outcome_undecided(both), both);
  for (const char *one : {"", "fresh", "stale a", "fault 0x7", "fresh from frame B", "nonsense", "0x7", "stale stale"})
    CHECK_MESSAGE(!answer_outcome_undecided(one), one);
}

TEST_CASE("what was said holds of what came")
{
  struct answer_outcome came = outcome("stale A"), fault = outcome("fault 0x7");
  struct answer_outcome large = outcome("fresh M1+0x5000"), whole = outcome("fresh M1"), first = outcome("fresh M1+0x1000");
  CHECK(answer_outcome_holds(&whole, &large));
  CHECK(!answer_outcome_holds(&large, &whole));
  CHECK(!answer_outcome_holds(&first, &large));
  for (const char *right : {"stale", "stale A", "A"}) {
    struct answer_outcome said = outcome(right);
    CHECK_MESSAGE(answer_outcome_holds(&said, &came), right);
  }
  for (const char *wrong : {"fresh", "stale B", "B", "fault", "fault 0x7"}) {
    struct answer_outcome said = outcome(wrong);
    CHECK_MESSAGE(!answer_outcome_holds(&said, &came), wrong);
  }
  struct answer_outcome other = outcome("fault 0x5"), any = outcome("fault");
  CHECK(!answer_outcome_holds(&other, &fault));
  CHECK(answer_outcome_holds(&any, &fault));
}

TEST_CASE("a list of outcomes")
{
  const char list[] = "may stale:A fresh:B";
  struct answer_outcome stale = outcome("stale A"), fresh = outcome("fresh A");
  CHECK(answer_outcome_listed(list, sizeof list - 1, &stale));
  CHECK(!answer_outcome_listed(list, sizeof list - 1, &fresh));
}

TEST_CASE("words and letters")
{
  auto is = [](const char *said, const char *right) { return answer_word_is(said, right, std::strlen(right)); };
  CHECK(is("page table", "PTE|page table"));
  CHECK(is("pte", "PTE|page table"));
  CHECK(is("Page-Table", "PTE|page table"));
  CHECK(is("gp", "#GP"));
  CHECK(!is("page", "PTE|page table"));
  CHECK(!is("", "PTE"));
  CHECK(!is("ptex", "PTE"));
  CHECK(answer_choice_is("B, a", "a b", 3));
  CHECK(!answer_choice_is("a", "a b", 3));
}
