/* Formatted output into a buffer, the same on the host and in both kernels. */
#ifndef LIB_FORMAT_H
#define LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/** snprintf without floating point: writes at most @p size bytes with the final NUL and returns the length that the whole
 * text has (which may be more than fits). */
int format(char *buffer, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int format_args(char *buffer, size_t size, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

#endif
