// The terminal in memory: what bytes come to in cells.
#include <doctest/doctest.h>

#include <string>

extern "C" {
#include "term/vt.h"
}

namespace
{

struct Screen {
  static vt terminal; // too large for a stack

  Screen(unsigned columns = 20, unsigned rows = 4) { vt_init(&terminal, columns, rows); }

  void put(const std::string &text)
  {
    for (char c : text)
      vt_put(&terminal, static_cast<uint8_t>(c));
  }

  // A row's text without the blanks at its end.
  std::string row(unsigned y) const
  {
    std::string text;
    for (unsigned x = 0; x < terminal.columns; x++)
      text += static_cast<char>(terminal.cell[y * terminal.columns + x]);
    return text.erase(text.find_last_not_of(' ') + 1);
  }

  unsigned attribute(unsigned x, unsigned y) const { return terminal.cell[y * terminal.columns + x] >> 8; }
};

vt Screen::terminal;

TEST_CASE("text, ends of lines, backspace and tab")
{
  Screen s;
  s.put("one\r\ntwo\b\b\bT\r\n\tx");
  CHECK(s.row(0) == "one");
  CHECK(s.row(1) == "Two");
  CHECK(s.row(2) == "        x");
  CHECK(s.terminal.x == 9);
  CHECK(s.terminal.y == 2);
}

TEST_CASE("what goes beyond the last row scrolls")
{
  Screen s;
  s.put("1\r\n2\r\n3\r\n4\r\n5");
  CHECK(s.row(0) == "2");
  CHECK(s.row(3) == "5");
  CHECK(s.terminal.scrolled == 1);
}

TEST_CASE("the last column wraps only when something follows")
{
  Screen s(5, 3);
  s.put("12345");
  CHECK(s.terminal.y == 0);
  s.put("\r\n");
  CHECK(s.terminal.y == 1);
  s.put("12345678");
  CHECK(s.row(1) == "12345");
  CHECK(s.row(2) == "678");
  s.put("\r12345\b*");
  CHECK(s.row(2) == "123*5");
}

TEST_CASE("what the line editor sends")
{
  Screen s;
  s.put("4level> mpa A");
  s.put("\r4level> map A\x1b[K\r\x1b[11C");
  CHECK(s.row(0) == "4level> map A");
  CHECK(s.terminal.x == 11);
  s.put("\r4level> m\x1b[K");
  CHECK(s.row(0) == "4level> m");
  s.put("\x1b[H\x1b[2J\r4level> ");
  CHECK(s.row(0) == "4level>");
  CHECK(s.terminal.x == 8);
}

TEST_CASE("the cursor moves and stops at the edges")
{
  Screen s;
  s.put("\x1b[3;5Hx\x1b[A\x1b[2D*\x1b[99;99H");
  CHECK(s.row(2) == "    x");
  CHECK(s.row(1) == "   *");
  CHECK(s.terminal.x == 19);
  CHECK(s.terminal.y == 3);
  s.put("\x1b[99A\x1b[99D");
  CHECK(s.terminal.x == 0);
  CHECK(s.terminal.y == 0);
  s.put("\x1b[2B\x1b[C");
  CHECK(s.terminal.x == 1);
  CHECK(s.terminal.y == 2);
}

TEST_CASE("erasing")
{
  Screen s(5, 3);
  s.put("aaaaabbbbbccccc\x1b[2;3H\x1b[1K");
  CHECK(s.row(1) == "   bb");
  s.put("\x1b[J");
  CHECK(s.row(0) == "aaaaa");
  CHECK(s.row(1) == "");
  CHECK(s.row(2) == "");
  s.put("\x1b[1J");
  CHECK(s.row(0) == "");
}

TEST_CASE("colours are VGA's")
{
  Screen s;
  s.put("\x1b[31mr\x1b[1;34mb\x1b[0mp\x1b[1mw\x1b[mq\x1b[93my\x1b[7mi");
  CHECK(s.attribute(0, 0) == 0x04);
  CHECK(s.attribute(1, 0) == 0x09);
  CHECK(s.attribute(2, 0) == 0x07);
  CHECK(s.attribute(3, 0) == 0x0f);
  CHECK(s.attribute(4, 0) == 0x07);
  CHECK(s.attribute(5, 0) == 0x0e);
  CHECK(s.attribute(6, 0) == 0x68);
}

TEST_CASE("what is not known does no harm")
{
  Screen s;
  s.put("a\x1b[?25lb\x1b(Bc\x1b[12;34;56;78;90;1;2;3;4;5;6;7;8md\x1b[99999999999Ce");
  CHECK(s.row(0).substr(0, 2) == "ab");
  CHECK(s.terminal.x == 19);
  for (unsigned i = 0; i < 100000; i++)
    vt_put(&s.terminal, static_cast<uint8_t>(i * 2654435761u >> 24));
  CHECK(s.terminal.x < 20);
  CHECK(s.terminal.y < 4);
}

TEST_CASE("a screen is at most as large as its memory")
{
  Screen s(1000, 1000);
  CHECK(s.terminal.columns == VT_COLUMNS_MAX);
  CHECK(s.terminal.rows == VT_ROWS_MAX);
}

} // namespace
