/* The lessons' text, which the build makes of docs/lessons. It is in the boot image once, at an address that both kernels know (their link
 * script names it); host programs link it. src/repl/lesson_text.h tells its form. */
#ifndef MACHINE_LESSONS_H
#define MACHINE_LESSONS_H

extern const char machine_lessons[];

#endif
