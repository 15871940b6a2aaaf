/* A page of a lesson: what it shows, and what it asks. */
#ifndef REPL_LESSON_PAGE_H
#define REPL_LESSON_PAGE_H

#include "repl/lesson.h"

/** The question of the page at @p page, for the current mode. False where it asks nothing. */
bool lesson_page_question(const char *page, struct lesson_question *q);

/** Whether the page can be worked through here, in the current mode or the one that it switches to. If not, @p why says why, as of
 * lesson_lab_fits(). */
bool lesson_page_fits(const char *page, char *why, size_t size);

/** Shows the page where the student is. */
void lesson_page_show(struct record *r);

/** Shows how it went, behind the last page. */
void lesson_page_end(struct record *r);

/** Adds how @p q is to be answered. */
void lesson_page_ask(struct record *r, const struct lesson_question *q, bool settled);

/** The page of the lesson at @p text that comes after @p page (@p by 1) or before it (-1) and can be worked through here; one past the last
 * where none can. Those in between are kept in the state to be named, and their questions are left out. */
unsigned lesson_page_beside(const char *text, unsigned page, int by);

#endif
