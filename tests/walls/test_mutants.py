"""tests/mutants/run tells a mistake that is noticed from one that is not, and leaves nothing behind."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = '[[mutant]]\nwhat = "%s"\nfile = "word"\ntext = "%s"\nwith = "bad"\ntests = ["%s"]\n'
GREP = "all:\n\t@grep -q good word\n"


@pytest.fixture
def tree(tmp_path):
    """A tree of two words and one test: the first word is good."""
    tree = tmp_path / "tree"
    (tree / "tests/mutants").mkdir(parents=True)
    (tmp_path / "tmp").mkdir()
    shutil.copy(ROOT / "tests/mutants/run", tree / "tests/mutants")
    (tree / "word").write_text("good idle\n")
    (tree / "Makefile").write_text(GREP)
    return tree


def rows(tree, *rows):
    (tree / "tests/mutants/a.toml").write_text("".join(ROW % row for row in rows))


def start(tree, *arguments):
    """As from a terminal: what a shell starts in the background has SIGINT ignored."""
    return subprocess.Popen([sys.executable, tree / "tests/mutants/run", "--jobs", "1", *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env={**os.environ, "TMPDIR": str(tree.with_name("tmp"))},
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def run(tree, *arguments):
    process = start(tree, *arguments)
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def left(tree):
    """Copies of the tree, and processes that work in one."""
    found = [str(path) for path in tree.with_name("tmp").iterdir()]
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        entry = "/proc/%s/cwd" % pid
        try:
            found += [entry] if Path(os.readlink(entry)).is_relative_to(tree.parent) else []
        except OSError:
            pass
    return found


def test_a_mistake_that_is_noticed_is_caught(tree):
    rows(tree, ("the word is not good", "good", "build"))
    code, said = run(tree)
    assert code == 0 and "1 caught, 0 survived" in said and left(tree) == []
    assert (tree / "word").read_text() == "good idle\n"


def test_a_mistake_that_no_test_notices_survives(tree):
    rows(tree, ("the other word is changed", "idle", "build"), ("the word is not good", "good", "build"))
    code, said = run(tree)
    assert code == 1 and "1 caught, 1 survived" in said


def test_a_test_that_fails_without_a_mistake_proves_nothing(tree):
    (tree / "Makefile").write_text("all:\n\t@false\n")
    rows(tree, ("the word is not good", "good", "build"))
    code, said = run(tree)
    assert code == 1 and "fail without any mistake" in said


@pytest.mark.parametrize("row, why", [
    (("gone", "absent", "build"), "its text is 0 times in word"),
    (("twice", "d", "build"), "its text is 2 times in word"),
    (("no test", "good", "unit test_absent"), "tests/unit/test_absent.c is not there"),
    (("no suite", "good", "units test_a"), "units is no suite"),
    (("no file", "good", "mail absent"), "absent is not -k WORDS"),
    (("no words", "good", "mail -k 'absent or'"), "no test of tests/mail has absent")])
def test_a_row_that_has_rotted_fails_every_run(tree, row, why):
    rows(tree, ("the word is not good", "good", "build"), row)
    for arguments in (["the word"], ["--sample", "1"], ["--list"]):
        code, said = run(tree, *arguments)
        assert code == 1 and why in said and "caught" not in said


def test_a_selection_that_runs_no_test_catches_nothing(tree):
    (tree / "tests/walls").mkdir()
    (tree / "tests/walls/test_a.py").write_text("def test_a():\n    assert 'idle' in open('word').read()\n")
    rows(tree, ("the other word is changed", "idle", "walls -k a"),
         ("of a test that is gone", "idle", "walls -k idle"))
    code, said = run(tree, "--no-baseline")
    assert code == 1 and "1 caught, 0 survived, 1 broken" in said


def test_a_sample_is_drawn_again_by_its_seed(tree):
    rows(tree, *(("number %d" % n, "good", "build") for n in range(20)))
    first, second = (re.findall(r"number \d+", run(tree, "--sample", "3", "--seed", "5", "--no-baseline")[1])
                     for _ in range(2))
    assert first == second and len(first) == 3


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(tree, how):
    # Not a shell: one that is interrupted while it forks goes on, and is ended by force half a minute later.
    (tree / "wait").write_text("import os, time\nos.mknod('began')\ntime.sleep(300)\n")
    (tree / "Makefile").write_text("all:\n\t@(setsid sleep 300 &) ; exec /usr/bin/python3 wait\n")
    rows(tree, ("the word is not good", "good", "build"))
    process = start(tree)
    deadline = time.monotonic() + 30
    while not [*tree.with_name("tmp").glob("*/0/began")]:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(how)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in said and left(tree) == []
