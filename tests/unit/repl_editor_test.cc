/* The line editor, byte by byte. A small terminal stands behind it, so that the tests look at what a person would see: whatever was
 * typed, the screen must show the line and its cursor. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_machine.h"

#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include "repl/editor.h"
}

/* What of a VT100 the editor makes use of. */
struct Terminal {
  size_t columns = EDITOR_COLUMNS;
  std::vector<std::string> rows = {std::string(columns, ' ')};
  size_t column = 0;
  bool wrapped = false; /* something was written beyond the last column */
  std::string escape;
  size_t bytes = 0;

  explicit Terminal(size_t wide = EDITOR_COLUMNS) : columns(wide) {}

  std::string &row() { return rows.back(); }

  void feed(char c)
  {
    bytes++;
    if (!escape.empty()) {
      escape += c;
      if (escape.size() > 2 && ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
        sequence();
    } else if (c == '\x1b') {
      escape = c;
    } else if (c == '\r') {
      column = 0;
    } else if (c == '\n') {
      rows.push_back(std::string(columns, ' '));
    } else if (c == '\b') {
      column -= column > 0;
    } else {
      REQUIRE(((unsigned char)c >= 0x20 && (unsigned char)c < 0x7f));
      wrapped = wrapped || column >= columns;
      if (column < columns)
        row()[column++] = c;
    }
  }

  void sequence()
  {
    std::string s = escape;
    escape.clear();
    if (s == "\x1b[K")
      row().replace(column, std::string::npos, columns - column, ' ');
    else if (s == "\x1b[2J")
      rows = {std::string(columns, ' ')};
    else if (s == "\x1b[H")
      column = 0;
    else if (s.back() == 'C')
      column += std::stoul(s.substr(2));
    else
      REQUIRE(s.back() == 'm');
  }

  std::string line(size_t back = 0) const
  {
    std::string text = rows[rows.size() - 1 - back];
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  }
};

struct Bench {
  Terminal terminal;
  struct editor editor;
  struct editor_history history;
  std::vector<std::string> lines; /* what came out: the lines, or "<cancel>" and its like */
  std::vector<std::string> offers;
  std::string hint, completed;

  static void write(void *context, const char *text, size_t length)
  {
    for (size_t i = 0; i < length; i++)
      static_cast<Bench *>(context)->terminal.feed(text[i]);
  }

  static const char *complete(void *context, const char *line, size_t cursor, size_t *start, editor_add add, void *list)
  {
    Bench *bench = static_cast<Bench *>(context);
    bench->completed = line;
    *start = cursor;
    while (*start > 0 && line[*start - 1] != ' ')
      --*start;
    std::string typed(line + *start, cursor - *start);
    for (const std::string &offer : bench->offers) {
      if (offer.compare(0, typed.size(), typed) == 0) {
        std::string copy = offer; /* good only during the call */
        add(list, copy.data(), copy.size());
        copy.assign(copy.size(), '!');
      }
    }
    return bench->hint.empty() ? nullptr : bench->hint.c_str();
  }

  explicit Bench(const char *prompt = "4level> ", size_t columns = EDITOR_COLUMNS) : terminal(columns)
  {
    struct editor_callbacks callbacks = {write, complete, this};
    std::memset(&history, 0, sizeof history);
    std::memset(&editor, 0xaa, sizeof editor);
    editor_init(&editor, &history, &callbacks);
    editor_prompt(&editor, prompt, terminal.columns);
  }

  Bench &type(const std::string &bytes)
  {
    for (char c : bytes) {
      switch (editor_feed(&editor, (uint8_t)c)) {
      case EDITOR_MORE: continue;
      case EDITOR_LINE:
        lines.push_back(editor.line);
        history_add(&history, editor.line);
        break;
      case EDITOR_CANCEL: lines.push_back("<cancel>"); break;
      case EDITOR_EOF:
        lines.push_back("<eof>");
        write(this, "\r\n", 2);
        break;
      case EDITOR_TOO_LONG: lines.push_back("<" + std::to_string(editor.dropped) + ">"); break;
      }
      editor_prompt(&editor, editor.prompt, terminal.columns);
    }
    return *this;
  }

