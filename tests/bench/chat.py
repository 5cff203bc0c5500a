"""chat: what it adds to the time of a model's text, next to a client that asks the stand-in of tests/models itself,
with few and many answers at once; its CPU for an event and its memory for an answer; and turns a second in the
database."""
import json
import re
import secrets
import selectors
import socket
import statistics
import time
import urllib.request

RATE = 20               # events a second of each answer
SECONDS = 20            # of each answer
BEGUN = 20              # answers a second, until all are under way
SHORT = 50              # answers of a word, one after another
CLIENTS = 8             # of pgbench
NETWORKS = 8            # that the answers are asked from, since nginx has a limit for each
SETTLE_S = 3            # until the memory of what came before is given back, and the CPU rests
PIECES = re.compile(rb'"delta": ?"((?:\d+ )+)"')        # each a time in ns, by the clock of this machine
FRAME = re.compile(rb"\r\n[0-9a-f]+\r\n")               # of a body in chunks; events have no CR
ENDS = (b'"type":"finish"', b"response.completed", b"response.incomplete")
SETTINGS = {"rates": [], "caps": []}
PERSON = """with u as (
    insert into auth.users (email, email_canonical) values ('{email}', '{email}') returning id),
m as (
    insert into app.members (tenant_id, user_id, role)
    select s.tenant_id, u.id, 'member' from u, billing.subscriptions s where s.id = '{subscription}'),
s as (
    insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr)
    select u.id, now() + interval '1 day', now() + interval '1 day', now(), '{{link}}' from u returning id)
insert into auth.tokens (hash, session_id) select sha256(decode('{bearer}', 'hex')), s.id from s"""


class Stream:
    """One answer, read as it comes."""

    def __init__(self, port, request, source):
        self.began, self.first, self.late, self.tail, self.ended = time.monotonic_ns(), None, [], b"", False
        self.socket = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
        self.socket.sendall(request)
        self.socket.setblocking(False)

    def read(self):
        """False at the end."""
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        now = time.monotonic_ns()
        text, used = FRAME.sub(b"", self.tail + data), 0
        for found in PIECES.finditer(text):
            used = found.end()
            self.first = self.first or now - self.began
            self.late += [now - int(sent) for sent in found[1].split()]
        self.ended = self.ended or any(end in text[used:] for end in ENDS)
        self.tail = text[used:][-4096:]
        return data != b""


def drive(port, requests, during=lambda: None):
    """during() is called once all are under way."""
    poll, open_, done, begun = selectors.DefaultSelector(), 0, [], time.monotonic()
    waiting, gap = list(requests), 0.97 / BEGUN     # not in step with the events
    middle = begun + gap * len(requests) + 1
    while waiting or open_:
        now = time.monotonic()
        if waiting and now >= begun + gap * (len(requests) - len(waiting)):
            stream = Stream(port, waiting.pop(), "127.0.0.%d" % (len(waiting) % NETWORKS + 1))
            poll.register(stream.socket, selectors.EVENT_READ, stream)
            open_ += 1
        if middle and now > middle:
            middle = during()
        for key, _ in poll.select(0.001 if waiting else 0.1):
            if not key.data.read():
                poll.unregister(key.fileobj)
                key.fileobj.close()
                done.append(key.data)
                open_ -= 1
    return done


