"""How often somebody may begin, asked of two processes of usage behind one nginx, by the clock on the wall."""
import json
import os
import re
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from client import Browser
from harness.system import free_ports
from journey import wait_until
from test_keys import made
from test_people import owner  # noqa: F401: the fixture
from test_usage import NOTHING, SETTINGS, Program

pytestmark = pytest.mark.only("nginx")
SPAN = 4        # seconds, of a limit that tests can wait for
NGINX = """daemon off; master_process off; pid %(dir)s/nginx.pid; error_log %(dir)s/nginx.log;
events {}
http {
	access_log off;
	client_body_temp_path %(dir)s/body;
	fastcgi_temp_path %(dir)s/fastcgi;
	upstream usage { server unix:%(dir)s/0.sock; server unix:%(dir)s/1.sock; }
	server {
		listen 127.0.0.1:%(port)d;
%(params)s
		fastcgi_param HTTP_HOST %(host)s;
		location / { fastcgi_pass usage; }
	}
}
"""


class Two:
    """Two processes and the web server before both."""

    def __init__(self, stack, directory):
        self.dir, self.port = Path(directory), free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        params = "\n".join(re.findall(r"^\s*fastcgi_param .*;$", (Path(stack["dir"]) / "etc/nginx.conf").read_text(),
                                      re.M))
        (self.dir / "nginx.conf").write_text(NGINX % {"dir": self.dir, "port": self.port, "params": params,
                                                      "host": urlsplit(stack["url"]).netloc})
        program = [f"{stack['prefix']}/lib/tollgate/usage", "--config", stack["config"], "--listen"]
        self.processes = [self.start(str(n), [*program, f"{self.dir}/{n}.sock"]) for n in range(2)]
        self.processes.append(self.start("web", ["nginx", "-e", self.dir / "nginx.log", "-c", self.dir / "nginx.conf"]))

    def start(self, name, argv):
        sanitizers = {k: v for k, v in os.environ.items() if "SAN_" in k}
        with open(self.dir / f"{name}.log", "wb") as log:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env={"PATH": "/usr/sbin:/usr/bin:/bin", **sanitizers})

    def answered(self):
        """How many reservations each has answered."""
        return [(self.dir / f"{n}.log").read_text().count('"route":"/api/usage/reserve"') for n in range(2)]

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(10)


@pytest.fixture(scope="module")
def two(stack, tmp_path_factory):
    found = Two(stack, tmp_path_factory.mktemp("two"))
    try:
        wait_until(lambda: all((found.dir / f"{n}.sock").exists() for n in range(2)))
        wait_until(lambda: connects(found.url))
        yield found
    finally:
        found.stop()


def connects(url):
    try:
        return Browser(url).get("/api/usage").status == 401
    except OSError:
        return False


@pytest.fixture
def begin(two, owner, db):  # noqa: F811
    """A function that takes limits, {name: (allowed, seconds)}, and gives one that begins something: its answer, with
    the times before and after it."""
    program = Program(Browser(two.url), made(owner[0], "Program")[1])

    def limited(**limits):
        db.execute("select ops.put_usage(%s)", json.dumps({
            **SETTINGS, "caps": [],
            "quotas": [{**quota, "included": 1000, "most": 1000} for quota in SETTINGS["quotas"]],
            "rates": [{"name": name, "plan": "", "meter": "", "allowed": allowed, "seconds": seconds}
                      for name, (allowed, seconds) in limits.items()]}))
        return ask
    count, lock = iter(range(10**6)), threading.Lock()

    def ask():
        with lock:
            ident = f"two {next(count)}"
        before = time.monotonic()
        answer = program("/reserve", {"meter": "tokens", "units": 1}, Idempotency_Key=ident)
        assert answer.status in (200, 429), answer
        return answer, before, time.monotonic()
    yield limited
    db.execute("select ops.put_usage(%s)", json.dumps(NOTHING))
    assert db.value("select usage.faults()") == []


def passed(found):
    """Of answers with their times: when those that passed were sent, and when they were there, each in order."""
    good = [(before, after) for answer, before, after in found if answer.status == 200]
    return sorted(before for before, _ in good), sorted(after for _, after in good)


def at(moment):
    time.sleep(max(0, moment - time.monotonic()))


def test_f144_over_two_processes_no_span_holds_an_eleventh(two, begin):
    """Asked without a rest by eight at once: of any eleven that pass, the last is later than the first by the limit's
    span, and the span's ten do pass."""
    ask, served, end = begin(minute=(10, SPAN)), two.answered(), time.monotonic() + 2.5 * SPAN

    def insist(_):
        found = []
        while time.monotonic() < end:
            found.append(ask())
        return found
    with ThreadPoolExecutor(8) as pool:
        found = [one for some in pool.map(insist, range(8)) for one in some]
    sent, there = passed(found)
    assert 20 <= len(sent) <= 30
    assert min(after - before for before, after in zip(sent, there[10:])) >= SPAN
    assert all(now > then for now, then in zip(two.answered(), served)), "both have answered"
    for answer, _, _ in found:
        if answer.status == 429:
            assert 1 <= int(answer.header("Retry-After")) <= SPAN and answer.json["code"] == "rate_minute"


def test_f144_who_comes_when_told_is_let_in_and_no_second_earlier(begin):
    ask = begin(minute=(10, SPAN))
    for _ in range(10):
        answer, _, last = ask()
        assert answer.status == 200
    refused, before, after = ask()
    wait = int(refused.header("Retry-After"))
    assert refused.status == 429 and SPAN - 1 <= wait <= SPAN and wait == refused.json["retry_after"]
    at(before + wait - 2)
    early, asked, _ = ask()
    assert early.status == 429 or asked > before + wait - 1, "a second too early"
    at(after + wait)
    assert ask()[0].status == 200


def test_f144_the_hundred_and_first_in_a_day_is_refused(begin, db, owner):  # noqa: F811
    ask = begin(minute=(200, 1), day=(100, 86400))
    with ThreadPoolExecutor(16) as pool:
        found = [answer for answer, _, _ in pool.map(lambda _: ask(), range(120))]
    assert [answer.status for answer in found].count(200) == 100
    refused = [answer for answer in found if answer.json.get("code") == "rate_day"]
    assert refused and all(86400 - 60 <= int(answer.header("Retry-After")) <= 86400 for answer in refused)
    db.execute("update usage.windows set stamps = array(select s - interval '24 hours' + interval '3 s' "
               "from unnest(stamps) s order by 1) where tenant_id = %s and name = 'day'", owner[2])
    told, _, after = ask()
    if told.status == 429:
        at(after + int(told.header("Retry-After")))
        told = ask()[0]
    assert told.status == 200


def test_f144_a_clock_that_was_put_back_locks_nobody_out(begin, db, owner):  # noqa: F811
    """What was taken before that is ahead of the clock then, by an hour."""
    ask = begin(minute=(10, SPAN))
    assert [ask()[0].status for _ in range(10)] == [200] * 10
    db.execute("update usage.windows set stamps = array(select s + interval '1 hour' from unnest(stamps) s) "
               "where tenant_id = %s", owner[2])
    refused, _, after = ask()
    assert refused.status == 429 and int(refused.header("Retry-After")) <= SPAN
    at(after + int(refused.header("Retry-After")))
    assert [ask()[0].status for _ in range(11)].count(200) == 10
