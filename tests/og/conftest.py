"""og on a socket of its own, without a web server."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
KEY = "0123456789abcdef" * 4
sys.path.insert(0, str(ROOT / "tests/e2e"))
import fcgi  # noqa: E402


def query(heading="", type="page", mode="light"):
    """As our pages write it: it is what the signature is over."""
    return "heading=%s&type=%s&mode=%s" % tuple(quote(value, safe="-._~") for value in (heading, type, mode))


def signature(asked, key=KEY):
    return base64.urlsafe_b64encode(hmac.new(key.encode(), asked.encode(), hashlib.sha256).digest()).decode()[:43]


class Og:
    def __init__(self, directory, process):
        self.socket, self.process = str(directory / "og.sock"), process

    def get(self, asked="", method="GET", **params):
        return fcgi.call(self.socket, method, "/api/og?" + asked, HTTP_HOST="app.example.com", **params)

    def draw(self, *words, **more):
        answer = self.get(query(*words, **more))
        assert answer.status == 200, answer.body
        return answer.body

    def refused(self, asked):
        answer = self.get(asked)
        doc = json.loads(answer.body)
        assert (answer.status, doc.pop("error"), doc.pop("code")) == (400, "Bad request", "bad_request")
        return tuple(doc.values())

    def listens(self):
        try:
            fcgi.Connection(self.socket).close()
        except OSError:
            return False
        return True


@contextmanager
def running(directory, settings="", **env):
    conf = directory / "og.conf"
    conf.write_text('site: { url = "https://app.example.com"; pages = "%s/workers/pages"; };\n%s' % (ROOT, settings))
    process = subprocess.Popen([BUILD / "og", "--config", conf, "--listen", directory / "og.sock"],
                               env={**os.environ, **env}, stderr=open(directory / "og.log", "wb"))
    og = Og(directory, process)
    while not og.listens():
        assert process.poll() is None, (directory / "og.log").read_text()
        time.sleep(0.02)
    try:
        yield og
    finally:
        process.terminate()
    assert process.wait(10) == 0


@pytest.fixture(scope="session")
def og(tmp_path_factory):
    with running(tmp_path_factory.mktemp("og")) as program:
        yield program
