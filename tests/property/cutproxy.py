"""cutproxy: stands between the programs and PostgreSQL, knows where its messages end, and cuts where it is told to.

    cut = proxy.arm("api.open_draft", at=7, how="rst")

The next exchange that calls that function is cut after 7 of its messages: the client's first, up to the Sync, then the
server's, up to ReadyForQuery. fin and rst end both sides; hang forwards nothing more until the client has given up.
"startup ROLE" is the exchange that opens a connection.
"""
import select
import socket
import struct
import threading

HOWS = ("fin", "rst", "hang")
LONGEST_HANG = 20


class Ended(Exception):
    """One side has closed, or we have."""


class Cut:
    def __init__(self, name, at, how):
        self.name, self.at, self.how = name, at, how
        self.fired = threading.Event()


class Wire:
    """One side of a connection: bytes in, whole messages out."""

    def __init__(self, s):
        self.socket, self.data = s, b""

    def fill(self):
        try:
            more = self.socket.recv(65536)
        except OSError:
            more = b""
        if not more:
            raise Ended
        self.data += more

    def message(self, typed=True):
        """The next one, whole. The client's first has no type."""
        while len(self.data) < 4 + typed or len(self.data) < self.length(typed):
            self.fill()
        n = self.length(typed)
        found, self.data = self.data[:n], self.data[n:]
        return found

    def length(self, typed):
        return typed + struct.unpack(">I", self.data[typed:typed + 4])[0]

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            raise Ended from None


class Link:
    """One connection of a program, and ours to the server."""

    def __init__(self, proxy, client):
        self.proxy, self.statements = proxy, {}
        upstream = socket.socket(socket.AF_UNIX)
        try:
            upstream.connect(proxy.upstream)
        except OSError:
            upstream.close()
            client.close()
            raise Ended from None
        self.client, self.server = Wire(client), Wire(upstream)

    def run(self):
        try:
            first = self.client.message(typed=False)
            self.exchange("startup " + first[8:].split(b"\0")[1].decode(), [first])
            while True:
                self.await_client()
                sent = [self.client.message()]
                while sent[-1][:1] not in b"SQX":
                    sent.append(self.client.message())
                if sent[-1][:1] == b"X":
                    raise Ended
                self.exchange(self.called(sent), sent)
        except Ended:
            self.close()

    def await_client(self):
        """What the server says between exchanges goes through."""
        while not self.client.data:
            ready, _, _ = select.select([self.client.socket, self.server.socket], [], [])
            if self.server.socket in ready:
                self.server.fill()
                self.client.send(self.server.data)
                self.server.data = b""
            else:
                self.client.fill()

    def called(self, sent):
        """The SQL of all that is called, as one text."""
        found = []
        for message in sent:
            body = message[5:].split(b"\0")
            if message[:1] == b"P":
                self.statements[body[0]] = body[1].decode()
                found.append(body[1].decode())
            elif message[:1] == b"B":
                found.append(self.statements.get(body[1], ""))
            elif message[:1] == b"Q":
                found.append(body[0].decode())
        return " ".join(found)

    def exchange(self, sql, sent):
        cut = self.proxy.claim(sql)
        self.forward(cut, 0, sent, self.server)
        received = 0
        last = b""
        while last[:1] != b"Z":
            last = self.server.message()
            received += 1
            if last[:1] == b"Z":    # before the client can go on and ask for it
                self.proxy.counted(sql, len(sent) + received)
            self.forward(cut, len(sent) + received - 1, [last], self.client)
        if cut:
            self.end(cut)

    def forward(self, cut, before, messages, to):
        """All of them, or as many as are left until the cut."""
        for n, message in enumerate(messages):
            if cut and before + n == cut.at:
                self.end(cut)
            to.send(message)

    def end(self, cut):
        if cut.how == "rst":
            self.client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if cut.how == "hang":
            cut.fired.set()
            self.client.socket.settimeout(LONGEST_HANG)
            while True:     # until the client has given up
                self.client.fill()
        self.close()
        cut.fired.set()
        raise Ended

    def close(self):
        for wire in (self.client, self.server):
            try:
                wire.socket.shutdown(socket.SHUT_RDWR) if wire is self.server else None
            except OSError:
                pass
            wire.socket.close()


class Proxy:
    def __init__(self, upstream):
        self.upstream, self.lock, self.armed, self.counts, self.links = upstream, threading.Lock(), None, {}, []
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            link = Link(self, client)
        except Ended:
            return
        with self.lock:
            self.links.append(link)
        link.run()
        with self.lock:
            self.links.remove(link)

    def close(self):
        self.listening.close()
        self.drop()

    def drop(self):
        """Ends all connections, as a server does that stops."""
        with self.lock:
            for link in self.links:
                try:
                    link.server.socket.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def arm(self, name, at, how):
        with self.lock:
            self.armed = Cut(name, at, how)
            return self.armed

    def claim(self, sql):
        """The cut that waits for this exchange, which is the only one to get it."""
        with self.lock:
            if self.armed is None or self.armed.name not in sql:
                return None
            cut, self.armed = self.armed, None
            return cut

    def counted(self, sql, messages):
        with self.lock:
            self.counts[sql] = max(messages, self.counts.get(sql, 0))

    def length(self, name):
        """The most messages an exchange of that function had."""
        with self.lock:
            return max((n for sql, n in self.counts.items() if name in sql), default=0)
