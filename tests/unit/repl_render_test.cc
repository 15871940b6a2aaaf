/* Rendering: one JSON line whatever the strings hold, and templates, tables and carets for people. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include <string>

extern "C" {
#include "repl/render.h"
}

static void append(void *context, const char *text, size_t length)
{
  CHECK(length > 0);
  CHECK(length <= 512);
  static_cast<std::string *>(context)->append(text, length);
}

static std::string render(const struct record *r, struct render_options options)
{
  std::string out;
  render_record(r, &options, append, &out);
  return out;
}

static std::string json(const struct record *r)
{
  struct render_options options = {};
  options.json = true;
  options.color = true; /* must not matter */
  options.mode = "4level";
  return render(r, options);
}

static std::string text(const struct record *r, bool color = false)
{
  struct render_options options = {};
  options.color = color;
  options.mode = "4level";
  return render(r, options);
}

/* The members most of the template tests use. */
static struct record *sample(const char *text_template)
{
  struct record *r = record_begin("touch");
  r->text = text_template;
  record_hex(r, &r->root, "va", 0x40000000);
  record_string(r, &r->root, "op", "write");
  record_count(r, &r->root, "ticks", 34);
  record_bool(r, &r->root, "yes", true);
  record_bool(r, &r->root, "no", false);
  struct record_node *fault = record_object(r, &r->root, "fault");
  record_count(r, fault, "vector", 14);
  record_hex(r, fault, "error", 7);
  return r;
}

TEST_CASE("json: members of every type")
{
  struct record *r = sample(NULL);
  struct record_node *list = record_array(r, &r->root, "diff", NULL);
  struct record_node *row = record_object(r, list, NULL);
  record_string(r, row, "level", "PTE");
  record_array(r, row, "none", NULL);
  record_string(r, list, NULL, "x");
  record_hex(r, list, NULL, 0);
  record_count(r, list, NULL, ~0ull);
  record_hex(r, list, NULL, ~0ull);
  record_object(r, &r->root, "empty");
  CHECK(json(r) == "{\"cmd\":\"touch\",\"status\":\"ok\",\"mode\":\"4level\",\"va\":\"0x40000000\",\"op\":\"write\","
                   "\"ticks\":34,\"yes\":true,\"no\":false,\"fault\":{\"vector\":14,\"error\":\"0x7\"},"
                   "\"diff\":[{\"level\":\"PTE\",\"none\":[]},\"x\",\"0x0\","
                   "18446744073709551615,\"0xffffffffffffffff\"],\"empty\":{}}\r\n");
}

TEST_CASE("json: every status has its word")
{
  const char *words[] = {"ok", "usage", "refused", "fault", "error", "interrupted"};
  for (int status = STATUS_OK; status <= STATUS_INTERRUPTED; status++) {
    struct record *r = record_begin("x");
    r->status = (enum record_status)status;
    CHECK(json(r) == std::string("{\"cmd\":\"x\",\"status\":\"") + words[status] + "\",\"mode\":\"4level\"}\r\n");
  }
}

TEST_CASE("json: without a mode there is no such member")
{
  struct render_options options = {};
  options.json = true;
  CHECK(render(record_begin("x"), options) == "{\"cmd\":\"x\",\"status\":\"ok\"}\r\n");
}

TEST_CASE("json: strings of any bytes come out as ASCII on one line")
{
  struct record *r = record_begin("x");
  record_string(r, &r->root, "s", "a\"b\\c\n\r\t\x01\x1f\x7f\x80\xff/");
  CHECK(json(r) == "{\"cmd\":\"x\",\"status\":\"ok\",\"mode\":\"4level\","
                   "\"s\":\"a\\\"b\\\\c\\u000a\\u000d\\u0009\\u0001\\u001f\\u007f\\u0080\\u00ff/\"}\r\n");
  std::string all;
  for (int c = 1; c < 256; c++)
    all.push_back((char)c);
  r = record_begin("x");
  record_string(r, &r->root, "s", all.c_str());
  std::string line = json(r);
  for (size_t i = 0; i + 2 < line.size(); i++)
    CHECK((line[i] >= 0x20 && line[i] < 0x7f));
}

TEST_CASE("json: usage errors and truncation")
{
  struct record *r = record_begin("mpa");
  record_usage(r, 0, "no command 'mpa'; did you mean 'map'?");
  CHECK(json(r) ==
        "{\"cmd\":\"mpa\",\"status\":\"usage\",\"mode\":\"4level\",\"at\":0,\"reason\":\"no command 'mpa'; did you mean 'map'?\"}\r\n");
  r = record_begin("x");
  record_string(r, &r->root, "big", std::string(200000, 'x').c_str());
  CHECK(json(r) == "{\"cmd\":\"x\",\"status\":\"ok\",\"mode\":\"4level\",\"truncated\":true}\r\n");
}

