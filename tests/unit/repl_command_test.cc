/* Finding a command by its name, its prefix or something like it; and what Tab offers. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include "repl/command.h"
}

static const struct command see_commands[] = {
  {"walk", "va:addr", "walk", "", NULL, NULL, NULL, 0, NULL},
  {"maps", "(from:addr to:addr)?", "list", "", NULL, NULL, NULL, 0, NULL},
  {"va", "va:addr", "split", "", NULL, NULL, NULL, 0, NULL},
  {"predict", "command:rest", "predict", "", NULL, NULL, NULL, 0, NULL},
  {},
};
static const struct command edit_commands[] = {
  {"map", "va:addr frame:phys flags:flags? size:size?", "map", "", NULL, NULL, NULL, 0, NULL},
  {"merge", "va:addr", "merge", "", NULL, NULL, NULL, 0, NULL},
  {"protect", "va:addr change:change", "protect", "", NULL, NULL, NULL, 0, NULL},
  {"global", "va:addr state:on|off", "global", "", NULL, NULL, NULL, 0, NULL},
  {"repeat", "n:count body:block", "repeat", "", NULL, NULL, NULL, 0, NULL},
  {"touch", "op:r|w|x va:addr user? n:times?", "touch", "", NULL, NULL, NULL, 0, NULL},
  {"reset", NULL, "reset", "", NULL, NULL, NULL, 0, NULL},
  {},
};
static const struct command_family see = {"see", "", see_commands};
static const struct command_family edit = {"edit", "", edit_commands};
static const struct command_family end = {NULL, NULL, NULL};

/* command_find() needs a list even where these tests are linked without the registry. */
#pragma weak command_families
const struct command_family *const command_families[] = {&see, &edit, &end};

static const struct command_family *const families[] = {&see, &edit, &end};

/* The name that was found, or the reason why none was. */
static std::string find(const char *name)
{
  struct record *r = record_begin("x");
  const struct command *c = command_search(families, name, std::strlen(name), 3, r);
  if (c) {
    CHECK(r->status == STATUS_OK);
    return c->name;
  }
  CHECK(r->status == STATUS_USAGE);
  CHECK(record_find(&r->root, "at")->number == 3);
  return record_find(&r->root, "reason")->text;
}

TEST_CASE("command: exact names come before prefixes, prefixes must be unique")
{
  CHECK(find("walk") == "walk");
  CHECK(find("map") == "map");
  CHECK(find("maps") == "maps");
  CHECK(find("w") == "walk");
  CHECK(find("mer") == "merge");
  CHECK(find("m") == "'m' could be maps, map, merge");
  CHECK(find("ma") == "'ma' could be maps, map");
  CHECK(find("re") == "'re' could be repeat, reset");
}

TEST_CASE("command: did you mean")
{
  CHECK(find("mpa") == "no command 'mpa'; did you mean 'map'?");    /* swapped */
  CHECK(find("mapp") == "no command 'mapp'; did you mean 'maps'?"); /* maps and map are equally near: the first one */
  CHECK(find("tuoch") == "no command 'tuoch'; did you mean 'touch'?");
  CHECK(find("globl") == "no command 'globl'; did you mean 'global'?"); /* left out */
  CHECK(find("prattect") == "no command 'prattect'; did you mean 'protect'?");
  CHECK(find("WALK") == "no command 'WALK'; did you mean 'walk'?");
  CHECK(find("frobnicate") == "no command 'frobnicate'; help lists them all");
  CHECK(find("xy") == "no command 'xy'; help lists them all"); /* two letters, both wrong */
  CHECK(find("z") == "no command 'z'; help lists them all");
  CHECK(find("") == "no command ''; help lists them all");
  CHECK(find(std::string(100, 'q').c_str()) == "no command '" + std::string(40, 'q') + "'; help lists them all");
  CHECK(command_search(families, "mpa", 3, 0, NULL) == nullptr);
}

