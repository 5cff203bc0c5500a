"""A worker without a web server, and a FastCGI peer that breaks the protocol."""
import os
import re
import resource
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import fcgi
import pytest
from client import Browser
from journey import new_address, wait_until

BEGINNING = [
    ("not a BEGIN", fcgi.record(fcgi.PARAMS, b"12345678")), ("STDIN", fcgi.record(fcgi.STDIN, b"12345678")),
    ("id 0", fcgi.begin(id=0)), ("version 2", fcgi.record(fcgi.BEGIN, b"\0\1\0\0\0\0\0\0", version=2)),
    ("version 0", fcgi.record(fcgi.BEGIN, b"\0\1\0\0\0\0\0\0", version=0)),
    ("7 bytes", fcgi.record(fcgi.BEGIN, b"\0\1\0\0\0\0\0")),
    ("9 bytes", fcgi.record(fcgi.BEGIN, b"\0\1\0\0\0\0\0\0\0")), ("authorizer", fcgi.begin(role=fcgi.AUTHORIZER)),
    ("filter", fcgi.begin(role=fcgi.FILTER)), ("role 0", fcgi.begin(role=0)), ("type 12", fcgi.record(12, b"12345678")),
    ("HTTP", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), ("nothing but zeros", bytes(64)),
]


class Worker:
    """Started here, with --listen on a socket in a directory of its own."""

    def __init__(self, stack, directory):
        self.path, self.log = str(Path(directory) / "w.sock"), Path(directory) / "log"
        self.host = urlsplit(stack["url"]).netloc
        self.argv = [f"{stack['prefix']}/lib/tollgate/signup", "--config", stack["config"], "--threads", "4",
                     "--listen", self.path]
        self.process = self.start()
        try:
            wait_until(lambda: connects(self) and self.ask().status == 200)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def start(self):
        with open(self.log, "ab") as log:
            sanitizers = {k: v for k, v in os.environ.items() if "SAN_" in k}
            return subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env={"PATH": "/usr/bin:/bin", **sanitizers})

    def ask(self, method="GET", uri="/signup", body=b"", **more):
        return fcgi.call(self.path, method, uri, body, **{"HTTP_HOST": self.host, **more})

    def connect(self):
        return fcgi.Connection(self.path)

    def head(self, method="GET", uri="/signup", body=b"", **more):
        return fcgi.head(method, uri, body, **{"HTTP_HOST": self.host, **more})

    def lines(self, event):
        return [line for line in self.log.read_text().splitlines() if f'"event":"{event}"' in line]

    def stop(self):
        self.process.terminate()
        assert self.process.wait(10) == 0


@pytest.fixture(scope="module")
def worker(stack, tmp_path_factory):
    w = Worker(stack, tmp_path_factory.mktemp("w"))
    yield w
    w.stop()


@pytest.fixture(autouse=True)
def alive(worker):
    """Afterwards the same process answers on all its threads."""
    yield
    assert worker.process.poll() is None
    assert [worker.ask().status for _ in range(4)] == [200] * 4


def form_of(stack, worker, email):
    """(body, cookie) of a right sign-up form."""
    browser = Browser(stack["url"])
    csrf = browser.get("/signup").form().fields["csrf"]
    body = f"csrf={csrf}&email={email.replace('@', '%40')}&plan=starter".encode()
    return body, "__Host-flow=" + browser.cookie("__Host-flow")


@pytest.fixture
def form(stack, worker):
    """A sign-up that would be carried out: address, body, and the parameters to send it with."""
    email = new_address("fastcgi")
    body, cookie = form_of(stack, worker, email)
    return email, body, {"HTTP_COOKIE": cookie, "HTTP_ORIGIN": stack["url"], "CONTENT_LENGTH": str(len(body)),
                         "CONTENT_TYPE": "application/x-www-form-urlencoded"}


def test_a_right_form_is_carried_out(worker, db, form):
    """The base of the tests below, which each add or leave out one thing."""
    email, body, more = form
    answer = worker.ask("POST", body=body, **more)
    assert answer.status == 303 and answer.ended == {1: fcgi.REQUEST_COMPLETE}
    assert len(db.drafts_of(email)) == 1


def test_healthz_says_whether_the_database_is_there(worker):
    answer = worker.ask(uri="/healthz")
    assert (answer.status, answer.body, answer.header("Cache-Control")) == (200, b"ok\n", "no-store")


@pytest.mark.parametrize("name", ["REQUEST_METHOD", "REQUEST_URI", "SERVER_PROTOCOL", "REMOTE_ADDR"])
def test_f02_a_parameter_of_the_web_servers_is_missing(worker, name):
    before = len(worker.lines("web_server_misconfigured"))
    assert worker.ask(**{name: None}).status == 400
    assert f'"missing":"{name}"' in worker.lines("web_server_misconfigured")[before]


