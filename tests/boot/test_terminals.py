"""The terminal programs that people use on a serial line, each driven as by hand: Enter, Backspace, arrows, Ctrl-C, a paste."""

import os
import re
import shutil
import subprocess

import pexpect
import pytest

from machines import ELF, die_with_parent

PASTED = 300  # lines
# What is typed to end each; the path of the line comes where {} is.
CLIENTS = {
    "picocom": (["picocom", "--quiet", "--nolock", "-b", "115200", "{}"], "\x01\x18"),
    "minicom": (["minicom", "-o", "-b", "115200", "-D", "{}"], "\x01x\r"),
    "tio": (["tio", "-b", "115200", "{}"], "\x14q"),
    "screen": (["screen", "{}", "115200"], "\x01ky"),
    "socat": (["socat", "-,raw,echo=0,escape=0x1d", "{},b115200,raw,echo=0"], "\x1d"),
}


class Line:
    """QEMU with its serial line on a terminal device, as a USB adapter is one."""

    def __enter__(self):
        command = ["qemu-system-x86_64", "-nodefaults", "-no-reboot", "-display", "none", "-vga", "std", "-net", "none", "-accel", "tcg", "-cpu", "max", "-m", "128M",
                   "-serial", "pty", "-kernel", ELF, "-append", "color=0 console=com1"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        self.path = re.search(r"redirected to (\S+)", self.process.stdout.readline())[1]
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(params=list(CLIENTS))
def client(request, tmp_path):
    """A client on a line, with a prompt in it."""
    command, leave = CLIENTS[request.param]
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed: tools/setup does that")
    sockets = tmp_path / "screen"
    sockets.mkdir(mode=0o700)
    environment = dict(os.environ, TERM="xterm", HOME=str(tmp_path), SCREENDIR=str(sockets))
    with Line() as line:
        child = pexpect.spawn(command[0], [word.format(line.path) for word in command[1:]], env=environment, encoding="latin-1", timeout=15, dimensions=(24, 80))
        try:
            prompt(child)
            yield child
            child.send(leave)
            child.expect(pexpect.EOF)
        finally:
            child.close(force=True)


def prompt(child):
    """Enter, until there is a prompt: what the machine said before the client was there is gone."""
    for _ in range(30):
        child.send("\r")
        if child.expect(["4level> ", pexpect.TIMEOUT], timeout=0.5) == 0:
            return
    raise AssertionError(f"no prompt: {child.before!r}")


def test_keys_and_a_paste(client):
    client.send("lexx\x7f\x7ft a = 1\r")  # Backspace, as a keyboard's is in a terminal
    client.expect(r"\$a = 0x1\b")
    client.send("let b = 13\x1b[D2\r")  # left, and in between
    client.expect(r"\$b = 0x7b\b")
    client.send("\x1b[A\x1b[A\r")  # up, up: the line before
    client.expect(r"\$a = 0x1\b")
    client.send("let c = 1\r")
    client.expect(r"\$c = 0x1\b")
    client.send("repeat 4000000000 { let endless = 1 }\r")
    client.expect("endless = 0x1")
    client.send("\x03")
    client.expect("stopped after")
    client.send("let n = 0\r")
    client.expect(r"\$n = 0x0\b")
    client.send("let n = $n + 1\r" * PASTED + "let total = $n + 0x10000\r")
    client.expect(rf"\$total = {PASTED + 0x10000:#x}\b")
