/* Arguments and expressions: what is accepted, with which value, and the one line that each mistake gets, with its column. */
#define DOCTEST_CONFIG_SUPER_FAST_ASSERTS
#include <doctest/doctest.h>

#include "fake_machine.h"

#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include "paging/edit.h"
#include "repl/args.h"
}

static bool variable(const char *name, size_t length, uint64_t *value)
{
  if (std::string(name, length) != "va")
    return false;
  *value = 0x40000000;
  return true;
}

static bool frame(const char *name, size_t length, uint64_t *physical)
{
  std::string text(name, length);
  *physical = text == "A" ? 0x800000 : 0x900000;
  return text == "A" || text == "M0";
}

static int level(const char *name, size_t length)
{
  std::string text(name, length);
  return text == "PML4E" ? 0 : text == "PDE" ? 2 : -1;
}

static struct args_names names_of(unsigned bits)
{
  struct args_names names = {variable, frame, level, bits};
  return names;
}

static struct args args;

/* Parses "cmd TEXT" by the spec; "" when all went well, else "COLUMN: reason". */
static std::string parse(const char *spec, const std::string &text, unsigned bits = 48)
{
  static std::string line;
  struct args_names names = names_of(bits);
  struct record *r = record_begin("cmd");
  line = "cmd " + text;
  if (args_parse(spec, line.c_str(), 3, &names, &args, r)) {
    CHECK(r->status == STATUS_OK);
    return "";
  }
  REQUIRE(r->status == STATUS_USAGE);
  return std::to_string(record_find(&r->root, "at")->number) + ": " + record_find(&r->root, "reason")->text;
}

static uint64_t number(const char *name)
{
  return args_number(&args, name, 0xdead);
}

static uint64_t number2(const char *name)
{
  const struct args_value *v = args_get(&args, name);
  return v ? v->number2 : 0xdead;
}

static std::string words(const char *name)
{
  char buffer[64];
  return args_text(&args, name, buffer, sizeof buffer);
}

/* The value of an expression as text, or "COLUMN: reason". */
static std::string value(const std::string &text)
{
  std::string wrong = parse("n:num", text);
  return wrong.empty() ? std::to_string(number("n")) : wrong;
}

TEST_CASE("expression: numbers")
{
  CHECK(value("0") == "0");
  CHECK(value("42") == "42");
  CHECK(value("0x1F") == "31");
  CHECK(value("0Xff") == "255");
  CHECK(value("0b1010") == "10");
  CHECK(value("0x4000_0000") == "1073741824");
  CHECK(value("1_000_000") == "1000000");
  CHECK(value("4k") == "4096");
  CHECK(value("2M") == "2097152");
  CHECK(value("1g") == "1073741824");
  CHECK(value("1t") == "1099511627776");
  CHECK(value("0xffffffffffffffff") == "18446744073709551615");
  CHECK(value("18446744073709551615") == "18446744073709551615");
  CHECK(value("16777215t") == "18446742974197923840");
  CHECK(value("0b1") == "1");
}

TEST_CASE("expression: numbers that are none")
{
  CHECK(value("0x10000000000000000") == "4: '0x10000000000000000' does not fit in 64 bits");
  CHECK(value("18446744073709551616") == "4: '18446744073709551616' does not fit in 64 bits");
  CHECK(value("16777216t") == "4: '16777216t' does not fit in 64 bits");
  CHECK(value("1 + 99999999999999999999") == "8: '99999999999999999999' does not fit in 64 bits");
  CHECK(value("40000fff") == "4: '40000fff' is not a decimal number; for hexadecimal write 0x40000fff");
  CHECK(value("ff00") == "4: 'ff00' is not a decimal number; for hexadecimal write 0xff00");
  CHECK(value("12q") == "4: '12q' is not a number; right are 0x1000, 0b101, 4096, 4k, $name or a frame name");
  CHECK(value("foo") == "4: 'foo' is not a number; right are 0x1000, 0b101, 4096, 4k, $name or a frame name");
  CHECK(value("0x") == "4: '0x' is not a number; right are 0x1000, 0b101, 4096, 4k, $name or a frame name");
  CHECK(value("0x_") == "4: '0x_' is not a number; right are 0x1000, 0b101, 4096, 4k, $name or a frame name");
  CHECK(value("0x4k") == "4: '0x4k' is not a number; right are 0x1000, 0b101, 4096, 4k, $name or a frame name");
  CHECK(value("0b12") == "4: '0b12' is not a decimal number; for hexadecimal write 0x0b12");
  CHECK(value(std::string(60, '7')) == "4: '" + std::string(40, '7') + "' does not fit in 64 bits");
}

