// The terminal of machine/console.h in memory: what a test types, and what the shell answers.
#pragma once

#include <string>

void fake_console_type(const std::string &text);
std::string fake_console_take(); // what was written since the last call
