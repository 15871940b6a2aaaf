/* The record: its members keep their order, what does not fit is said to be missing, and a reason always fits. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include <cstring>
#include <string>

extern "C" {
#include "lib/format.h"
#include "repl/record.h"
}

static size_t children(const struct record_node *parent)
{
  size_t count = 0;
  for (const struct record_node *node = parent->child; node; node = node->next)
    count++;
  return count;
}

TEST_CASE("record: members of every type, in order, with their strings copied")
{
  struct record *r = record_begin("walk");
  char text[] = "before";
  record_string(r, &r->root, "s", text);
  std::strcpy(text, "after");
  record_format(r, &r->root, "f", "%s-%u", "x", 7u);
  record_hex(r, &r->root, "h", 0xfedcba9876543210ull);
  record_count(r, &r->root, "c", 12);
  record_bool(r, &r->root, "b", true);
  struct record_node *object = record_object(r, &r->root, "o");
  record_count(r, object, "inner", 3);
  struct record_node *array = record_array(r, &r->root, "a", "{inner}");
  record_string(r, array, NULL, "element");

  CHECK(std::string(r->cmd) == "walk");
  CHECK(r->status == STATUS_OK);
  CHECK_FALSE(r->truncated);
  const char *order[] = {"s", "f", "h", "c", "b", "o", "a"};
  const struct record_node *node = r->root.child;
  for (const char *key : order) {
    REQUIRE(node);
    CHECK(std::string(node->key) == key);
    node = node->next;
  }
  CHECK(node == nullptr);
  CHECK(std::string(record_find(&r->root, "s")->text) == "before");
  CHECK(std::string(record_find(&r->root, "f")->text) == "x-7");
  CHECK(record_find(&r->root, "h")->number == 0xfedcba9876543210ull);
  CHECK(record_find(record_find(&r->root, "o"), "inner")->number == 3);
  CHECK(record_find(&r->root, "a")->child->key == nullptr);
  CHECK(std::string(record_find(&r->root, "a")->text) == "{inner}");
  CHECK(record_find(&r->root, "none") == nullptr);
}

TEST_CASE("record: a name that is too long is cut, a NULL string is empty")
{
  struct record *r = record_begin("abcdefghijklmnopqrstuvwxyz");
  CHECK(std::string(r->cmd) == "abcdefghijklmnopqrstuvw");
  record_string(r, &r->root, "s", NULL);
  CHECK(std::string(record_find(&r->root, "s")->text) == "");
}

TEST_CASE("record: record_begin empties it")
{
  struct record *r = record_begin("one");
  record_count(r, &r->root, "n", 1);
  record_refuse(r, "no");
  r = record_begin("two");
  CHECK(r->root.child == nullptr);
  CHECK(r->status == STATUS_OK);
  CHECK(r->used == 0);
}

TEST_CASE("record: when the arena is full it says so, and totals in the root still fit")
{
  struct record *r = record_begin("check");
  struct record_node *list = record_array(r, &r->root, "list", NULL);
  for (unsigned i = 0; i < 100000; i++) {
    struct record_node *row = record_object(r, list, NULL);
    record_count(r, row, "n", i);
    record_string(r, row, "text", "some text that takes room");
    record_format(r, row, "more", "%u", i);
    struct record_node *inner = record_array(r, row, "inner", NULL);
    record_hex(r, inner, NULL, i);
  }
  CHECK(r->truncated);
  size_t shown = children(list);
  CHECK(shown > 300);
  CHECK(shown < 100000);
  record_count(r, &r->root, "total", 100000);
  record_format(r, &r->root, "last", "%s", "words");
  REQUIRE(record_find(&r->root, "total"));
  CHECK(record_find(&r->root, "total")->number == 100000);
  CHECK(std::string(record_find(&r->root, "last")->text) == "words");
  CHECK(children(list) == shown);
}

TEST_CASE("record: what is added to something that did not fit costs nothing")
{
  struct record *r = record_begin("x");
  struct record_node *list = record_array(r, &r->root, "list", NULL);
  record_string(r, list, NULL, "odd");
  struct record_node *lost = list;
  while (!r->truncated)
    lost = record_object(r, list, NULL);
  size_t used = r->used;
  record_string(r, lost, "s", "");
  record_format(r, lost, "f", "%d", 1);
  record_count(r, lost, "c", 1);
  CHECK(r->used == used);
}

TEST_CASE("record: a string larger than the arena is left out whole")
{
  struct record *r = record_begin("x");
  std::string big(200 * 1024, 'x');
  record_string(r, &r->root, "big", big.c_str());
  CHECK(r->truncated);
  CHECK(record_find(&r->root, "big") == nullptr);
  record_format(r, &r->root, "big", "%s", big.c_str());
  CHECK(record_find(&r->root, "big") == nullptr);
  record_format(r, &r->root, "small", "%s", "fits");
  CHECK(std::string(record_find(&r->root, "small")->text) == "fits");
}

TEST_CASE("record: the ways to end early")
{
  struct record *r = record_begin("map");
  CHECK_FALSE(record_refuse(r, "%s is the kernel's own page", "0x100000"));
  CHECK(r->status == STATUS_REFUSED);
  CHECK(std::string(record_find(&r->root, "reason")->text) == "0x100000 is the kernel's own page");
  CHECK(record_find(&r->root, "at") == nullptr);

  CHECK_FALSE(record_error(r, "worse"));
  CHECK(r->status == STATUS_ERROR);
  CHECK(std::string(record_find(&r->root, "reason")->text) == "worse");
  CHECK(children(&r->root) == 1);

  r = record_begin("map");
  CHECK_FALSE(record_usage(r, 5, "what is '%s'?", "q"));
  CHECK(r->status == STATUS_USAGE);
  CHECK(record_find(&r->root, "at")->number == 5);
  CHECK(std::string(record_find(&r->root, "reason")->text) == "what is 'q'?");
  CHECK_FALSE(record_usage(r, 6, "again"));
  CHECK(children(&r->root) == 2);
  CHECK(record_find(&r->root, "at")->number == 6);
  CHECK_FALSE(record_usage(NULL, 0, "nobody listens"));
}

TEST_CASE("record: a reason fits when nothing else does, and is cut when it is endless")
{
  struct record *r = record_begin("x");
  for (unsigned i = 0; i < 10000; i++)
    record_count(r, &r->root, "n", i);
  CHECK(r->truncated);
  record_refuse(r, "because");
  CHECK(std::string(record_find(&r->root, "reason")->text) == "because");
  record_refuse(r, "%s", std::string(2000, 'y').c_str());
  CHECK(std::string(record_find(&r->root, "reason")->text) == std::string(511, 'y'));
}

TEST_CASE("format: what the kernels print with it")
{
  char b[32];
  CHECK(format(b, sizeof b, "%s|%c|%d|%u|%x|%X", "s", 'c', -5, 7u, 0xabcu, 0xabcu) == 16);
  CHECK(std::string(b) == "s|c|-5|7|abc|ABC");
  format(b, sizeof b, "%llx %lld", 0x123456789abcdef0ull, -1ll);
  CHECK(std::string(b) == "123456789abcdef0 -1");
  format(b, sizeof b, "[%-5s][%5s][%.*s][%04x]", "ab", "cd", 2, "xyz", 10u);
  CHECK(std::string(b) == "[ab   ][   cd][xy][000a]");
  format(b, sizeof b, "%zu %lu %%", (size_t)3, 4ul);
  CHECK(std::string(b) == "3 4 %");
  CHECK(format(b, 4, "%s", "longer") == 6);
  CHECK(std::string(b) == "lon");
  CHECK(format(NULL, 0, "%d", 1234) == 4);
}
