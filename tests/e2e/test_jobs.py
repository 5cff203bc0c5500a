"""jobs: each dirty object becomes clean once, although processes die, fail or are late."""
import json
import re
import secrets
import signal
import subprocess
import time
from pathlib import Path

import pytest
from faults import (another, assert_one_of_each, deliver, event, holding, kill, leases_end, processes,
                    replaced, send, waiting)
from journey import session_in, sign_up, wait_until

pytestmark = [pytest.mark.usefixtures("calm"), pytest.mark.only("nginx")]

CLAIMED = "select claim from sync.objects where id = %s and claimed_until > now()"


@pytest.fixture
def buyer(new_browser, sim, fresh):
    """A function that makes one more paid customer: (address, session). Webhooks are held back."""
    sim.post("mode", hold=True)

    def buy():
        email = fresh()
        session = session_in(sign_up(new_browser(), email))
        assert sim.pay(session)["paid"]
        return email, session
    return buy


@pytest.fixture
def subscription(buyer, sim, db):
    """The subscription of a customer whose events have all been applied."""
    email, _ = buyer()
    sim.post("mode", hold=False)
    wait_until(lambda: db.status_of(email) == "active")
    sim.quiet()
    wait_until(lambda: dirty(db) == 0)
    return db.value("select id from billing.subscriptions where tenant_id = %s", db.tenant_of(email))


def mark(db, kind, ident):
    db.execute("select sync.mark(%s, %s)", kind, ident)


def dirty(db):
    return db.value("select count(*) from sync.objects where version > clean_version and dead_at is null")


def stack_tollgate(stack, *arguments):
    return subprocess.run([stack["prefix"] + "/bin/tollgate", *arguments, "--config", stack["config"]],
                          capture_output=True, text=True, check=True).stdout


def refused(sim, status):
    """How many calls got this status: objects of earlier tests may still be read when a test begins."""
    return sum(r["status"] == status for r in sim.requests())


def clean(db, ident):
    return db.value("select version = clean_version and claimed_until is null from sync.objects where id = %s", ident)


def test_f78_killed_while_it_fetches_another_does_it_once_the_lease_has_ended(stack, sim, db, mail, buyer):
    email, session = buyer()
    sim.fault(method="GET", path=f"/v1/checkout/sessions/{session}", answer="hang")
    mark(db, "checkout", session)
    claim = wait_until(lambda: db.value(CLAIMED, session))
    kill(stack, "jobs")
    time.sleep(0.5)
    assert db.value(CLAIMED, session) == claim and db.status_of(email) == "draft"
    leases_end(db)
    wait_until(lambda: db.status_of(email) == "active")
    sim.post("mode", hold=False)
    mail.wait(email)
    assert_one_of_each(db, sim, mail, email)


def test_c34_f78_killed_while_it_writes_what_was_sent_is_written_once(stack, sim, db, mail, buyer):
    email, session = buyer()
    with holding(stack, f"select from app.tenants where id = '{db.tenant_of(email)}' for update"):
        mark(db, "checkout", session)
        wait_until(lambda: waiting(db, "jobs"))
        gone = send(stack, "jobs", signal.SIGKILL)
        assert db.status_of(email) == "draft"
    replaced(stack, "jobs", gone)
    wait_until(lambda: clean(db, session))
    assert len(sim.requests("GET", f"/v1/checkout/sessions/{session}")) == 1
    sim.post("mode", hold=False)
    mail.wait(email)
    assert_one_of_each(db, sim, mail, email)


def test_f78_killed_again_and_again_all_is_done_once(stack, sim, db, mail, buyer):
    buyers = [buyer() for _ in range(6)]
    sim.fault(method="GET", answer="real", after=0.1, times=40)
    sim.post("mode", hold=False)
    for _ in range(4):
        time.sleep(0.15)
        kill(stack, "jobs")
        leases_end(db)
    for email, _ in buyers:
        wait_until(lambda: leases_end(db) or mail.to(email), every=1)
    wait_until(lambda: leases_end(db) or dirty(db) == 0, every=1)
    for email, _ in buyers:
        assert_one_of_each(db, sim, mail, email)


def test_f78_two_processes_side_by_side_do_each_object_once(stack, sim, db, tmp_path):
    word = secrets.token_hex(4)
    ids = [f"cus_side{i}x{word}" for i in range(60)]
    sim.fault(method="GET", path="/v1/customers/cus_side*", answer="real", after=0.05, times=60)
    with another(stack, "jobs", tmp_path / "log"):
        db.execute("select sync.mark('customer', i) from unnest(%s::text[]) i", ids)
        wait_until(lambda: all(clean(db, i) for i in ids))
    asked = [r["path"].rpartition("/")[2] for r in sim.requests("GET", f"/v1/customers/cus_side*x{word}")]
    assert sorted(asked) == sorted(ids)
    assert 1 <= (tmp_path / "log").read_text().count('"sync"') <= 59