TEST_CASE("expression: operators with the precedence of C")
{
  CHECK(value("1+2*3") == "7");
  CHECK(value("(1+2)*3") == "9");
  CHECK(value("8 - 4 - 2") == "2");
  CHECK(value("100/7%5") == "4");
  CHECK(value("1<<4|1") == "17");
  CHECK(value("1 << 2 + 1") == "8");
  CHECK(value("0xff & 0xf0 ^ 0x10 | 1") == "225");
  CHECK(value("6 & 3 << 1") == "6");
  CHECK(value("1 | 2 ^ 3 & 1") == "3");
  CHECK(value("256 >> 4") == "16");
  CHECK(value("-1") == "18446744073709551615");
  CHECK(value("~0 - 1") == "18446744073709551614");
  CHECK(value("-(2 + 3)") == "18446744073709551611");
  CHECK(value("2--1") == "3");
  CHECK(value("1<<63") == "9223372036854775808");
  CHECK(value("$va + 4k*3") == "1073754112");
  CHECK(value("A") == "8388608");
  CHECK(value("M0+1") == "9437185");
  CHECK(value("(8 -4)") == "4");
  CHECK(value("( 8/A )") == "0");
  CHECK(value("  5  ") == "5");
}

TEST_CASE("expression: mistakes")
{
  CHECK(value("1/0") == "5: division by zero");
  CHECK(value("1 % (2-2)") == "6: division by zero");
  CHECK(value("1<<64") == "5: a shift by 64: 0 to 63 bits are possible");
  CHECK(value("$nope") == "4: there is no variable $nope; let nope = 0x1000 makes one");
  CHECK(value("$") == "4: '$' needs the name of a variable right behind it");
  CHECK(value("Q9") == "4: there is no frame 'Q9'; frames lists them");
  CHECK(value("1 +") == "7: a number is missing behind '+'");
  CHECK(value("1 <<") == "8: a number is missing behind '<<'");
  CHECK(value("-") == "5: a number is missing behind '-'");
  CHECK(value("(") == "5: a number is missing behind '('");
  CHECK(value("(1 + 2") == "4: this '(' has no ')'");
  CHECK(value("(1 2)") == "7: '2)' cannot stand here: an operator or ')' is missing");
  CHECK(value("1)") == "5: ')' cannot stand right behind a number");
  CHECK(value("1 + *") == "8: '*' cannot stand here: a number is missing");
  CHECK(value("@") == "4: '@' cannot stand here: a number is missing");
  CHECK(value("1@2") == "5: '@2' cannot stand right behind a number");
  CHECK(value("8/A") == "5: '/A': a level is not expected here; to divide, put blanks on both sides of '/'");
  CHECK(value(std::string(12, '(')) == "16: more than 12 parentheses and signs in one another");
  CHECK(value(std::string(1000, '~') + "1") == "16: more than 12 parentheses and signs in one another");
  CHECK(value(std::string(11, '(') + "1" + std::string(11, ')')) == "1");
}