TEST_CASE("json: a long record goes to the sink in pieces and comes out whole")
{
  struct record *r = record_begin("x");
  std::string digits;
  struct record_node *list = record_array(r, &r->root, "l", NULL);
  for (unsigned i = 0; i < 1000; i++) {
    record_count(r, list, NULL, i);
    digits += (i ? "," : "") + std::to_string(i);
  }
  CHECK(json(r) == "{\"cmd\":\"x\",\"status\":\"ok\",\"mode\":\"4level\",\"l\":[" + digits + "]}\r\n");
}

TEST_CASE("template: members, parts, widths")
{
  CHECK(text(sample("{va} {op}: {fault.vector}")) == "0x40000000 write: 14\r\n");
  CHECK(text(sample("{op}[ of frame {frame}], {ticks}[ in {ticks} ticks]")) == "write, 34 in 34 ticks\r\n");
  CHECK(text(sample("[{op} [{none}]x[-{ticks}-]]!")) == "write x-34-!\r\n");
  CHECK(text(sample("[{none}[{op}]]|")) == "|\r\n");
  CHECK(text(sample("<{op%8}><{op%-8}><{op%2}>")) == "<   write><write   ><write>\r\n");
  CHECK(text(sample("{{op} [[x] ] }")) == "{op} [x] ] }\r\n");
  CHECK(text(sample("[a {{ [[ {op}]")) == "a { [ write\r\n");
  CHECK(text(sample("{yes} {no}")) == "yes no\r\n");
  CHECK(text(sample("[?yes:on][?no:off][?none:never][?!no:not][?!none:without][?!yes:never]")) == "onnotwithout\r\n");
  CHECK(text(sample("[?yes:{op} {none}]|[?yes:{op}]")) == "|write\r\n");
  CHECK(text(sample("[?ticks:t][?fault.vector:v][?op:o]")) == "tvo\r\n");
  CHECK(text(sample("{va}\n{op}")) == "0x40000000\r\nwrite\r\n");
  CHECK(text(sample("{none}")) == "?\r\n");
  CHECK(text(sample("{fault}")) == "14, 0x7\r\n");
  CHECK(text(sample("")) == "");
  CHECK(text(sample("[{none}]")) == "");
  CHECK(text(sample("[{none}")) == "");
  CHECK(text(sample("{op")) == "write\r\n");
}

TEST_CASE("template: strings may have lines, but nothing that steers a terminal")
{
  struct record *r = record_begin("x");
  record_string(r, &r->root, "s", "one\ntwo\x1b[2J\x07\x9b\n");
  r->text = "{s}";
  CHECK(text(r) == "one\r\ntwo?[2J??\r\n");
}

TEST_CASE("text: without a template the plain members are listed")
{
  struct record *r = sample(NULL);
  struct record_node *names = record_array(r, &r->root, "names", NULL);
  record_string(r, names, NULL, "A");
  record_string(r, names, NULL, "B");
  record_array(r, &r->root, "nothing", NULL);
  CHECK(text(r) == "va            0x40000000\r\n"
                   "op            write\r\n"
                   "ticks         34\r\n"
                   "yes           yes\r\n"
                   "no            no\r\n"
                   "fault.vector  14\r\n"
                   "fault.error   0x7\r\n"
                   "names         A, B\r\n");
}

static void two_rows(struct record *r, const char *row_template)
{
  struct record_node *list = record_array(r, &r->root, "rows", row_template);
  struct record_node *row = record_object(r, list, NULL);
  record_string(r, row, "level", "PML4E");
  record_hex(r, row, "at", 0x105000);
  record_count(r, row, "n", 5);
  row = record_object(r, list, NULL);
  record_count(r, row, "n", 100);
  record_string(r, row, "level", "PTE");
  record_string(r, row, "note", "late");
}

TEST_CASE("text: arrays as rows")
{
  struct record *r = record_begin("x");
  r->text = "rows:";
  two_rows(r, "{level%-5} [at {at} ]{n}\n{level}");
  CHECK(text(r) == "rows:\r\n  PML4E at 0x105000 5\r\n  PML4E\r\n  PTE   100\r\n  PTE\r\n");
}

TEST_CASE("text: arrays as tables")
{
  struct record *r = record_begin("x");
  two_rows(r, NULL);
  CHECK(text(r) == "level        at    n  note\r\n"
                   "PML4E  0x105000    5\r\n"
                   "PTE              100  late\r\n");
  CHECK(text(r, true) == "\x1b[1mlevel        at    n  note\x1b[0m\r\nPML4E  0x105000    5\r\nPTE              100  late\r\n");
}

