"""chatting: POST /api/chat as useChat sends it, its answer part by part, and the stand-in for models behind it."""
import http.client
import json
import secrets
import socket
import time
from urllib.parse import urlsplit

import requests
from journey import wait_until


def new_id():
    return secrets.token_hex(8)


def text_of(text):
    return [{"type": "text", "text": text}]


class Answer:
    """An answer as it comes. parts: those read so far, at: when each came; a status other than 200 has json."""

    def __init__(self, connection, response):
        self.connection, self.response = connection, response
        self.status, self.headers = response.status, response.getheaders()
        self.parts, self.at, self.pings, self.rest, self.broken = [], [], 0, b"", None
        self.raw = b"" if self.is_stream() else response.read()
        self.json = json.loads(self.raw) if not self.is_stream() and self.raw[:1] == b"{" else None

    def is_stream(self):
        return (self.header("Content-Type") or "").startswith("text/event-stream")

    def header(self, name):
        return dict((k.lower(), v) for k, v in self.headers).get(name.lower())

    def take(self, event):
        lines = event.decode().split("\n")
        self.pings += sum(line.startswith(":") for line in lines)
        data = [line[6:] for line in lines if line.startswith("data: ")]
        if data and data[0] != "[DONE]":
            assert len(data) == 1, "a part is one line"
            self.parts.append(json.loads(data[0]))
            self.at.append(time.monotonic())
        elif data:
            self.parts.append("[DONE]")
            self.at.append(time.monotonic())

    def more(self):
        """Reads what comes next; False at the end."""
        try:
            piece = self.response.read1(65536)
        except (http.client.HTTPException, OSError) as e:
            self.broken = e
            return False
        self.raw += piece
        *events, self.rest = (self.rest + piece).split(b"\n\n")
        for event in events:
            self.take(event)
        return piece != b""

    def until(self, check, seconds=30):
        """Reads until check() holds."""
        end = time.monotonic() + seconds
        while not check():
            assert time.monotonic() < end, self
            assert self.more(), self
        return self

    def first(self):
        return self.until(lambda: self.text)

    def all(self):
        """Reads to the end."""
        if self.is_stream():
            while self.more():
                pass
        self.close()
        return self

    def close(self):
        self.response.close()
        self.connection.close()

    def kinds(self):
        return [p if p == "[DONE]" else p["type"] for p in self.parts]

    def of(self, kind):
        return [p for p in self.parts if p != "[DONE]" and p["type"] == kind]

    @property
    def text(self):
        return "".join(p["delta"] for p in self.of("text-delta"))

    @property
    def finish(self):
        found = self.of("finish")
        return found[0]["finishReason"] if found else None

    @property
    def metadata(self):
        return self.of("finish")[0]["messageMetadata"]

    @property
    def error(self):
        """The document of a refusal, whichever way it came."""
        found = self.of("error")
        return json.loads(found[0]["errorText"]) if found else self.json

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.raw[-1500:]!r} {self.broken!r}>"


class Chat:
    """A page of a signed-in browser. Keeps the browser's cookies."""

    def __init__(self, browser, url=None, ident=None):
        self.browser, self.url, self.id = browser, url or browser.base, ident or new_id()

    def document(self, text, message=None, **more):
        return {"id": self.id, "messages": [{"id": message or new_id(), "role": "user", "parts": text_of(text)}],
                "trigger": "submit-message", **more}

    def open_only(self, document, buffer=None, **headers):
        """Sends a document, or bytes, and reads nothing: the connection. buffer: bytes that the kernel takes for us."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        parts = urlsplit(self.url)
        sent = {"Content-Type": "application/json", "Accept": "*/*", "Origin": self.browser.base,
                "Sec-Fetch-Site": "same-origin", **self.browser.cookie_header("POST", self.browser.base, None)}
        sent.update({k.replace("_", "-"): v for k, v in headers.items()})
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=300)
        if buffer:
            connection.sock = socket.socket()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            connection.sock.connect((parts.hostname, parts.port))
        connection.request("POST", "/api/chat", body, {"Host": urlsplit(self.browser.base).netloc, "User-Agent": "chat",
                                                        **{k: v for k, v in sent.items() if v is not None}})
        return connection

    def open(self, document, **headers):
        """Sends a document, or bytes, and returns once the head is there."""
        connection = self.open_only(document, **headers)
        answer = Answer(connection, connection.getresponse())
        answer.url = self.browser.base
        answer.header_all = lambda name: [v for k, v in answer.headers if k.lower() == name.lower()]
        self.browser.keep_cookies(answer)
        return answer

    def begin(self, text, message=None, **more):
        return self.open(self.document(text, message, **more))

    def send(self, text, message=None, **more):
        return self.begin(text, message, **more).all()

    def api(self, path="", method="GET", body=None, **headers):
        url = f"/api/chat{path}"
        data = None if body is None else json.dumps(body).encode()
        if method != "GET":
            headers = {"Content_Type": "application/json", **headers}
        return self.browser.request(method, url, data, came_from=self.browser.base, **headers)

    def shown(self):
        """Its messages, as the database has them."""
        return self.api(f"/{self.id}").json["messages"]


class Models:
    """The control of tests/models/server."""

    def __init__(self, url):
        self.url = url

    def plan(self, times=1, /, **plan):
        """What the next call gets (times=0: each). A member that begins with "for_" says which calls it is for."""
        where = {k[4:]: plan.pop(k) for k in list(plan) if k.startswith("for_")}
        self.put({"plan": plan, "times": times, **where})

    def put(self, rules):
        answer = requests.post(self.url + "/control", json=rules, timeout=30)
        assert answer.ok, answer.text

    def rules(self):
        """Those that wait for calls."""
        return requests.get(self.url + "/control", timeout=30).json()

    def clear(self):
        """Forgets plans and calls, once none of them is under way."""
        requests.delete(self.url + "/control", timeout=30)
        wait_until(lambda: self.books(open=1, brief=1) == [])
        requests.delete(self.url + "/books", timeout=30)

    def books(self, **query):
        return requests.get(self.url + "/books", params=query, timeout=30).json()

    def calls(self):
        return [(call["name"], call["status"], call["end"]) for call in self.books(brief=1)]
