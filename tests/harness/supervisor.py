"""Starts the processes of a stack, keeps them running, and stops them: what systemd does for an installation."""
import ctypes
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import time
from pathlib import Path

LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1
BACKLOG = 4096


class Failed(Exception):
    """Something did not start; the message says what and shows its log."""


class Service:
    """One process. listen: a socket path whose listening socket stays ours and is handed over as fd 0."""

    def __init__(self, name, argv, log, env=None, listen=None, ready=None, stop=signal.SIGTERM):
        self.name, self.argv, self.log, self.env, self.ready, self.stop = name, argv, log, env or {}, ready, stop
        self.process, self.wanted, self.due, self.delay, self.started = None, False, 0.0, 0.0, 0.0
        self.socket = open_socket(listen) if listen else None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(a) for a in self.argv], stdin=self.socket or subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.env, start_new_session=True, preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, self.stop))
        self.wanted, self.started = True, time.monotonic()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def halt(self, patience=15):
        """Ends it, by force when it has not ended in time."""
        self.wanted = False
        if self.process is None:
            return
        if self.running():
            self.process.send_signal(self.stop)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill_group()
            self.process.wait()
        self.process = None

    def kill_group(self):
        """Kills the children of a killed master too: they would serve beside the next one."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def schedule(self):
        """Sets when to start it again: at once, but with growing delays while it keeps ending soon after its start."""
        now, told = time.monotonic(), self.process.returncode in (0, -signal.SIGTERM, -signal.SIGKILL)
        self.delay = 0.05 if told or now - self.started > 1 else min(max(self.delay * 2, 0.05), 5)
        self.kill_group()
        self.due, self.process = now + self.delay, None

    def await_ready(self, seconds=60):
        end = time.monotonic() + seconds
        while not (self.ready is None or self.ready()):
            if not self.running() or time.monotonic() > end:
                why = "did not answer in time" if self.running() else "ended with %s" % self.process.returncode
                raise Failed("%s %s; the end of %s:\n%s" % (self.name, why, self.log, tail(self.log)))
            time.sleep(0.03)


def open_socket(path):
    Path(path).unlink(missing_ok=True)
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(path))
    os.chmod(path, 0o660)
    s.listen(BACKLOG)
    return s


def tail(path, lines=25):
    try:
        return "\n".join(Path(path).read_text(errors="replace").splitlines()[-lines:])
    except OSError as e:
        return str(e)


class Supervisor:
    """What is told by describe() is kept in state_file, with the processes' ids as they are now."""

    def __init__(self, state_file, control, log, describe):
        self.services, self.state_file, self.log, self.describe = {}, Path(state_file), log, describe
        self.stopping, self.farewell = False, None
        self.control = open_socket(control)
        self.selector = selectors.DefaultSelector()
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        self.wakeup = (reader, writer)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self.end)
        self.selector.register(reader, selectors.EVENT_READ, lambda: reader.recv(4096))
        self.selector.register(self.control, selectors.EVENT_READ, self.answer)

    def heed(self, terminal):
        """Ends when the terminal hangs up. The kernel tells only the first process there, and make, as the first, waits
        for us and tells nobody."""
        self.terminal = select.epoll()
        self.terminal.register(terminal, select.EPOLLHUP)
        self.selector.register(self.terminal, selectors.EVENT_READ, self.end)

    def end(self, *_):
        self.stopping = True

    def say(self, text):
        with open(self.log, "a") as log:
            print(time.strftime("%H:%M:%S"), text, file=log)

    def launch(self, service):
        """Starts one more and waits until it answers; stops early when told to."""
        self.services[service.name] = service
        service.start()
        service.await_ready()
        if self.stopping:
            raise Failed("told to stop")

    def state(self):
        pids = {s.name: s.process.pid for s in self.services.values() if s.process is not None}
        return {**self.describe(), "supervisor": os.getpid(), "pids": pids}

    def write_state(self):
        new = self.state_file.with_suffix(".new")
        new.write_text(json.dumps(self.state(), indent=1))
        new.rename(self.state_file)

    def tend(self):
        """Restarts what ended. Returns the seconds until there is something to do, or None."""
        changed, now = False, time.monotonic()
        for s in self.services.values():
            if s.process is not None and not s.running():
                self.say("%s ended with %d" % (s.name, s.process.returncode))
                s.schedule()
                changed = True
            if s.wanted and s.process is None and s.due <= now:
                s.start()
                changed = True
        if changed:
            self.write_state()
        due = [s.due for s in self.services.values() if s.wanted and s.process is None]
        return max(min(due) - now, 0) if due else None

    def run(self):
        self.write_state()
        while not self.stopping:
            wait = self.tend()
            for key, _ in self.selector.select(wait):
                key.data()

    def answer(self):
        """One request of `tests/stack show|stop|start|restart|down`."""
        connection, _ = self.control.accept()
        connection.settimeout(5)
        try:
            request = json.loads(connection.recv(4096))
            if request == {"do": "down"}:
                self.farewell = connection      # ends with this process, which tells `down` that all is over
                return self.end()
            reply = json.dumps(self.obey(**request))
        except (OSError, ValueError, KeyError, TypeError, Failed) as e:
            reply = json.dumps({"error": repr(e)})
        try:
            connection.sendall(reply.encode())
        except OSError as e:
            self.say("the client has gone: %s" % e)
        connection.close()

    def obey(self, do, name=None):
        if do == "show":
            return self.state()
        service = self.services[name]
        if do in ("stop", "restart"):
            service.halt()
        if do in ("start", "restart") and not service.running():
            service.start()
            service.await_ready()
        self.write_state()
        return {name: service.process.pid if service.process else None}

    def halt_all(self):
        for s in reversed(list(self.services.values())):
            s.halt()
        self.control.close()