def test_f73_marked_again_while_it_is_fetched_it_is_fetched_again(sim, db, subscription):
    before = len(sim.requests("GET", f"/v1/subscriptions/{subscription}"))
    sim.fault(method="GET", path=f"/v1/subscriptions/{subscription}", answer="real", after=2.5)
    mark(db, "subscription", subscription)
    wait_until(lambda: db.value(CLAIMED, subscription))
    time.sleep(0.3)
    sim.post(f"subscriptions/{subscription}/cancel_at_period_end")
    sim.quiet()
    assert db.value(CLAIMED, subscription)
    wait_until(lambda: clean(db, subscription))
    assert len(sim.requests("GET", f"/v1/subscriptions/{subscription}")) == before + 2
    assert db.value("select cancel_at_period_end or cancel_at is not null from billing.subscriptions where id = %s",
                    subscription)


def test_c35_of_a_burst_of_events_the_first_and_the_last_are_fetched(sim, db, subscription):
    time.sleep(0.6)     # since it was fetched
    before = len(sim.requests("GET", f"/v1/subscriptions/{subscription}"))
    begun = time.monotonic()
    for _ in range(15):
        mark(db, "subscription", subscription)
        time.sleep(0.02)
    halves = (time.monotonic() - begun) // 0.5      # sync.settle_ms: in a burst that is longer there is one each
    wait_until(lambda: clean(db, subscription))
    assert before + 1 <= len(sim.requests("GET", f"/v1/subscriptions/{subscription}")) <= before + 2 + halves


def test_c42_each_try_is_a_line_with_its_number_and_outcome(stack, sim, db):
    evt, ident, body = event()
    sim.fault(method="GET", path=f"/v1/customers/{ident}", status=400, times=2)
    assert deliver(stack, body).status == 200
    wait_until(lambda: clean(db, ident))

    def found():
        return [json.loads(line) for line in (Path(stack["log_dir"]) / "jobs.log").read_text().splitlines()
                if ident in line and '"event":"sync' in line]
    lines = wait_until(lambda: found()[2:] and found())     # the last comes after what it tells of
    assert [(line["event"], line["attempt"], line["newest_event"]) for line in lines] == \
        [("sync_failed", 1, evt), ("sync_failed", 2, evt), ("sync", 3, evt)]
    assert lines[0]["reason"] == "internal"     # a refusal by Stripe is a mistake in the request


def test_f74_an_object_that_stripe_does_not_know_is_done_with(stack, sim, db):
    ident, customer, body = event()
    assert deliver(stack, body).status == 200
    wait_until(lambda: db.value("select state from inbox.events where id = %s", ident) == "done")
    assert clean(db, customer)
    assert len(sim.requests("GET", f"/v1/customers/{customer}")) == 1


POISONS = {"Stripe refuses it": {"status": 400}, "another object": {"answer": "real", "set": {"id": "cus_another"}},
           "no object": {"status": 200, "body": "[]"}, "nothing a database can hold": {
               "status": 200, "body": {"id": "cus_p\0", "object": "customer"}}}


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
def test_f77_a_poisonous_event_stops_nothing_and_is_given_up(stack, sim, db, mail, buyer, poison):
    made = sim.get("state")["customer"][0]["id"] if poison.get("set") else None
    ident, customer, body = event(made)
    sim.fault(method="GET", path=f"/v1/customers/{customer}", times=1000, **poison)
    assert deliver(stack, body).status == 200
    wait_until(lambda: db.value("select last_error from sync.objects where id = %s", customer))
    email, _ = buyer()
    sim.post("mode", hold=False)
    wait_until(lambda: db.status_of(email) == "active", 15)
    assert 1 <= db.value("select attempts from sync.objects where id = %s", customer) <= 5
    db.execute("update sync.objects set attempts = 11, next_at = now() where id = %s", customer)
    wait_until(lambda: db.value("select dead_at from sync.objects where id = %s", customer))
    assert db.value("select state from inbox.events where id = %s", ident) == "dead"
    sim.delete("faults")
    again, _, body = event(customer)
    assert deliver(stack, body).status == 200
    wait_until(lambda: clean(db, customer))
    assert db.value("select count(*) from inbox.events where id in (%s, %s) and state in ('done', 'ignored')",
                    ident, again) == 2


