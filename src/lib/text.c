#include "lib/text.h"

#include <string.h>

size_t text_skip_space(const char *text, size_t at)
{
  while (text_is_space(text[at])) {
    at++;
  }
  return at;
}

size_t text_word(const char *text)
{
  size_t length = 0;
  while (text[length] && !text_is_space(text[length])) {
    length++;
  }
  return length;
}

const char *text_find(const char *text, size_t length, char c)
{
  for (size_t i = 0; i < length; i++) {
    if (text[i] == c) {
      return text + i;
    }
  }
  return NULL;
}

bool text_is(const char *text, size_t length, const char *word)
{
  for (size_t i = 0; i < length; i++) {
    if (text[i] != word[i] || word[i] == 0) {
      return false;
    }
  }
  return word[length] == 0;
}

bool text_is_anycase(const char *text, size_t length, const char *word)
{
  if (strlen(word) != length) {
    return false;
  }
  for (size_t i = 0; i < length; i++) {
    if (text_lower(text[i]) != text_lower(word[i])) {
      return false;
    }
  }
  return true;
}

char *text_copy(char *buffer, size_t size, const char *text, size_t length)
{
  if (size == 0) {
    return buffer;
  }
  if (length > size - 1) {
    length = size - 1;
  }
  memcpy(buffer, text, length);
  buffer[length] = 0;
  return buffer;
}