@pytest.mark.parametrize("address", ["unix:", "fe80::1%eth0"])
def test_f02_peers_without_an_address_share_one_allowance_and_are_told_of_once(stack, worker, db, limit, address):
    db.execute("delete from auth.hits")
    limit("draft_near", 2)
    bodies = [form_of(stack, worker, new_address("neighbour")) for _ in range(3)]
    seen = [worker.ask("POST", body=body, REMOTE_ADDR=other, HTTP_COOKIE=cookie, HTTP_ORIGIN=stack["url"],
                       CONTENT_TYPE="application/x-www-form-urlencoded").status
            for (body, cookie), other in zip(bodies, (address, "unix:", "fe80::2%eth1"))]
    assert seen == [303, 303, 429]
    assert len(worker.lines("remote_addr_shared")) == 1


@pytest.mark.parametrize("name", ["REQUEST_METHOD", "REQUEST_URI", "REMOTE_ADDR", "CONTENT_LENGTH", "HTTP_HOST",
                                  "HTTP_ORIGIN", "HTTP_AUTHORIZATION", "HTTP_STRIPE_SIGNATURE", "HTTP_SEC_FETCH_SITE"])
def test_f03_a_parameter_that_decides_something_is_there_twice(worker, name):
    value = dict(fcgi.environment()).get(name, "x")
    assert worker.ask(pairs=[(name, value), (name, value)]).status == 400


@pytest.mark.parametrize("name, value", [("A=B", "x"), ("A B", "x"), ("A\0B", "x"), ("", "x"), ("A\n", "x"),
                                         ("HTTP_X", "a\0b"), ("HTTP_X", "a\nb"), ("HTTP_X", "a\x7fb"),
                                         ("REQUEST_URI", "/a\r\nb")])
def test_f04_control_characters_and_names_that_are_none(worker, name, value):
    assert worker.ask(pairs=[(name, value)]).status == 400


@pytest.mark.parametrize("change", [-1, 1, 1000])
def test_f07_a_length_that_is_not_the_bodys(worker, db, form, change):
    email, body, more = form
    answer = worker.ask("POST", body=body, **{**more, "CONTENT_LENGTH": str(len(body) + change)})
    assert answer.status == 400
    assert db.drafts_of(email) == []


@pytest.mark.parametrize("length", ["-1", "+5", " 5", "5 ", "0x5", "9223372036854775808", "1e3", "five"])
def test_f07_a_length_that_is_no_number(worker, db, form, length):
    email, body, more = form
    assert worker.ask("POST", body=body, **{**more, "CONTENT_LENGTH": length}).status in (400, 413)
    assert db.drafts_of(email) == []


def test_f08_a_body_without_end_is_cut_off(worker, db, form):
    email, body, more = form
    with worker.connect() as c:
        c.send(worker.head("POST", **{**more, "CONTENT_LENGTH": str(64 << 20)}))
        try:
            for _ in range(1024):
                c.send(fcgi.record(fcgi.STDIN, b"x" * 65535))
        except OSError:
            pass
        assert c.read().status in (0, 413)
    assert db.drafts_of(email) == []


@pytest.mark.parametrize("pairs", [[(f"HTTP_X{n}", "v") for n in range(300)],
                                   [("HTTP_X", "v" * 65000), ("HTTP_Y", "v" * 2000)]])
def test_f10_too_many_or_too_long_parameters(worker, pairs):
    assert worker.ask(pairs=pairs).status == 431


@pytest.mark.parametrize("data", [b for _, b in BEGINNING], ids=[n for n, _ in BEGINNING])
def test_f21_what_is_no_beginning_is_cut_off(worker, data):
    before = len(worker.lines("fastcgi_refused"))
    with worker.connect() as c:
        c.send(data)
        assert c.read_bytes()[0] == b""
    wait_until(lambda: len(worker.lines("fastcgi_refused")) == before + 1)


def test_f22_a_management_record_never_reaches_libfcgi(worker):
    """Four of these in one GET_VALUES write over libfcgi's stack."""
    pairs = b"".join(fcgi.pair(name, "") for name in ["FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"] * 20)
    for data in (fcgi.record(fcgi.GET_VALUES, pairs, id=0), fcgi.begin() + fcgi.record(fcgi.GET_VALUES, pairs, id=0),
                 worker.head("POST", CONTENT_LENGTH="5") + fcgi.record(fcgi.GET_VALUES, pairs, id=0)):
        with worker.connect() as c:
            c.send(data)
            assert c.read_bytes()[0] == b""