  std::string text() const { return std::string(editor.line, editor.length); }

  /* Whether the screen shows what the editor holds. */
  void check_screen()
  {
    size_t width = terminal.columns - 2 - std::strlen(editor.prompt);
    REQUIRE(editor.cursor <= editor.length);
    REQUIRE(editor.length < EDITOR_LINE_MAX);
    REQUIRE(editor.shown <= editor.cursor);
    REQUIRE_FALSE(terminal.wrapped);
    std::string expected = editor.prompt + text().substr(editor.shown, width);
    expected.resize(terminal.columns, ' ');
    REQUIRE(terminal.row() == expected);
    REQUIRE(terminal.column == std::strlen(editor.prompt) + editor.cursor - editor.shown);
  }
};

/* The line after the keys were typed. */
static std::string edited(const std::string &keys)
{
  Bench bench;
  bench.type(keys);
  bench.check_screen();
  return bench.text();
}

TEST_CASE("editor: CR, LF and CRLF each end one line")
{
  Bench bench;
  bench.type("a\rb\nc\r\nd\r\n\r\ne\n\n\r\r");
  CHECK(bench.lines == std::vector<std::string>{"a", "b", "c", "d", "", "e", "", "", ""});
  CHECK(bench.terminal.line() == "4level>");
  CHECK(bench.terminal.line(9) == "4level> a");
}

TEST_CASE("editor: appending costs one byte each, and erasing three")
{
  Bench bench;
  size_t before = bench.terminal.bytes;
  bench.type("map 0x40000000 A rw");
  CHECK(bench.terminal.bytes - before == 19);
  bench.type("\x7f");
  CHECK(bench.terminal.bytes - before == 22);
  bench.check_screen();
  before = bench.terminal.bytes;
  bench.type("\x7f" + std::string(900, 'x'));
  CHECK(bench.terminal.bytes - before < 900 * 5); /* a long line scrolls by half a window */
  bench.check_screen();
}

TEST_CASE("editor: both erase keys, and nothing to erase")
{
  CHECK(edited("abc\x7f") == "ab");
  CHECK(edited("abc\x08\x08") == "a");
  CHECK(edited("\x7f\x08x") == "x");
  CHECK(edited("abc\x02\x7f") == "ac");
}

TEST_CASE("editor: moving")
{
  CHECK(edited("bc\x01"
               "a") == "abc");
  CHECK(edited("ab\x01\x05"
               "c") == "abc");
  CHECK(edited("ac\x02"
               "b\x06"
               "d") == "abcd");
  CHECK(edited("\x02\x06\x01\x05") == "");
}

TEST_CASE("editor: every spelling of the keys that send sequences")
{
  for (const char *home : {"\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~"})
    CHECK(edited(std::string("bc") + home + "a") == "abc");
  for (const char *end : {"\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~"})
    CHECK(edited(std::string("bc\x01") + end + "a") == "bca");
  for (const char *left : {"\x1b[D", "\x1bOD"})
    CHECK(edited(std::string("bc") + left + "a") == "bac");
  for (const char *right : {"\x1b[C", "\x1bOC"})
    CHECK(edited(std::string("bc\x01") + right + "a") == "bac");
  for (const char *left : {"\x1b[1;5D", "\x1b[1;3D", "\x1b[5D", "\x1bOd", "\033b"})
    CHECK(edited(std::string("one two") + left + "X") == "one Xtwo");
  for (const char *right : {"\x1b[1;5C", "\x1b[1;3C", "\x1b[5C", "\x1bOc", "\033f"})
    CHECK(edited(std::string("one two\x01") + right + "X") == "oneX two");
  CHECK(edited("abc\x01\x1b[3~") == "bc");
  CHECK(edited("abc\x1b[3~") == "abc");
}

TEST_CASE("editor: sequences it does not know are swallowed whole")
{
  for (const char *other : {"\x1bOP", "\x1b[15~", "\x1b[[A", "\x1b[[E", "\x1b[200~", "\x1b[2~", "\x1b[5~", "\x1b[1;2A",
                            "\x1b[12;34;56;78;90R", "\x1bO5P", "\x1b[?1;2c", "\x1bq", "\x1b\x1b[Z", "\x1b[Z"})
    CHECK(edited(std::string("ab") + other + "c") == "abc");
  CHECK(edited("ab\x1b[\xc3"
               "c") == "abc");
}

TEST_CASE("editor: a control key cuts a sequence short and counts itself")
{
  Bench bench;
  bench.type("ab\x1b\r");
  bench.type("cd\x1b[1\x7f");
  CHECK(bench.lines == std::vector<std::string>{"ab"});
  CHECK(bench.text() == "c");
}

TEST_CASE("editor: killing and yanking")
{
  CHECK(edited("one two\x01\x06\x06\x06\x0b") == "one");
  CHECK(edited("one two\x02\x02\x02\x15") == "two");
  CHECK(edited("map 0x4000/PDE  \x17") == "map ");
  CHECK(edited("one two\x17\x01\x19 ") == "two one ");
  CHECK(edited("one/two\x1b\x7f") == "one/");
  CHECK(edited("one/two\x1b\x08") == "one/");
  CHECK(edited("one two\x01\x1b"
               "d") == " two");
  CHECK(edited("\x15\x0b\x17\x1b\x7f\x19") == "");
  CHECK(edited("ab\x15\x15\x19\x19") == "abab");
}

TEST_CASE("editor: swapping two characters")
{
  CHECK(edited("mpa\x02\x14") == "map");
  CHECK(edited("mpa\x14") == "map");
  CHECK(edited("a\x14") == "a");
  CHECK(edited("ab\x01\x14") == "ab");
}

TEST_CASE("editor: Ctrl-C, Ctrl-D, Ctrl-L")
{
  Bench bench;
  bench.type("abc\x03");
  CHECK(bench.lines == std::vector<std::string>{"<cancel>"});
  CHECK(bench.terminal.line(1) == "4level> abc^C");
  bench.type("abc\x01\x03");
  CHECK(bench.terminal.line(1) == "4level> abc^C");
  bench.type("\x04");
  CHECK(bench.lines.back() == "<eof>");
  bench.type("abc\x01\x04");
  CHECK(bench.text() == "bc");
  bench.type("\x05\x04");
  CHECK(bench.text() == "bc");
  bench.type("\x0c");
  CHECK(bench.terminal.rows.size() == 1);
  bench.check_screen();
}

TEST_CASE("editor: bytes that mean nothing are ignored")
{
  std::string noise;
  for (int c = 0x80; c < 0x100; c++)
    noise += (char)c;
  CHECK(edited("a" + noise + std::string("\0\x07\x0f\x11\x13\x16\x18\x1a\x1c\x1d\x1e\x1f", 12) + "b") == "ab");
}

TEST_CASE("editor: up and down through the history, keeping what was typed")
{
  Bench bench;
  bench.type("one\rtwo\rthr\x1b[A");
  CHECK(bench.text() == "two");
  bench.type("\x10");
  CHECK(bench.text() == "one");
  bench.type("\x10");
  CHECK(bench.text() == "one");
  bench.type("\x1b[B");
  CHECK(bench.text() == "two");
  bench.type("\x0e");
  CHECK(bench.text() == "thr");
  bench.type("\x0e");
  CHECK(bench.text() == "thr");
  bench.check_screen();
  bench.type("\x15\x1bOA!\r");
  CHECK(bench.lines.back() == "two!");
  bench.type("\x10\x10");
  CHECK(bench.text() == "two");
}

TEST_CASE("history: empty lines and repeats are skipped, the oldest go first, numbers can stay stable")
{
  static struct editor_history history;
  std::memset(&history, 0, sizeof history);
  history_add(&history, "");
  CHECK(history.lines == 0);
  CHECK(history_line(&history, 0) == nullptr);
  history_add(&history, "a");
  history_add(&history, "a");
  history_add(&history, "b");
  history_add(&history, "a");
  CHECK(history.lines == 3);
  CHECK(std::string(history_line(&history, 1)) == "b");
  for (unsigned i = 0; i < 5000; i++)
    history_add(&history, std::to_string(i).c_str());
  CHECK(history.used <= HISTORY_BYTES);
  CHECK(history.lines + history.dropped == 5003);
  CHECK(std::string(history_line(&history, history.lines - 1)) == "4999");
  for (uint32_t i = 0; i < history.lines; i++)
    CHECK(std::string(history_line(&history, i)) == std::to_string(history.dropped + i - 3));
  std::string longest(EDITOR_LINE_MAX - 1, 'x');
  history_add(&history, longest.c_str());
  CHECK(std::string(history_line(&history, history.lines - 1)) == longest);
  history_add(&history, std::string(HISTORY_BYTES, 'y').c_str());
  CHECK(std::string(history_line(&history, history.lines - 1)) == longest);
  history_add(&history, std::string(HISTORY_BYTES - 1, 'z').c_str());
  CHECK(history.lines == 1);
}

TEST_CASE("editor: searching backwards")
{
  Bench bench;
  bench.type("map 1\rwalk 2\rmap 3\rtyped\x12");
  CHECK(bench.terminal.line() == "(search) '': typed");
  bench.type("ma");
  CHECK(bench.terminal.line() == "(search) 'ma': map 3");
  bench.type("\x12");
  CHECK(bench.text() == "map 1");
  bench.type("\x12");
  CHECK(bench.terminal.line() == "(no such) 'ma': map 1");
  bench.type("\x7f\x7f");
  CHECK(bench.text() == "map 3");
  bench.type("alk");
  CHECK(bench.text() == "walk 2");
  bench.type("\x1b[D!"); /* an arrow takes the line over for editing */
  CHECK(bench.text() == "walk !2");
  bench.check_screen();

  bench.type("\x05\x15typed\x12ma\x07"); /* Ctrl-G gives back what was there */
  CHECK(bench.text() == "typed");
  bench.check_screen();
  bench.type("\x12map\r");
  CHECK(bench.lines.back() == "map 3");
  bench.type("\x12map\x03");
  CHECK(bench.lines.back() == "<cancel>");
  bench.type("\x12" + std::string(100, 'q') + "\x05");
  bench.check_screen();
  CHECK(bench.text() == "");
}

TEST_CASE("editor: a line that is too long is dropped whole, and counted")
{
  Bench bench;
  bench.type(std::string(EDITOR_LINE_MAX - 1, 'x') + "\r");
  CHECK(bench.lines.back() == std::string(EDITOR_LINE_MAX - 1, 'x'));
  bench.type(std::string(EDITOR_LINE_MAX, 'x') + "\r");
  CHECK(bench.lines.back() == "<1024>");
  bench.type(std::string(20000, 'x') + "\r\nnext\n");
  CHECK(bench.lines.size() == 4);
  CHECK(bench.lines[2] == "<20000>");
  CHECK(bench.lines[3] == "next");
  CHECK(bench.history.lines == 2);

  bench.type(std::string(EDITOR_LINE_MAX + 2, 'x') + "\x1b[D\x01\x17\t" + "\x7f\x08\x7f\x7fy\r"); /* erased until it fits */
  CHECK(bench.lines.back() == std::string(EDITOR_LINE_MAX - 2, 'x') + "y");
  bench.type(std::string(EDITOR_LINE_MAX + 2, 'x') + "\x15ok\r");
  CHECK(bench.lines.back() == "ok");
  bench.type(std::string(EDITOR_LINE_MAX + 2, 'x') + "\x04\x03");
  CHECK(bench.lines.back() == "<cancel>");
  bench.type(std::string(1000, 'x') + "\x15\x19\x19"); /* what does not fit is not yanked */
  CHECK(bench.text().size() == 1000);
  while (bench.editor.length > 1) {
    bench.type("\x7f");
    CHECK(bench.editor.shown < bench.editor.cursor); /* what is left of it can be seen */
  }
  bench.check_screen();
}

TEST_CASE("editor: the caller's line stays until the next byte, prompt or no prompt")
{
  Bench bench;
  CHECK(editor_feed(&bench.editor, 'a') == EDITOR_MORE);
  CHECK(editor_feed(&bench.editor, '\r') == EDITOR_LINE);
  CHECK(editor_feed(&bench.editor, '\n') == EDITOR_MORE);
  CHECK(std::string(bench.editor.line) == "a");
  CHECK(editor_feed(&bench.editor, 'b') == EDITOR_MORE);
  CHECK(editor_feed(&bench.editor, '\n') == EDITOR_LINE);
  CHECK(std::string(bench.editor.line) == "b");
  CHECK(editor_feed(&bench.editor, 0x04) == EDITOR_EOF);
}

TEST_CASE("editor: Tab")
{
  Bench bench;
  bench.offers = {"map", "maps", "merge", "walk"};
  bench.type("w\t");
  CHECK(bench.text() == "walk ");
  bench.type("\x15x; me\t");
  CHECK(bench.text() == "x; merge ");
  bench.check_screen();
  bench.type("\x15m\t");
  CHECK(bench.text() == "m");
  CHECK(bench.terminal.line(1) == "map  maps  merge");
  CHECK(bench.terminal.line() == "4level> m");
  bench.check_screen();
  bench.type("a\t");
  CHECK(bench.text() == "map");
  bench.type("\t");
  CHECK(bench.terminal.line(1) == "map  maps");
  bench.type("z\t");
  CHECK(bench.text() == "mapz");
  CHECK(bench.completed == "mapz");
  bench.hint = "map VA FRAME";
  bench.type("\t");
  CHECK(bench.text() == "mapz");
  CHECK(bench.terminal.line(1) == "  map VA FRAME");
  bench.check_screen();
  bench.type("\x15m x\x02\x02\t"); /* in the middle of the line */
  CHECK(bench.terminal.line(1) == "map  maps  merge");
  bench.check_screen();
  bench.type("er\t");
  CHECK(bench.text() == "merge  x");
}

TEST_CASE("editor: many candidates are listed in lines that fit, long ones too")
{
  Bench bench;
  for (unsigned i = 0; i < 30; i++)
    bench.offers.push_back("name" + std::to_string(i));
  bench.type("\t");
  CHECK(bench.text() == "name");
  bench.type("\t");
  CHECK_FALSE(bench.terminal.wrapped);
  bench.check_screen();
  bench.offers = {std::string(100, 'l') + "a", std::string(100, 'l') + "b"};
  bench.type("\x15l\t");
  CHECK(bench.text() == std::string(63, 'l'));
}

TEST_CASE("editor: without echo nothing but the prompt is written, and a tab is a blank")
{
  Bench bench("");
  bench.offers = {"walk"};
  bench.editor.echo = false;
  bench.editor.prompt = "json> ";
  size_t before = bench.terminal.bytes;
  for (char c : std::string("w\tx\x1b[D\x01\x7f\x12w\x07\x0cxq\x10\x14"))
    CHECK(editor_feed(&bench.editor, (uint8_t)c) == EDITOR_MORE);
  CHECK(bench.text() == "w xqx");
  CHECK(editor_feed(&bench.editor, '\r') == EDITOR_LINE);
  CHECK(bench.terminal.bytes == before);
  editor_prompt(&bench.editor, "json> ", 0);
  CHECK(bench.terminal.line() == "json>");
}

TEST_CASE("editor: colours in a prompt take no columns")
{
  Bench bench("\x1b[1;32mpae\x1b[0m> ");
  bench.type("abc\x01\x06");
  CHECK(bench.terminal.column == 6);
  CHECK(bench.terminal.line() == "pae> abc");
  bench.type(std::string(200, 'x'));
  CHECK_FALSE(bench.terminal.wrapped);
  bench.type("\x0c");
  CHECK_FALSE(bench.terminal.wrapped);
}

TEST_CASE("editor: a prompt of nearly the whole width still leaves a little room")
{
  std::string prompt(70, 'p');
  Bench bench(prompt.c_str());
  bench.type("abc");
  CHECK(bench.text() == "abc");
}

TEST_CASE("editor: whatever is typed, the screen shows the line")
{
  const char *const keys[] = {"a",
                              "b ",
                              "word ",
                              "\x7f",
                              "\x08",
                              "\x01",
                              "\x05",
                              "\x02",
                              "\x06",
                              "\x0b",
                              "\x15",
                              "\x17",
                              "\x19",
                              "\x14",
                              "\x04",
                              "\x0c",
                              "\x1b[A",
                              "\x1b[B",
                              "\x1b[C",
                              "\x1b[D",
                              "\x1b[1;5C",
                              "\x1b[1;5D",
                              "\x1b[3~",
                              "\033d",
                              "\t",
                              "\r",
                              "\x03",
                              "\x12wo\x12\x05",
                              "0123456789012345678901234567890123456789"};
  Random random(test_seed());
  for (unsigned round = 0; round < 15; round++) {
    Bench bench("4level> ", round % 3 == 0 ? EDITOR_COLUMNS_LEAST : round % 3 == 1 ? EDITOR_COLUMNS : 250);
    bench.offers = {"abba", "abbess", "word", "words"};
    bench.hint = "usage";
    for (unsigned i = 0; i < 1000; i++) {
      uint64_t pick = random.next();
      size_t which = pick % (sizeof keys / sizeof keys[0]);
      if ((which == 10 || which == 9 || which == 25 || which == 26) && pick >> 32 & 3)
        which = 28; /* lines shall become long at times */
      bench.type(keys[which]);
      bench.check_screen();
    }
  }
}

TEST_CASE("editor: a search for something long stays within a narrow terminal")
{
  Bench bench("> ", EDITOR_COLUMNS_LEAST);
  bench.type("\x12" + std::string(60, 'x') + "end");
  CHECK(!bench.terminal.wrapped);
  CHECK(bench.terminal.line() == "(no such) '" + std::string(17, 'x') + "end':");
}

TEST_CASE("editor: widths that nobody has are taken for the usual one")
{
  struct editor_callbacks callbacks = {Bench::write, nullptr, nullptr};
  Bench bench;
  callbacks.context = &bench;
  struct editor editor;
  editor_init(&editor, &bench.history, &callbacks);
  for (size_t columns : {(size_t)0, (size_t)1, (size_t)39, (size_t)1000}) {
    editor_prompt(&editor, "> ", columns);
    CHECK(editor.columns == EDITOR_COLUMNS);
  }
  editor_prompt(&editor, "> ", 132);
  CHECK(editor.columns == 132);
}

TEST_CASE("editor: random bytes do no harm")
{
  Random random(test_seed() + 1);
  static Bench bench;
  bench.offers = {"abba", "abbess", "word", "words"};
  for (unsigned i = 0; i < 60000; i++) {
    uint64_t pick = random.next();
    uint8_t byte = pick & 0x300 ? (uint8_t)(pick & 0x7f) : (uint8_t)pick;
    if ((byte == '\r' || byte == '\n' || byte == 3 || byte == 0x15 || byte == 0x0b) && pick >> 32 & 7)
      byte = 'x';
    bench.type(std::string(1, (char)byte));
    REQUIRE(bench.editor.cursor <= bench.editor.length);
    REQUIRE(bench.editor.length < EDITOR_LINE_MAX);
    REQUIRE(bench.editor.shown <= bench.editor.cursor);
    REQUIRE_FALSE(bench.terminal.wrapped);
    if (bench.terminal.rows.size() > 1000)
      bench.terminal.rows = {bench.terminal.row()};
  }
}
