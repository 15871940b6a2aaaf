/* What a page of a lesson needs of the machine, and the commands that bring the lab to where the page finds it. */
#ifndef REPL_LESSON_LAB_H
#define REPL_LESSON_LAB_H

#include "repl/lesson_text.h"
#include "repl/record.h"

#define LESSON_LAB_SCRIPT_MAX 2048

/** Commands with ';' between, as they are collected. */
struct lesson_lab_script {
  char text[LESSON_LAB_SCRIPT_MAX];
  size_t length;
  bool full; /* there was more than fits */
};

/** The mode (enum machine_mode) that a word names; -1: none. */
int lesson_lab_mode_named(const struct lesson_line *word);

/** The mode that a line with modes asks for when the machine is in @p mode: that one if it is among them, else the first that the CPU has.
 * -1: the CPU has none of them; @p mode too where the line names no mode. */
int lesson_lab_mode(const struct lesson_line *line, int mode);

/** Whether @p page can be worked through here, the machine being in *@p mode; that becomes the mode that the page's set-up switches to. If
 * not, @p why (which may have no room) says why: "needs 'nx', which this machine lacks". */
bool lesson_lab_fits(const char *page, int *mode, char *why, size_t size);

/** The record of `platform`, which a lesson's first page asks for: keeps what the machine does not show. */
void lesson_lab_see(const struct record *r);

/** Adds "lacks": which effects of the lesson the machine does not show, and which one does. */
void lesson_lab_lacks(struct record *r, const char *lesson);

void lesson_lab_script_say(struct lesson_lab_script *s, const char *text);

/** Adds the set-up of page @p number; the first page's begins with the lesson's mode, and looks what the machine shows. *@p mode goes
 * along. */
void lesson_lab_script_page(struct lesson_lab_script *s, const char *lesson, unsigned number, int *mode);

/** Whether the lab is set up on page @p page, so that the pages before it are about another one. */
bool lesson_lab_begins(const char *lesson, unsigned page);

/** Adds all that brings the lab to where @p page finds it: from the last set-up on, what was to be done and what was asked. */
void lesson_lab_script_again(struct lesson_lab_script *s, const char *lesson, unsigned page);

#endif
