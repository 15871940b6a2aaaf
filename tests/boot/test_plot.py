"""tools/plot: a picture of each kind of record, and nothing but a line where there is none."""

import os
import subprocess

from machines import BUILD, ROOT
from simulated import PROGRAM

PLOT = os.path.join(ROOT, "tools", "plot")
SESSION = "map 0x40000000 A\nbench\nsweep flush 64\ntime read 0x40000000\nread 0x40000000\n"


def plot(*arguments):
    return subprocess.run([PLOT, *map(str, arguments)], capture_output=True, text=True, timeout=60)


def test_each_record_becomes_a_picture(tmp_path):
    log = tmp_path / "log"
    log.write_text(subprocess.run([PROGRAM, "--json"], input=SESSION, capture_output=True, text=True, timeout=60, check=True).stdout)
    assert plot("--each", "-o", tmp_path / "x.svg", "--title", "it's a 'title'", log).returncode == 0
    texts = [(tmp_path / f"x-{number}.svg").read_text() for number in (1, 2, 3)]
    assert all(text.startswith("<?xml") and "a  title" in text for text in texts)
    assert "invlpg-miss" in texts[0] and "MOV CR3, used again" in texts[1] and "pages on" in texts[1]
    assert plot("-o", tmp_path / "y.png", log).returncode == 0
    assert (tmp_path / "y.png").read_bytes().startswith(b"\x89PNG")


def test_the_points_of_this_cpu_become_a_curve(tmp_path):
    points = subprocess.run([os.path.join(BUILD, "capacity-host"), "--points"], capture_output=True, text=True, timeout=60, check=True).stdout
    (tmp_path / "points").write_text(points)
    assert plot("-o", tmp_path / "c.svg", tmp_path / "points").returncode == 0
    assert "ticks per access" in (tmp_path / "c.svg").read_text()


def test_what_holds_no_record_is_refused_with_one_line(tmp_path):
    hostile = ['{"cmd":"sweep"', '{"cmd":"sweep","points":[{"pages":"`touch x`"}]}', '{"cmd":"bench","costs":[{"min":1}]}', '{"cmd":"time","histogram":7}',
               '{"cmd":["sweep"],"points":1}', "nothing at all", "\x00\xff"]
    (tmp_path / "log").write_text("\n".join(hostile))
    result = plot("-o", tmp_path / "z.svg", tmp_path / "log")
    assert result.returncode == 1 and "no record" in result.stderr and result.stderr.count("\n") == 1, result
    assert not (tmp_path / "z.svg").exists()
    assert "ends neither" in plot("-o", "z.gif", tmp_path / "log").stderr
    assert plot(tmp_path / "not there").returncode == 2
