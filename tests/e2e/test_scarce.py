"""Memory, randomness, threads, descriptors or disk are refused: a request fails or is served whole, and the next is."""
import os
import re
import resource
import threading
from pathlib import Path

import pytest
import scarce
from faults import Postgres, deliver, event, leases_end, processes
from journey import become_customer, session_in, sign_in, wait_until

pytestmark = [pytest.mark.usefixtures("calm"), pytest.mark.only("nginx")]

REFUSED = {502, 503}       # 502: nginx about a connection that was closed
FEW = 25
MOST = 100_000


@pytest.fixture(scope="module")
def library(stack):
    if re.search(rb"lib[at]san", Path(stack["prefix"], "lib/tollgate/signup").read_bytes()):
        pytest.skip("a sanitizer has a malloc of its own")
    return scarce.build(stack["dir"] + "/tmp")


@pytest.fixture
def member(browser, sim, db, mail, fresh):
    email = fresh()
    become_customer(browser, sim, db, email)
    sign_in(browser, mail, email)
    return browser


def allocations(program, ask):
    """How many a request makes, once it has been made before."""
    ask(), ask()
    program.counters.memory = MOST
    ask()
    used, program.counters.memory = MOST - program.counters.memory, 0
    return used


def without_memory(program, ask, is_served):
    """Each allocation of the request fails in turn: it is refused or served, and the next one is served."""
    most = allocations(program, ask)
    assert most > 10
    odd = []
    for n in scarce.numbers(most, FEW):
        program.counters.memory = n
        answer = ask()
        program.counters.memory = 0
        if answer.status not in REFUSED and not is_served(answer):
            odd.append((n, answer))
        if not is_served(again := ask()):
            odd.append((n, "the next", again))
    assert odd == [], f"PROPERTY_SEED={scarce.SEED}, of {most}, {program.deaths} deaths"


def test_f116_memory_runs_out_in_a_page(stack, library, member):
    with scarce.scarce(stack, "account", library) as program:
        whole = member.get("/workspace").html.one("main").text
        without_memory(program, lambda: member.get("/workspace"),
                       lambda a: a.status == 200 and a.html.one("main").text == whole)


def test_f116_memory_runs_out_in_an_event(stack, library, db):
    sent = {}

    def ask():
        ident, customer, body = event()
        answer = deliver(stack, body)
        sent[ident] = (answer, customer)
        return answer
    with scarce.scarce(stack, "webhooks", library) as program:
        without_memory(program, ask, lambda a: a.status == 200)
    rows = dict(db.rows("select id, object_id from inbox.events where id = any(%s)", list(sent)))
    for ident, (answer, customer) in sent.items():
        assert rows.get(ident, customer) == customer, "what is stored is whole"
        assert answer.status != 200 or ident in rows, "what is acknowledged is stored"


def test_f116_memory_runs_out_in_a_sign_up(stack, library, browser, sim, db, fresh):
    email = fresh()
    form = browser.get("/signup")
    with scarce.scarce(stack, "signup", library) as program:
        without_memory(program, lambda: browser.submit(form, {"email": email, "plan": "starter"}),
                       lambda a: a.status == 303 and session_in(a))
    (_, attempt, session), = db.drafts_of(email)
    assert attempt == 1 and session_in(browser.submit(form, {"email": email, "plan": "starter"})) == session
    keys = {r["headers"].get("idempotency-key") for r in sim.sessions_of(email)}
    assert len(keys) == 1 and None not in keys


def test_f116_memory_runs_out_on_the_way_to_the_portal(stack, library, member):
    page = member.get("/settings/billing")
    with scarce.scarce(stack, "billing", library) as program:
        without_memory(program, lambda: member.submit(page), lambda a: a.status == 303 and "/p/session/" in a.location)


def test_f116_memory_runs_out_in_a_request_for_a_link(stack, library, browser, fresh):
    page = browser.get("/signin")
    with scarce.scarce(stack, "signin", library) as program:
        without_memory(program, lambda: browser.submit(page, {"email": fresh("nobody")}), lambda a: a.status == 303)


