"""Packages from npm, installed from a lock file into a directory of their own."""
import fcntl
import shutil
import subprocess

import pytest

FILES = ("package.json", "package-lock.json")


def installed(source, built):
    """built, with what source's lock file names. The test is skipped when npm cannot install it in a minute or so.
    Suites that run side by side may ask for the same."""
    built.parent.mkdir(parents=True, exist_ok=True)
    with open(built.with_name(built.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return install(source, built)


def install(source, built):
    done = (built / "node_modules/.package-lock.json").is_file()       # which npm writes at its end
    if done and all((built / n).read_bytes() == (source / n).read_bytes() for n in FILES):
        return built
    shutil.rmtree(built, ignore_errors=True)
    built.mkdir(parents=True)
    for name in FILES:
        shutil.copy(source / name, built)
    made = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-timeout=30000",
                           "--fetch-retries=1"], capture_output=True, text=True, cwd=built)
    if made.returncode:
        shutil.rmtree(built)
        pytest.skip("npm cannot install %s: %s" % (built.name, made.stderr.strip()[-200:]))
    return built
