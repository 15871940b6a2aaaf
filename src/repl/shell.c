#include "repl/shell.h"
#include "repl/state.h"

#include "lab/lab.h"
#include "lib/format.h"
#include "lib/text.h"
#include "machine/console.h"
#include "repl/bochs.h"
#include "repl/boot.h"
#include "measure/clock.h"
#include "repl/compare.h"
#include "repl/diff.h"
#include "repl/journal.h"
#include "repl/lesson.h"
#include "repl/pager.h"
#include "repl/recorder.h"
#include "repl/render.h"
#include "repl/settings.h"
#include "repl/watch.h"

#include <string.h>

static struct editor editor;
static char prompt[16];
static bool swallow_ctrl_c;
static size_t command_start;

size_t shell_command_start(void)
{
  return command_start;
}

/* ---- names ---- */

static bool variable_value(const char *name, size_t length, uint64_t *value)
{
  const struct state *state = state_get();
  for (unsigned i = 0; i < STATE_VARIABLES; i++) {
    const struct state_variable *v = &state->variable[i];
    if (strlen(v->name) == length && memcmp(v->name, name, length) == 0 && length > 0) {
      *value = v->value;
      return true;
    }
  }
  return false;
}

static int level_named(const char *name, size_t length)
{
  char text[8];
  const struct format *format = format_of(machine_mode());
  if (length >= sizeof text || format == NULL)
    return -1;
  memcpy(text, name, length);
  text[length] = '\0';
  return format_level_named(format, text);
}

const struct args_names *shell_names(void)
{
  static struct args_names names;
  const struct format *format = format_of(machine_mode());
  names = (struct args_names){.variable = variable_value,
                              .frame = lab_frame_named,
                              .level = level_named,
                              .linear_bits = format ? format->linear_bits : 32};
  return &names;
}

/* ---- output ---- */

static void to_console(void *context, const char *text, size_t length)
{
  (void)context;
  pager_write(text, length);
}

static void print(const struct record *record, size_t column)
{
  const struct state *state = state_get();
  if (compare_active()) {
    compare_note(record);
    return;
  }
  if (lesson_running() && !lesson_note(record))
    return;
  struct render_options options = {.json = state->json != 0,
                                   .color = state->color != 0,
                                   .mode = state_mode_name(),
                                   .columns = state->columns};
  options.indent = column;
  /* What was typed at the prompt stands on the line above; anything else is shown again over its caret. */
  if (!state->from_prompt)
    options.input = state->text;
  else
    options.indent += strlen(prompt);
  pager_next();
  render_record(record, &options, to_console, NULL);
}

static void prompt_make(void)
{
  format(prompt, sizeof prompt, "%s> ", state_mode_name());
}

/* ---- running the text ---- */

bool shell_push(size_t start, size_t end, uint32_t count)
{
  struct state *state = state_get();
  if (state->depth == STATE_FRAMES)
    return false;
  state->frame[state->depth++] =
    (struct state_frame){.start = (uint32_t)start, .end = (uint32_t)end, .at = (uint32_t)start, .done = 0, .count = count};
  return true;
}

bool shell_script(const char *text)
{
  struct state *state = state_get();
  size_t start = strlen(state->text) + 1, length = strlen(text);
  if (state->depth > 0 && state->frame[state->depth - 1].end > start) /* behind what another script runs */
    start = state->frame[state->depth - 1].end + 1;
  if (start + length >= sizeof state->text || !shell_push(start, start + length, 1))
    return false;
  memcpy(state->text + start, text, length + 1);
  state->frame[state->depth - 1].script = 1;
  return true;
}

/* "#PF" is no comment but the name of an exception, as people answer to a question. */
static bool names_an_exception(const char *text, size_t at, size_t end)
{
  static const char *const names[] = {"PF", "GP", "SS", "UD", "DB", "DF", "NP", "TS", "AC", "DE", "BP"};
  if (end - at < 3 || (end - at > 3 && text_is_name(text[at + 3])))
    return false;
  for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
    if (text_is_anycase(text + at + 1, 2, names[i]))
      return true;
  return false;
}

/* Where the command that starts at @p at ends: at a ';' or '#' outside braces and quotes, or at the end of the frame. */
static size_t command_end(const char *text, size_t at, size_t end)
{
  unsigned depth = 0;
  bool quoted = false;
  for (; at < end; at++) {
    char c = text[at];
    if (c == '"')
      quoted = !quoted;
    if (quoted)
      continue;
    if (c == '{')
      depth++;
    if (c == '}' && depth > 0)
      depth--;
    if (depth == 0 && (c == ';' || (c == '#' && !names_an_exception(text, at, end))))
      return at;
  }
  return end;
}

