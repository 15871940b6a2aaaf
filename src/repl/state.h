/* What a user would be sorry to lose at a mode switch: history, settings, variables, and the rest of the line that is being run. */
#ifndef REPL_STATE_H
#define REPL_STATE_H

#include "machine/machine.h"
#include "repl/editor.h"

#define TLBSH_VERSION "0.1"

#define STATE_VARIABLES 48
#define STATE_NAME_MAX 16
#define STATE_FRAMES 8
#define STATE_FLUSH_CEILING 33 /* Linux's default, tlb_single_page_flush_ceiling */
#define STATE_COLUMNS EDITOR_COLUMNS
#define STATE_COLUMNS_LEAST EDITOR_COLUMNS_LEAST
#define STATE_COLUMNS_MOST 250
#define STATE_LINES_LEAST 5
#define STATE_LINES_MOST 250

struct state_variable {
  char name[STATE_NAME_MAX];
  uint64_t value __attribute__((aligned(8)));
};

/** A stretch of the program text that is being executed: the line itself, or the body of a repeat. */
struct state_frame {
  uint32_t start, end, at;
  uint32_t done, count;
  uint32_t script; /* not a repeat: commands that another command runs */
};

#define STATE_TEXT_MAX (EDITOR_LINE_MAX + 2048) /* a line, and what a lesson has to run behind it */

#define STATE_COMPARE_ROWS 16
#define STATE_COMPARE_COLUMNS 4

/** A comparison of all modes (compare.h). */
struct state_compare {
  uint8_t active, home, columns, column, row, rows;
  uint8_t returning; /* it is over, and the mode switch back is under way */
  uint8_t depth;     /* of the script's frame */
  uint8_t mode[STATE_COMPARE_COLUMNS];
  uint32_t start, end; /* the script, in the text */
  char cell[STATE_COMPARE_COLUMNS][STATE_COMPARE_ROWS][20];
};

#define STATE_LESSONS 24
#define STATE_ANSWER_MAX 64

/** Where the student is in the lessons and the quiz (lesson.h, quiz.h). */
struct state_lesson {
  uint8_t number;            /* of the lesson that is open; 0: none */
  uint8_t page;              /* ... and its page, from 0 */
  uint8_t doing, depth;      /* a script runs for it: what for (lesson.c), and its frame's depth */
  uint8_t command;           /* which command that script is of */
  uint8_t hints, tries;      /* that the question at hand has had */
  uint8_t lacks;             /* a bit per effect that the machine does not show */
  uint8_t seen_hex;          /* what was seen is a number: seen_number */
  uint8_t quiz, quiz_length; /* the question of the quiz, from 1; 0: no quiz */
  uint8_t quiz_right, quiz_settled;
  uint8_t quiz_mode; /* enum machine_mode in which the question was asked: in another it would be another one */
  uint32_t quiz_seed;
  uint64_t seen_number __attribute__((aligned(8)));
  /* By the lesson's number, a bit per question: */
  uint32_t settled[STATE_LESSONS], right[STATE_LESSONS];
  uint32_t left_out[STATE_LESSONS]; /* it could not be asked here */
  uint8_t at_page[STATE_LESSONS];   /* ... where it was left */
  char answer[STATE_ANSWER_MAX];
  char seen[STATE_ANSWER_MAX]; /* what the question asks for, as the machine's record had it */
  char trouble[96];            /* what went wrong in a script */
  char skipped[128];           /* which pages before this one were left out, and why */
};

#define STATE_RECORDING_MAX 5120

/** What `record` keeps, and where `replay` is in it (recorder.h). */
struct state_recorder {
  uint8_t on, full, replaying;
  uint8_t start_mode; /* enum machine_mode when it was turned on */
  uint16_t length, at, lines;
  char text[STATE_RECORDING_MAX]; /* a line after the other, each with its prompt and a newline */
};

/** Same layout in both kernels: no pointers, no longs. */
struct state {
  uint64_t control_set __attribute__((aligned(8))); /* a bit per row of the settings table: `set` made it 1 */
  uint64_t control_clear;                           /* ... or 0 */
  uint8_t json, color, unsafe, echo, clock;
  uint8_t autoflush, lazy, trace;
  uint32_t flush_ceiling; /* pages: a range of more is flushed in full */
  uint32_t columns;       /* text in longer lines is broken; 0: none is */
  uint32_t lines;         /* more text than so many lines waits to be read; 0: none does */
  uint8_t bochs;          /* enum bochs_verdict */
  uint8_t stops;          /* each command stops in Bochs's debugger (`break on`) */
  uint8_t batch;          /* nobody sits there: no prompts */
  uint8_t failed;         /* some command ended in `error` */
  uint8_t depth;          /* frames in use */
  uint8_t switched_from;  /* a mode switch is under way: the old mode + 1 */
  uint8_t from_prompt;    /* the text was typed at the prompt, so it stands on the line above */
  struct state_variable variable[STATE_VARIABLES];
  struct state_frame frame[STATE_FRAMES];
  struct state_compare compare;
  struct state_lesson lesson;
  struct state_recorder recorder;
  char text[STATE_TEXT_MAX];
  struct editor_history history;
};

/** The one state. It lives in memory that survives mode switches. */
struct state *state_get(void);

/** Gives the variable @p name a value; false where there are as many others as there can be. */
bool state_variable_set(const char *name, uint64_t value);

/** The current mode's name, as the prompt shows it; or that of @p mode. */
const char *state_mode_name(void);
const char *state_mode_name_of(enum machine_mode mode);

/** What the clock is worth: "hardware", "emulated" or "none". */
const char *state_clock(void);

#endif