def test_f96_while_stripe_is_down_few_calls_are_made_and_afterwards_all_is_caught_up(sim, db, mail, buyer):
    buyers = [buyer() for _ in range(5)]
    made, begun = refused(sim, 503), time.monotonic()
    sim.fault(method="GET", times=10000, status=503, headers={"Retry-After": "3600"})
    sim.post("mode", hold=False)
    sim.quiet()
    wait_until(lambda: refused(sim, 503) >= made + 5)
    time.sleep(0.5)
    before = refused(sim, 503)
    time.sleep(2.5)
    turns = (time.monotonic() - begun) // 10       # each 10 s a call of every thread may try whether it is over
    assert refused(sim, 503) <= min(before, made + 10) + 2 * turns
    assert [db.status_of(email) for email, _ in buyers] == ["draft"] * 5
    sim.delete("faults")
    for email, _ in buyers:
        wait_until(lambda: mail.to(email), 20)
        assert_one_of_each(db, sim, mail, email)


def test_f113_told_to_stop_while_stripe_hangs_it_ends_in_time_and_the_next_one_does_it(stack, sim, db, buyer):
    email, session = buyer()
    sim.fault(method="GET", path=f"/v1/checkout/sessions/{session}", answer="hang")
    mark(db, "checkout", session)
    wait_until(lambda: db.value(CLAIMED, session))
    gone = send(stack, "jobs", signal.SIGTERM)
    wait_until(lambda: not gone & processes(stack, "jobs"), 2.5)
    wait_until(lambda: db.status_of(email) == "active", 15)     # a lease is longer


def key_alerts(db):
    return db.rows("select detail -> 'refused' from ops.alerts where kind = 'stripe_key' and cleared_at is null")


def key_lines(stack, since):
    lines = (Path(stack["log_dir"]) / "jobs.log").read_text()[since:].splitlines()
    return [line["level"] for line in map(json.loads, filter(lambda line: '"stripe_key"' in line, lines))]


def log_size(stack):
    return len((Path(stack["log_dir"]) / "jobs.log").read_text())


def test_f102_while_stripe_does_not_know_the_key_nothing_is_given_up_and_the_operator_is_told_once(
        stack, sim, db, buyer):
    buyers, since = [buyer() for _ in range(5)], log_size(stack)
    made, begun = refused(sim, 401), time.monotonic()
    sim.fault(status=401, times=100000)
    for _, session in buyers:
        mark(db, "checkout", session)
    db.execute("update sync.objects set attempts = 11 where id = any(%s)", [session for _, session in buyers])
    wait_until(lambda: key_alerts(db) == [(["every call"],)])
    assert "stripe_key" in stack_tollgate(stack, "status") and "every call" in stack_tollgate(stack, "alerts", "list")
    wait_until(lambda: db.value("select max(outages) from sync.objects where last_error = 'key_refused'"))
    time.sleep(2)
    turns = 1 + (time.monotonic() - begun) // 10       # each 10 s a call of every thread may try whether it is over
    assert refused(sim, 401) <= made + 2 * turns and key_lines(stack, since) == ["error"]
    assert db.value("select count(*) from sync.objects where dead_at is not null and id = any(%s)",
                    [session for _, session in buyers]) == 0
    sim.delete("faults")
    wait_until(lambda: key_alerts(db) == [], 25)
    for email, _ in buyers:
        wait_until(lambda: db.status_of(email) == "active")
    assert key_lines(stack, since) == ["error", "info"]


def test_f102_what_a_restricted_key_may_not_do_waits_and_all_else_goes_on(stack, sim, db, buyer):
    word, since = secrets.token_hex(4), log_size(stack)
    ids = [f"cus_right{i}x{word}" for i in range(40)]
    made, begun = refused(sim, 403), time.monotonic()
    sim.fault(method="GET", path="/v1/customers/*", status=403, times=100000)
    for ident in ids:
        mark(db, "customer", ident)
    wait_until(lambda: key_alerts(db) == [(["GET /v1/customers"],)])
    email, _ = buyer()
    sim.post("mode", hold=False)
    wait_until(lambda: db.status_of(email) == "active", 15)
    db.execute("update sync.objects set attempts = 11, next_at = now() where id = any(%s)", ids)
    wait_until(lambda: db.value("select min(outages) from sync.objects where id = any(%s)", ids) > 1)
    turns = 1 + (time.monotonic() - begun) // 10       # each 10 s a call of every thread may try whether it is over
    assert made + 1 <= refused(sim, 403) <= made + 1 + 2 * turns
    assert db.value("select count(*) from sync.objects where dead_at is not null and id = any(%s)", ids) == 0
    sim.delete("faults")
    wait_until(lambda: all(clean(db, ident) for ident in ids), 25)
    assert wait_until(lambda: key_alerts(db) == []) and key_lines(stack, since) == ["error", "info"]