def test_f116_memory_runs_out_in_jobs(stack, library, db):
    """Here and there, in whatever thread is at work; what was acknowledged is done in the end."""
    sent = []
    with scarce.scarce(stack, "jobs", library) as program:
        for n in scarce.numbers(1000, FEW):
            ident, _, body = event()
            assert deliver(stack, body).status == 200
            sent.append(ident)
            program.counters.memory = n
            wait_until(lambda: program.counters.memory == 0 or is_done(db, [ident]))
        program.counters.memory = 0
        leases_end(db)
        wait_until(lambda: is_done(db, sent))
        assert program.deaths > 0


def is_done(db, idents):
    return not db.value("select count(*) from inbox.events where id = any(%s) and state <> 'done'", idents)


@pytest.mark.parametrize("name, path", [("account", "/workspace"), ("webhooks", None)])
def test_f117_the_log_is_on_a_full_disk(stack, library, member, name, path):
    with scarce.scarce(stack, name, library, log="/dev/full"):
        for _ in range(20):
            answer = member.get(path) if path else deliver(stack, event()[2])
            assert answer.status == 200


def test_f117_there_is_no_temporary_space(stack, library, member):
    with scarce.scarce(stack, "account", library) as program:
        assert member.get("/workspace").status == 200
        program.counters.scratch = -1
        assert {member.get("/workspace").status for _ in range(5)} == {503}
        program.counters.scratch = 0
        assert member.get("/workspace").status == 200
        assert program.deaths == 0 and len(program.lines("scratch")) == 5


def test_f117_the_database_has_no_room_for_rows(stack, library, db):
    with scarce.scarce_postgres(stack, Postgres(stack, db), library) as disk:
        wait_until(lambda: deliver(stack, event()[2]).status == 200)
        db.execute("checkpoint")
        disk.relations = -1
        acknowledged, refused = [], 0
        for _ in range(4000):       # the room that autovacuum has made is used up first
            ident, _, body = event()
            answer = deliver(stack, body)
            assert answer.status in (200, 503)
            if answer.status == 503:
                refused += 1
                if refused > 5:
                    break
            else:
                acknowledged.append(ident)
        disk.relations = 0
        assert refused > 0, "the table had to grow"
        assert db.value("select count(*) from inbox.events where id = any(%s)", acknowledged) == len(acknowledged)
        wait_until(lambda: deliver(stack, event()[2]).status == 200)


def test_f117_the_database_has_no_room_for_wal(stack, library, db):
    """PostgreSQL stops at once, and recovers once there is room."""
    postgres, acknowledged, seen = Postgres(stack, db), [], set()
    with scarce.scarce_postgres(stack, postgres, library) as disk:
        for _ in range(3):
            wait_until(lambda: deliver(stack, event()[2]).status == 200)
            disk.wal = 1
            for _ in range(20):
                ident, _, body = event()
                answer = deliver(stack, body)
                assert answer.status in (200, 503)
                seen.add(answer.status)
                acknowledged += [ident] if answer.status == 200 else []
            wait_until(lambda: scarce.connects(postgres))
            known = {ident for ident, in db.rows("select id from inbox.events where id = any(%s)", acknowledged)}
            assert known == set(acknowledged)
            assert disk.wal == 0, "WAL was written"
    wait_until(lambda: deliver(stack, event()[2]).status == 200)


