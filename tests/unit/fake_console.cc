#include "fake_console.h"

extern "C" {
#include "machine/console.h"
}

namespace
{
std::string input, output;
size_t at;
bool interrupted;
} // namespace

void fake_console_type(const std::string &text)
{
  input = text;
  at = 0;
}

std::string fake_console_take()
{
  std::string taken = output;
  output.clear();
  return taken;
}

int console_read(void)
{
  return at < input.size() ? static_cast<unsigned char>(input[at++]) : -1;
}

void console_write(const char *text, size_t length)
{
  output.append(text, length);
}

bool console_interrupted(void)
{
  return interrupted;
}

void console_interrupt_clear(void)
{
  interrupted = false;
}

const char *console_notice_take(void)
{
  return nullptr;
}
