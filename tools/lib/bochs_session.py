"""One Bochs for a person and for tools at the same time: its serial line for a terminal, its debugger for another, and a socket where tools
ask both.

A tool sends a line of JSON and gets one back:
  {"ask": ["tlb 0x40000000", ...]}     asks the debugger: stops the guest if it runs, and lets it go on
  {"shell": " tlb 0x40000000"}         asks the shell at its prompt; the person sees nothing of it
  {"step": "read 0x40000000", "commands": [...]}   types a line for all to see, waits until it stops in the debugger, gives the debugger these
                                       commands, and lets the guest go on
  {"wait": 3}                          waits until the shell has shown more prompts than that
The answer has "answers", "shown" or "prompts", or "error".
"""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

from bochs_debugger import Debugger, Silent, command, screen_of

TCP_QUICKACK = 12
BACKLOG = 1 << 16
PROMPT = re.compile(rb"(?:^|\n)(?:off|32|pae|4level|5level)> $")
ANSWER_SECONDS = 20


def sockets(root):
    """The paths of the terminal's socket and of the tools'. Relative ones: a unix socket's path is short."""
    top = os.path.relpath(os.path.join(root, "build"))
    return os.path.join(top, "bochs.serial"), os.path.join(top, "bochs.control")


def call(root, request, timeout=None):
    """A tool's question to the session that runs. ConnectionError or FileNotFoundError where there is none."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(sockets(root)[1])
        connection.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(connection.makefile().readline() or '{"error": "the session has ended"}')
    if "error" in answer:
        raise Silent(answer["error"])
    return answer


class Serial:
    """The shell's line: what Bochs sends goes to the terminal, or to the tool that has asked."""

    def __init__(self, connection, listener):
        self.connection, self.listener = connection, listener
        self.tail = self.backlog = b""
        self.clients = []
        self.capture = None  # what the shell answers to a tool
        self.prompts = 0
        self.changed = threading.Condition()
        self.typing = threading.Lock()  # held while a tool asks: what is typed meanwhile waits
        for work in (self.from_shell, self.accept):
            threading.Thread(target=work, daemon=True).start()

    def from_shell(self):
        while True:
            try:
                self.connection.setsockopt(socket.IPPROTO_TCP, TCP_QUICKACK, 1)
                data = self.connection.recv(65536)
            except OSError:
                data = b""
            with self.changed:
                if not data:
                    return
                self.tail = (self.tail + data)[-200:]
                if self.capture is not None:
                    self.capture += data
                elif PROMPT.search(self.tail):
                    self.prompts += 1
                clients = [] if self.capture is not None else list(self.clients)
                if not clients and self.capture is None:
                    self.backlog = (self.backlog + data)[-BACKLOG:]
                self.changed.notify_all()
            for client in clients:
                self.show(client, data)

    @staticmethod
    def show(client, data):
        try:
            client.sendall(data)
        except OSError:
            pass  # it has gone; its own thread finds that out too

    def accept(self):
        """Terminals may come and go; the first one gets what was said before."""
        while True:
            client = self.listener.accept()[0]
            with self.changed:
                backlog, self.backlog = self.backlog, b""
                self.show(client, backlog)
                self.clients.append(client)
            threading.Thread(target=self.from_terminal, args=(client,), daemon=True).start()

    def from_terminal(self, client):
        while True:
            try:
                data = client.recv(65536)
            except OSError:
                data = b""
            if not data:
                break
            with self.typing:
                self.connection.sendall(data)
        with self.changed:
            self.clients.remove(client)
        client.close()

    def at_prompt(self):
        return bool(PROMPT.search(self.tail))

    def ask(self, line):
        """Types a line that nobody sees; gives back what the shell shows."""
        with self.typing:
            with self.changed:
                if not self.changed.wait_for(self.at_prompt, ANSWER_SECONDS):
                    raise Silent("the shell is not at an empty prompt")
                self.capture = b""
            try:
                self.connection.sendall(line.encode() + b"\r")
                with self.changed:
                    # The prompt that stands there is not sent again, so a prompt in the answer is the next one.
                    if not self.changed.wait_for(lambda: PROMPT.search(self.capture), ANSWER_SECONDS):
                        raise Silent("the shell does not answer")
                    return self.capture.decode("latin-1")
            finally:
                with self.changed:
                    self.capture = None

    def type(self, line):
        """Types a line for all to see."""
        with self.typing:
            with self.changed:
                if not self.changed.wait_for(self.at_prompt, ANSWER_SECONDS):
                    raise Silent("the shell is not at an empty prompt")
            self.connection.sendall(line.encode() + b"\r")

    def wait(self, prompts):
        with self.changed:
            self.changed.wait_for(lambda: self.prompts > prompts)
            return self.prompts


