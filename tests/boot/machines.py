"""Booted machines under test: QEMU and Bochs, each with its serial line on a socket that pexpect drives.

A machine is a context manager.  `cmd()` speaks JSON, `text()` types a line as a person would and gives back what was shown.
Everything that is started is ended by its own handle, and dies with the test run; sockets are unix sockets or loopback ports that
the system picks.  Every wait has a bound: a machine that has ended is noticed at once, and one that has once failed to answer is not
waited for again.
"""

import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pexpect
from pexpect import fdpexpect

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "lib"))

import bochs_debugger  # noqa: E402: found by the line above

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
ELF = os.path.join(BUILD, "tlbsh.elf")
ISO = os.path.join(BUILD, "tlbsh.iso")
MODES = ["off", "32", "pae", "4level", "5level"]
# A prompt starts a line, or follows another prompt (JSON shows nothing of an empty line).  A "\r" alone does not start a line: the editor
# redraws with it.
PROMPT = re.compile(r"(?:^|\n)(?:(?:off|32|pae|4level|5level)> )*(off|32|pae|4level|5level)> $")
PROMPT_TEXT = re.compile(r"(?:off|32|pae|4level|5level)> ")  # ... anywhere
TCP_QUICKACK = 12
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
# Firmware for UEFI: where Debian has the code and the variables, the machine they want, and the package.
OVMF = {
    "ovmf": ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd", [], "ovmf"),
    "ovmf32": ("/usr/share/OVMF/OVMF32_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF32_VARS_4M.fd", ["-machine", "q35,smm=on"], "ovmf-ia32"),
}


class Stopped(AssertionError):
    """The machine ended, or no longer answers."""


def die_with_parent():
    """In the child before it becomes the machine: a test run that is killed leaves no machine behind."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Line(fdpexpect.fdspawn):
    """A serial line on a socket. Reading notices the other side's end at once; writing is bounded in time."""

    def __init__(self, connection):
        super().__init__(connection.fileno(), encoding="latin-1", timeout=20, maxread=65536)
        self.connection = connection
        self.tcp = connection.family == socket.AF_INET
        self.delaybeforesend = None
        self.delayafterread = None
        self.transcript = ""

    def read_nonblocking(self, size=1, timeout=-1):
        if timeout is None or timeout == -1:
            timeout = self.timeout
        if self.tcp:  # Bochs answers slowly to a peer that delays its acknowledgements, and this setting does not last
            self.connection.setsockopt(socket.IPPROTO_TCP, TCP_QUICKACK, 1)
        if not select.select([self.connection], [], [], max(0, timeout))[0]:
            raise pexpect.TIMEOUT("Timeout exceeded.")
        try:
            data = self.connection.recv(size)
        except ConnectionError:
            data = b""
        if not data:
            self.flag_eof = True
            raise pexpect.EOF("the other end of the serial line is closed")
        text = data.decode("latin-1")
        self.transcript += text
        return text

    def send(self, text, timeout=20):
        """Sends text, or bytes as they are."""
        data = text if isinstance(text, bytes) else text.encode("latin-1")
        end = time.monotonic() + timeout
        while data:
            if not select.select([], [self.connection], [], max(0, end - time.monotonic()))[1]:
                raise pexpect.TIMEOUT("the machine does not take what is sent to it")
            try:
                data = data[self.connection.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL):]
            except BlockingIOError:
                continue
            except ConnectionError as error:
                raise pexpect.EOF("the other end of the serial line is closed") from error