TEST_CASE("expression: args_expression moves past what it read and no further")
{
  struct args_names names = names_of(48);
  struct record *r = record_begin("x");
  uint64_t v = 0;
  size_t at = 4;
  CHECK(args_expression("let 4k + 1 -w", &at, &names, &v, r));
  CHECK(v == 4097);
  CHECK(at == 10);
  at = 0;
  CHECK(args_expression("7=8", &at, &names, &v, r));
  CHECK(at == 1);
  at = 0;
  CHECK_FALSE(args_expression("", &at, &names, &v, r));
  CHECK(std::string(record_find(&r->root, "reason")->text) == "a number is missing");
  at = 0;
  CHECK_FALSE(args_expression("$va + A", &at, NULL, &v, NULL));
}

TEST_CASE("args: blanks around an operator decide whether it is one")
{
  const char *spec = "va:addr change:change";
  CHECK(parse(spec, "0x1000 -w") == "");
  CHECK(number("va") == 0x1000);
  CHECK(number2("change") == EDIT_RW);
  CHECK(parse(spec, "0x1000 - 4k -w") == "");
  CHECK(number("va") == 0);
  CHECK(parse(spec, "0x1000-4k +w") == "");
  CHECK(number("va") == 0);
  CHECK(number("change") == EDIT_RW);
  CHECK(parse(spec, "0x1000 -4k") == "11: '-4k' is not a change of flags: + or - and one of w u g nx a d pwt pcd pat");
  CHECK(parse("va:addr", "0x1000 -4k") == "11: '-4k' is not expected here; to calculate, put blanks on both sides of '-' or on none");
  CHECK(parse("va:addr n:num?", "0x1000 -4k") == "");
  CHECK(number("n") == ~4095ull);
}

TEST_CASE("args: linear addresses")
{
  CHECK(parse("va:addr", "0xffff_8000_0000_0000") == "");
  CHECK(number("va") == 0xffff800000000000ull);
  CHECK(parse("va:addr", "0xffffffff", 32) == "");
  CHECK(parse("va:addr", "0x100000000", 32) == "4: 0x100000000 is out of range: linear addresses have 32 bits in this mode");
  CHECK(parse("n:num va:addr", "1 4g - 1 + 1", 32) == "6: 0x100000000 is out of range: linear addresses have 32 bits in this mode");
  CHECK(parse("e:entry", "4g/PDE", 32) == "4: 0x100000000 is out of range: linear addresses have 32 bits in this mode");
  CHECK(parse("p:place", "4g", 32) == "4: 0x100000000 is out of range: linear addresses have 32 bits in this mode");
  CHECK(parse("p:place", "p:4g", 32) == "");
  CHECK(parse("p:phys", "4g", 32) == "");
  CHECK(parse("p:num", "4g", 32) == "");
}

TEST_CASE("args: what is missing stands behind the last word")
{
  struct args_names names = names_of(48);
  struct record *r = record_begin("map");
  CHECK_FALSE(args_parse("va:addr frame:phys", "map 5  ", 3, &names, &args, r));
  CHECK(record_find(&r->root, "at")->number == 6);
  CHECK(std::string(record_find(&r->root, "reason")->text) == "FRAME is missing: a frame name such as A, or a physical address");
  CHECK(parse("va:addr", "") == "4: VA is missing: a linear address such as 0x40000000");
  CHECK(parse("n:num", "") == "4: N is missing: a number");
  CHECK(parse("n:count", "") == "4: N is missing: a number, at least 1");
  CHECK(parse("entry:entry", "") == "4: ENTRY is missing: a linear address, perhaps with a level: 0x40000000/PDE");
  CHECK(parse("at:place", "") == "4: AT is missing: a linear address, or p: and a physical one");
  CHECK(parse("size:size", "") == "4: SIZE is missing: a page size: 4k, 2m, 4m or 1g");
  CHECK(parse("flags:flags", "") == "4: FLAGS is missing: a flag: rw ro user sup g nx x pwt pcd pat a d key=N");
  CHECK(parse("c:change", "") == "4: C is missing: a change of flags: + or - and one of w u g nx a d pwt pcd pat");
  CHECK(parse("name:word", "") == "4: NAME is missing: a word");
  CHECK(parse("state:on|off|auto", "") == "4: STATE is missing: on, off or auto");
  CHECK(parse("on|off", "") == "4: on or off is missing");
  CHECK(parse("text:rest", "") == "4: TEXT is missing: the rest of the line");
  CHECK(parse("body:block", "") == "4: BODY is missing: a block: { commands }");
  CHECK(parse("n:times", "") == "4: N is missing: a repeat count: x and a number, such as x100");
  CHECK(parse("=", "") == "4: '=' is missing");
  CHECK(parse("to", "") == "4: 'to' is missing");
}

