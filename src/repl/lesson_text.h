/* The lessons as tools/worksheets compiles them: text, without a pointer in it, so that it can lie anywhere.
 *
 * It begins with how many lessons there are (three digits and a newline), then where each begins (seven digits and a newline). Each is a
 * number of lines, each of a tag, a blank and text; a small letter goes on with what its capital began. Text is ASCII, wrapped for a
 * terminal.
 *   L 4 The stale translation       a lesson's number and title; then its
 *   Q text                          question
 *   I 30 6                          minutes, and how many questions it asks
 *   M 4level pae                    modes that it is for, the best first
 *   E stale global                  effects that it needs, to be seen (lesson_lab.c)
 *   P What INVLPG takes             a page, by its step's heading; then its
 *   N nx pae                        needs: modes and CPU features
 *   = map 0x40000000 A              commands that set the lab up
 *   T text                          prose
 *   > read 0x40000000               commands for the student
 *   ? 3 choice abc                  question number 3, which is of this kind (answer.h), and the letters to choose from
 *   ! read 0x40000000               ... a command that is run when it has been answered
 *   @ levels.PTE.at                 ... the member of its record that is the answer
 *   A * value                       ... what is right, in all modes (*) or in some (pae,32)
 *   H text                          ... a hint; the next is the next hint
 *   W stale                         ... and V text: what to say to this wrong answer (*: any)
 *   F stale                         ... and V text: what to say when this came
 *   B text                          ... what to say in the end */
#ifndef REPL_LESSON_TEXT_H
#define REPL_LESSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct lesson_line {
  char tag;
  const char *text; /* not terminated */
  size_t length;
};

/** How many lessons there are. */
unsigned lesson_text_count(void);

/** Lesson number @p index in their order, from 0: the place of its first line. NULL past the last. */
const char *lesson_text_lesson(unsigned index);

/** The lesson that has this number; NULL where there is none. */
const char *lesson_text_numbered(unsigned number);

/** Its title, cut to @p size; its minutes; how many questions it asks. */
void lesson_text_title(const char *lesson, char *text, size_t size);
unsigned lesson_text_minutes(const char *lesson);
unsigned lesson_text_questions(const char *lesson);

/** The line at *@p at, which moves on. False at the end of the lesson, before the next one's L; or, once inside, of the page. */
bool lesson_text_line(const char **at, struct lesson_line *line);

/** The first line inside the lesson or page that begins at @p at. */
const char *lesson_text_inside(const char *at);

/** Page number @p page of the lesson at @p lesson, from 0: the place of its P. NULL past the last. */
const char *lesson_text_page(const char *lesson, unsigned page);
unsigned lesson_text_pages(const char *lesson);

/** The first line of the lesson or page at @p at with @p tag. False where there is none. */
bool lesson_text_find(const char *at, char tag, struct lesson_line *line);

/** Its text, cut to @p size; "" where there is none. */
void lesson_text_copy(const char *at, char tag, char *text, size_t size);

/** A number at the start of @p text. */
unsigned lesson_text_number(const char *text);

/** Word number @p index of the line. False where it has fewer. */
bool lesson_text_word(const struct lesson_line *line, unsigned index, struct lesson_line *word);

#endif
