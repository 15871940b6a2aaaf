/* Answers to questions: what a student may write, and whether it is what is meant. Pure text; nothing of lessons is known here. */
#ifndef REPL_ANSWER_H
#define REPL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum answer_kind {
  ANSWER_NUMBER,  /* an expression */
  ANSWER_WORD,    /* a word or a few; what is right may be several, with | between */
  ANSWER_CHOICE,  /* one or several of the letters before the question's lines, in any order */
  ANSWER_OUTCOME, /* what an access comes to: "stale", "fresh B", "fault 0x7", "A" */
  ANSWER_KINDS,
};

/** The kind that is called so; ANSWER_KINDS where none is. */
enum answer_kind answer_kind_named(const char *name, size_t length);
const char *answer_kind_name(enum answer_kind kind);

#define ANSWER_FRAME_MAX 24

/** In the order of enum lab_outcome. */
enum answer_came { ANSWER_FRESH, ANSWER_STALE, ANSWER_FAULT };

/** What an access comes to, or what somebody says of it: parts may be left out. */
struct answer_outcome {
  bool has_outcome, has_error;
  uint8_t outcome; /* enum answer_came */
  uint32_t error;
  char frame[ANSWER_FRAME_MAX]; /* "" where it is left out */
};

/** Reads "stale", "stale A", "fault 0x7", "fresh:B", "B". False where it is nothing of the kind. */
bool answer_outcome_read(const char *text, size_t length, struct answer_outcome *outcome);

/** Whether it leaves open which outcome is meant: "either", "fresh or stale". */
bool answer_outcome_undecided(const char *text);

/** Whether what was @p said holds of what @p came. */
bool answer_outcome_holds(const struct answer_outcome *said, const struct answer_outcome *came);

/** Whether @p came is one of a list of outcomes, as a worksheet has it: "must fresh:B", "may stale:A fresh:B". */
bool answer_outcome_listed(const char *list, size_t length, const struct answer_outcome *came);

/** Whether the words are the same as one of the alternatives, which | separates; capitals, blanks, '#' and quotes do not count. */
bool answer_word_is(const char *said, const char *right, size_t length);

/** What somebody says to a question that has only two answers: "yes", "n", "true", "wrong". */
enum answer_yes { ANSWER_NEITHER, ANSWER_YES, ANSWER_NO };
enum answer_yes answer_yes_or_no(const char *said, size_t length);

/** Whether it is letters out of @p offered, with blanks and the like between, and at least one. */
bool answer_choice_readable(const char *said, const char *offered);

/** Whether it is the same set of letters. */
bool answer_choice_is(const char *said, const char *right, size_t length);

#endif