class Machine:
    """What QEMU and Bochs have in common: a serial line with a tlbsh prompt at its other end."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="tlbsh-test-")
        self.process = None
        self.connection = None
        self.serial = None
        self.mode = None
        self.boot = None  # the boot record, where it came as JSON
        self.boot_records = []  # ... and the records behind it, of what `run=` on the command line made it do
        self.boot_text = ""  # all that came before the first prompt
        self.stopped = None  # why there is nothing more to expect of it

    def __enter__(self):
        try:
            self.start()
            self.boot_read()
            return self
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(self, *_):
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait(timeout=20)
        if self.connection:
            self.connection.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def boot_read(self):
        """Waits for the first prompt; again after a reboot."""
        self.boot_text = self.prompt(timeout=self.boot_timeout)
        self.boot_records = self.records(self.boot_text)
        self.boot = self.boot_records[0] if self.boot_records else None

    def run(self, command, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **options}
        self.process = subprocess.Popen(command, preexec_fn=die_with_parent, **options)

    def accept(self, listener):
        """Waits for the machine to connect its serial line."""
        end = time.monotonic() + 20
        while not select.select([listener], [], [], 0.1)[0]:
            if self.process.poll() is not None or time.monotonic() > end:
                raise Stopped(f"{self.name} did not start: {self.said()}")
        self.connection = listener.accept()[0]
        self.serial = Line(self.connection)

    def said(self):
        """What the emulator itself had to say."""
        path = os.path.join(self.dir, "stderr")
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as file:
            return file.read()[-600:]

    def expect(self, patterns, timeout=20, window=None):
        """Waits for one of the patterns on the serial line; gives back its index. serial.match and serial.before are as pexpect's. Only the last
        `window` bytes of what came are looked at, if it is given: right for what can only be at the end."""
        if self.stopped:
            raise Stopped(self.stopped)
        try:
            # The prompt is always the last thing there, so only the end is searched for it; anything else may have been scrolled past.
            window = -1 if patterns is PROMPT else None
            return self.serial.expect(patterns, timeout=timeout, searchwindowsize=window)
        except (pexpect.EOF, pexpect.TIMEOUT) as error:
            why = "has ended" if isinstance(error, pexpect.EOF) else f"did not answer within {timeout:g} s"
            self.stopped = f"{self.name} {why}; it last sent {self.serial.transcript[-500:]!r} {self.said()}"
            raise Stopped(self.stopped) from None

    def prompt(self, timeout=20):
        """Waits for the prompt; gives back what came before it."""
        self.expect(PROMPT, timeout, window=200)
        self.mode = self.serial.match.group(1)
        return self.serial.before

    def send(self, text, timeout=20):
        if self.stopped:
            raise Stopped(self.stopped)
        try:
            self.serial.send(text, timeout)
        except (pexpect.EOF, pexpect.TIMEOUT) as error:
            self.stopped = f"{self.name}: {error}; it last sent {self.serial.transcript[-500:]!r} {self.said()}"
            raise Stopped(self.stopped) from None

    @staticmethod
    def records(text):
        """The records in what was shown. With what is typed not echoed, a record may stand right behind the prompt."""
        lines = (re.sub(r"^((off|32|pae|4level|5level)> )+", "", line) for line in text.splitlines())
        return [json.loads(line) for line in lines if line.startswith("{")]

    def cmds(self, line, timeout=20):
        """Runs a line in JSON mode and gives back all its records."""
        self.send(line + "\r")
        return self.records(self.prompt(timeout))

    def cmd(self, line, timeout=20):
        """Runs a line in JSON mode and gives back its last record."""
        records = self.cmds(line, timeout)
        assert records, f"no record for {line!r}"
        return records[-1]

    def text(self, line, timeout=20):
        """Types a line and gives back what is shown behind it."""
        self.send(line + "\r")
        shown = self.prompt(timeout)
        head, _, rest = shown.partition("\r\n")
        return rest if line[:20] in head else shown

    def wait_end(self, timeout=20):
        """Waits for the emulator to end by itself; gives back its exit status."""
        return self.process.wait(timeout=timeout)


class Qemu(Machine):
    """QEMU with tlbsh by `-kernel`, or from an ISO by SeaBIOS ("iso"), or by OVMF ("ovmf", "ovmf32")."""

    name = known = "qemu"
    boot_timeout = 60

    def __init__(self, cpu="max", append="json=1 color=0", memory="128M", media="kernel", extra=(), com=1, iso=ISO, reboot=False, monitor=False,
                 before="null", accel="tcg"):
        super().__init__()
        self.accel = accel
        self.cpu, self.append, self.memory, self.media, self.extra, self.com = cpu, append, memory, media, list(extra), com
        self.iso, self.reboot, self.monitor = iso, reboot, monitor
        # com: the number of the COM port that is ours, or "pci" for a PCI card; 0 for none (screen.py)
        self.before = before  # what the serial ports before `com` are: "null" a port that nobody listens to, "none" no port

    def media_arguments(self):
        if self.media == "kernel":
            return ["-kernel", ELF, "-append", self.append]
        arguments = ["-cdrom", self.iso]
        if self.media in OVMF:
            code, variables, machine, _ = OVMF[self.media]
            own = os.path.join(self.dir, "vars.fd")
            shutil.copy(variables, own)
            arguments += machine
            arguments += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}", "-drive", f"if=pflash,format=raw,unit=1,file={own}"]
        return arguments

    def start(self):
        path = os.path.join(self.dir, "serial")
        monitor = ["-monitor", f"unix:{self.dir}/monitor,server=on,wait=off"] if self.monitor else []
        line = ["-device", "pci-serial,chardev=c"] if self.com == "pci" else ["-serial", self.before] * (self.com - 1) + ["-serial", "chardev:c"]
        serials = ["-chardev", f"socket,id=c,path={path}", *line]
        with socket.socket(socket.AF_UNIX) as listener, open(os.path.join(self.dir, "stderr"), "w") as stderr:
            listener.bind(path)
            listener.listen(1)
            self.run(["qemu-system-x86_64", "-nodefaults", "-display", "none", "-vga", "std", "-net", "none", "-accel", self.accel, "-cpu", self.cpu,
                      "-m", self.memory, *([] if self.reboot else ["-no-reboot"]), *serials, *monitor, *self.media_arguments(), *self.extra],
                     stderr=stderr)
            self.accept(listener)

    def hmp(self, command):
        """Gives a command to QEMU's monitor; gives back its answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(os.path.join(self.dir, "monitor"))
            answer = b""
            for text in ("", command + "\n"):
                connection.sendall(text.encode())
                answer = b""
                while not answer.endswith(b"(qemu) "):
                    data = connection.recv(4096)
                    assert data, "the monitor closed its line"
                    answer += data
            return answer.decode(errors="replace")


