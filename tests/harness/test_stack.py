"""The stack supervises, hands sockets over, runs beside another stack, and leaves nothing behind."""
import json
import os
import pty
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import requests
from conftest import TESTS, run_stack
from harness import demo as furniture
from harness import models
from harness.supervisor import Failed
from harness.system import PROGRAMS, System, fill


def pids(state):
    return run_stack("show", "--dir", state["dir"])["pids"]


def wait_for(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.02)


def processes_of(directory):
    """All that have the directory in their command line."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            words = Path("/proc", pid, "cmdline").read_text(errors="replace")
            if directory in words:
                found.append(words.replace("\0", " "))
        except OSError:
            pass
    return found


@pytest.mark.parametrize("name", [*PROGRAMS, "mail", "nginx"])
def test_f115_what_is_killed_is_back(nginx, name):
    before = pids(nginx)[name]
    run_stack("signal", "--dir", nginx["dir"], name, "KILL")
    wait_for(lambda: pids(nginx).get(name, before) != before)
    wait_for(lambda: requests.get(nginx["url"] + "/signin", timeout=5).status_code == 200)


def test_a_request_waits_while_its_worker_is_away(nginx):
    run_stack("stop", "--dir", nginx["dir"], "signin")
    answers = []
    asking = threading.Thread(target=lambda: answers.append(requests.get(nginx["url"] + "/signin", timeout=20)))
    asking.start()
    time.sleep(0.3)
    assert answers == []
    run_stack("start", "--dir", nginx["dir"], "signin")
    asking.join()
    assert answers[0].status_code == 200


def test_the_database_survives_a_crash(nginx):
    with psycopg.connect(nginx["database_url"], autocommit=True) as db:
        db.execute("create table crash_test as select 1 as x")
    before = pids(nginx)["postgres"]
    run_stack("signal", "--dir", nginx["dir"], "postgres", "KILL")
    wait_for(lambda: pids(nginx).get("postgres", before) != before)
    run_stack("restart", "--dir", nginx["dir"], "postgres")
    with psycopg.connect(nginx["database_url"]) as db:
        assert db.execute("table crash_test").fetchall() == [(1,)]


def test_its_database_is_closed_to_other_users(nginx):
    with psycopg.connect(nginx["database_url"]) as db:
        assert db.execute("show listen_addresses").fetchone() == ("",)
        assert db.execute("show fsync").fetchone() == ("on",)
    assert os.stat(nginx["dir"]).st_mode & 0o077 == 0


def test_nothing_runs_as_root(either):
    found = pids(either)
    assert {"postgres", "jobs", "mailer", "stripe", "mail", either["server"]} <= set(found)
    for name, pid in found.items():
        status = Path("/proc/%d/status" % pid).read_text()
        assert re.search(r"^Uid:\t([1-9]\d*)\t\1\t\1", status, re.M), name


def test_apache_starts_the_workers_and_they_can_be_signalled(apache):
    requests.get(apache["url"] + "/signin", timeout=5)
    old, = run_stack("signal", "--dir", apache["dir"], "signin", "TERM")["signin"]
    wait_for(lambda: old not in run_stack("signal", "--dir", apache["dir"], "signin", "CONT")["signin"])
    assert requests.get(apache["url"] + "/signin", timeout=5).status_code == 200


def test_no_log_holds_a_query_string_or_a_referer(either):
    word = "secret%d" % os.getpid()
    for path in ("/en/signin/link?t=", "/en/signup/continue?t=", "/welcome?session_id=", "/nowhere?x="):
        requests.get(either["url"] + path + word, headers={"Referer": "http://localhost/?" + word}, timeout=5)
    time.sleep(0.3)
    logs = {p.name: p.read_text(errors="replace") for p in Path(either["log_dir"]).iterdir()}
    assert "/nowhere" in logs["access.log"]
    assert [name for name, text in logs.items() if word in text] == []


def test_plain_http_is_redirected_to_tls(either):
    answer = requests.get(either["plain_url"] + "/signup?plan=growth", allow_redirects=False, timeout=5)
    assert answer.status_code == 308
    assert re.fullmatch(r"https://[^/]+/signup\?plan=growth", answer.headers["Location"])


@pytest.mark.parametrize("path", ["/healthz", "/%68ealthz", "/x/../healthz", "/healthz?x"])
def test_health_is_not_told_outside(either, path):
    host, port = either["url"].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as s:
        s.sendall(b"GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n" % path.encode())
        assert b" 404 " in s.makefile("rb").readline()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_caches_are_told_what_the_style_sheet_varies_on(either, method):
    answer = requests.request(method, either["url"] + "/style.css", timeout=5)
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_only_the_style_sheet_is_compressed(either):
    def encoding(path):
        answer = requests.get(either["url"] + path, headers={"Accept-Encoding": "gzip"}, timeout=5)
        return answer.status_code, answer.headers.get("Content-Encoding")
    assert encoding("/style.css") == (200, "gzip")
    assert encoding("/signup") == (200, None)       # it holds a token


@pytest.fixture
def limited(nginx):
    """nginx with the limit that the example has."""
    config = Path(nginx["config"]).with_name("nginx.conf")
    text = config.read_text()
    zone = re.compile(r"limit_req_zone .*;")
    config.write_text(zone.sub(zone.search((TESTS.parent / "conf/nginx.conf").read_text())[0], text))
    run_stack("restart", "--dir", nginx["dir"], "nginx")
    yield nginx["url"]
    config.write_text(text)
    run_stack("restart", "--dir", nginx["dir"], "nginx")


def test_forms_are_limited_and_pages_and_webhooks_are_not(limited):
    forms = [requests.post(limited + "/signin", timeout=5).status_code for _ in range(40)]
    assert 429 in forms and forms.index(429) > 20
    assert {requests.get(limited + "/signin", timeout=5).status_code for _ in range(40)} == {200}
    assert {requests.post(limited + "/webhooks/stripe", timeout=5).status_code for _ in range(40)} == {400}


def test_a_provider_of_models_takes_its_own_key_alone(nginx):
    asked = {"model": "gpt-small", "messages": [{"role": "user", "content": "Hi"}]}
    statuses = {name: requests.post(nginx["models_url"] + "/completions/v1/chat/completions", json=asked, timeout=5,
                                    headers={"Authorization": "Bearer " + key}).status_code
                for name, key in nginx["model_keys"].items()}
    assert statuses == {"completions": 200, "openai": 401, "anthropic": 401, "compatible": 401}


def test_what_the_configuration_says_of_usage_is_what_tests_put_in_force(nginx):
    def in_force():
        return [db.execute(sql).fetchall() for sql in (
            "select plan, meter, included, sold, most from usage.quotas order by 1, 2",
            "select provider, model, class, micros from usage.costs where to_at is null order by 1, 2, 3")]
    with psycopg.connect(nginx["database_url"], autocommit=True) as db:
        assert in_force() == [[], []]
        subprocess.run([nginx["prefix"] + "/bin/tollgate", "migrate", "--config", nginx["config"]], check=True,
                       env={**os.environ, "PGUSER": "postgres"}, stdout=subprocess.DEVNULL)
        configured = in_force()
        db.execute("select ops.put_usage(%s)", [json.dumps(models.USAGE)])
        assert in_force() == configured != [[], []]
        db.execute("select ops.put_usage(%s)", [json.dumps(models.NOTHING)])


def test_two_stand_side_by_side_and_end_alone(nginx):
    other = run_stack("up", "--detach")
    assert other["url"] != nginx["url"]
    assert requests.get(other["url"] + "/signin", timeout=5).status_code == 200
    run_stack("down", "--dir", other["dir"])
    assert processes_of(other["dir"]) == [] and not os.path.exists(other["dir"])
    assert requests.get(nginx["url"] + "/signin", timeout=5).status_code == 200


def test_a_directory_in_use_is_refused(nginx):
    done = subprocess.run([TESTS / "stack", "up", "--detach", "--dir", nginx["dir"]], capture_output=True, text=True)
    assert done.returncode != 0 and "running in" in done.stderr


def test_what_cannot_start_is_named_with_its_log_and_nothing_stays():
    with socket.create_server(("127.0.0.1", 0)) as taken, tempfile.TemporaryDirectory() as parent:
        os.chmod(parent, 0o755)
        done = subprocess.run([TESTS / "stack", "up", "--detach", "--dir", parent + "/d", "--port",
                               str(taken.getsockname()[1])], capture_output=True, text=True)
        assert done.returncode != 0
        assert "nginx ended with 1" in done.stderr and "Address already in use" in done.stderr
        assert processes_of(parent) == []


LAST = "Ctrl-C ends it and removes all of it."


def read_until(terminal, text):
    said = b""
    while text.encode() not in said:
        said += os.read(terminal, 65536)
    return said.decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def demo():
    """`make demo` in a terminal of its own, on a machine where one of its ports is in use: what it said."""
    for port in (8080, 8081, 8082):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip("port %d is in use on this machine" % port)
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    with socket.create_server(("127.0.0.1", 8081)):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("make", ["make", "--no-print-directory", "-C", str(TESTS.parent), "demo"], env)
        said = read_until(terminal, LAST)
    directory = re.search(r"tail -f (\S+)/log/", said)[1]
    yield SimpleNamespace(said=said, directory=directory, mails=re.search(r"mails\s+(\S+)", said)[1],
                          database=re.search(r"psql '(\S+)'", said)[1], stripe=re.search(r"pass\s+(\S+)", said)[1])
    os.close(terminal)
    os.waitpid(pid, 0)
    deadline = time.monotonic() + 30
    while processes_of(directory) or os.path.exists(directory):
        assert time.monotonic() < deadline, "a hang-up left something behind"
        time.sleep(0.1)


def test_the_demo_takes_the_usual_ports_that_are_free(demo):
    assert "http://localhost:8080/signup" in demo.said and "http://127.0.0.1:8082/" in demo.said
    assert ":8081" not in demo.said and "Port 8081 is in use here" in demo.said
    assert requests.get("http://localhost:8080/signup", timeout=5).status_code == 200


def test_the_demo_leads_from_the_address_to_the_name(demo):
    """The site has one name: under the address its forms would be refused."""
    answer = requests.get("http://127.0.0.1:8080/signup?a=b", timeout=5, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, "http://localhost:8080/signup?a=b")


@pytest.fixture(scope="module")
def visitor(demo):
    """The browser of the demo's owner, who signs in by a mailed link."""
    browser = furniture.Browser("http://localhost:8080")
    browser.submit(browser.get("/signin"), {"email": furniture.OWNER})
    mails = demo.mails + "mails?to=" + furniture.OWNER
    wait_for(lambda: len(requests.get(mails, timeout=5).json()) == 2)
    link = re.search(r"/signin/link\?t=[\w-]+", requests.get(mails, timeout=5).json()[1]["text"])[0]
    browser.submit(browser.get(link))
    return browser