static void switched(struct record *r);

/* Into a mode with a fresh lab, also where it is the one that we are in. */
static void switch_quietly(enum machine_mode mode)
{
  state_get()->switched_from = (uint8_t)(machine_mode() + 1);
  machine_mode_switch(mode);
  switched(record_begin("mode")); /* only a machine that does not start over comes here */
}

bool shell_compare(struct record *r, size_t start, size_t end)
{
  struct state *state = state_get();
  if (!compare_begin(r, start, end))
    return false;
  if (!shell_push(start, end, 1)) {
    compare_stop();
    return record_refuse(r, "repeats are nested too deep for a comparison");
  }
  state->compare.depth = state->depth;
  switch_quietly((enum machine_mode)state->compare.mode[0]);
  return true;
}

static void repeat_ended(const struct state_frame *frame, enum record_status status)
{
  struct record *r = record_begin("repeat");
  r->status = status;
  r->text = status == STATUS_OK ? "" : "stopped after {count}";
  record_count(r, &r->root, "count", frame->done);
  if (state_get()->json || status != STATUS_OK)
    print(r, 0);
}

/* The script of a comparison has ended in this mode: it goes on in the next, or the table is shown and the shell is where it was. A booted
 * machine starts over at each switch; all that is needed then is in the state. */
static void compare_goes_on(struct state_frame *f)
{
  struct state *state = state_get();
  unsigned mode;
  if (compare_next(&mode)) {
    f->at = f->start;
    switch_quietly((enum machine_mode)mode);
    return;
  }
  state->depth--;
  struct record *r = record_begin("compare");
  r->text = "";
  mode = compare_end(r);
  print(r, 0);
  state->compare.returning = 1;
  switch_quietly((enum machine_mode)mode);
  state->compare.returning = 0;
}

static bool separates(char c)
{
  return c == ' ' || c == '\t' || c == ';';
}

/* Moves *@p at to where the next command begins. False where there is none before @p end: nothing, or a comment. */
static bool command_at(const char *text, size_t *at, size_t end)
{
  while (*at < end && separates(text[*at]))
    ++*at;
  return *at < end && text[*at] != '#';
}

/* Moves to the next command: its limits in @p start and @p end. False when there is nothing left to run. */
static bool next_command(size_t *start, size_t *end)
{
  struct state *state = state_get();
  while (state->depth > 0) {
    struct state_frame *f = &state->frame[state->depth - 1];
    *start = f->at;
    if (command_at(state->text, start, f->end)) {
      *end = command_end(state->text, *start, f->end);
      f->at = (uint32_t)*end;
      return true;
    }
    if (compare_active() && state->depth == state->compare.depth) {
      compare_goes_on(f);
      continue;
    }
    if (lesson_running() && state->depth == state->lesson.depth) {
      state->depth--;
      print(lesson_ended(), 0);
      continue;
    }
    f->done++;
    if (f->done < f->count) {
      f->at = f->start;
      continue;
    }
    state->depth--;
    if (state->depth > 0 && !f->script) /* the outermost is the line itself */
      repeat_ended(f, STATUS_OK);
  }
  return false;
}

struct running {
  const struct command *command;
  struct args args;
  struct record *record;
};

static void run_guarded(void *argument)
{
  struct running *running = argument;
  running->command->run(&running->args, running->record);
}

static void report_exception(struct record *r, const struct machine_fault *fault)
{
  record_error(r, "unexpected exception %u (error 0x%x) at 0x%llx, CR2 0x%llx: a bug in tlbsh, or in what was done with unsafe=1",
               fault->vector, fault->error, (unsigned long long)fault->ip, (unsigned long long)fault->cr2);
}