@pytest.mark.parametrize("content", [b"\xff\xff\xff\xff\0", b"\x7f\xff\xff\xff\xff\xff\xff\xff",
                                     b"\xff\xff\xff\xff\xff\xff\xff\xffAB",
                                     b"\x0e\xff\xff\xff\xffREQUEST_METHOD", b"\x01", b"\x80", b"\x0e\x03REQUEST_MET"])
def test_f23_lengths_that_lie_cost_no_memory(worker, content):
    def resident():
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{worker.process.pid}/status").read_text())[1])
    before = resident()
    with worker.connect() as c:
        c.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, content) + fcgi.stream(fcgi.STDIN, b""))
        assert c.read().status in (0, 400)
    assert resident() < before + 8192


@pytest.mark.parametrize("data", [b"", b"\x01", fcgi.begin(), fcgi.begin() + fcgi.record(fcgi.PARAMS, b"\x0e\x03REQ")])
def test_f24_a_silent_peer_is_cut_off_after_two_seconds_and_delays_no_other(worker, data):
    connections = [worker.connect() for _ in range(3)]
    begun = time.monotonic()
    for c in connections:
        c.send(data)
    assert worker.ask().status == 200 and time.monotonic() - begun < 1.8, "one thread is left"
    for c in connections:
        assert c.read_bytes()[0] == b""
        c.close()
    assert 1.5 < time.monotonic() - begun < 4


def test_f24_a_dribbling_peer_gets_no_more_time(worker):
    request = fcgi.request("GET", "/signup", HTTP_HOST=worker.host)
    begun = time.monotonic()
    with worker.connect() as c:
        try:
            for byte in request:
                c.send(bytes([byte]))
                time.sleep(0.1)
        except OSError:
            pass
        assert 1.5 < time.monotonic() - begun < 4
        assert c.read_bytes()[0] == b""


@pytest.mark.parametrize("body, sent", [(100, 50), (3 << 19, (1 << 20) + 1000), (3 << 19, 9 << 16)],
                         ids=["late", "too large, and unread", "large and late"])
def test_s18_bodies_that_are_late_hold_up_nobody(worker, body, sent):
    connections = [worker.connect() for _ in range(16)]
    for c in connections:
        c.send(worker.head("POST", body=b"x" * body))
        for at in range(0, sent, 60000):
            c.send(fcgi.record(fcgi.STDIN, b"x" * min(60000, sent - at)))
    begun = time.monotonic()
    assert [worker.ask().status for _ in range(8)] == [200] * 8
    assert time.monotonic() - begun < 1.8
    for c in connections:
        c.close()


def test_f25_a_peer_that_leaves_in_the_middle_of_the_head(worker):
    requests = answered(worker)
    head = worker.head()
    for cut in (9, 17, len(head) - 9, len(head) - 1):
        with worker.connect() as c:
            c.send(head[:cut])
    time.sleep(0.2)
    assert len(worker.lines("request")) == requests


