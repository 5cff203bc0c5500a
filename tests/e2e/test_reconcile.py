"""Reconciliation: what webhooks missed is found in Stripe's lists, even when jobs is killed meanwhile, and repaired."""
import time

import pytest
from faults import kill, settings
from journey import become_customer, session_in, sign_up, stack_command, wait_until

pytestmark = [pytest.mark.usefixtures("calm"), pytest.mark.only("nginx")]

CURSOR = "select {} from sync.cursors where name = %s"


@pytest.fixture(scope="module", autouse=True)
def quick(stack):
    with settings(stack, "jobs", jobs_poll_ms=50, jobs_gap_seconds=1):
        yield


@pytest.fixture
def customer(browser, sim, db, fresh):
    """The subscription of a customer whose events have all been applied; Stripe delivers nothing from then on."""
    email = fresh()
    become_customer(browser, sim, db, email)
    subscription = wait_until(lambda: db.value("select id from billing.subscriptions where tenant_id = %s",
                                               db.tenant_of(email)))
    sim.quiet()
    wait_until(lambda: settled(db))
    sim.post("mode", manual=True)
    return subscription


def settled(db):
    """But for what an earlier test has let fail so often that it waits for minutes."""
    return db.value("select count(*) from sync.objects where version > clean_version and dead_at is null "
                    "and next_at <= now() + interval '2 s'") == 0


def status(db, subscription):
    return db.value("select status from billing.subscriptions where id = %s", subscription)


def forget_events(stack, db):
    """Moves the cursor past all events that Stripe has listed, with no listing in progress: the page that jobs was
    listing has lost its claim, and its call ends with the process."""
    db.execute("insert into sync.cursors (name) values ('events'), ('undelivered') on conflict do nothing")
    db.execute("update sync.cursors set started_at = now() + interval '1 day', finished_at = now() + interval '1 day', "
               "claim = gen_random_uuid(), claimed_until = now() + interval '1 day' "
               "where name in ('events', 'undelivered')")
    stack_command("restart", "--dir", stack["dir"], "jobs")


def remember_events(db):
    db.execute("update sync.cursors set started_at = null, claimed_until = null "
               "where name in ('events', 'undelivered')")


def compare_now(db):
    db.execute("update sync.cursors set started_at = null, after = null where name = 'subscriptions'")


def compared(db):
    return db.value("select finished_at >= started_at from sync.cursors where name = 'subscriptions'")


@pytest.fixture
def unlisted(stack, db):
    """Stripe's lists of events are empty too."""
    forget_events(stack, db)
    yield
    remember_events(db)


def test_f81_webhooks_lost_for_good_are_found_in_the_list(new_browser, sim, db, mail, fresh):
    sim.post("mode", manual=True)
    email = fresh()
    assert sim.pay(session_in(sign_up(new_browser(), email)))["paid"]
    wait_until(lambda: db.status_of(email) == "active")
    mail.wait(email)
    wait_until(lambda: settled(db))
    assert db.value("select count(*) from inbox.events where key_id is null and state = 'done'") >= 2


def test_f81_a_deletion_without_a_webhook_is_found_in_the_list(sim, db, customer):
    sim.post(f"subscriptions/{customer}/cancel")
    wait_until(lambda: status(db, customer) == "canceled")


def test_f71_what_was_listed_and_comes_after_all_changes_nothing(sim, db, customer):
    sim.post(f"subscriptions/{customer}/cancel_at_period_end")
    wait_until(lambda: db.value("select cancel_at_period_end or cancel_at is not null from billing.subscriptions "
                                "where id = %s", customer))
    wait_until(lambda: settled(db))
    version = db.value("select version from sync.objects where id = %s", customer)
    late = [taken["event"] for taken in sim.post("take") if taken["type"] == "customer.subscription.updated"]
    sim.post("mode", manual=False)
    for event in late:
        sim.post("resend", event=event)
    sim.quiet()
    assert late and db.value("select version from sync.objects where id = %s", customer) == version


def test_f81_one_that_changed_without_any_event_is_found_by_comparing(sim, db, customer, unlisted):
    sim.post(f"subscriptions/{customer}/status", status="past_due")
    time.sleep(1.5)
    assert status(db, customer) == "active"
    compare_now(db)
    wait_until(lambda: status(db, customer) == "past_due")
    assert db.value("select detail -> 'status' from ops.alerts where kind = 'drift' and subject = %s",
                    f"subscription:{customer}") == ["active", "past_due"]
    wait_until(lambda: settled(db) and compared(db))
    compare_now(db)
    wait_until(lambda: compared(db))
    assert db.value("select count(*) from ops.alerts where kind = 'drift' and subject = %s and cleared_at is null",
                    f"subscription:{customer}") == 0


def test_f81_ours_that_was_spoilt_is_as_stripe_has_it_again(sim, db, customer, unlisted):
    db.execute("update billing.subscriptions set quantity = 99, price = 'price_growth', plan = 'growth', "
               "period_end = now() where id = %s", customer)
    compare_now(db)
    wait_until(lambda: db.value("select quantity = 1 and plan = 'starter' and period_end > now() + interval '1 day' "
                                "from billing.subscriptions where id = %s", customer))


def test_f78_killed_in_the_middle_of_a_list_another_goes_on(stack, sim, db, customer):
    sim.fault(method="GET", path="/v1/events", answer="hang")
    sim.post(f"subscriptions/{customer}/cancel")
    wait_until(lambda: sim.get("faults") == [])     # the call that hangs has come
    kill(stack, "jobs")
    db.execute("update sync.cursors set claimed_until = now() where claimed_until > now()")
    wait_until(lambda: status(db, customer) == "canceled")


def test_f81_a_list_of_many_pages_is_gone_on_with_where_it_stopped(stack, sim, db, customer):
    """Its first page is done and the second hangs: after a kill the first is not asked for again."""
    for _ in range(130):
        sim.post("emit", type="customer.updated", object={"id": "cus_many", "object": "customer"})
    forget_events(stack, db)
    sim.delete("requests")
    sim.fault(method="GET", path="/v1/events", skip=1, answer="hang")
    db.execute("update sync.cursors set started_at = null, watermark = null, after = null, claimed_until = null "
               "where name = 'events'")
    claim, after = wait_until(lambda: db.row("select claim, after from sync.cursors where name = 'events' "
                                             "and after is not null and claimed_until > now() "
                                             "and coalesce(finished_at < started_at, true)"))
    kill(stack, "jobs")
    db.execute("update sync.cursors set claimed_until = now() where claim = %s", claim)
    wait_until(lambda: f"starting_after={after}" in "".join(r["query"] for r in sim.requests("GET", "/v1/events")[2:]))
    remember_events(db)


def test_f96_while_stripe_is_away_for_long_nothing_is_given_up(sim, db, customer):
    sim.fault(method="GET", times=10000, status=503, headers={"Stripe-Should-Retry": "false"})
    db.execute("select sync.mark('subscription', %s)", customer)
    for _ in range(3):
        db.execute("update sync.objects set attempts = 11, next_at = now() where id = %s", customer)
        time.sleep(0.3)
    wait_until(lambda: db.value("select outages > 0 from sync.objects where id = %s", customer))
    assert db.value("select dead_at is null and attempts = 11 from sync.objects where id = %s", customer)
    sim.delete("faults")
    wait_until(lambda: db.execute("update sync.objects set next_at = now() where id = %s and version > clean_version",
                                  customer) or db.value("select version = clean_version from sync.objects "
                                                        "where id = %s", customer), 25)
