"""Booted machines under test: QEMU and Bochs, each with its serial line on a socket that pexpect drives.

A machine is a context manager.  `cmd()` speaks JSON, `text()` types a line as a person would and gives back what was shown.
Everything that is started is ended by its own handle; sockets are unix sockets or loopback ports that the system picks.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

from pexpect import fdpexpect

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
ELF = os.path.join(BUILD, "tlbsh.elf")
ISO = os.path.join(BUILD, "tlbsh.iso")
MODES = ["off", "32", "pae", "4level", "5level"]
PROMPT = re.compile(r"(?:^|[\r\n])(off|32|pae|4level|5level)> $")
TCP_QUICKACK = 12


class Machine:
    """What QEMU and Bochs have in common: a serial line with a tlbsh prompt at its other end."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="tlbsh-test-")
        self.process = None
        self.connection = None
        self.serial = None
        self.mode = None
        self.boot = None  # the boot record, where it came as JSON

    def __enter__(self):
        try:
            self.start()
            self.prompt(timeout=self.boot_timeout)
            records = self.records(self.serial.before)
            self.boot = records[0] if records else None
            return self
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        if self.connection:
            self.connection.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def attach(self, connection):
        self.connection = connection
        connection.setblocking(True)
        self.serial = fdpexpect.fdspawn(connection.fileno(), encoding="latin-1", timeout=20)
        self.serial.delaybeforesend = None
        self.serial.maxread = 65536
        self.serial.searchwindowsize = 200

    def quickack(self):
        """Bochs answers slowly to a peer that delays its acknowledgements."""

    def prompt(self, timeout=20):
        """Waits for the prompt; gives back what came before it."""
        self.quickack()
        self.serial.expect(PROMPT, timeout=timeout)
        self.mode = self.serial.match.group(1)
        return self.serial.before

    def send(self, text):
        self.serial.send(text)

    @staticmethod
    def records(text):
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

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
        return self.process.wait(timeout=timeout)


class Qemu(Machine):
    name = "qemu"
    boot_timeout = 40

    def __init__(self, cpu="max", append="json=1 color=0", memory="128M", media="kernel", extra=(), com=1):
        super().__init__()
        self.cpu, self.append, self.memory, self.media, self.extra, self.com = cpu, append, memory, media, list(extra), com

    def media_arguments(self):
        if self.media == "kernel":
            return ["-kernel", ELF, "-append", self.append]
        arguments = ["-cdrom", self.media if self.media.endswith(".iso") else ISO]
        if self.media == "ovmf":
            variables = os.path.join(self.dir, "vars.fd")
            shutil.copy("/usr/share/OVMF/OVMF_VARS_4M.fd", variables)
            arguments += ["-drive", "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd"]
            arguments += ["-drive", f"if=pflash,format=raw,unit=1,file={variables}"]
        return arguments

    def start(self):
        path = os.path.join(self.dir, "serial")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(1)
            serials = ["-serial", "null"] * (self.com - 1) + ["-chardev", f"socket,id=c,path={path}", "-serial", "chardev:c"]
            self.process = subprocess.Popen(
                ["qemu-system-x86_64", "-nodefaults", "-no-reboot", "-display", "none", "-vga", "std", "-net", "none", "-accel", "tcg",
                 "-cpu", self.cpu, "-m", self.memory, *serials, *self.media_arguments(), *self.extra],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.dir, "stderr"), "w"))
            listener.settimeout(20)
            self.attach(listener.accept()[0])


class Bochs(Machine):
    name = "bochs"
    boot_timeout = 60

    def __init__(self, cpu="corei7_skylake_x", iso=None, debugger_commands=("c",)):
        super().__init__()
        self.cpu, self.debugger_commands = cpu, debugger_commands
        self.iso = iso or json_iso()

    def start(self):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        rc = os.path.join(self.dir, "rc")
        with open(rc, "w") as file:
            file.write("\n".join(self.debugger_commands) + "\n")
        overrides = [
            f"cpu: model={self.cpu}, count=1, ips=4000000, reset_on_triple_fault=0",
            f"com1: enabled=1, mode=socket-client, dev=localhost:{listener.getsockname()[1]}",
            f"ata0-master: type=cdrom, path={self.iso}, status=inserted",
            f"log: {self.dir}/bochs.log",
        ]
        self.process = subprocess.Popen(["bochs-bin", "-q", "-f", os.path.join(ROOT, "bochsrc"), "-rc", rc, *overrides], cwd=self.dir,
                                        env=dict(os.environ, TERM="xterm"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        listener.settimeout(20)
        self.attach(listener.accept()[0])
        listener.close()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def quickack(self):
        self.connection.setsockopt(socket.IPPROTO_TCP, TCP_QUICKACK, 1)

    def prompt(self, timeout=20):
        """As Machine.prompt, but acknowledging at once each time something came: QUICKACK does not last."""
        end = time.monotonic() + timeout
        while True:
            self.quickack()
            if self.serial.expect([PROMPT, "[^\n]\n"], timeout=max(0.1, end - time.monotonic())) == 0:
                break
            self.held = getattr(self, "held", "") + self.serial.before + self.serial.after
        self.mode = self.serial.match.group(1)
        self.serial.before = getattr(self, "held", "") + self.serial.before
        self.held = ""
        return self.serial.before


def make_iso(path, command_line):
    """An ISO like build/tlbsh.iso that boots at once with the given command line (BIOS only: small and quick to make)."""
    with tempfile.TemporaryDirectory(prefix="tlbsh-iso-") as top:
        os.makedirs(os.path.join(top, "boot/grub"))
        shutil.copy(ELF, os.path.join(top, "boot/tlbsh.elf"))
        with open(os.path.join(top, "boot/grub/grub.cfg"), "w") as file:
            file.write(f"set timeout=0\nmenuentry t {{\n  multiboot2 /boot/tlbsh.elf {command_line}\n}}\n")
        subprocess.run(["grub-mkrescue", "-d", "/usr/lib/grub/i386-pc", "--install-modules=multiboot2 normal iso9660 configfile",
                        "--locales=", "--fonts=", "--themes=", "-o", path, top], check=True, capture_output=True)
    return path


def json_iso():
    """The ISO for machines that cannot be given a command line: made once per build."""
    path = os.path.join(BUILD, "test-json.iso")
    if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(ELF):
        make_iso(path + f".{os.getpid()}", "json=1 color=0")
        os.replace(path + f".{os.getpid()}", path)
    return path