def post(host, path, document, **headers):
    body = json.dumps(document).encode()
    lines = ["POST %s HTTP/1.1" % path, "Host: " + host, "Content-Type: application/json",
             "Content-Length: %d" % len(body), "Connection: close",
             *("%s: %s" % (k.replace("_", "-"), v) for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def percentiles(ns):
    ns = sorted(ns)
    return {"p50_ms": ns[len(ns) // 2] / 1e6, "p99_ms": ns[min(len(ns) * 99 // 100, len(ns) - 1)] / 1e6}


def sum_up(streams):
    late = [ns for stream in streams for ns in stream.late]
    return {"first": percentiles([s.first for s in streams if s.first]), "event": percentiles(late),
            "events": len(late), "lost": sum(RATE * SECONDS - len(s.late) for s in streams),
            "cut": sum(not s.ended for s in streams)}


class Chat:
    def __init__(self, bench):
        self.bench, self.cookie = bench, bench.sign_in()
        self.host, self.models = bench.state["url"][7:], bench.state["models_url"][7:]
        self.pids = bench.pids()

    def ours(self):
        return post(self.host, "/api/chat", {
            "id": secrets.token_hex(8), "trigger": "submit-message",
            "messages": [{"id": secrets.token_hex(8), "role": "user", "parts": [{"type": "text", "text": "Hi"}]}]},
            Origin=self.bench.state["url"], Sec_Fetch_Site="same-origin", Cookie="__Host-sid=" + self.cookie)

    def direct(self):
        return post(self.models, "/openai/v1/responses", {
            "model": "gpt-small", "input": [{"role": "user", "content": "Hi"}], "max_output_tokens": 8192,
            "stream": True, "store": False}, Authorization="Bearer " + self.bench.state["model_keys"]["openai"])

    def plan(self, **more):
        rule = json.dumps({"plan": {"clock": True, **more}, "times": 0}).encode()
        for body, method in ((None, "DELETE"), (rule, "POST")):
            urllib.request.urlopen(urllib.request.Request("http://%s/control" % self.models, body, {
                "Content-Type": "application/json"}, method=method)).close()

    def short(self):
        """Until the first text, while nothing else is going on."""
        self.plan(words=1)
        sides = {"direct": (int(self.models.rpartition(":")[2]), self.direct), "ours": (self.bench.port, self.ours)}
        found = {name: percentiles([drive(port, [make()])[0].first for _ in range(SHORT)])
                 for name, (port, make) in sides.items()}
        return {**found, "added": {p: found["ours"][p] - found["direct"][p] for p in found["ours"]}}

    def round(self, n):
        self.plan(rate=RATE, words=RATE * SECONDS // 2)         # a word is two events
        direct = sum_up(drive(int(self.models.rpartition(":")[2]), [self.direct() for _ in range(n)]))
        time.sleep(SETTLE_S)
        used = []
        idle = self.bench.memory_of(self.pids["chat"])
        before = {name: self.bench.cpu_of(self.pids[name]) for name in ("chat", "nginx")}
        ours = sum_up(drive(self.bench.port, [self.ours() for _ in range(n)],
                            lambda: used.append(self.bench.memory_of(self.pids["chat"]))))
        time.sleep(SETTLE_S)
        return {"direct": direct, "ours": ours, "memory_kb": (used[0] - idle) * 1024 / n, "resident_mb": used[0],
                "cpu_us": {name: (self.bench.cpu_of(self.pids[name]) - before[name]) * 1e6 / ours["events"]
                           for name in before},
                "added": {what: {p: ours[what][p] - direct[what][p] for p in ours[what]}
                          for what in ("first", "event")}}

    def people(self):
        """Bearers of new members of the tenant, one for each connection."""
        bearers = [secrets.token_hex(32) for _ in range(CLIENTS)]
        for bearer in bearers:
            self.bench.sql(PERSON.format(email=bearer + "@example.org", bearer=bearer,
                                         subscription=self.bench.subscription))
        return bearers

    def turns(self):
        """The two calls of the database that each answer needs, of several people at once."""
        script = ("select set_config('app.bearer', (array%s)[:client_id + 1], false);\n" % self.people() +
                  "\\set n random(1, 1000000000000000)\n"
                  "select api.chat_begin(jsonb_build_object('chat', 'c' || (:n)::text, 'message', 'm' || (:n)::text, "
                  "'text', 'Hi', 'trigger', 'submit-message')) ->> 'hold' as hold \\gset\n"
                  "select api.chat_settle(jsonb_build_object('hold', (:hold)::text, 'provider', 'openai', 'model', "
                  "'gpt-small', 'usage', '{\"input\": 20, \"output\": 12}'::jsonb, 'counted', 'provider', 'finish', "
                  "'stop', 'state', 'complete', 'text', 'Hello'));\n")
        seconds, before = self.bench.options.seconds, self.bench.cpu_of(self.pids["postgres"])
        found = self.bench.pgbench(script, "tollgate_chat", seconds, "-c", str(CLIENTS))
        used = self.bench.cpu_of(self.pids["postgres"]) - before
        return {**found, "cpu_ms": used * 1000 / (found["rate"] * seconds)}


def middle(rounds):
    """The medians of numbers, wherever in the documents they are."""
    if isinstance(rounds[0], dict):
        return {key: middle([r[key] for r in rounds]) for key in rounds[0]}
    return statistics.median(rounds)


def measure(bench, settings):
    """{short, streams, turns}. settings: what plans include and what tokens cost. There is no rate and no cap."""
    bench.sql("select ops.put_usage('%s')" % json.dumps({**settings, **SETTINGS}))
    chat = Chat(bench)
    chat.short()
    short = middle([chat.short() for _ in range(bench.options.rounds)])
    found = {n: middle([chat.round(n) for _ in range(bench.options.rounds)])
             for n in map(int, bench.options.streams.split(","))}
    return {"short": short, "streams": found, "turns": chat.turns()}


def show(found):
    print("\nanswers at once, %d events a second each, through nginx and chat: how much later than asked directly\n"
          "(goals: first text p50 5 ms, p99 25; events 1 and 10; 80 us of CPU an event, 300 KiB an answer)" % RATE)
    print("  one by one: first text p50 %+.1f ms, p99 %+.1f ms" % tuple(found["short"]["added"].values()))
    for n, r in found["streams"].items():
        print("  %4d: first text p50 %+.1f ms, p99 %+.1f ms; each event %+.2f and %+.1f ms (direct %.2f and %.1f)\n"
              "        CPU an event: chat %.0f us, nginx %.0f us; memory an answer %.0f KiB, in all %.0f MB; lost %d "
              "of %d, cut %d" % (
                  n, r["added"]["first"]["p50_ms"], r["added"]["first"]["p99_ms"], r["added"]["event"]["p50_ms"],
                  r["added"]["event"]["p99_ms"], r["direct"]["event"]["p50_ms"], r["direct"]["event"]["p99_ms"],
                  r["cpu_us"]["chat"], r["cpu_us"]["nginx"], r["memory_kb"], r["resident_mb"], r["ours"]["lost"],
                  r["ours"]["events"], r["ours"]["cut"]))
    print("  begin and settle, alone in the database, %d people: %.0f a second (goal: 500), p50 %.2f ms, p99 %.2f "
          "ms; of PostgreSQL's CPU %.2f ms each"
          % (CLIENTS, found["turns"]["rate"], found["turns"]["p50_us"] / 1000, found["turns"]["p99_us"] / 1000,
             found["turns"]["cpu_ms"]))
