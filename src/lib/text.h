/* Small questions about characters and about text that has a length and no NUL. ASCII only: the shell accepts nothing else. */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool text_is_space(char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool text_is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static inline bool text_is_upper(char c)
{
  return c >= 'A' && c <= 'Z';
}

static inline bool text_is_lower(char c)
{
  return c >= 'a' && c <= 'z';
}

static inline bool text_is_letter(char c)
{
  return text_is_upper(c) || text_is_lower(c);
}

/** A character of a name: a letter, a digit or an underscore. */
static inline bool text_is_name(char c)
{
  return text_is_letter(c) || text_is_digit(c) || c == '_';
}

static inline char text_lower(char c)
{
  return text_is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}

static inline char text_upper(char c)
{
  return text_is_lower(c) ? (char)(c - ('a' - 'A')) : c;
}

/** The first place at or after @p at that is no white space. */
size_t text_skip_space(const char *text, size_t at);
/** How many characters from @p text on are neither white space nor the end. */
size_t text_word(const char *text);
/** The first @p c in @p text, which is @p length long, or NULL. */
const char *text_find(const char *text, size_t length, char c);
/** Whether @p text, @p length long, is @p word; the second one does not tell capitals from small letters. */
bool text_is(const char *text, size_t length, const char *word);
bool text_is_anycase(const char *text, size_t length, const char *word);
/** Copies as much as fits, always with a NUL; returns @p buffer. */
char *text_copy(char *buffer, size_t size, const char *text, size_t length);

#endif
