/* Formatting is stb_sprintf's (public domain, Debian libstb-dev). It is built without floating point; what remains of `double` in
 * it is only ever a type name, which a kernel without floating-point registers must not see. Its tables of digits are not declared
 * const and so land in .data, though nothing writes to them: the kernel's link script puts this object's .data among the constants. */
#include "lib/format.h"

#include <stdint.h>

#define STB_SPRINTF_IMPLEMENTATION
#define STB_SPRINTF_NOFLOAT
#define STB_SPRINTF_NOUNALIGNED
#define STB_SPRINTF_STATIC
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#define double long long
#include <stb/stb_sprintf.h>
#undef double
#pragma GCC diagnostic pop

int format_args(char *buffer, size_t size, const char *fmt, va_list ap)
{
  char nothing[1];
  if (size == 0) {
    return stbsp_vsnprintf(nothing, 0, fmt, ap);
  }
  return stbsp_vsnprintf(buffer, (int)size, fmt, ap);
}

int format(char *buffer, size_t size, const char *fmt, ...)
{
  va_list ap;
  va_start(ap, fmt);
  int length = format_args(buffer, size, fmt, ap);
  va_end(ap);
  return length;
}
