"""scarce: programs of the stack to which memory, randomness, threads or disk are refused at a chosen call."""
import mmap
import os
import pwd
import random
import signal
import struct
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from faults import pids
from harness.supervisor import Service
from journey import stack_command, wait_until

SOURCE = Path(__file__).with_name("scarce.c")
KINDS = ("memory", "random", "threads", "scratch", "relations", "wal", "clock", "monotonic")
FULL = os.environ.get("PROPERTY_RUNS") == "full"
SEED = int(os.environ.get("PROPERTY_SEED") or time.time())


def build(directory):
    """The library that a program is started with."""
    library = Path(directory) / "scarce.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    library.chmod(0o755)
    return library


class Counters:
    """Attributes are the counters: memory = 7 lets the seventh allocation fail."""

    def __init__(self, path):
        path.write_bytes(bytes(8 * len(KINDS)))
        path.chmod(0o666)
        with open(path, "r+b") as file:
            object.__setattr__(self, "map", mmap.mmap(file.fileno(), 8 * len(KINDS)))

    def __setattr__(self, name, value):
        self.map[(at := 8 * KINDS.index(name)):at + 8] = struct.pack("q", value)

    def __getattr__(self, name):
        return struct.unpack_from("q", self.map, 8 * KINDS.index(name))[0]


class Scarce:
    """One program in place of the stack's own, started again whenever it ends."""

    def __init__(self, stack, name, library, threads=1, log=None, before=()):
        self.stack, self.name, self.deaths = stack, name, 0
        directory = Path(stack["dir"]) / "tmp"
        self.counters = Counters(directory / (name + ".counters"))
        self.log = Path(log) if log else directory / (name + ".scarce.log")
        if log is None:
            self.log.write_bytes(b"")
        for kind, value in dict(before).items():
            setattr(self.counters, kind, value)
        argv = [f"{stack['prefix']}/lib/tollgate/{name}"]
        self.listen = stack["sockets"].get(name)
        if self.listen:
            argv += ["--threads", threads]
            os.rename(self.listen, self.listen + ".kept")
        else:
            stack_command("stop", "--dir", stack["dir"], name)
        config = directory / (name + ".conf")       # the program runs as another user, who needs slots of its own
        config.write_text(Path(stack["config"]).read_text().replace('/slots";', '/slots-of-another";'))
        self.service = Service(name, argv, self.log, listen=self.listen, env={
            "PATH": "/usr/bin:/bin", "TOLLGATE_CONFIG": str(config), "LD_PRELOAD": str(library),
            "SCARCE": str(directory / (name + ".counters"))})
        if self.listen:
            os.chmod(self.listen, 0o666)
        self.closing = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def lines(self, event):
        return [line for line in self.log.read_text().splitlines() if f'"event":"{event}"' in line]

    @property
    def pid(self):
        return self.service.process.pid

    def run(self):
        """What a supervisor does."""
        self.service.start()
        while not self.closing.wait(0.002):
            if not self.service.running():
                self.deaths += 1
                self.service.start()
        self.service.halt()

    def close(self):
        self.closing.set()
        self.thread.join()
        if self.listen:
            os.unlink(self.listen)
            os.rename(self.listen + ".kept", self.listen)
        else:
            stack_command("start", "--dir", self.stack["dir"], self.name)


@contextmanager
def scarce(stack, name, library, **more):
    program = Scarce(stack, name, library, **more)
    try:
        yield program
    finally:
        program.close()


def numbers(most, few):
    """Every n from 1 to most; without PROPERTY_RUNS=full a few of them, drawn by PROPERTY_SEED."""
    everything = range(1, most + 1)
    return everything if FULL or most <= few else sorted(random.Random(SEED).sample(everything, few))


@contextmanager
def scarce_postgres(stack, postgres, library):
    """The stack's server, run here; yields its counters. It is started again whenever it ends."""
    argv = Path(f"/proc/{pids(stack)['postgres']}/cmdline").read_text().split("\0")[:-1]
    owner = pwd.getpwuid(os.stat(stack["dir"] + "/postgres").st_uid)
    as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    path = Path(stack["dir"]) / "tmp/postgres.counters"
    counters = Counters(path)
    postgres.command("stop")

    def start():
        with open(stack["log_dir"] + "/postgres.log", "ab") as log:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=stack["dir"],
                                    env={"PATH": "/usr/bin:/bin", "LD_PRELOAD": str(library), "SCARCE": str(path)},
                                    **as_owner)
    process = start()
    try:
        wait_until(lambda: connects(postgres))
        yield counters
    finally:
        counters.wal = counters.relations = 0
        process.send_signal(signal.SIGINT)
        process.wait(30)
        postgres.command("start")
        postgres.connect()


def connects(postgres):
    try:
        postgres.connect()
        return True
    except Exception:
        return False
