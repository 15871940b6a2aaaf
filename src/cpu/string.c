/* The memory functions that the compiler and the pure code call; on the host the C library has them. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#define WORDS "q"
#else
#define WORDS "l"
#endif

/* Words first, then the bytes that are left: an emulator takes as long for a byte as for a word. */
void *memcpy(void *to, const void *from, size_t length)
{
  void *start = to;
  size_t words = length / sizeof(uintptr_t), left = length % sizeof(uintptr_t);
  __asm__ volatile("rep movs" WORDS : "+D"(to), "+S"(from), "+c"(words) : : "memory");
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(left) : : "memory");
  return start;
}

void *memset(void *to, int byte, size_t length)
{
  void *start = to;
  size_t words = length / sizeof(uintptr_t), left = length % sizeof(uintptr_t);
  uintptr_t pattern = (uint8_t)byte * (~(uintptr_t)0 / 0xff); /* the byte, in each byte of a word */
  __asm__ volatile("rep stos" WORDS : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(left) : "a"(byte) : "memory");
  return start;
}

void *memmove(void *to, const void *from, size_t length)
{
  char *t = to;
  const char *f = from;
  if (t <= f || t >= f + length)
    return memcpy(to, from, length);
  while (length--)
    t[length] = f[length];
  return to;
}

/* Whole tables are compared after every command: by words, as long as those are equal. */
int memcmp(const void *a, const void *b, size_t length)
{
  const uint8_t *x = a, *y = b;
  size_t i = 0;
  while (i + sizeof(uintptr_t) <= length && *(const uintptr_t *)(const void *)(x + i) == *(const uintptr_t *)(const void *)(y + i))
    i += sizeof(uintptr_t);
  for (; i < length; i++)
    if (x[i] != y[i])
      return x[i] - y[i];
  return 0;
}

size_t strlen(const char *text)
{
  size_t length = 0;
  while (text[length])
    length++;
  return length;
}

int strcmp(const char *a, const char *b)
{
  while (*a && *a == *b)
    a++, b++;
  return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t length)
{
  for (; length; a++, b++, length--)
    if (*a != *b || !*a)
      return (uint8_t)*a - (uint8_t)*b;
  return 0;
}
