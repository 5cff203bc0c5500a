"""Deletions of users, while Stripe fails between any two calls and jobs is killed: nobody is charged afterwards,
nothing of the person is left in the database, and bills are whole. 500 with PROPERTY_RUNS=full; PROPERTY_SEED repeats
a run."""
import random

import pytest
from life import Life
from world import SEED, TALLY, runs

BATCH = 10
FAULTS = [{}, {"answer": "close"}, {"answer": "close", "effect": True}, {"answer": "html"}, {"status": 503},
          {"answer": "truncate"}, {"status": 429, "headers": {"Retry-After": "0"}}]
# What has happened to a subscription before: money that is owed, in dispute, given back, or not due yet. A checkout
# session that was made at Stripe by hand is none of it: we have no row of it, and its events go after jobs.keep_days.
BEFORE = [(), (("dispute", None),), (("refund_part", None),), (("status", "past_due"),), (("status", "unpaid"),),
          (("pause", "void"),), (("cancel_at_period_end", None),), (("schedule", "price_growth"),),
          (("cancel", None),), (("fail_next", 4),)]
MONEY = """select id, tenant_id, number, currency, amount_due, total, hosted_url from billing.invoices
    where tenant_id = any(%s::uuid[]) order by id"""
WHOLE = ("billing.checkouts", "billing.customers", "billing.disputes", "billing.notifications",
         "billing.subscription_history", "billing.subscriptions")
TABLES = """select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and n.nspname in ('auth', 'app', 'billing', 'inbox', 'sync', 'mail', 'ops', 'audit',
        'usage')"""


def settle(world):
    """Delivers what Stripe has to tell until it has no more."""
    while events := world.take():
        world.deliver_all(events)
        world.quiet()
    world.quiet()


def sabotage(world, lives, dice):
    """One call of each life's fails, before or after any of the others."""
    for life in lives:
        place = dice.choice([f"/v1/subscriptions/{life.subscription()}", f"/v1/customers/{life.customer()}"])
        fault = dice.choice(FAULTS)
        TALLY["faults of Stripe"] += 1
        world.sim.fault(method=dice.choice(["*", "*", "DELETE", "POST"]), path=place, skip=dice.randrange(3), **fault)


def passes(world, dice):
    """Housekeeping until nothing is left of it, with jobs killed in between: how many users went."""
    gone = 0
    while True:
        if dice.random() < 0.3:
            world.kill(dice.choice(["jobs", "second"]))
        before = world.db.value("select count(*) from app.deletions where done_at is not null")
        world.db.value("select service.apply_retention(90)")
        after = world.db.value("select count(*) from app.deletions where done_at is not null")
        gone += after - before
        if after == before:
            return gone


def charged(world, customers):
    """The successful charges of these customers at Stripe."""
    return sorted(row["id"] for row in world.sim.get("state/charge")
                  if row["customer"] in customers and row["status"] == "succeeded")


def left_of(world, needles):
    """[(table, needle)] of rows in which one of these stands, as text or as bytes."""
    found = []
    for table, in world.db.rows(TABLES):
        rows = "\n".join(row for row, in world.db.rows(f"select lower(t::text) from {table} t"))
        found += [(table, needle) for needle in needles if needle in rows or needle.encode().hex() in rows]
    return found


@pytest.fixture
def leaving(world):
    """Customers with different pasts, and the history of the run."""
    dice = random.Random(SEED)
    world.begin()

    def batch():
        lives = [Life(world, trial=dice.choice([0, 0, 0, 14])) for _ in range(BATCH)]
        list(world.pool.map(Life.sign_up, lives))
        for life in lives:
            assert life.act("pay")
        settle(world)
        for life in lives:
            for action, what in dice.choice(BEFORE):
                TALLY[f"before: {action}"] += life.act(action, what)
            world.db.execute("update app.profiles set display_name = %s where user_id = auth.find_user(%s)",
                             "Name of " + life.email.partition("@")[0], life.email)
        settle(world)
        return lives
    yield dice, batch
    world.sim.delete("faults")


def test_f211_who_is_deleted_is_charged_no_more_and_forgotten(world, leaving):
    dice, batch = leaving
    for _ in range(max(1, runs(500, BATCH) // BATCH)):
        delete(world, batch(), dice)
        TALLY["deletions"] += BATCH


def delete(world, lives, dice):
    tenants = [life.tenant for life in lives]
    customers = {life.customer() for life in lives}
    users = [world.db.value("select auth.find_user(%s)", life.email) for life in lives]
    paid = charged(world, customers)
    money = world.db.rows(MONEY, tenants)
    whole = {table: world.db.value(f"select count(*) from {table}") for table in WHOLE}
    sabotage(world, lives, dice)
    for user in users:
        assert "until" in world.db.value("select app.request_deletion(%s, null)", user)
        if dice.random() < 0.2:
            world.kill(dice.choice(["jobs", "second"]), leases=False)
    settle(world)
    world.sim.post("clock", days=31)
    world.db.execute("update app.deletions set until = now() where done_at is null")
    told = []
    for _ in range(5):
        passes(world, dice)
        told += world.take()
        world.deliver_all(told[-30:])       # also twice, and late
        world.quiet()
        sabotage(world, lives[:2], dice)
    world.sim.delete("faults")
    assert passes(world, dice) == 0
    settle(world)
    passes(world, dice)
    seed = f"PROPERTY_SEED={SEED}"
    assert world.db.value("select count(*) from app.deletions where done_at is null") == 0, seed
    assert world.db.value("select count(*) from auth.users where id = any(%s)", users) == 0, seed
    assert left_of(world, [name for life in lives for name in (
        life.email, "name of " + life.email.partition("@")[0])]) == [], seed
    assert charged(world, customers) == paid, seed
    assert [row["id"] for row in world.sim.get("state/subscription") if row["metadata"].get("tenant_id") in tenants
            and row["status"] not in ("canceled", "incomplete_expired")] == [], seed
    assert [row["id"] for row in world.sim.get("state/customer") if row["id"] in customers
            and (row["email"] or row["name"])] == [], seed
    assert set(money) <= set(world.db.rows(MONEY, tenants)), seed
    assert all(world.db.value(f"select count(*) from {table}") >= n for table, n in whole.items()), seed
    assert world.db.value("select ops.verify_audit() -> 'faults'") == [] and world.dead() == [], seed