static void execute(const struct command *command, const char *text, size_t length, size_t args_at, struct record *r)
{
  static struct running running;
  (void)length;
  r->text = command->text;
  if (command->flags & COMMAND_PAGED && machine_mode() == MACHINE_OFF) {
    record_refuse(r, "paging is off: 'mode 32' or another turns it on");
    return;
  }
  running = (struct running){.command = command, .record = r};
  if (!args_parse(command->args, text, args_at, shell_names(), &running.args, r))
    return;
  if (command->flags & COMMAND_EDITS)
    lab_undo_begin();
  if (!(command->flags & (COMMAND_QUIET | COMMAND_ASIDE)))
    journal_begin(text);
  lab_refresh();
  machine_stop_arm(state_get()->stops && !lesson_setting_up());
  struct machine_fault fault = machine_guard(run_guarded, &running);
  machine_stop_arm(false);
  if (fault.raised)
    report_exception(r, &fault);
  lab_refresh();
  diff_record(r, (command->flags & (COMMAND_EDITS | COMMAND_UNDOES)) != 0);
  watch_record(r);
}

/* The length of the first word of a command, which is its name. */
static size_t word_length(const char *text, size_t length)
{
  size_t word = 0;
  while (word < length && text[word] != ' ' && text[word] != '\t' && text[word] != '{')
    word++;
  return word;
}

/* A record by the name that was typed, whether there is such a command or not. */
static struct record *record_of_typed(const char *text, size_t word)
{
  char name[24];
  return record_begin(text_copy(name, sizeof name, text, word));
}

static void run_command(size_t start, size_t end)
{
  static char text[STATE_TEXT_MAX];
  size_t length = end - start;
  command_start = start;
  memcpy(text, state_get()->text + start, length);
  while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
    length--;
  text[length] = '\0';
  size_t word = word_length(text, length);
  struct record *r = record_of_typed(text, word);
  if (compare_active() && state_get()->depth == state_get()->compare.depth)
    compare_command();
  if (lesson_running())
    lesson_command(text, length);
  const struct command *command = command_find(text, word, 0, r);
  if (command) {
    text_copy(r->cmd, sizeof r->cmd, command->name, strlen(command->name));
    execute(command, text, length, word, r);
  }
  state_get()->failed |= r->status == STATUS_ERROR;
  bool quiet = r->later || (command && command->flags & COMMAND_QUIET && r->status == STATUS_OK);
  if (!quiet)
    print(r, start);
}

/* A command that was stopped while what it runs was running. */
static void script_stopped(const char *name)
{
  struct record *r = record_begin(name);
  r->status = STATUS_INTERRUPTED;
  r->text = "stopped";
  print(r, 0);
}

/* Ctrl-C came while a command ran that it did not stop. What would have come next on the line is not done, and that is said. */
static void left_undone(const struct state_frame *line)
{
  const char *text = state_get()->text;
  size_t start = line->at;
  if (!command_at(text, &start, line->end))
    return;
  size_t end = command_end(text, start, line->end);
  struct record *r = record_of_typed(text + start, word_length(text + start, end - start));
  record_format(r, &r->root, "reason", "Ctrl-C came before '%.*s'", (int)(end - start), text + start);
  r->status = STATUS_INTERRUPTED;
  print(r, start);
}

static void stop_all(void)
{
  struct state *state = state_get();
  const char *lesson = lesson_running() ? lesson_command_name() : NULL;
  struct state_frame outermost = state->frame[state->depth > 1 ? 1 : 0];
  bool repeating = state->depth > 1;
  compare_stop();
  lesson_stop();
  recorder_stop();
  state->depth = 0;
  console_interrupt_clear();
  swallow_ctrl_c = true;
  if (lesson)
    script_stopped(lesson);
  else if (repeating && !outermost.script)
    repeat_ended(&outermost, STATUS_INTERRUPTED);
  else if (!repeating)
    left_undone(&outermost);
}

/* The next line of a replay becomes the text that is run, under the prompt that it would have been typed at. */
static bool next_replayed(void)
{
  struct state *state = state_get();
  if (!recorder_next(state->text, sizeof state->text))
    return false;
  state->depth = 0;
  state->from_prompt = !state->json;
  shell_push(0, strlen(state->text), 1);
  prompt_make();
  if (!state->json) {
    console_write(prompt, strlen(prompt));
    console_write(state->text, strlen(state->text));
    console_write("\r\n", 2);
  }
  return true;
}

/* Runs what is left of the text: also after a mode switch, which can come in the middle of it. */
static void run_text(void)
{
  size_t start, end;
  do {
    while (next_command(&start, &end)) {
      run_command(start, end);
      if (console_interrupted())
        stop_all();
    }
  } while (next_replayed());
}

