#include "host/terminal.h"

#include "machine/console.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool raw;
static volatile sig_atomic_t interrupted;
static char output[65536];
static size_t output_length;
static unsigned char input[65536];
static size_t input_length, input_at;

bool terminal_is_person(void)
{
  return isatty(STDIN_FILENO) != 0;
}

unsigned terminal_columns(void)
{
  struct winsize size;
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void flush(void)
{
  for (size_t done = 0; done < output_length;) {
    ssize_t n = write(STDOUT_FILENO, output + done, output_length - done);
    if (n <= 0)
      break; /* nobody reads any more */
    done += (size_t)n;
  }
  output_length = 0;
}

void terminal_restore(void)
{
  flush();
  if (raw)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  raw = false;
}

static void on_signal(int signal_number)
{
  if (signal_number == SIGINT) {
    interrupted = 1;
    return;
  }
  if (raw)
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

void terminal_start(void)
{
  static const int fatal[] = {SIGTERM, SIGHUP, SIGQUIT, SIGSEGV, SIGABRT, SIGINT};
  if (!terminal_is_person() || tcgetattr(STDIN_FILENO, &before) != 0)
    return;
  struct termios now = before;
  /* Ctrl-C stays a signal, so that it interrupts a running command; everything else is the line editor's. */
  now.c_iflag &= ~(tcflag_t)(ICRNL | IXON | BRKINT | INPCK | ISTRIP);
  now.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN);
  now.c_cc[VQUIT] = now.c_cc[VSUSP] = _POSIX_VDISABLE;
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  struct sigaction action;
  memset(&action, 0, sizeof action); /* no SA_RESTART: a waiting read() ends with Ctrl-C */
  action.sa_handler = on_signal;
  for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
    sigaction(fatal[i], &action, NULL);
  raw = tcsetattr(STDIN_FILENO, TCSAFLUSH, &now) == 0;
  atexit(terminal_restore);
}

int console_read(void)
{
  if (input_at == input_length) {
    flush();
    ssize_t n = read(STDIN_FILENO, input, sizeof input);
    if (n < 0 && interrupted)
      return CONSOLE_CTRL_C;
    if (n <= 0)
      return -1;
    input_length = (size_t)n;
    input_at = 0;
  }
  return input[input_at++];
}

void console_write(const char *text, size_t length)
{
  if (output_length + length > sizeof output)
    flush();
  if (length > sizeof output) {
    (void)!write(STDOUT_FILENO, text, length);
    return;
  }
  memcpy(output + output_length, text, length);
  output_length += length;
}

bool console_interrupted(void)
{
  return interrupted != 0;
}

void console_interrupt_clear(void)
{
  interrupted = 0;
}

const char *console_notice_take(void)
{
  return NULL;
}