class Session:
    """Bochs, with its serial line and debugger shared out. End it with end()."""

    def __init__(self, root, cpu, iso, rc, die_with_parent):
        self.root = root
        self.lock = threading.Lock()  # of the debugger: who has it may talk to it
        self.going = False  # it was told to go on, and has not stopped since
        self.process = self.debugger = self.serial = self.echo = None
        os.chdir(root)
        self.paths = sockets(root)
        try:
            call(root, {"wait": -1}, timeout=5)
        except (OSError, Silent, ValueError):
            pass
        else:
            raise Silent("a session runs already: 'q' in its debugger ends it")
        try:
            self.start(cpu, iso, rc, die_with_parent)
        except BaseException:
            self.end()
            raise

    def start(self, cpu, iso, rc, die_with_parent):
        listeners = [self.listen(path) for path in self.paths]
        stderr_path = os.path.join("build", "bochs.stderr")
        with socket.socket() as listener, open(stderr_path, "wb") as stderr:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            listener.settimeout(ANSWER_SECONDS)
            self.process = subprocess.Popen(command(self.root, cpu, listener.getsockname()[1], iso, os.path.join("build", "bochs.log"), rc), bufsize=0,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, preexec_fn=die_with_parent,
                                            start_new_session=True, env=dict(os.environ, TERM="xterm"))
            threading.Thread(target=self.close_when_ended, args=(listener,), daemon=True).start()
            try:
                connection = listener.accept()[0]
            except OSError:
                raise Silent("Bochs did not start: " + self.why(stderr_path)) from None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with open(stderr_path, encoding="latin-1") as said:
            self.debugger = Debugger(self.process, screen_of(said.read()))
        self.serial = Serial(connection, listeners[0])
        threading.Thread(target=self.serve, args=(listeners[1],), daemon=True).start()

    def close_when_ended(self, listener):
        """A Bochs that ends before it has connected is not waited for."""
        self.process.wait()
        try:
            listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    @staticmethod
    def why(path):
        with open(path, encoding="latin-1") as said:
            return " ".join(said.read().split())[-300:]

    @staticmethod
    def listen(path):
        if os.path.exists(path):
            os.unlink(path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)
        return listener

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for path in self.paths:
            if os.path.exists(path):
                os.unlink(path)

    def serve(self, listener):
        while True:
            connection = listener.accept()[0]
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection, connection.makefile("rw") as stream:
            for line in stream:
                try:
                    answer = self.do(json.loads(line))
                except (Silent, ValueError, KeyError) as error:
                    answer = {"error": str(error)}
                except OSError as error:
                    answer = {"error": f"Bochs has ended: {error}"}
                try:
                    stream.write(json.dumps(answer) + "\n")
                    stream.flush()
                except OSError:
                    return

    def do(self, request):
        if "ask" in request:
            return {"answers": self.ask(request["ask"])}
        if "shell" in request:
            if not self.going:
                raise Silent("the guest is stopped in the debugger: 'c' there lets it go on")
            return {"shown": self.serial.ask(request["shell"])}
        if "step" in request:
            return {"answers": self.step(request["step"], request["commands"])}
        return {"prompts": self.serial.wait(request["wait"])}

    def ask(self, commands):
        with self.lock:
            if self.going:
                return self.debugger.ask(*commands)
            return self.debugger.tell(*commands, go_on=False)

    def step(self, line, commands):
        with self.lock:
            if not self.going:
                raise Silent("the guest is stopped in the debugger: 'c' there lets it go on")
            self.debugger.take()
            self.serial.type(line)
            try:
                self.debugger.answers(1, timeout=5)
            except Silent:
                raise Silent(f"'{line}' did not stop in the debugger") from None
            return self.debugger.tell(*commands)

    # ---- for the person at the debugger ----

    def tell(self, line):
        with self.lock:
            self.going = line.strip() in ("c", "cont", "continue")
            self.echo = line + "\n"  # Bochs says the line again
            self.debugger.send(line)

    def said(self):
        """What the debugger has said, and whether it waits for a command now."""
        with self.lock:
            self.debugger.drain_screen()
            self.debugger.read(0.03)
            waits = self.debugger.waits
            if waits:
                self.going = False
            text = self.debugger.take() if waits or b"\n" in self.debugger.said else ""
            if text and self.echo and text.startswith(self.echo):
                text = text[len(self.echo):]
            self.echo = None if text else self.echo
            return text, waits

    def interrupt(self):
        self.debugger.interrupt()

    def wait_until_read(self):
        time.sleep(0.01)  # lets tools have the debugger in between
