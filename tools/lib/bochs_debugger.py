"""Bochs's debugger as a program talks to it: through the standard input and output of Bochs, with a stop by SIGINT.

Three things to know of it. A SIGINT that comes right behind `c` is lost, because that command forgets it: so it is sent again until the
debugger answers, which does no harm. At each stop a little is drawn on the terminal that Bochs has for its screen (display_library: term);
when nobody takes that, Bochs waits for ever after some two thousand stops. And what is typed while the guest runs is read at the next stop.
"""

import os
import re
import select
import signal
import termios
import time
import tty

PROMPT = re.compile(rb"<bochs:\d+> ")
AGAIN = 0.5  # seconds after which a stop that has not come is asked for again


class Silent(Exception):
    """The debugger has ended, or does not answer."""


class Debugger:
    """Of a running Bochs: its process, with unbuffered pipes, and the path of its screen's terminal."""

    def __init__(self, process, screen):
        self.process = process
        self.said = b""  # and not given to anyone yet
        self.screen = os.open(screen, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.screen)

    def close(self):
        os.close(self.screen)
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()

    def send(self, *commands):
        try:
            self.process.stdin.write("".join(command + "\n" for command in commands).encode())
        except OSError as error:
            raise Silent(f"it has ended; it last said {self.said[-300:]!r}") from error

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def drain_screen(self):
        try:
            termios.tcflush(self.screen, termios.TCIFLUSH)
        except termios.error:
            pass  # Bochs has ended

    def read(self, timeout):
        """Takes what comes within that time; False if nothing did."""
        if not select.select([self.process.stdout], [], [], max(0, timeout))[0]:
            return False
        data = os.read(self.process.stdout.fileno(), 1 << 20)
        if not data:
            raise Silent(f"it has ended; it last said {self.said[-300:]!r}")
        self.said += data
        return True

    @property
    def waits(self):
        """Whether the last that it said is its prompt."""
        return bool(re.search(PROMPT.pattern + rb"$", self.said[-24:]))

    def take(self):
        """What it has said up to now, without prompts."""
        said, self.said = self.said, b""
        return PROMPT.sub(b"", said).decode("latin-1")

    def answers(self, count, timeout=20, stop=False):
        """What it says up to its prompt, `count` times; with `stop`, asking for a stop until then."""
        end, again = time.monotonic() + timeout, time.monotonic()
        while len(PROMPT.findall(self.said)) < count or not self.waits:
            now = time.monotonic()
            if now >= end:
                raise Silent(f"it does not answer; it last said {self.said[-300:]!r}")
            if stop and now >= again:
                self.interrupt()
                again = now + AGAIN
            self.read(min(end, again if stop else end) - now)
        said, self.said = self.said, b""
        return [answer.decode("latin-1") for answer in PROMPT.split(said)[:-1]]

    def ask(self, *commands, go_on=True):
        """Stops, gives it the commands, and goes on; gives back what it answers to each. The guest does not notice."""
        self.drain_screen()
        self.answers(1, stop=True)
        return self.tell(*commands, go_on=go_on)

    def tell(self, *commands, go_on=True):
        """The same where it has stopped already."""
        self.send(*commands)
        answers = self.answers(len(commands)) if commands else []
        if go_on:
            self.send("c")
        return answers


def screen_of(stderr):
    """The terminal that Bochs says it draws its screen on; None while it has not said so."""
    match = re.search(r'connected to screen "(.*)"', stderr)
    return match[1] if match else None


def command(root, cpu, port, iso, log, rc):
    """The command line of Bochs with our bochsrc, whose serial line connects to that port of this machine."""
    return ["bochs-bin", "-q", "-f", os.path.join(root, "bochsrc"), "-rc", rc, f"cpu: model={cpu}, count=1, ips=4000000, reset_on_triple_fault=0",
            f"com1: enabled=1, mode=socket-client, dev=127.0.0.1:{port}", f"ata0-master: type=cdrom, path={iso}, status=inserted", f"log: {log}"]