TEST_CASE("args: a word of the wrong kind")
{
  CHECK(parse("size:size", "3k") == "4: '3k' is not a page size: 4k, 2m, 4m or 1g");
  CHECK(parse("flags:flags", "qq") == "4: 'qq' is not a flag: rw ro user sup g nx x pwt pcd pat a d key=N");
  CHECK(parse("c:change", "ro") == "4: 'ro' is not a change of flags: + or - and one of w u g nx a d pwt pcd pat");
  CHECK(parse("c:change", "+w -q") == "7: '-q' is not a change of flags: + or - and one of w u g nx a d pwt pcd pat");
  CHECK(parse("state:on|off", "maybe") == "4: 'maybe' is not on or off");
  CHECK(parse("n:count", "0") == "4: N must be at least 1");
  CHECK(parse("n:count", "5g") == "4: N must be at most 4294967295");
  CHECK(parse("n:times", "x0") == "4: N must be at least 1");
  CHECK(parse("n:times", "5") == "4: '5' is not a repeat count: x and a number, such as x100");
  CHECK(parse("n:times", "xx") == "4: 'xx' is not a repeat count: x and a number, such as x100");
  CHECK(parse("body:block", "x") == "4: 'x' is not a block: { commands }");
  CHECK(parse("body:block", "{ a; { b }") == "4: this '{' has no '}'");
  CHECK(parse("to n:num", "at 5") == "4: 'at' is not 'to'");
  CHECK(parse("v:num = n:num", "5 6") == "6: '6' is not '='");
}

TEST_CASE("args: words that nothing takes")
{
  CHECK(parse("", "") == "");
  CHECK(parse("", "what") == "4: 'what' is one word too many");
  CHECK(parse("n:num", "5 6") == "6: '6' is one word too many");
  CHECK(parse("n:num user?", "5 usr") == "6: 'usr' is not expected here; possible is 'user'");
  CHECK(parse("n:num user? t:times?", "5 usr") ==
        "6: 'usr' is not expected here; possible is 'user'; or a repeat count: x and a number, such as x100");
  CHECK(parse("n:num user? t:times?", "5 x9 usr") == "9: 'usr' is not expected here; possible is 'user'");
  CHECK(parse("n:num size:size?", "5 9k") == "6: '9k' is not a page size: 4k, 2m, 4m or 1g");
  CHECK(parse("va:addr flags:flags?", "5 rw foo") ==
        "9: 'foo' is not expected here; possible is a flag: rw ro user sup g nx x pwt pcd pat a d key=N");
  CHECK(parse("n:num?", "foo") == "4: 'foo' is not expected here; possible is a number");
  CHECK(parse("n:num", "5 " + std::string(60, 'q')) == "6: '" + std::string(40, 'q') + "' is one word too many");
}

