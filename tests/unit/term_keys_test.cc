// Scan codes and what a terminal sends for them.
#include <doctest/doctest.h>

#include <string>
#include <vector>

extern "C" {
#include "term/keys.h"
}

namespace
{

struct Keyboard {
  keys state = {};

  std::string feed(const std::vector<unsigned> &codes)
  {
    std::string sent;
    char bytes[KEYS_BYTES];
    for (unsigned code : codes)
      sent.append(bytes, keys_feed(&state, static_cast<uint8_t>(code), bytes));
    return sent;
  }

  std::string press(unsigned code) { return feed({code, code | 0x80}); }
};

TEST_CASE("letters, digits, signs")
{
  Keyboard k;
  std::string typed;
  for (unsigned code = 0x02; code <= 0x0d; code++)
    typed += k.press(code);
  CHECK(typed == "1234567890-=");
  typed = "";
  for (unsigned code = 0x10; code <= 0x39; code++)
    if (code != 0x1d && code != 0x2a && code != 0x36 && code != 0x38)
      typed += k.press(code);
  CHECK(typed == "qwertyuiop[]\rasdfghjkl;'`\\zxcvbnm,./* ");
}

TEST_CASE("with Shift")
{
  Keyboard k;
  k.feed({0x2a});
  std::string typed;
  for (unsigned code = 0x02; code <= 0x0d; code++)
    typed += k.press(code);
  CHECK(typed == "!@#$%^&*()_+");
  CHECK(k.press(0x1e) + k.press(0x27) + k.press(0x35) + k.press(0x2b) == "A:?|");
  k.feed({0xaa, 0x36});
  CHECK(k.press(0x1e) == "A");
  k.feed({0xb6});
  CHECK(k.press(0x1e) == "a");
}

TEST_CASE("Caps Lock is for letters only, and Shift takes it back")
{
  Keyboard k;
  k.press(0x3a);
  CHECK(k.press(0x1e) + k.press(0x02) == "A1");
  k.feed({0x2a});
  CHECK(k.press(0x1e) + k.press(0x02) == "a!");
  k.feed({0xaa});
  k.press(0x3a);
  CHECK(k.press(0x1e) == "a");
}

TEST_CASE("Ctrl and Alt, left and right")
{
  Keyboard k;
  k.feed({0x1d});
  CHECK(k.press(0x2e) == "\x03");
  CHECK(k.press(0x1e) == "\x01");
  CHECK(k.press(0x02) == "1");
  k.feed({0x9d});
  CHECK(k.press(0x2e) == "c");
  k.feed({0xe0, 0x1d});
  CHECK(k.press(0x26) == "\x0c");
  k.feed({0xe0, 0x9d, 0x38});
  CHECK(k.press(0x30) == "\x1b"
                         "b");
  k.feed({0xb8});
}

TEST_CASE("Enter, Backspace, Tab, Esc")
{
  Keyboard k;
  CHECK(k.press(0x1c) + k.press(0x0e) + k.press(0x0f) + k.press(0x01) == "\r\x7f\t\x1b");
}

TEST_CASE("keys that move")
{
  Keyboard k;
  CHECK(k.feed({0xe0, 0x48, 0xe0, 0xc8}) == "\x1b[A");
  CHECK(k.feed({0xe0, 0x50, 0xe0, 0xd0}) == "\x1b[B");
  CHECK(k.feed({0xe0, 0x4d, 0xe0, 0xcd}) == "\x1b[C");
  CHECK(k.feed({0xe0, 0x4b, 0xe0, 0xcb}) == "\x1b[D");
  CHECK(k.feed({0xe0, 0x47}) + k.feed({0xe0, 0x4f}) + k.feed({0xe0, 0x53}) == "\x1b[H\x1b[F\x1b[3~");
  k.feed({0x1d});
  CHECK(k.feed({0xe0, 0x4b}) == "\x1b[1;5D");
  k.feed({0x9d});
  // With Num Lock a Shift is pretended around them.
  CHECK(k.feed({0xe0, 0x2a, 0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0xaa}) == "\x1b[A");
  CHECK(k.press(0x1e) == "a");
}

TEST_CASE("the keypad")
{
  Keyboard k;
  CHECK(k.press(0x48) == "\x1b[A");
  CHECK(k.press(0x4e) + k.press(0x4a) + k.press(0x37) + k.feed({0xe0, 0x35}) + k.feed({0xe0, 0x1c}) == "+-*/\r");
  k.press(0x45);
  CHECK(k.press(0x48) + k.press(0x53) + k.press(0x52) == "8.0");
}

TEST_CASE("Pause, function keys and nonsense come to nothing, and leave nothing behind")
{
  Keyboard k;
  CHECK(k.feed({0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5}) == "");
  CHECK(k.press(0x3b) + k.press(0x57) + k.press(0x54) + k.press(0x7f) + k.feed({0xe0, 0x5b}) == "");
  CHECK(k.press(0x1e) == "a");
  for (unsigned i = 0; i < 100000; i++)
    k.feed({i * 2654435761u >> 24});
}

} // namespace
