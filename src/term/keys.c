#include "term/keys.h"

#define RELEASED 0x80
#define EXTENDED 0xe0
#define PAUSE 0xe1
#define PAUSE_MORE 5
#define ESCAPE '\x1b'

enum { LEFT_SHIFT = 1, RIGHT_SHIFT = 2, LEFT_CTRL = 4, RIGHT_CTRL = 8, LEFT_ALT = 16, RIGHT_ALT = 32 };
#define SHIFT (LEFT_SHIFT | RIGHT_SHIFT)
#define CTRL (LEFT_CTRL | RIGHT_CTRL)
#define ALT (LEFT_ALT | RIGHT_ALT)

/* By scan code; 0 where a key has no character. */
static const char plain[0x3a] = "\0\x1b"
                                "1234567890-=\x7f"
                                "\tqwertyuiop[]\r\0"
                                "asdfghjkl;'`\0"
                                "\\zxcvbnm,./\0"
                                "*\0 ";
static const char shifted[0x3a] = "\0\x1b"
                                  "!@#$%^&*()_+\x7f"
                                  "\tQWERTYUIOP{}\r\0"
                                  "ASDFGHJKL:\"~\0"
                                  "|ZXCVBNM<>?\0"
                                  "*\0 ";

/* The keypad from 0x47 on, with Num Lock. */
#define KEYPAD_FIRST 0x47
static const char keypad[] = "789-456+1230.";

/* Keys that send a sequence: xterm's. */
static const struct {
  uint8_t code;
  const char *sequence, *with_ctrl;
} moving[] = {
  {0x47, "\x1b[H", "\x1b[H"},    {0x48, "\x1b[A", "\x1b[A"},   {0x49, "\x1b[5~", "\x1b[5~"}, {0x4b, "\x1b[D", "\x1b[1;5D"},
  {0x4d, "\x1b[C", "\x1b[1;5C"}, {0x4f, "\x1b[F", "\x1b[F"},   {0x50, "\x1b[B", "\x1b[B"},   {0x51, "\x1b[6~", "\x1b[6~"},
  {0x52, "\x1b[2~", "\x1b[2~"},  {0x53, "\x1b[3~", "\x1b[3~"},
};

static const struct {
  uint8_t code;
  bool extended;
  uint8_t modifier;
} modifiers[] = {
  {0x2a, false, LEFT_SHIFT}, {0x36, false, RIGHT_SHIFT}, {0x1d, false, LEFT_CTRL},
  {0x1d, true, RIGHT_CTRL},  {0x38, false, LEFT_ALT},    {0x38, true, RIGHT_ALT},
};

#define CAPS_LOCK 0x3a
#define NUM_LOCK 0x45
#define KEYPAD_SLASH 0x35
#define KEYPAD_ENTER 0x1c
#define KEYPAD_MINUS 0x4a
#define KEYPAD_PLUS 0x4e

/* Whether it is a modifier's code, which has done its work then. */
static bool modify(struct keys *keys, uint8_t code, bool extended, bool released)
{
  for (unsigned i = 0; i < sizeof modifiers / sizeof modifiers[0]; i++) {
    if (modifiers[i].code != code || modifiers[i].extended != extended)
      continue;
    keys->down = (uint8_t)(released ? keys->down & ~modifiers[i].modifier : keys->down | modifiers[i].modifier);
    return true;
  }
  return false;
}

static size_t send(const char *text, char bytes[KEYS_BYTES])
{
  size_t length = 0;
  for (; text[length]; length++)
    bytes[length] = text[length];
  return length;
}

static size_t send_moving(const struct keys *keys, uint8_t code, char bytes[KEYS_BYTES])
{
  for (unsigned i = 0; i < sizeof moving / sizeof moving[0]; i++)
    if (moving[i].code == code)
      return send(keys->down & CTRL ? moving[i].with_ctrl : moving[i].sequence, bytes);
  return 0;
}

static bool is_letter(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Ctrl makes control characters of letters and of @ [ \ ] ^ _ and space; Alt puts ESC before. */
static size_t send_character(const struct keys *keys, char c, char bytes[KEYS_BYTES])
{
  size_t length = 0;
  if (c == 0)
    return 0;
  if (keys->down & ALT)
    bytes[length++] = ESCAPE;
  if (keys->down & CTRL && (is_letter(c) || (c >= '@' && c <= '_') || c == ' '))
    c &= 0x1f;
  bytes[length++] = c;
  return length;
}

static char character(const struct keys *keys, uint8_t code)
{
  bool shift = (keys->down & SHIFT) != 0;
  if (keys->caps && is_letter(plain[code]))
    shift = !shift;
  return shift ? shifted[code] : plain[code];
}

static size_t pressed_extended(const struct keys *keys, uint8_t code, char bytes[KEYS_BYTES])
{
  if (code == KEYPAD_SLASH || code == KEYPAD_ENTER)
    return send_character(keys, plain[code], bytes);
  return send_moving(keys, code, bytes);
}

static size_t pressed(struct keys *keys, uint8_t code, char bytes[KEYS_BYTES])
{
  if (code == CAPS_LOCK)
    keys->caps = !keys->caps;
  if (code == NUM_LOCK)
    keys->num = !keys->num;
  if (code < sizeof plain)
    return send_character(keys, character(keys, code), bytes);
  if (code < KEYPAD_FIRST || code >= KEYPAD_FIRST + sizeof keypad - 1)
    return 0;
  if (keys->num || code == KEYPAD_MINUS || code == KEYPAD_PLUS)
    return send_character(keys, keypad[code - KEYPAD_FIRST], bytes);
  return send_moving(keys, code, bytes);
}

size_t keys_feed(struct keys *keys, uint8_t code, char bytes[KEYS_BYTES])
{
  if (keys->skipping) {
    keys->skipping--;
    return 0;
  }
  if (code == PAUSE) {
    keys->skipping = PAUSE_MORE;
    return 0;
  }
  if (code == EXTENDED) {
    keys->extended = true;
    return 0;
  }
  bool extended = keys->extended, released = code & RELEASED;
  keys->extended = false;
  code &= (uint8_t)~RELEASED;
  /* With Num Lock some keyboards wrap an arrow in a Shift that nobody pressed: E0 2A, E0 AA. */
  bool pretended = extended && (code == 0x2a || code == 0x36);
  if (pretended || modify(keys, code, extended, released) || released)
    return 0;
  return extended ? pressed_extended(keys, code, bytes) : pressed(keys, code, bytes);
}