TEST_CASE("args: physical addresses, places, entries")
{
  CHECK(parse("pa:phys", "p:0x1000") == "");
  CHECK(number("pa") == 0x1000);
  CHECK(parse("pa:phys", "A + 4k") == "");
  CHECK(number("pa") == 0x801000);
  CHECK(parse("at:place", "p:M0") == "");
  CHECK(number("at") == 0x900000);
  CHECK(number2("at") == 1);
  CHECK(parse("at:place", "P:M0") == "");
  CHECK(parse("at:place", "0x1000") == "");
  CHECK(number2("at") == 0);
  CHECK(parse("at:place n:count?", "p:0x1000 8") == "");
  CHECK(number("n") == 8);
  CHECK(parse("at:place", "p: ") == "7: a number is missing");
  CHECK(parse("e:entry", "0x1000") == "");
  CHECK(number2("e") == 0);
  CHECK(parse("e:entry", "0x40000000/PDE") == "");
  CHECK(number("e") == 0x40000000);
  CHECK(number2("e") == 3);
  CHECK(parse("e:entry", "$va + 4k/PML4E") == "");
  CHECK(number("e") == 0x40001000);
  CHECK(number2("e") == 1);
  CHECK(parse("e:entry", "8/2") == "");
  CHECK(number("e") == 4);
  CHECK(parse("e:entry", "8/PQ") == "6: 'PQ' is not a level of this mode's page walk");
  CHECK(parse("e:entry = v:num", "0x1000/PDE = 5") == "");
  CHECK(number("v") == 5);
  CHECK(parse("e:entry = v:num", "0x1000/PDE=$va|1") == "");
  CHECK(number("v") == 0x40000001);
  CHECK(parse("e:entry (= v:num)?", "0x1000") == "");
  CHECK_FALSE(args_has(&args, "v"));
  CHECK(parse("e:entry (= v:num)?", "0x1000 =") == "13: V is missing: a number");
  CHECK(parse("e:entry (= v:num)?", "0x1000 = 7") == "");
  CHECK(number("v") == 7);
}

TEST_CASE("args: sizes")
{
  const char *const text[] = {"4k", "2m", "4M", "1G"};
  const uint64_t log2[] = {12, 21, 22, 30};
  for (unsigned i = 0; i < 4; i++) {
    CHECK(parse("s:size", text[i]) == "");
    CHECK(number("s") == log2[i]);
  }
}

TEST_CASE("args: flags of a mapping")
{
  const struct {
    const char *text;
    unsigned mask;
  } good[] = {
    {"rw", EDIT_RW},
    {"w", EDIT_RW},
    {"ro", 0},
    {"r", 0},
    {"ro user", EDIT_US},
    {"user", EDIT_RW | EDIT_US},
    {"u", EDIT_RW | EDIT_US},
    {"us", EDIT_RW | EDIT_US},
    {"sup", EDIT_RW},
    {"s", EDIT_RW},
    {"g", EDIT_RW | EDIT_G},
    {"nx", EDIT_RW | EDIT_NX},
    {"x", EDIT_RW},
    {"pwt", EDIT_RW | EDIT_PWT},
    {"pcd", EDIT_RW | EDIT_PCD},
    {"pat", EDIT_RW | EDIT_PAT},
    {"a", EDIT_RW | EDIT_A},
    {"d", EDIT_RW | EDIT_D},
    {"RW User G", EDIT_RW | EDIT_US | EDIT_G},
    {"rw u g nx pwt pcd a d pat", EDIT_RW | EDIT_US | EDIT_G | EDIT_NX | EDIT_PWT | EDIT_PCD | EDIT_A | EDIT_D | EDIT_PAT},
  };
  for (const auto &row : good) {
    CHECK(parse("f:flags", row.text) == "");
    CHECK(number("f") == row.mask);
    CHECK(number2("f") == 0);
    CHECK(words("f") == row.text);
  }
  CHECK(parse("f:flags", "rw key=5 g") == "");
  CHECK(number("f") == (EDIT_RW | EDIT_G));
  CHECK(number2("f") == 5);
  CHECK(parse("f:flags", "key=0xf") == "");
  CHECK(number2("f") == 15);
  CHECK(parse("f:flags", "rw key=16") == "7: protection keys go from 0 to 15");
  CHECK(parse("f:flags", "key=") == "8: behind key= a protection key from 0 to 15 is missing");
  CHECK(parse("f:flags", "key=foo") == "8: behind key= a protection key from 0 to 15 is missing");
  CHECK(parse("f:flags", "rw ro") == "7: 'ro' contradicts a word before it");
  CHECK(parse("f:flags", "s g user") == "8: 'user' contradicts a word before it");
}

