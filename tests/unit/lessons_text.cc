// Lessons for the unit tests, in the place of those that the build makes of docs/lessons.
extern "C" {
extern const char machine_lessons[];
const char machine_lessons[] = "002\n"
                               "0000020\n"
                               "0000216\n"
                               "L 1 One\n"
                               "Q A question?\n"
                               "I 10 1\n"
                               "M 4level pae\n"
                               "E \n"
                               "P First\n"
                               "T Some text.\n"
                               "> read 0x40000000\n"
                               "P Second\n"
                               "N nx pae\n"
                               "= reset\n"
                               "? 1 outcome\n"
                               "! read 0x40000000\n"
                               "A pae may stale:A fresh:B\n"
                               "A * must fresh:B\n"
                               "H one\n"
                               "h more\n"
                               "L 4 Four\n"
                               "Q B?\n"
                               "P Only\n";
}