class Bochs(Machine):
    """Bochs with tlbsh from an ISO. When it stops in its debugger it ends, because its standard input is at its end; with `debugger`
    it can be asked there."""

    name = known = "bochs"
    boot_timeout = 60

    def __init__(self, cpu="corei7_skylake_x", iso=None, debugger_commands=("c",), debugger=False):
        super().__init__()
        self.cpu, self.debugger_commands, self.debugger = cpu, debugger_commands, debugger
        self.asked = None  # its bochs_debugger.Debugger
        self.iso = iso or json_iso()

    def start(self):
        rc = os.path.join(self.dir, "rc")
        with open(rc, "w") as file:
            file.write("\n".join(self.debugger_commands) + "\n")
        with socket.socket() as listener, open(os.path.join(self.dir, "stderr"), "w") as stderr:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "bufsize": 0} if self.debugger else {}
            command = bochs_debugger.command(ROOT, self.cpu, listener.getsockname()[1], self.iso, f"{self.dir}/bochs.log", rc)
            self.run(command, cwd=self.dir, env=dict(os.environ, TERM="xterm"), stderr=stderr, **pipes)
            self.accept(listener)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.debugger:
            with open(os.path.join(self.dir, "stderr")) as stderr:
                self.asked = bochs_debugger.Debugger(self.process, bochs_debugger.screen_of(stderr.read()))

    def __exit__(self, *details):
        super().__exit__(*details)
        if self.asked:
            self.asked.close()

    def debug(self, what, *arguments, **options):
        """A method of the debugger; the machine has stopped for good if that does not answer."""
        if self.stopped:
            raise Stopped(self.stopped)
        try:
            return what(*arguments, **options)
        except bochs_debugger.Silent as silent:
            self.stopped = f"{self.name}'s debugger: {silent} {self.said()}"
            raise Stopped(self.stopped) from None

    def debugger_stops(self):
        """Waits for a stop that the guest brings about itself; gives back what the debugger says to it."""
        return self.debug(self.asked.answers, 1)[0]

    def tell_debugger(self, *commands):
        """Where it has stopped: gives it the commands, and goes on; gives back what it answers to each."""
        return self.debug(self.asked.tell, *commands)

    def ask_debugger(self, *commands):
        """Stops, gives the debugger the commands, and goes on; gives back what it answers to each. The guest does not notice. Call it while the
        shell waits at its prompt."""
        return self.debug(self.asked.ask, *commands)

    def said(self):
        """The end of its log: panics, and the CPU's state."""
        path = os.path.join(self.dir, "bochs.log")
        if not os.path.exists(path):
            return super().said()
        with open(path, errors="replace") as file:
            return file.read()[-600:]


def make_iso(path, command_line, efi=False, before=""):
    """An ISO like build/tlbsh.iso that boots at once with the given command line. Without UEFI it is small and quick to make.
    `before` stands before the menu."""
    with tempfile.TemporaryDirectory(prefix="tlbsh-iso-") as top:
        os.makedirs(os.path.join(top, "boot/grub"))
        shutil.copy(ELF, os.path.join(top, "boot/tlbsh.elf"))
        with open(os.path.join(top, "boot/grub/grub.cfg"), "w") as file:
            file.write(f"{before}set timeout=0\nmenuentry t {{\n  multiboot2 /boot/tlbsh.elf {command_line}\n}}\n")
        platforms = [] if efi else ["-d", "/usr/lib/grub/i386-pc"]
        modules = "multiboot2 normal iso9660 configfile" + (" part_msdos part_gpt fat all_video search" if efi else "")
        subprocess.run(["grub-mkrescue", *platforms, f"--install-modules={modules}", "--locales=", "--fonts=", "--themes=", "-o", path, top],
                       check=True, capture_output=True, timeout=120)
    return path


def json_iso(efi=False):
    """The ISO for machines that cannot be given a command line: made once per build."""
    path = os.path.join(BUILD, "test-json-efi.iso" if efi else "test-json.iso")
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(ELF):
        mine = path + f".{os.getpid()}"
        try:
            make_iso(mine, "json=1 color=0", efi)
            os.replace(mine, path)
        finally:
            if os.path.exists(mine):
                os.unlink(mine)
    return path