TEST_CASE("args: an argument that was left out lets the next one have the word")
{
  const char *spec = "va:addr frame:phys flags:flags? size:size?";
  CHECK(parse(spec, "0x40000000 A rw g") == "");
  CHECK(number("flags") == (EDIT_RW | EDIT_G));
  CHECK_FALSE(args_has(&args, "size"));
  CHECK(number("size") == 0xdead);
  CHECK(parse(spec, "0x40000000 A 2m") == "");
  CHECK(number("size") == 21);
  CHECK(args_get(&args, "flags") == nullptr);
  CHECK(parse(spec, "0x40000000 A rw 2m g") == "");
  CHECK(number("size") == 21);
  CHECK(number("flags") == (EDIT_RW | EDIT_G));
  CHECK(parse(spec, "0x40000000 A 2m 4k") ==
        "20: '4k' is not expected here; possible is a flag: rw ro user sup g nx x pwt pcd pat a d key=N");
  CHECK(parse("user? va:addr", "user 5") == "");
  CHECK(args_has(&args, "user"));
  CHECK(parse("user? va:addr", "5") == "");
  CHECK_FALSE(args_has(&args, "user"));
}

TEST_CASE("args: flags to change")
{
  const char *spec = "va:addr c:change";
  CHECK(parse(spec, "5 +w -u") == "");
  CHECK(number("c") == EDIT_RW);
  CHECK(number2("c") == EDIT_US);
  CHECK(parse(spec, "5 +rw +user +g +nx -a -d -pwt -pcd -pat") == "");
  CHECK(number("c") == (EDIT_RW | EDIT_US | EDIT_G | EDIT_NX));
  CHECK(number2("c") == (EDIT_A | EDIT_D | EDIT_PWT | EDIT_PCD | EDIT_PAT));
  CHECK(parse(spec, "5 +ro -x") == ""); /* read-only on, executable off */
  CHECK(number("c") == EDIT_NX);
  CHECK(number2("c") == EDIT_RW);
  CHECK(parse(spec, "5 +w -w") == "9: '-w' contradicts a word before it");
  CHECK(parse(spec, "5") == "6: C is missing: a change of flags: + or - and one of w u g nx a d pwt pcd pat");
}

TEST_CASE("args: words, choices, the rest")
{
  CHECK(parse("name:word = v:num", "cr0.wp=1") == "");
  CHECK(words("name") == "cr0.wp");
  CHECK(number("v") == 1);
  CHECK(parse("name:word = v:num", "cr0.wp = 1") == "");
  CHECK(words("name") == "cr0.wp");
  CHECK(parse("name:word = v:num", "=1") == "4: NAME is missing: a word");
  CHECK(parse("name:word", "a=b") == "");
  CHECK(words("name") == "a=b");
  CHECK(parse("name:word (= v:num)?", "a=3") == "");
  CHECK(words("name") == "a");
  CHECK(parse("state:on|off", "OFF") == "");
  CHECK(number("state") == 1);
  CHECK(parse("op:r|w|x va:addr", "x 5") == "");
  CHECK(number("op") == 2);
  CHECK(parse("new|use|list n:num?", "use 3") == "");
  CHECK(number("new|use|list") == 1);
  CHECK(number("n") == 3);
  CHECK(parse("text:rest", "  map 5 A  rw  ") == "");
  CHECK(words("text") == "map 5 A  rw");
  CHECK(args_get(&args, "text")->at == 6);
  CHECK(parse("text:rest?", "  ") == "");
  CHECK(words("text") == "");
  char small[4];
  parse("text:rest", "abcdef");
  CHECK(std::string(args_text(&args, "text", small, sizeof small)) == "abc");
}

