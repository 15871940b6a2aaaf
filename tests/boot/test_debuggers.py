"""`make bochs`, `make gdb` and the tools beside them, on terminals of their own as a person has them."""

import json
import os
import re
import signal
import subprocess
import time

import pexpect
import pytest

from machines import ROOT

PAGE = "0x40078000"
TERMINAL = dict(os.environ, TERM="xterm-256color")


def tool(*arguments, timeout=60):
    return subprocess.run([os.path.join(ROOT, "tools", arguments[0]), *arguments[1:]], capture_output=True, text=True, timeout=timeout, check=False)


def spawn(name, *arguments, size=(45, 180)):
    return pexpect.spawn(os.path.join(ROOT, "tools", name), list(arguments), cwd=ROOT, env=TERMINAL, encoding="latin-1", timeout=20, dimensions=size)


def ended(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def processes():
    """The emulators, servers and clients that run from this tree: {pid: command line}."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
            here = os.readlink(f"/proc/{pid}/cwd") == ROOT
        except OSError:
            continue
        if here and re.match(r"(bochs-bin|tmux|socat|qemu-system|gdb)\b", os.path.basename(line.split(" ")[0] or "-")):
            found[pid] = line
    return found


def wait_until_gone(before):
    end = time.monotonic() + 10
    while set(processes()) - set(before) and time.monotonic() < end:
        time.sleep(0.05)
    assert not set(processes()) - set(before)
    assert not any(os.path.exists(os.path.join(ROOT, "build", name)) for name in ("bochs.serial", "bochs.control", "gdb.serial", "gdb.stub"))


@pytest.fixture
def nothing_left():
    before = processes()
    yield
    wait_until_gone(before)


@pytest.fixture
def session(nothing_left):
    """(debugger, shell), each on its terminal."""
    debugger, shell = spawn("bochs"), None
    try:
        debugger.expect("The guest runs")
        shell = spawn("bochs-serial")
        shell.expect("4level> ")
        yield debugger, shell
    finally:
        for child in (debugger, shell):
            if child and not child.closed:
                child.close(force=True)


def ask(child, line, prompt="<bochs> "):
    child.sendline(line)
    child.expect(re.escape(prompt))
    return child.before


def test_the_debugger_and_the_shell(session):
    debugger, shell = session
    shell.send(f"map {PAGE} A; break on; read {PAGE}\r")
    debugger.expect("Magic breakpoint.*cpu_stop_read8.*<bochs> ")
    assert "tools/bochs-tlb" in ask(debugger, "?")
    walk = ask(debugger, "walk")
    assert re.search(r"read +PTE +120 +at 0x[0-9a-f]+ +0x3d0003 .*P RW", walk) and "sets A" in walk and "physical 0x3d0000" in walk
    assert f"DTLB  120: {PAGE} -> 0x3d0000 (A): read" in ask(debugger, f"at {PAGE}")
    assert PAGE in ask(debugger, "dtlb") and "nothing of the student's" in ask(debugger, "itlb")
    assert "cpu_timed_invlpg.32" in ask(debugger, "stop invlpg") and "no 'nonsense'" in ask(debugger, "stop nonsense")
    debugger.sendline("c")
    shell.expect("frame A.*4level> ")
    shell.send(f"break off; invlpg {PAGE}\r")
    debugger.expect(r"cpu_timed_invlpg\+0.*<bochs> ")
    ask(debugger, "nostop")
    debugger.sendline("c")
    shell.expect("4level> ")
    debugger.sendintr()
    debugger.expect("<bochs> ")
    assert "nothing of the student's" in ask(debugger, "dtlb")
    debugger.sendline("c")
    shell.send("let alive = 1\r")
    shell.expect("alive = 0x1.*4level> ")
    debugger.sendintr()
    debugger.expect("<bochs> ")
    debugger.sendline("q")
    assert ended(debugger) == 0 and ended(shell) == 0


def test_a_paste_is_whole_and_poweroff_ends_all(session):
    debugger, shell = session
    lines = [f"let v{i % 40} = {i} * 3 + 0x1000" for i in range(700)]
    shell.send("json on\r")
    shell.expect('"json":true.*4level> ')
    shell.send("".join(line + "\r" for line in lines))
    values = []
    while len(values) < len(lines):
        shell.expect(r'"cmd":"let"[^}]*"value":"(0x[0-9a-f]+)"')
        values.append(int(shell.match[1], 16))
    assert values == [i * 3 + 0x1000 for i in range(len(lines))]
    shell.send("poweroff\r")
    assert ended(debugger) == 0 and ended(shell) == 0


def test_tools_beside_a_session(session):
    debugger, shell = session
    beside = pexpect.spawn(os.path.join(ROOT, "tools", "bochs-tlb"), ["--json"], encoding="latin-1", timeout=20)
    try:
        beside.expect(r"\{.*\}\r\n")  # what is there at first
        shell.send(f"map {PAGE} A; read {PAGE}\r")
        shell.expect("fresh.*4level> ")
        beside.expect(r"\{.*\}\r\n")
        seen = json.loads(beside.after)
        assert [(row["tlb"], row["slot"], row["va"], row["frame"], row["proven"]) for row in seen["entered"]] == [("DTLB", 120, PAGE, "A", "read")]
        assert seen["expected"] == {PAGE: "may be cached as A (sup rw)"}
        shell.send(f"map {PAGE} B; invlpg {PAGE}\r")
        beside.expect(r"\{.*\}\r\n")
        assert [row["frame"] for row in json.loads(beside.after)["left"]] == ["A"]
    finally:
        beside.sendintr()
        beside.close(force=True)
    walk = json.loads(tool("bochs-walk", PAGE, "w", "--json").stdout)
    assert [row["level"] for row in walk["walk"] if row["op"] == "read"] == ["PML4E", "PDPTE", "PDE", "PTE"]
    assert "D" in walk["walk"][-1]["flags"] and walk["access"]["physical"] == "0x3d1000"
    debugger.sendintr()
    debugger.expect("<bochs> ")
    assert "stopped in the debugger" in tool("bochs-walk", PAGE).stderr
    debugger.sendline("c")
    shell.send("let seen = 1\r")
    shell.expect("seen = 0x1.*4level> ")
    shell.send("history\r")
    shell.expect("let seen.*4level> ")
    assert "tlb" not in shell.before and "touch" not in shell.before
    debugger.sendintr()
    debugger.expect("<bochs> ")
    debugger.sendline("q")
    ended(debugger)


def test_terminals_come_and_go(session):
    debugger, shell = session
    second = spawn("bochs-serial")
    shell.send("let a = 5\r")
    for child in (shell, second):
        child.expect("a = 0x5.*4level> ")
    shell.close(force=True)
    second.send("let a = 6\r")
    second.expect("a = 0x6.*4level> ")
    third = spawn("bochs-serial")
    second.send("let a = 7\r")
    third.expect("a = 0x7.*4level> ")
    third.send("poweroff\r")
    assert ended(second) == 0 and ended(third) == 0 and ended(debugger) == 0


def test_both_in_one_terminal(nothing_left):
    terminal = spawn("bochs", "--panes")
    terminal.expect("The guest runs")
    terminal.expect("4level> ")
    terminal.send(f"map {PAGE} A; break on; read {PAGE}\r")
    terminal.expect("Magic breakpoint")
    terminal.send("\x02o")  # the other pane
    terminal.send("walk\r")
    terminal.expect("sets A")
    terminal.send("q\r")
    assert ended(terminal) == 0


def test_a_terminal_that_is_closed_leaves_nothing(nothing_left):
    terminal = spawn("bochs", "--panes")
    terminal.expect("4level> ")
    terminal.close(force=True)
    second = spawn("bochs")
    second.expect("The guest runs")
    second.kill(signal.SIGKILL)
    second.close()
    for name in ("bochs.serial", "bochs.control"):  # it could not clear up, and is not in the way of the next
        os.unlink(os.path.join(ROOT, "build", name))


def test_a_cpu_that_bochs_lacks_is_said(nothing_left):
    answer = tool("bochs", "--cpu", "z80")
    assert answer.returncode == 2 and "'z80'" in answer.stderr and "corei7_skylake_x" in answer.stderr


def test_tlb_by_script():
    lines = tool("bochs-tlb", "--json", "--run", f"map {PAGE} A; read {PAGE}; read 0x40878000; map 0x40878000 B; read 0x40878000; cr3").stdout.splitlines()
    steps = [json.loads(line) for line in lines]
    moves = [([row["frame"] for row in step["entered"]], [row["frame"] for row in step["left"]]) for step in steps]
    assert moves == [([], []), (["A"], []), ([], []), ([], []), (["B"], ["A"]), ([], ["B"])]
    assert steps[1]["records"][0]["outcome"] == "fresh"
    table = tool("bochs-tlb", "--run", f"map {PAGE} A user; exec {PAGE} user").stdout
    assert re.search(rf"\+ ITLB +120 +{PAGE} +0x3d0000 A +4 KiB +exec, user exec +may be cached as A \(user rw\)", table)


@pytest.mark.parametrize("mode, levels", [("4level", ["PML4E", "PDPTE", "PDE", "PTE"]), ("pae", ["PDE", "PTE"]), ("32", ["PDE", "PTE"])])
def test_walk_by_script(mode, levels):
    shown = tool("bochs-walk", PAGE, "w", "user", "--run", f"mode {mode}; map {PAGE} A user; cr3").stdout
    assert re.findall(r"read +(P\w+) ", shown) == levels
    assert re.search(r"write +PTE +120 +at 0x[0-9a-f]+ +0x3d0067 +sets A and D", shown)
    assert re.search(rf"write +[48] bytes at {PAGE}, physical 0x3d0000", shown)
    hit = tool("bochs-walk", PAGE, "r", "--run", f"mode {mode}; map {PAGE} A; cr3; read {PAGE}").stdout
    assert "no walk" in hit
    fault = tool("bochs-walk", PAGE, "user", "--run", f"mode {mode}; map {PAGE} A; cr3").stdout
    assert "a fault" in fault and "sets" not in fault


def test_without_a_session_the_tools_say_so(nothing_left):
    for name in (["bochs-tlb"], ["bochs-walk", PAGE]):
        answer = tool(*name)
        assert answer.returncode == 1 and "make bochs" in answer.stderr


@pytest.mark.parametrize("mode, root", [("4level", "4-level paging, root at 0x2f0000"), ("pae", "PAE paging"), ("32", "32-bit paging"), ("off", "paging is off")])
def test_gdb(mode, root, nothing_left):
    said = tool("gdb", "--mode", mode, "--", "-batch", "-ex", "b shell_run", "-ex", "c", "-ex", "lab-walk 0x3d0000", "-ex", "lab-stop cr3", "-ex", "bt").stdout
    assert root in said and "in kernel_main" in said and "cpu_load_cr3. (2 locations)" in said
    assert mode == "off" or re.search(r"PTE .* 0x3d0063  P RW A D\n0x3d0000 -> 0x3d0000", said)
