"""fcgi: a raw FastCGI client, for what no web server would send.

    with fcgi.Connection(path) as c:        # or ("127.0.0.1", 9000)
        c.send(fcgi.request("GET", "/signup"))
        answer = c.read()
        assert answer.status == 200
"""
import socket
import struct

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES = range(1, 10)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP_CONN = 1
REQUEST_COMPLETE, CANT_MPX_CONN = 0, 1


def record(kind, content=b"", id=1, version=1, padding=0, length=None):
    """One record; length may lie about the content."""
    size = len(content) if length is None else length
    return struct.pack(">BBHHBx", version, kind, id, size, padding) + content + bytes(padding)


def begin(id=1, role=RESPONDER, flags=0):
    return record(BEGIN, struct.pack(">HB5x", role, flags), id)


def length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)


def pair(name, value):
    name, value = as_bytes(name), as_bytes(value)
    return length(len(name)) + length(len(value)) + name + value


def as_bytes(s):
    return s if isinstance(s, bytes) else s.encode()


def stream(kind, content, id=1, size=65535):
    """Content as records of at most size bytes, and the empty one that ends it."""
    parts = [content[i:i + size] for i in range(0, len(content), size)]
    return b"".join(record(kind, p, id) for p in parts) + record(kind, id=id)


def environment(method="GET", uri="/", body=b"", **more):
    """The parameters a web server sets; more overrides them, and None leaves one out."""
    env = {"REQUEST_METHOD": method, "REQUEST_URI": uri, "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
           "HTTP_HOST": "localhost", "CONTENT_LENGTH": str(len(body)) if body else ""}
    env.update(more)
    return [(k, v) for k, v in env.items() if v is not None]


def head(method="GET", uri="/", body=b"", id=1, flags=0, pairs=(), **more):
    """BEGIN and PARAMS. pairs are added as they are, so that a name may be sent twice."""
    env = environment(method, uri, body, **more) + list(pairs)
    return begin(id, flags=flags) + stream(PARAMS, b"".join(pair(k, v) for k, v in env), id)


def request(method="GET", uri="/", body=b"", id=1, **more):
    """A whole request, as bytes."""
    return head(method, uri, body, id, **more) + stream(STDIN, body, id)


class Answer:
    """What came back. ended: protocol status by request id, for each END_REQUEST; reset: the peer cut us off."""

    def __init__(self, records, reset):
        self.records = records
        self.reset = reset
        self.stdout = b"".join(content for kind, _, content in records if kind == STDOUT)
        self.stderr = b"".join(content for kind, _, content in records if kind == STDERR)
        self.ended = {id: content[4] for kind, id, content in records if kind == END}
        top, _, self.body = self.stdout.partition(b"\r\n\r\n")
        self.headers = [tuple(line.split(": ", 1)) for line in top.decode().split("\r\n") if line]
        self.status = int(self.header("Status") or 0)

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)


class Connection:
    def __init__(self, where, timeout=15):
        family = socket.AF_INET if isinstance(where, tuple) else socket.AF_UNIX
        self.socket = socket.socket(family)
        self.socket.settimeout(timeout)
        self.socket.connect(where if isinstance(where, tuple) else str(where))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def finish(self):
        """No more will be sent; we still read."""
        self.socket.shutdown(socket.SHUT_WR)

    def read(self):
        """All records until the peer closes."""
        data, reset = self.read_bytes()
        records = []
        while len(data) >= 8:
            _, kind, id, size, padding = struct.unpack(">BBHHBx", data[:8])
            records.append((kind, id, data[8:8 + size]))
            data = data[8 + size + padding:]
        return Answer(records, reset)

    def read_bytes(self):
        data = b""
        while True:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                return data, True
            if not more:
                return data, False
            data += more


def call(where, *args, **more):
    """One request, one answer."""
    with Connection(where) as c:
        c.send(request(*args, **more))
        return c.read()
