"""jobs: every object that was marked is made clean once, whoever dies, fails or is late."""
import os
import signal
import subprocess
import time

import pytest
from faults import assert_one_of_each, event, deliver, kill, pay, processes, send, settings
from journey import session_in, sign_up, wait_until

pytestmark = [pytest.mark.usefixtures("calm"), pytest.mark.only("nginx")]

CLAIMED = "select claim from sync.objects where id = %s and claimed_until > now()"


@pytest.fixture(scope="module", autouse=True)
def quick(stack):
    with settings(stack, "jobs", jobs_poll_ms=100):
        yield


@pytest.fixture
def done(db):
    """Whether all that was marked of these objects has been dealt with."""
    return lambda *ids: db.value("select count(*) from sync.objects where id = any(%s) and version = clean_version",
                                 list(ids)) == len(ids)


@pytest.fixture
def buyer(browser, sim, db, fresh):
    """(address, session) of somebody who is about to pay; its webhooks are held back."""
    sim.post("mode", hold=True)
    email = fresh()
    session = session_in(sign_up(browser, email))
    sim.pay(session)
    return email, session


def lease_ends(db, ident):
    """As it would by itself, half a minute later."""
    db.execute("update sync.objects set claimed_until = now() - interval '1 s' where id = %s", ident)


def fetched(sim, path):
    return len(sim.requests("GET", path))


def test_f78_killed_while_it_fetches_its_lease_ends_and_another_does_it_once(stack, sim, db, mail, buyer):
    email, session = buyer
    sim.fault(method="GET", path=f"/v1/checkout/sessions/{session}", answer="hang")
    db.execute("select sync.mark('checkout', %s)", session)
    claim = wait_until(lambda: db.value(CLAIMED, session))
    kill(stack, "jobs")
    time.sleep(0.5)
    assert db.value(CLAIMED, session) == claim and db.status_of(email) == "draft"
    lease_ends(db, session)
    wait_until(lambda: db.status_of(email) == "active")
    sim.post("mode", hold=False)
    wait_until(lambda: mail.to(email))
    assert_one_of_each(db, sim, mail, email)


def test_f78_killed_while_it_writes_what_was_sent_is_written_once(stack, sim, db, mail, buyer):
    email, session = buyer
    with db.connection.transaction():
        db.execute("select 1 from app.tenants where id = %s for update", db.tenant_of(email))
        db.execute("commit")    # as marks are seen by others only then
        db.execute("begin")
        db.execute("select sync.mark('checkout', %s)", session)
        db.execute("commit")
        db.execute("begin")
        db.execute("select 1 from app.tenants where id = %s for update", db.tenant_of(email))


def test_f113_told_to_stop_while_stripe_hangs_it_is_gone_in_time_and_the_next_does_it(stack, sim, db, buyer):
    email, session = buyer
    sim.fault(method="GET", path=f"/v1/checkout/sessions/{session}", answer="hang")
    db.execute("select sync.mark('checkout', %s)", session)
    wait_until(lambda: db.value(CLAIMED, session))
    gone = send(stack, "jobs", signal.SIGTERM)
    wait_until(lambda: not gone & processes(stack, "jobs"), 2.5)
    wait_until(lambda: db.status_of(email) == "active")