def test_f25_a_peer_that_leaves_in_the_middle_of_the_body(worker, db, form):
    email, body, more = form
    whole = worker.head("POST", body=body, **more) + fcgi.stream(fcgi.STDIN, body)
    for cut in (8, 9, len(body) // 2, len(body)):
        with worker.connect() as c:
            c.send(whole[:-cut])
            c.finish()
            assert c.read_bytes()[0] == b""
    assert db.drafts_of(email) == []


def test_f26_forged_records_in_a_body_are_a_body(worker, form):
    """With the connection kept alive, and the body not read: what is in it must not become a request."""
    _, _, more = form
    forged = fcgi.request("GET", "/signup", HTTP_HOST=worker.host, HTTP_X_FORGED="1") * 20
    requests = answered(worker)
    with worker.connect() as c:
        c.send(worker.head("POST", body=forged, flags=fcgi.KEEP_CONN, **{**more, "CONTENT_LENGTH": str(len(forged))})
               + fcgi.stream(fcgi.STDIN, forged))
        answer = c.read()
    assert answer.status in (400, 413)
    assert answer.ended == {1: fcgi.REQUEST_COMPLETE}
    assert answered(worker, requests + 1) == requests + 1


def test_f26_a_connection_is_never_kept(worker):
    with worker.connect() as c:
        c.send(worker.head(flags=fcgi.KEEP_CONN) + fcgi.stream(fcgi.STDIN, b"")
               + fcgi.request("GET", "/signup", id=2, HTTP_HOST=worker.host))
        answer = c.read()
    assert answer.status == 200 and answer.stdout.count(b"Status:") == 1
    assert answer.ended.get(1) == fcgi.REQUEST_COMPLETE


def test_f27_a_second_request_on_the_connection_is_refused_and_the_first_unharmed(worker, db, form):
    email, body, more = form
    with worker.connect() as c:
        c.send(worker.head("POST", body=body, **more) + fcgi.begin(id=2)
               + fcgi.stream(fcgi.PARAMS, fcgi.pair("REQUEST_URI", "/other"), id=2) + fcgi.stream(fcgi.STDIN, body))
        answer = c.read()
    assert answer.status == 303
    assert answer.ended == {1: fcgi.REQUEST_COMPLETE, 2: fcgi.CANT_MPX_CONN}
    assert len(db.drafts_of(email)) == 1


def test_f28_an_abort_during_the_body_commits_nothing(worker, db, form):
    email, body, more = form
    for at in (0, 20, len(body)):
        with worker.connect() as c:
            c.send(worker.head("POST", body=body, **more) + (fcgi.record(fcgi.STDIN, body[:at]) if at else b"")
                   + fcgi.record(fcgi.ABORT))
            assert c.read().status == 0
    assert db.drafts_of(email) == []


def test_f30_out_of_descriptors_it_waits_and_goes_on(stack, tmp_path):
    w = Worker(stack, tmp_path)
    usual = resource.prlimit(w.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(w.process.pid, resource.RLIMIT_NOFILE, (3, usual[1]))
    connections = [w.connect() for _ in range(10)]
    for c in connections:
        c.send(w.head() + fcgi.stream(fcgi.STDIN, b""))
    wait_until(lambda: w.lines("accept"))
    before, began = cpu_seconds(w), time.monotonic()
    time.sleep(1.5)
    assert w.process.poll() is None
    assert cpu_seconds(w) - before < 0.05 * (time.monotonic() - began), "it waits, and does not ask again and again"
    assert len(w.lines("accept")) <= 2 + (time.monotonic() - began), "said at most once a second"
    resource.prlimit(w.process.pid, resource.RLIMIT_NOFILE, usual)
    assert [c.read().status for c in connections] == [200] * 10, "they waited in line"
    w.stop()


def test_f31_a_second_instance_on_the_same_path_is_refused(worker):
    second = worker.start()
    assert second.wait(5) == os.EX_OSERR
    assert worker.ask().status == 200


def test_f31_a_socket_left_by_a_dead_process_is_taken_over(stack, tmp_path):
    w = Worker(stack, tmp_path)
    w.process.kill()
    w.process.wait()
    assert os.path.exists(w.path)
    w.process = w.start()
    wait_until(lambda: w.process.poll() is None and connects(w))
    assert w.ask().status == 200
    assert os.stat(w.path).st_mode & 0o777 == 0o660
    w.stop()


def cpu_seconds(w):
    fields = Path(f"/proc/{w.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def answered(w, least=0):
    """How many requests its log has, once it grows no more: each line comes after the answer."""
    wait_until(lambda: len(w.lines("request")) >= least)
    seen = -1
    while seen != (seen := len(w.lines("request"))):
        time.sleep(0.2)
    return seen


def connects(w):
    """Whether it listens: between bind() and listen() the socket is there, and refuses."""
    try:
        w.connect().close()
    except OSError:
        return False
    return True


def test_f34_nothing_goes_to_the_web_servers_log(worker):
    """Neither on success nor for what is wrong: FastCGI's stderr is the web server's error log."""
    for uri, more in (("/signup", {}), ("/nothing?secret=1", {}), ("/signup", {"HTTP_COOKIE": "__Host-sid=secret"}),
                      ("/%zz", {})):
        assert worker.ask(uri=uri, **more).stderr == b""


def test_a_head_request_has_no_body_even_without_a_web_server(worker):
    got, head = worker.ask(), worker.ask("HEAD")
    assert head.body == b"" and head.status == 200
    assert head.header("Content-Length") == got.header("Content-Length") == str(len(got.body))


def test_padding_and_small_records_make_no_difference(worker, db, form):
    email, body, more = form
    env = b"".join(fcgi.pair(k, v) for k, v in fcgi.environment("POST", "/signup", body, HTTP_HOST=worker.host, **more))
    data = fcgi.begin()
    data += b"".join(fcgi.record(fcgi.PARAMS, env[i:i + 7], padding=i % 256) for i in range(0, len(env), 7))
    data += fcgi.record(fcgi.PARAMS, padding=255)
    data += b"".join(fcgi.record(fcgi.STDIN, body[i:i + 1], padding=3) for i in range(len(body)))
    with worker.connect() as c:
        c.send(data + fcgi.record(fcgi.STDIN))
        assert c.read().status == 303
    assert len(db.drafts_of(email)) == 1