def test_f101_an_answer_that_is_cut_is_never_the_objects_fault(stack, sim, db, buyer):
    email, session = buyer()
    sim.fault(method="GET", path=f"/v1/checkout/sessions/{session}", answer="truncate", times=1000)
    mark(db, "checkout", session)
    db.execute("update sync.objects set attempts = 11 where id = %s", session)
    wait_until(lambda: db.value("select outages from sync.objects where id = %s", session))
    assert db.value("select dead_at from sync.objects where id = %s", session) is None
    sim.delete("faults")
    db.execute("update sync.objects set next_at = now() where id = %s", session)
    wait_until(lambda: db.status_of(email) == "active")


def test_f102_a_live_subscription_that_stripe_does_not_know_raises_an_alert_and_keeps_its_access(sim, db, subscription):
    missing = {"error": {"type": "invalid_request_error", "code": "resource_missing",
                         "message": "No such subscription"}}
    sim.fault(method="GET", path=f"/v1/subscriptions/{subscription}", status=404, body=missing, times=2)

    def gone():
        return db.rows("select id, tenant_id from ops.alerts where kind = 'gone' and subject = %s "
                       "and cleared_at is null", "subscription:" + subscription)
    mark(db, "subscription", subscription)
    wait_until(gone)
    first, tenant = gone()[0]
    assert db.value("select billing.entitlement(%s, now()) -> 'allowed'", tenant) is True
    time.sleep(0.6)
    mark(db, "subscription", subscription)
    wait_until(lambda: clean(db, subscription) and sim.get("faults") == [])
    assert gone() == [(first, tenant)], "still the same alert"
    time.sleep(0.6)
    mark(db, "subscription", subscription)
    wait_until(lambda: gone() == [])


@pytest.fixture
def leases(db):
    """A function: the seconds of each lease that was taken on rows of a table."""
    db.execute("create schema watch; create table watch.leases (taken_on text, seconds float8); "
               "create function watch.note() returns trigger language plpgsql security definer as $$ begin "
               "insert into watch.leases values (tg_argv[0], extract(epoch from new.claimed_until - now())); "
               "return null; end $$")
    for table in ("sync.objects", "mail.outbox"):
        db.execute(f"create trigger watched after update on {table} for each row when "
                   f"(new.claim is distinct from old.claim) execute function watch.note('{table}')")
    yield lambda table: [s for s, in db.rows("select seconds from watch.leases where taken_on = %s", table)]
    db.execute("drop schema watch cascade")


def configured(stack, section, key):
    return int(re.search(r"(?ms)^%s: \{.*?^\t?%s = (\d+);" % (section, key), Path(stack["config"]).read_text())[1])


def test_f78_a_lease_outlasts_the_calls_that_it_covers_and_ends_within_a_minute(stack, sim, db, mail, buyer, leases):
    """Two calls to Stripe, of two attempts and a second each, or one to the mail server; and eight seconds to write."""
    email, _ = buyer()
    sim.post("mode", hold=False)
    wait_until(lambda: mail.to(email))
    fetch = 2 * (2 * configured(stack, "stripe", "timeout_ms") / 1000 + 1)
    send_mail = configured(stack, "mail", "timeout_ms") / 1000
    assert leases("sync.objects") and all(fetch + 8 <= s <= 60 for s in leases("sync.objects"))
    assert leases("mail.outbox") and all(send_mail + 5 <= s <= 60 for s in leases("mail.outbox"))


def test_retention_goes_on_batch_by_batch_until_nothing_is_past_its_time(stack, db):
    """It runs as jobs starts, and then each hour."""
    db.execute("insert into mail.outbox (key, recipient, template, language, state, created_at) "
               "select 'old' || n, 'old@example.org', 'signin', 'en', 'void', now() - interval '2 days' "
               "from generate_series(1, 2500) n")
    kill(stack, "jobs", signal.SIGTERM)
    wait_until(lambda: db.value("select count(*) from mail.outbox where recipient = 'old@example.org'") == 0)


@pytest.mark.only("nginx")
def test_s06_jobs_look_for_transactions_that_stay_open(db):
    """An alert without such a transaction is ended by the next look."""
    ident = db.value("insert into ops.alerts (kind, subject, detail) "
                     "values ('old_transaction', current_database(), '{}') returning id")
    wait_until(lambda: db.value("select cleared_at is not null from ops.alerts where id = %s", ident))