TEST_CASE("text: arrays of plain values, beside a template and in one")
{
  struct record *r = sample("[{list} here]");
  struct record_node *list = record_array(r, &r->root, "list", NULL);
  record_string(r, list, NULL, "a");
  record_string(r, list, NULL, "b");
  CHECK(text(r) == "a, b here\r\n");
  r->text = "{op}";
  CHECK(text(r) == "write\r\nlist  a, b\r\n");
  list->text = "- {}";
  CHECK(text(r) == "write\r\n  - a\r\n  - b\r\n");
}

TEST_CASE("text: an array that is empty has no part and no heading")
{
  struct record *r = sample("{op}[ with {list}]");
  record_array(r, &r->root, "list", NULL);
  record_array(r, &r->root, "rows", "{x}");
  CHECK(text(r) == "write\r\n");
}

TEST_CASE("text: a table with more columns than there is room for leaves some out")
{
  static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r"};
  struct record *r = record_begin("x");
  struct record_node *row = record_object(r, record_array(r, &r->root, "rows", NULL), NULL);
  for (const char *key : keys)
    record_count(r, row, key, 1);
  CHECK(text(r) == "a  b  c  d  e  f  g  h  i  j  k  l  m  n  o  p\r\n1  1  1  1  1  1  1  1  1  1  1  1  1  1  1  1\r\n");
}

TEST_CASE("text: one and many")
{
  struct record *r = record_begin("x");
  record_count(r, &r->root, "none", 0);
  record_count(r, &r->root, "one", 1);
  record_count(r, &r->root, "two", 2);
  r->text = "{none} {none%?page|pages}, {one} {one%?page|pages}, {two} {two%?entry|entries}[, {gone} {gone%?a|b}].";
  CHECK(text(r) == "0 pages, 1 page, 2 entries.\r\n");
  for (const char *broken : {"{one%?broken", "{two%?broken"}) {
    r->text = broken;
    CHECK(text(r) == "broken\r\n");
  }
}

TEST_CASE("text: refused, error, interrupted")
{
  struct record *r = sample("{va} {value}");
  record_refuse(r, "it is the kernel's");
  CHECK(text(r) == "refused: it is the kernel's\r\n");
  CHECK(text(r, true) == "\x1b[31mrefused\x1b[0m: it is the kernel's\r\n");
  record_error(r, "broken");
  CHECK(text(r) == "error: broken\r\n");
  r->text = "{va}";
  CHECK(text(r) == "0x40000000\r\nerror: broken\r\n");
  r->text = NULL;
  CHECK(text(r) == "error: broken\r\n");
  r = sample("{op}");
  r->status = STATUS_INTERRUPTED;
  CHECK(text(r) == "write\r\ninterrupted\r\n");
  r->text = "{op} {none}";
  CHECK(text(r) == "interrupted\r\n");
  r = sample("{op} {none}");
  r->status = STATUS_FAULT;
  CHECK(text(r) == "write ?\r\n");
}

TEST_CASE("text: the caret of a usage error")
{
  struct record *r = record_begin("map");
  record_usage(r, 4, "VA is missing");
  struct render_options options = {};
  options.indent = 8;
  CHECK(render(r, options) == "            ^\r\nVA is missing\r\n");
  options.color = true;
  CHECK(render(r, options) == "            \x1b[31m^\x1b[0m\r\nVA is missing\r\n");
  options.color = false;
  options.indent = 3;
  options.input = "x; map";
  CHECK(render(r, options) == "x; map\r\n       ^\r\nVA is missing\r\n");
  options.input = NULL;
  options.indent = 76;
  CHECK(render(r, options) == "VA is missing\r\n");
  record_string(r, &r->root, "usage", "map VA FRAME");
  CHECK(render(r, options) == "VA is missing\r\nusage: map VA FRAME\r\n");
}

TEST_CASE("text: colours mark outcomes only when asked to")
{
  struct record *r = record_begin("x");
  record_string(r, &r->root, "outcome", "stale");
  record_string(r, &r->root, "other", "staler");
  r->text = "{outcome%8}|{other}";
  CHECK(text(r) == "   stale|staler\r\n");
  CHECK(text(r, true) == "   \x1b[33mstale\x1b[0m|staler\r\n");
  r = record_begin("x");
  r->text = "";
  struct record_node *diff = record_array(r, &r->root, "diff", "{flags}");
  record_string(r, record_object(r, diff, NULL), "flags", "A D");
  CHECK(text(r, true) == "  \x1b[1mA D\x1b[0m\r\n");
}

TEST_CASE("text: what was cut short says so")
{
  struct record *r = record_begin("x");
  r->truncated = true;
  CHECK(text(r) == "(the answer is cut short: it did not fit)\r\n");
}