@pytest.mark.parametrize("limit", [3, 6, 8, 10, 12, 14])
def test_f118_there_are_few_descriptors(stack, library, member, limit):
    """A request waits, is refused or is served; the process stays, and serves when there are more."""
    with scarce.scarce(stack, "account", library) as program:
        assert member.get("/workspace").status == 200
        before = resource.prlimit(program.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
        timer = threading.Timer(0.5, resource.prlimit, (program.pid, resource.RLIMIT_NOFILE, before))
        timer.start()
        assert member.get("/workspace").status in {200} | REFUSED
        timer.join()
        assert member.get("/workspace").status == 200 and program.deaths == 0


def test_f118_some_threads_do_not_start(stack, library, member):
    with scarce.scarce(stack, "account", library, threads=4, before={"threads": 3}) as program:
        assert {member.get("/workspace").status for _ in range(10)} == {200}
        assert ['"started":2,"wanted":4' in line for line in program.lines("threads")] == [True]


def test_f118_no_thread_starts(stack, library, member):
    """The program ends and is started again, until one does."""
    with scarce.scarce(stack, "account", library, before={"threads": -1}) as program:
        wait_until(lambda: program.deaths > 2)
        program.counters.threads = 0
        assert member.get("/workspace").status == 200


def test_f118_some_threads_of_jobs_start_later(stack, library, db):
    ident, _, body = event()
    with scarce.scarce(stack, "jobs", library, before={"threads": 4}) as program:
        wait_until(lambda: program.lines("threads"))
        program.counters.threads = -1
        assert deliver(stack, body).status == 200
        wait_until(lambda: len(program.lines("threads")) > 2)
        program.counters.threads = 0
        wait_until(lambda: is_done(db, [ident]))
        assert program.deaths == 0


DAY = 86400


@pytest.mark.parametrize("ahead", [DAY, -DAY, 600, -600])
def test_f119_a_program_whose_clock_is_wrong(stack, library, member, other, sim, db, mail, fresh, ahead):
    """The database's clock decides what has expired; no deadline depends on the wall clock, also when it steps."""
    email = fresh()
    become_customer(other, sim, db, email)
    with scarce.scarce(stack, "account", library) as account, scarce.scarce(stack, "signin", library) as signin, \
            scarce.scarce(stack, "jobs", library) as jobs:
        assert member.get("/workspace").status == 200
        for program in (account, signin, jobs):
            program.counters.clock = ahead
        assert member.get("/workspace").status == 200
        sign_in(other, mail, email)
        assert other.get("/workspace").status == 200
        ident, _, body = event()
        assert deliver(stack, body).status == 200
        wait_until(lambda: is_done(db, [ident]))
        for program in (account, signin, jobs):
            program.counters.clock = 0
        assert other.get("/workspace").status == member.get("/workspace").status == 200
        assert account.deaths + signin.deaths + jobs.deaths == 0
    session = db.row("select absolute_until - created_at, created_at between now() - interval '5 min' and now() "
                     "from auth.sessions order by created_at desc limit 1")
    assert session[0].days >= 0 and session[1], "the session's times are the database's"


@pytest.mark.parametrize("ahead, status", [(240, 200), (-240, 200), (600, 400), (-600, 400)])
def test_f119_events_are_taken_while_clocks_are_five_minutes_apart(stack, library, db, ahead, status):
    """Stripe repeats what is refused, so nothing is lost if the clock is set right in time."""
    with scarce.scarce(stack, "webhooks", library, before={"clock": ahead}) as program:
        ident, _, body = event()
        assert deliver(stack, body).status == status
        assert ("webhook_refused" in program.log.read_text()) == (status == 400)
        program.counters.clock = 0
        assert deliver(stack, body).status == 200
        wait_until(lambda: is_done(db, [ident]))


@pytest.mark.parametrize("name, ask", [
    ("signup", lambda browser: browser.get("/signup")), ("signin", lambda browser: browser.get("/signin"))])
def test_f120_there_is_no_randomness(stack, library, new_browser, name, ask):
    """No token is made of anything else: the request is refused, without a cookie."""
    with scarce.scarce(stack, name, library) as program:
        assert ask(new_browser()).status == 200
        program.counters.random = -1
        for _ in range(3):
            answer = ask(new_browser())
            assert answer.status in (500, 503) and answer.header("Set-Cookie") is None
        program.counters.random = 0
        assert ask(new_browser()).status == 200 and program.deaths == 0


def held(pid):
    """(resident kB, open descriptors) of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    try:
        return int(status.partition("VmRSS:")[2].split()[0]), len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:     # an ordinary user may not look into a process that is not dumpable
        return int(status.partition("VmRSS:")[2].split()[0]), 0


def test_f123_a_program_that_has_served_for_long_is_as_small_as_before(stack, library, member, browser):
    """Some requests; with PROPERTY_RUNS=full as many as in a quiet month. A leak of 1 KB a request shows in 300."""
    asks = {"account": lambda: member.get("/workspace").status, "signin": lambda: browser.get("/signin").status,
            "webhooks": lambda: deliver(stack, event()[2]).status, "billing": lambda: member.get(
                "/settings/billing").status}
    rounds = 30_000 if scarce.FULL else 300
    for name, ask in asks.items():
        pid, = processes(stack, name)
        assert {ask() for _ in range(200)} <= {200, 303}
        before = held(pid)
        assert {ask() for _ in range(rounds)} <= {200, 303}
        after = held(pid)
        assert after[0] - before[0] < 256 and after[1] <= before[1] + 4, (name, before, after)
