"""What the web server in front does by its shipped configuration: one HSTS header, room for heads, whose address."""
import json
import re
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from client import Browser, Raw, exchange, raw
from conftest import SERVER
from faults import deliver, event
from journey import stack_command, wait_until

HSTS = "Strict-Transport-Security"
CONF = Path(__file__).resolve().parents[2] / "conf"


def restart_all(stack):
    for name in (*(stack["sockets"] if SERVER == "nginx" else ()), SERVER):
        stack_command("restart", "--dir", stack["dir"], name)


@pytest.fixture
def change(stack):
    """Edits files of the stack's configuration, {name: function of the text}, until the end of the test."""
    etc, before = Path(stack["config"]).parent, {}

    def apply(**edits):
        for name, edit in edits.items():
            path = etc / (name + ".conf")
            before.setdefault(path, path.read_text())
            path.write_text(edit(path.read_text()))
            assert path.read_text() != before[path]
        restart_all(stack)
    yield apply
    for path, text in before.items():
        path.write_text(text)
    restart_all(stack)


# S-15

@pytest.fixture
def over_tls(stack, change):
    """The programs as over TLS, where each sends a header of its own."""
    change(tollgate=lambda text: text.replace('url = "http://localhost', 'url = "https://localhost', 1))


def hsts_of(page):
    return page.status, page.header_all(HSTS)


def test_s15_every_answer_has_one_hsts_header(stack, over_tls):
    url = stack["url"]

    def ask(method, path, body=None, **headers):
        return exchange(method, url + path, {k.replace("_", "-"): v for k, v in headers.items()}, body)
    answers = {
        "page": ask("GET", "/signup"), "redirect": ask("GET", "/settings/billing"), "head": ask("HEAD", "/signin"),
        "not found": ask("GET", "/nothing"), "link": ask("GET", "/signin/link"), "style": ask("GET", "/style.css"),
        "style, head": ask("HEAD", "/style.css"), "health": ask("GET", "/healthz"),
        "method": ask("PUT", "/signup"), "unsigned": ask("POST", "/webhooks/stripe", b"{}"),
        "delivery": deliver(stack, event()[2]), "too large": ask("POST", "/signup", b"a" * (5 << 18)),
        "trace": ask("TRACE", "/"), "json": ask("POST", "/api/billing/session", b"{}", Accept="application/json"),
        "long": ask("GET", "/" + "a" * 40000), "no host": raw(url, ["GET / HTTP/1.1", "Host: "]),
        "bad line": raw(url, ["GET  / HTTP/1.1 x"]),
    }
    statuses = {name: page.status for name, page in answers.items()}
    assert {"page": 200, "not found": 404, "style": 200, "health": 404, "unsigned": 400, "delivery": 200,
            "too large": 413, "long": 414}.items() <= statuses.items()
    assert {name: hsts_of(page) for name, page in answers.items() if len(page.header_all(HSTS)) != 1} == {}
    assert {page.header(HSTS) for page in answers.values()} == {"max-age=63072000"}, "the server's"


def test_s15_the_redirect_to_tls_does_not_send_it(stack):
    page = exchange("GET", stack["plain_url"] + "/signup", {})
    assert hsts_of(page) == (308, [])


# S-09

HEADS = 2500