def test_c97_the_demo_shows_some_days_of_usage(demo, visitor):
    """To the program that has the key, and to its owner."""
    key = re.search(r"program's key\s+(\S+)", demo.said)[1]
    told = requests.get("http://localhost:8080/api/usage", headers={"Authorization": "Bearer " + key}, timeout=5).json()
    assert [(m["meter"], m["used"], m["sold"]) for m in told["meters"]] == [
        ("tokens", sum(map(sum, furniture.DAYS)), True)] and told["micros"] > 0
    page = visitor.get("/settings/usage").html.one(id="meter-tokens")
    assert len(page.one("svg").all("rect")) == len(furniture.DAYS)
    assert key[-4:] in visitor.get("/settings/keys").text
    with psycopg.connect(demo.database) as db:
        wait_for(lambda: db.execute("select bool_and(state = 'sent') from usage.outbox").fetchone()[0])
        assert db.execute("select usage.faults()").fetchone()[0] == []


def test_c78_the_demo_chats_with_what_stands_for_a_model(demo, visitor):
    models_url = re.search(r"models said\s+(\S+)", demo.said)[1]
    answer = visitor.submit(visitor.get("/chat"), {"text": "Is anybody there?"}, action="/chat")
    assert furniture.SAY.split("\n")[-1] in visitor.get(answer.location).text
    call, = requests.get(models_url, timeout=5).json()
    assert call["request"]["instructions"] == models.SYSTEM and call["end"] == "done"
    assert call["finish_at"] - call["first_at"] > 1, "it comes at a pace that can be watched"
    with psycopg.connect(demo.database) as db:
        assert db.execute("select output from chat.messages where role = 'assistant'").fetchone()[0] == call["output"]
        assert db.execute("select usage.faults()").fetchone()[0] == []