TEST_CASE("args: blocks")
{
  CHECK(parse("n:count body:block", "3 { touch r 5; { x } }") == "");
  CHECK(words("body") == "touch r 5; { x }");
  CHECK(parse("n:count body:block", "3{a}") == "");
  CHECK(words("body") == "a");
  CHECK(parse("body:block", "{}") == "");
  CHECK(words("body") == "");
  CHECK(parse("body:block", "{   }") == "");
  CHECK(words("body") == "");
  CHECK(parse("body:block n:num?", "{ a } 5") == "");
  CHECK(number("n") == 5);
}

TEST_CASE("args: bare words and groups in any order")
{
  const char *spec = "op:r|w|x va:addr user? n:times?";
  CHECK(parse(spec, "r 5 user x100") == "");
  CHECK(args_has(&args, "user"));
  CHECK(number("n") == 100);
  CHECK(parse(spec, "r 5 x100 USER") == "");
  CHECK(args_has(&args, "user"));
  CHECK(number("n") == 100);
  CHECK(parse(spec, "r 5 x4k") == "");
  CHECK_FALSE(args_has(&args, "user"));
  CHECK(number("n") == 4096);
  CHECK(parse(spec, "r 5 user user") == "13: 'user' is not expected here; possible is a repeat count: x and a number, such as x100");

  const char *invlpg = "va:addr (seg base:num limit:num)? user?";
  CHECK(parse(invlpg, "5 user seg 6 7") == "");
  CHECK(args_has(&args, "seg"));
  CHECK(args_has(&args, "user"));
  CHECK(number("base") == 6);
  CHECK(number("limit") == 7);
  CHECK(parse(invlpg, "5 seg 6 7 user") == "");
  CHECK(parse(invlpg, "5") == "");
  CHECK_FALSE(args_has(&args, "base"));
  CHECK(parse(invlpg, "5 seg 6") == "12: LIMIT is missing: a number");
  CHECK(parse(invlpg, "5 seg 6 user") == "12: 'user' is not a number; right are 0x1000, 0b101, 4096, 4k, $name or a frame name");

  const char *inner = "all? (from:addr bytes:num?)? user?";
  CHECK(parse(inner, "5") == "");
  CHECK(number("from") == 5);
  CHECK_FALSE(args_has(&args, "bytes"));
  CHECK(parse(inner, "5 6 user") == "");
  CHECK(number("bytes") == 6);
  CHECK(args_has(&args, "user"));
  CHECK(parse(inner, "5 user all") == "");
  CHECK(args_has(&args, "all"));
  CHECK(parse(inner, "5 6 7") == "8: '7' is not expected here; possible is 'all'; or 'user'");

  CHECK(parse("(from:addr to:addr)?", "5 6") == "");
  CHECK(number("from") == 5);
  CHECK(number("to") == 6);
  CHECK(parse("(from:addr to:addr)?", "5") == "6: TO is missing: a linear address such as 0x40000000");
  CHECK(parse("pcid:num? va:addr?", "1 2") == "");
  CHECK(number("pcid") == 1);
  CHECK(number("va") == 2);
  CHECK(parse("name:word? quick?", "quick") == "");
  CHECK(args_has(&args, "quick"));
  CHECK_FALSE(args_has(&args, "name"));
}

TEST_CASE("args: where a value stands")
{
  CHECK(parse("va:addr n:num", "  (4k + 1)  9") == "");
  CHECK(args_get(&args, "va")->at == 6);
  CHECK(args_get(&args, "va")->length == 8);
  CHECK(words("va") == "(4k + 1)");
  CHECK(words("n") == "9");
  CHECK(words("none") == "");
}

