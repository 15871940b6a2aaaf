/* Lines: broken between words where they are too long, and the same words in the same order however narrow the terminal is. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

extern "C" {
#include "lib/random.h"
#include "repl/render.h"
}

static void append(void *context, const char *text, size_t length)
{
  static_cast<std::string *>(context)->append(text, length);
}

static std::string render(const struct record *r, size_t columns, bool color = false)
{
  struct render_options options = {};
  options.columns = columns;
  options.color = color;
  std::string out;
  render_record(r, &options, append, &out);
  return out;
}

static std::vector<std::string> lines_of(const std::string &text)
{
  std::vector<std::string> lines;
  size_t start = 0;
  for (size_t end; (end = text.find("\r\n", start)) != std::string::npos; start = end + 2)
    lines.push_back(text.substr(start, end - start));
  CHECK(start == text.size());
  return lines;
}

static std::vector<std::string> words_of(const std::string &text)
{
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;)
    words.push_back(word);
  return words;
}

static struct record *said(const char *reason)
{
  struct record *r = record_begin("x");
  record_refuse(r, "%s", reason);
  return r;
}

TEST_CASE("lines: broken between words, and indented from there on")
{
  CHECK(render(said("one two three"), 0) == "refused: one two three\r\n");
  CHECK(render(said("one two three"), 22) == "refused: one two three\r\n");
  CHECK(render(said("one two three"), 21) == "refused: one two\r\n  three\r\n");
  CHECK(render(said("one two three"), 12) == "refused: one\r\n  two three\r\n");
  CHECK(render(said("one  two three"), 12) == "refused: one\r\n  two three\r\n"); /* no blanks hang over either edge */
}

TEST_CASE("lines: one that begins further right goes on further right")
{
  struct record *r = record_begin("x");
  record_string(r, &r->root, "command", "compare { read 0x40000000 }");
  r->text = "Type:\n    {command}";
  CHECK(render(r, 24) == "Type:\r\n    compare { read\r\n      0x40000000 }\r\n");
}

TEST_CASE("lines: a word that is longer than a line is left whole")
{
  CHECK(render(said("0123456789abcdefghijklmnop is"), 20) == "refused:\r\n  0123456789abcdefghijklmnop\r\n  is\r\n");
  std::string longest(300, 'x'); /* more than is held back of a word */
  std::string out;
  for (const std::string &line : lines_of(render(said(longest.c_str()), 20)))
    for (const std::string &word : words_of(line))
      out += word;
  CHECK(out == "refused:" + longest);
}

TEST_CASE("lines: colours take no room")
{
  CHECK(render(said("one two three"), 22, true) == "\x1b[31mrefused\x1b[0m: one two three\r\n");
  CHECK(render(said("one two three"), 21, true) == "\x1b[31mrefused\x1b[0m: one two\r\n  three\r\n");
}

TEST_CASE("lines: none ends in blanks")
{
  struct record *r = record_begin("x");
  record_string(r, &r->root, "a", "ab");
  r->text = "{a%-8}";
  CHECK(render(r, 0) == "ab\r\n");
  r->text = "{a%-8}|";
  CHECK(render(r, 0) == "ab      |\r\n");
}

TEST_CASE("lines: columns go on below themselves")
{
  struct record *r = record_begin("x");
  struct record_node *rows = record_array(r, &r->root, "rows", "{name%-6} {what}");
  struct record_node *row = record_object(r, rows, NULL);
  record_string(r, row, "name", "map");
  record_string(r, row, "what", "maps a page");
  r->text = "";
  CHECK(render(r, 18) == "  map    maps a\r\n         page\r\n");
  CHECK(render(r, 14) == "  map    maps\r\n    a page\r\n"); /* not where that would leave it less than half of the line */

  r = record_begin("x");
  struct record_node *table = record_array(r, &r->root, "table", NULL);
  row = record_object(r, table, NULL);
  record_count(r, row, "n", 5);
  record_string(r, row, "what", "five of them");
  record_string(r, row, "more", "yes");
  CHECK(render(r, 0) == "n  what          more\r\n5  five of them  yes\r\n");
  CHECK(render(r, 12) == "n  what\r\n   more\r\n5  five of\r\n   them  yes\r\n");

  r = record_begin("x");
  record_string(r, &r->root, "key", "one two three");
  record_string(r, &r->root, "longer", "four");
  CHECK(render(r, 17) == "key     one two\r\n        three\r\nlonger  four\r\n");
}

TEST_CASE("lines: the caret of a line that was broken would point at nothing")
{
  struct record *r = record_begin("x");
  record_usage(r, 2, "what?");
  struct render_options options = {};
  std::string input = "x " + std::string(78, 'y'), out;
  options.columns = 80;
  options.input = input.c_str();
  render_record(r, &options, append, &out);
  CHECK(out == input + "\r\n  ^\r\nwhat?\r\n");
  input += " y";
  options.input = input.c_str();
  out.clear();
  render_record(r, &options, append, &out);
  CHECK(out == "x " + std::string(78, 'y') + "\r\n  y\r\nwhat?\r\n");
}

TEST_CASE("lines: at any width the same words in the same order, and no line too long that could be broken")
{
  uint64_t random = 42;
  for (int round = 0; round < 300; round++) {
    std::string text;
    size_t longest = 0;
    for (unsigned words = (unsigned)random_below(&random, 30); words; words--) {
      size_t length = 1 + random_below(&random, 14);
      longest = length > longest ? length : longest;
      text += std::string(1 + random_below(&random, 2), ' ') + std::string(length, (char)('a' + random_below(&random, 26)));
    }
    struct record *r = said(text.c_str());
    std::vector<std::string> words = words_of(render(r, 0));
    for (size_t columns = 40; columns <= 100; columns += 7) {
      std::string shown = render(r, columns);
      CHECK(words_of(shown) == words);
      for (const std::string &line : lines_of(shown)) {
        CHECK(line.size() <= columns);
        CHECK(line.back() != ' ');
      }
    }
  }
}