def test_a_month_of_the_demo_passes_on_both_sides(demo):
    def there():
        with psycopg.connect(demo.database) as db:
            here = db.execute("select extract(epoch from now())::bigint").fetchone()[0]
        return here, requests.get(demo.stripe + "_sim/clock", timeout=5).json()["now"]

    before = there()
    page = requests.get(demo.stripe, timeout=5).text
    token = re.search(r'name="token" value="(\w+)"', page)[1]
    pressed = [requests.post(demo.stripe, {"token": token, "days": days}, timeout=20).status_code
               for days in ("31", "31")]
    assert pressed == [200, 409]
    after = there()
    assert all(31 * 86400 <= b - a < 31 * 86400 + 120 for a, b in zip(before, after)), (before, after)
    assert abs(after[0] - after[1]) < 5
    assert requests.post(demo.stripe, {"token": "x", "days": "31"}, timeout=20).status_code == 409


def test_a_demo_installs_no_browser_and_no_tests():
    listed = {what: set(subprocess.run([TESTS / "deps", "--list", *what], capture_output=True, text=True,
                                       check=True).stdout.split()) for what in ((), ("demo",))}
    assert {"chromium", "npm"} <= listed[()] and listed[("demo",)] < listed[()]
    assert not {"chromium", "python3-selenium", "nodejs", "npm", "apache2-bin", "python3-pytest"} & listed[("demo",)]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_foreground_and_all_of_it(how):
    process = subprocess.Popen([TESTS / "stack", "up"], stdout=subprocess.PIPE, text=True)
    state = json.loads(process.stdout.readline())
    process.send_signal(how)
    assert process.wait(30) == 0
    assert processes_of(state["dir"]) == [] and not os.path.exists(state["dir"])


def test_a_killed_supervisor_takes_all_with_it():
    process = subprocess.Popen([TESTS / "stack", "up", "--keep"], stdout=subprocess.PIPE, text=True)
    state = json.loads(process.stdout.readline())
    process.kill()
    process.wait()
    wait_for(lambda: processes_of(state["dir"]) == [], 10)
    subprocess.run(["rm", "-rf", state["dir"]], check=True)


def test_a_template_is_filled_line_by_line():
    assert fill("a 1\n\t#@ b\n\tb 2\nc 3\n", {"b": "b 9"}) == "a 1\nb 9\nc 3\n"
    assert fill("a 1\n\t#@ b\n\tb 2\nc 3\n", {"b": None}) == "a 1\n\tb 2\nc 3\n"


def test_a_line_without_a_value_and_a_value_without_a_line_are_refused():
    with pytest.raises(KeyError, match="'b'"):
        fill("#@ b\nb 2\n", {})
    with pytest.raises(Failed, match="no line is marked b"):
        fill("b 2\n", {"b": "b 9"})


def test_a_path_too_long_for_sockets_is_refused(tmp_path):
    with pytest.raises(Failed, match="too long"):
        System("/tmp/" + "x" * 120, "nginx", 0, ["nobody"]).check()