def half_sent(stack):
    parts = urlsplit(stack["url"])
    s = socket.create_connection((parts.hostname, parts.port), 20)
    s.sendall(b"GET /signup HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    return s


@pytest.fixture
def heads(stack):
    sockets = []
    try:
        for _ in range(HEADS):
            sockets.append((time.monotonic(), half_sent(stack)))
        yield sockets
    finally:
        for _, s in sockets:
            s.close()


def test_s09_thousands_of_half_sent_heads_shut_nobody_out(stack, heads):
    """Apache starts the threads for them while they come."""
    begun = time.monotonic()
    for n in range(5):
        assert Browser(stack["url"]).get("/signup").status == 200
        assert deliver(stack, event()[2]).status == 200
        assert time.monotonic() - begun < 5 + n
    young = [s for sent, s in heads if time.monotonic() - sent < 9]      # the others may be cut by now
    assert young
    for s in young[:100]:
        s.setblocking(False)
        with pytest.raises(BlockingIOError):
            s.recv(1)


def test_s09_a_head_that_dribbles_has_ten_seconds(stack):
    with Raw(stack["url"]) as r:
        begun = time.monotonic()
        r.socket.setblocking(False)
        r.send(b"GET /signup HTTP/1.1\r\nHost: localhost\r\n")

        def cut():
            r.send(b"X-Slow: 1\r\n")
            try:
                return r.socket.recv(100)[:0] == b""
            except BlockingIOError:
                return False
            except ConnectionError:
                return True
        wait_until(cut, 20, every=0.1)
        assert 4 < time.monotonic() - begun < 14


# S-17

def behind_proxy(text):
    """As an operator enables it: the shipped lines without their #, with the proxy's address."""
    lines = re.findall(r"^\t*#((?:set_real_ip|real_ip|RemoteIP|LoadModule remoteip).*)$", text, re.M)
    assert len(lines) == 3
    for line in lines:
        text = text.replace("#" + line, line.replace("192.0.2.10", "127.0.0.1"))
    return text


@pytest.fixture
def proxied(change):
    change(**{SERVER: behind_proxy})


def logged(stack, path):
    """The address in the access log for a path that was asked for once."""
    def find():
        lines = [line for line in (Path(stack["log_dir"]) / "access.log").read_text().splitlines() if path in line]
        return [json.loads(line)["remote"] for line in lines]
    wait_until(find)
    address, = find()
    return address


def seen(db, browser, email):
    """The address that a program sees and stores."""
    page = browser.submit(browser.get("/signin"), {"email": email})
    assert page.status == 303
    return str(db.value("select host(ip) from auth.requests where email_canonical = %s", email))


CHAINS = [   # the peer, what it says, whose request it is
    ("127.0.0.1", "203.0.113.9", "203.0.113.9"), ("127.0.0.2", "203.0.113.9", "127.0.0.2"),
    ("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
    ("127.0.0.1", "198.51.100.1, 203.0.113.9, 127.0.0.1", "203.0.113.9"),
    ("127.0.0.1", "127.0.0.1, 203.0.113.9", "203.0.113.9"), ("127.0.0.1", "2001:db8::9", "2001:db8::9"),
    ("127.0.0.1", None, "127.0.0.1"), ("127.0.0.1", "10.0.0.9", "10.0.0.9")]


def test_s17_only_a_listed_proxy_says_whose_request_it_is(stack, db, proxied, fresh):
    for n, (peer, said, whose) in enumerate(CHAINS):
        browser = Browser(stack["url"], address=peer, **({"X-Forwarded-For": said} if said else {}))
        browser.get("/nothing/s17/%d" % n)
        assert logged(stack, "/nothing/s17/%d" % n) == whose, (peer, said)
        assert seen(db, browser, fresh("chain-%d" % n)) == whose, (peer, said)


def test_s17_as_shipped_nobody_says_so(stack):
    Browser(stack["url"], **{"X-Forwarded-For": "203.0.113.9"}).get("/nothing/s17/shipped")
    assert logged(stack, "/nothing/s17/shipped") == "127.0.0.1"


# S-02

@pytest.mark.only("nginx")
def test_s02_forms_are_limited_by_client_and_a_64_is_one(stack, change):
    zone = re.compile(r"limit_req_zone .*;")
    shipped = zone.search((CONF / "nginx.conf").read_text())[0]
    change(nginx=lambda text: behind_proxy(zone.sub(lambda _: shipped, text)))

    def refused(addresses):
        """Of a form from each of them."""
        browsers = [Browser(stack["url"], **{"X-Forwarded-For": address}) for address in addresses]
        return [browser.post("/signin", {}).status for browser in browsers].count(429)
    assert refused("2001:db8:0:1:%x::%x" % (n, n) for n in range(40)) > 10, "one client"
    assert refused("2001:db8:0:1%02x::1" % n for n in range(40)) == 0, "forty"
    assert refused("203.0.113.%d" % n for n in range(40)) == 0
    assert refused("::ffff:198.51.100.%d" % n for n in range(40)) == 0, "IPv4 in IPv6's form"
    assert refused(["203.0.113.77"] * 40) > 10