TEST_CASE("args: more values than there is room for are dropped, not written past the end")
{
  CHECK(parse("a b c d e f g h i j k l m n", "a b c d e f g h i j k l m n") == "");
  CHECK(args.count == ARGS_MAX);
  CHECK(args_has(&args, "l"));
  CHECK_FALSE(args_has(&args, "m"));
  std::string many;
  for (char c = 'a'; c <= 'z'; c++)
    many += std::string(1, c) + " ";
  CHECK(parse(many.c_str(), "a b c d e f g h i j k l m n o p q") == "36: 'q' is one word too many");
}

TEST_CASE("args: usage")
{
  char b[100];
  const struct {
    const char *spec, *usage;
  } rows[] = {
    {"", ""},
    {"va:addr frame:phys flags:flags? size:size?", "VA FRAME [FLAGS] [SIZE]"},
    {"va:addr state:on|off", "VA on|off"},
    {"state:on|off?", "[on|off]"},
    {"n:count body:block", "N { COMMANDS }"},
    {"va:entry = value:num", "VA[/LEVEL] = VALUE"},
    {"va:entry (= value:num)?", "VA[/LEVEL] [= VALUE]"},
    {"va:addr (seg base:num limit:num)? user?", "VA [seg BASE LIMIT] [user]"},
    {"at:place n:count?", "VA|p:PA [N]"},
    {"va:addr change:change", "VA +|-FLAG..."},
    {"op:r|w|x va:addr user? n:times?", "r|w|x VA [user] [xN]"},
    {"command:rest", "COMMAND..."},
    {"name:word?", "[NAME]"},
    {"va:addr (seg base:num limit:num?)? null? down?", "VA [seg BASE [LIMIT]] [null] [down]"},
    {"(from:addr bytes:num?)?", "[FROM [BYTES]]"},
    {"(a b:num?) c?", "a [B] [c]"},
  };
  for (const auto &row : rows)
    CHECK(std::string(args_usage(row.spec, b, sizeof b)) == row.usage);
  char small[8];
  CHECK(std::string(args_usage("va:addr frame:phys", small, sizeof small)) == "VA FRAM");
}

TEST_CASE("args: any text gives values or one line of reason")
{
  const char *const specs[] = {
    "va:addr frame:phys flags:flags? size:size?",
    "va:addr change:change",
    "n:count body:block",
    "va:entry (= value:num)?",
    "op:r|w|x va:addr user? n:times?",
    "va:addr (seg base:num limit:num)? user?",
    "name:word (= value:num)?",
    "text:rest?",
    "at:place n:count?",
    "(from:addr to:addr)?",
  };
  const char *const pieces[] = {"0x1000", "4k", "A",   "M0", "$va", "rw", "-w", "+nx", "2m", "user", "seg", "x9", "=",    "{", "}",  "(",
                                ")",      "/",  "PDE", "-",  "+",   "*",  "<<", "~",   " ",  " ",    " ",   "p:", "key=", "r", "\t", "_"};
  Random random(test_seed());
  struct args_names names = names_of(48);
  unsigned good = 0;
  for (unsigned i = 0; i < 30000; i++) {
    std::string line = "cmd ";
    for (unsigned n = (unsigned)(random.next() % 9); n > 0; n--) {
      uint64_t pick = random.next();
      line += pick % 20 == 0 ? std::string(1, (char)(pick >> 32 | 1)) : std::string(pieces[pick % (sizeof pieces / sizeof pieces[0])]);
    }
    struct record *r = record_begin("cmd");
    if (args_parse(specs[i % (sizeof specs / sizeof specs[0])], line.c_str(), 3, &names, &args, r)) {
      good++;
      for (unsigned v = 0; v < args.count; v++)
        REQUIRE(args.value[v].at + args.value[v].length <= line.size());
    } else {
      REQUIRE(r->status == STATUS_USAGE);
      REQUIRE(record_find(&r->root, "at")->number <= line.size() + 1);
      REQUIRE(std::strlen(record_find(&r->root, "reason")->text) > 10);
    }
  }
  CHECK(good > 300);
}