static void run_line(const char *line, bool typed)
{
  struct state *state = state_get();
  text_copy(state->text, sizeof state->text, line, strlen(line));
  state->depth = 0;
  state->from_prompt = typed;
  shell_push(0, strlen(state->text), 1);
  run_text();
}

/* ---- reading lines ---- */

static void to_terminal(void *context, const char *text, size_t length)
{
  (void)context;
  console_write(text, length);
}

static const char *complete(void *context, const char *line, size_t cursor, size_t *start,
                            void (*add)(void *list, const char *candidate, size_t length), void *list)
{
  (void)context;
  return command_complete(command_families, line, cursor, start, add, list);
}

static void line_too_long(void)
{
  struct record *r = record_begin("line");
  record_usage(r, 0, "the line has %u characters; a line can have %u: nothing of it was run", (unsigned)editor.dropped,
               EDITOR_LINE_MAX - 1);
  state_get()->from_prompt = true;
  print(r, 0);
}

static void prompt_show(void)
{
  const char *notice = console_notice_take();
  if (notice) {
    console_write(notice, strlen(notice));
    console_write("\r\n", 2);
  }
  prompt_make();
  editor.echo = !state_get()->batch && (!state_get()->json || state_get()->echo);
  editor_prompt(&editor, state_get()->batch ? "" : prompt, state_get()->columns);
}

static void on_line(void)
{
  static char line[EDITOR_LINE_MAX];
  memcpy(line, editor.line, editor.length + 1);
  if (line[0] != ' ') /* as in other shells: a line with a blank before it leaves no trace */
    history_add(&state_get()->history, line);
  recorder_typed(line);
  console_interrupt_clear();
  pager_begin(state_get()->json || state_get()->batch ? 0 : state_get()->lines);
  run_line(line, !state_get()->batch);
}

static void read_lines(void)
{
  prompt_show();
  for (;;) {
    int byte = pager_end();
    if (byte < 0)
      byte = console_read();
    if (byte < 0)
      return;
    if (byte == CONSOLE_CTRL_C && swallow_ctrl_c) { /* it has stopped a command already */
      swallow_ctrl_c = false;
      continue;
    }
    swallow_ctrl_c = false;
    enum editor_event event = editor_feed(&editor, (uint8_t)byte);
    if (event == EDITOR_MORE)
      continue;
    if (event == EDITOR_LINE)
      on_line();
    if (event == EDITOR_TOO_LONG)
      line_too_long();
    if (event == EDITOR_CANCEL)
      console_interrupt_clear();
    prompt_show();
  }
}

/* ---- start ---- */

/* In the new mode: the lab starts afresh, the settings are made again, and the record says where we came from. */
static void switched(struct record *r)
{
  struct state *state = state_get();
  lab_init(true);
  settings_apply();
  lab_refresh();
  bochs_judge();
  prompt_make();
  record_string(r, &r->root, "from", state_mode_name_of((enum machine_mode)(state->switched_from - 1)));
  record_string(r, &r->root, "to", state_mode_name());
  state->switched_from = 0;
}

bool shell_switch(enum machine_mode mode, struct record *r)
{
  state_get()->switched_from = (uint8_t)(machine_mode() + 1);
  machine_mode_switch(mode);
  switched(r); /* only a machine that does not start over comes here */
  return true;
}

static void start_again(void)
{
  struct record *r = record_begin("mode");
  r->text = "{from} -> {to}";
  if (!state_get()->switched_from) { /* the kernel started over after an unexpected exception: that was reported */
    lab_init(true);
    settings_apply();
    state_get()->depth = 0;
    lesson_stop();
    recorder_stop();
    return;
  }
  bool quiet = compare_active() || state_get()->compare.returning;
  state_get()->compare.returning = 0;
  switched(r);
  diff_record(r, false);
  if (!quiet)
    print(r, 0);
  run_text();
}

static void start(void)
{
  char line[EDITOR_LINE_MAX];
  struct state *state = state_get();
  boot_settings(state);
  lab_init(false);
  state->clock = (uint8_t)clock_judge();
  lab_refresh();
  bochs_judge();
  prompt_make();
  print(boot_record(), 0);
  if (boot_run_line(line, sizeof line))
    run_line(line, false);
}

void shell_run(bool again)
{
  const struct editor_callbacks callbacks = {.write = to_terminal, .complete = complete};
  editor_init(&editor, &state_get()->history, &callbacks);
  if (again)
    start_again();
  else
    start();
  read_lines();
}
