"""Hints: with NOTIFY jobs works on an event and the mailer on a mail at once; without it polling finds them."""
import os
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from faults import all_at_once, deliver, event, kill, processes, settings
from journey import ask_for_link, become_customer, wait_until

pytestmark = [pytest.mark.usefixtures("calm"), pytest.mark.only("nginx")]

NEVER = 60000       # milliseconds between polls of jobs: longer than any test waits
MAIL = ("insert into mail.outbox (key, recipient, template, language) "
        "values (gen_random_uuid()::text, %s, 'failed', 'en')")
SOON = 10           # seconds until hinted work must be done: generous, for a busy machine
LISTENERS = ("select pid from pg_stat_activity where query = 'listen tollgate_dirty' and state = 'idle' "
             "order by backend_start desc limit 1")     # one that was told to end may be there a moment longer
MAILERS = LISTENERS.replace("dirty", "mail")


@contextmanager
def looking(stack, every_ms, **changed):
    """Sets jobs.poll_ms: how rarely jobs polls."""
    with settings(stack, "jobs", jobs_poll_ms=every_ms, **changed):
        yield


@pytest.fixture
def patient(stack, db):
    """jobs hardly ever polls, and listens."""
    with looking(stack, NEVER):
        wait_until(lambda: db.value(LISTENERS))
        time.sleep(1)   # the looks it begins with
        yield


@pytest.fixture
def mute(stack, db):
    """Sends no hints: webhooks lacks the right."""
    db.execute("revoke execute on function service.hint() from tollgate_webhooks")
    yield
    db.execute("grant execute on function service.hint() to tollgate_webhooks")
    kill(stack, "webhooks")     # after a refusal it is silent for a while


def tell(stack):
    """One event, taken; its id."""
    ident, _, body = event()
    assert deliver(stack, body).status == 200
    return ident


def done(db, *idents):
    return db.value("select count(*) from inbox.events where id = any(%s) and state = 'done'",
                    list(idents)) == len(idents)


def test_f79_an_event_is_applied_as_soon_as_it_is_hinted_at(stack, db, patient):
    ident = tell(stack)
    wait_until(lambda: done(db, ident), SOON)


def test_f79_events_that_come_too_close_for_a_hint_of_their_own_are_applied_too(stack, db, patient):
    for number in (2, 5, 20):
        idents = all_at_once(lambda: tell(stack), number)
        wait_until(lambda: done(db, *idents), SOON)


def test_f79_without_hints_looking_finds_it(stack, db, mute):
    with looking(stack, 300):
        ident = tell(stack)
        wait_until(lambda: done(db, ident), SOON)


def test_f79_a_hint_that_is_refused_fails_no_event_and_any_later_one_does(stack, db, patient, mute):
    idents = [tell(stack) for _ in range(5)]
    time.sleep(1)
    assert db.value("select count(*) from inbox.events where id = any(%s) and state = 'received'", idents) == 5
    db.execute("notify tollgate_dirty")
    wait_until(lambda: done(db, *idents), SOON)


def test_f79_the_listening_connection_is_lost_and_made_anew(stack, db, patient):
    before = processes(stack, "jobs")
    for _ in range(3):
        gone = db.value(LISTENERS)
        db.execute("select pg_terminate_backend(%s, 10000)", gone)
        ident = tell(stack)     # perhaps while no connection listens
        assert wait_until(lambda: db.value(LISTENERS)) != gone
        wait_until(lambda: done(db, ident), SOON)
    ident = tell(stack)
    wait_until(lambda: done(db, ident), SOON)
    assert processes(stack, "jobs") == before


def test_f79_while_no_connection_listens_polling_finds_it(stack, db):
    """All of its connections are lost again and again."""
    with looking(stack, 300):
        wait_until(lambda: db.value(LISTENERS))
        for _ in range(10):
            ident = tell(stack)
            db.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'tollgate_jobs'")
            wait_until(lambda: done(db, ident) or db.execute(
                "update sync.objects set claimed_until = now() where claimed_until > now()"))


def test_f92_through_a_pooler_it_does_not_listen(stack, db):
    with looking(stack, 300, database_prepared="false"):
        ident = tell(stack)
        wait_until(lambda: done(db, ident), SOON)
        assert db.value(LISTENERS) is None


def busy(stack):
    """Seconds of a processor that jobs has used."""
    pid, = processes(stack, "jobs")
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_f79_a_flood_of_forged_hints_stops_no_work(stack, db, patient):
    """Sent by the least of our roles as fast as it can; jobs treats many as one and looks now and then."""
    user, seconds = stack["database_url"].replace("postgres@", "tollgate_account@"), 2
    with psycopg.connect(user, autocommit=True) as forger:
        before, end = busy(stack), time.monotonic() + seconds
        while time.monotonic() < end:
            forger.execute("notify tollgate_dirty")
        assert busy(stack) - before < seconds / 4
        for thousand in range(20):
            forger.execute("; ".join(f"notify tollgate_dirty, '{thousand}.{i}'" for i in range(1000)))
    ident = tell(stack)
    wait_until(lambda: done(db, ident), SOON)


@pytest.fixture
def patient_mailer(stack, db):
    """The mailer hardly ever polls, and listens."""
    with settings(stack, "mailer", mail_poll_ms=NEVER):
        wait_until(lambda: db.value(MAILERS))
        time.sleep(1)
        yield


def test_f79_s11_a_mail_leaves_when_it_is_written_down(browser, sim, db, mail, fresh, patient_mailer):
    email = fresh()
    become_customer(browser, sim, db, email)
    mail.wait(email)
    begun = time.monotonic()
    ask_for_link(browser, email)
    mail.wait(email, 2)
    assert time.monotonic() - begun < SOON


def test_f79_s11_the_mailers_listening_connection_is_lost_and_made_anew(stack, db, mail, fresh, patient_mailer):
    before = processes(stack, "mailer")
    for _ in range(3):
        email, gone = fresh(), db.value(MAILERS)
        db.execute("select pg_terminate_backend(%s, 10000)", gone)
        db.execute(MAIL, email)
        assert wait_until(lambda: db.value(MAILERS)) != gone
        mail.wait(email)
    assert processes(stack, "mailer") == before


def test_f79_s11_without_a_hint_polling_finds_the_mail(stack, db, mail, fresh):
    with settings(stack, "mailer", mail_poll_ms=300):
        db.execute("alter table mail.outbox disable trigger hint_mail")
        try:
            email = fresh()
            db.execute(MAIL, email)
            mail.wait(email)
        finally:
            db.execute("alter table mail.outbox enable trigger hint_mail")


def test_f92_s11_through_a_pooler_the_mailer_does_not_listen(stack, db, mail, fresh):
    with settings(stack, "mailer", mail_poll_ms=300, database_prepared="false"):
        email = fresh()
        db.execute(MAIL, email)
        mail.wait(email)
        assert db.value(MAILERS) is None


def test_c96_the_welcome_mail_leaves_when_the_payment_is_written_down(browser, sim, db, mail, fresh, patient,
                                                                      patient_mailer):
    begun, email = time.monotonic(), fresh()
    become_customer(browser, sim, db, email)
    mail.wait(email)
    assert time.monotonic() - begun < 10
