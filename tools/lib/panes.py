"""Two programs side by side in one terminal, by tmux on a server of its own that ends with them. To be run at the top of the tree."""

import os
import shlex
import shutil
import signal
import subprocess
import sys


WIDE = 160  # columns: each pane gets the 80 that the shell counts on; in less they lie one over the other


def there():
    return shutil.which("tmux") is not None


def run(left, right, status):
    """Until either ends. `left` and `right` are commands as lists; `left` (or upper) has the keyboard at first."""
    socket = os.path.join("build", f"panes.{os.getpid()}")
    server = ["tmux", "-S", socket, "-f", "/dev/null"]
    for number in (signal.SIGHUP, signal.SIGTERM):  # a terminal that is closed ends it too
        signal.signal(number, lambda *_: sys.exit(1))
    # When one ends, so does all; but not before a mistake was read.
    end = f" || {{ echo 'Enter ends this.'; read -r _; }}; {shlex.join(server)} kill-server"
    width, height = shutil.get_terminal_size((200, 50))
    steps = [["new-session", "-d", "-x", str(width), "-y", str(height), "-s", "tlbsh", shlex.join(left) + end], ["set", "-g", "mouse", "on"],
             ["set", "-g", "status-right", ""], ["set", "-g", "history-limit", "20000"], ["set", "-s", "escape-time", "0"],
             ["set", "-g", "status-left", f"  {status}  "], ["set", "-g", "status-left-length", "150"],
             ["setw", "-g", "window-status-format", ""], ["setw", "-g", "window-status-current-format", ""],
             ["split-window", "-h" if width >= WIDE else "-v", "-t", "tlbsh", shlex.join(right) + end], ["select-pane", "-t", "tlbsh:.0"]]
    try:
        for step in steps:
            subprocess.run(server + step, check=True)
        subprocess.run(server + ["attach", "-t", "tlbsh"], check=False)
    finally:
        subprocess.run(server + ["kill-server"], check=False, stderr=subprocess.DEVNULL)
        if os.path.exists(socket):
            os.unlink(socket)