TEST_CASE("command: only the given length counts")
{
  CHECK(command_search(families, "mapx", 3, 0, NULL) == &edit_commands[0]);
  if (command_families[0] == &see) /* not when the whole program is linked */
    CHECK(command_find("walk", 4, 0, NULL) == &see_commands[0]);
}

TEST_CASE("command: a list may also end with NULL")
{
  static const struct command_family *const short_list[] = {&see, NULL};
  CHECK(command_search(short_list, "walk", 4, 0, NULL) == &see_commands[0]);
  CHECK(command_search(short_list, "merge", 5, 0, NULL) == nullptr);
}

TEST_CASE("command: usage")
{
  char b[100];
  CHECK(std::string(command_usage(&edit_commands[0], b, sizeof b)) == "map VA FRAME [FLAGS] [SIZE]");
  CHECK(std::string(command_usage(&edit_commands[6], b, sizeof b)) == "reset");
}

/* ---- completion */

static size_t start;
static std::string hint;

static void add(void *list, const char *candidate, size_t length)
{
  static_cast<std::vector<std::string> *>(list)->push_back(std::string(candidate, length));
}

/* The candidates for a line with the cursor at its end, or at '|'. */
static std::string complete(std::string line)
{
  size_t cursor = line.find('|');
  if (cursor == std::string::npos)
    cursor = line.size();
  else
    line.erase(cursor, 1);
  std::vector<std::string> found;
  start = 999;
  const char *h = command_complete(families, line.c_str(), cursor, &start, add, &found);
  hint = h ? h : "-";
  std::string all;
  for (const std::string &word : found)
    all += (all.empty() ? "" : " ") + word;
  return all;
}

TEST_CASE("complete: names of commands")
{
  CHECK(complete("ma") == "maps map");
  CHECK(start == 0);
  CHECK(hint == "-");
  CHECK(complete("") == "walk maps va predict map merge protect global repeat touch reset");
  CHECK(complete("q") == "");
  CHECK(complete("walk 0x1000; me") == "merge");
  CHECK(start == 13);
  CHECK(complete("walk 0x1000;me") == "merge");
  CHECK(start == 12);
  CHECK(complete("wa|lk 5") == "walk");
  CHECK(complete("# ma") == "");
  CHECK(complete("repeat 3 { me") == "merge");
  CHECK(complete("repeat 3 {me") == "merge");
  CHECK(complete("repeat 3 { walk 5 }; me") == "merge");
  CHECK(complete("predict ma") == "maps map");
  CHECK(start == 8);
  CHECK(hint == "predict COMMAND...");
}

TEST_CASE("complete: fixed words of arguments, and the usage as a hint")
{
  CHECK(complete("global 0x1000 o") == "on off");
  CHECK(start == 14);
  CHECK(hint == "global VA on|off");
  CHECK(complete("gl 0x1000 of") == "off"); /* by prefix too */
  CHECK(complete("global ") == "");
  CHECK(hint == "global VA on|off");
  CHECK(complete("map 0x1000 A ") == "rw ro user sup g nx x pwt pcd pat a d 4k 2m 4m 1g");
  CHECK(complete("map 0x1000 A rw g p") == "pwt pcd pat");
  CHECK(complete("map 0x1000 A 2m n") == "nx");
  CHECK(complete("map 0x1000 A rw 4k 1") == "");
  CHECK(complete("map 0x1000 Q + $x/PDE 1") == "");
  CHECK(complete("protect 0x1000 +n") == "+nx");
  CHECK(complete("protect 0x1000 +w -") == "-w -u -g -nx -a -d -pwt -pcd -pat");
  CHECK(complete("touch ") == "r w x");
  CHECK(complete("touch w 5 u") == "user");
  CHECK(complete("touch w 5 x100 u") == "user");
  CHECK(complete("touch w 5 user u") == "");
  CHECK(complete("touch wrong 5 u") == "");
  CHECK(complete("predict global 5 o") == "on off");
  CHECK(hint == "global VA on|off");
  CHECK(complete("nonsense 5 o") == "");
  CHECK(hint == "-");
  CHECK(complete("reset o") == "");
  CHECK(hint == "reset");
}
