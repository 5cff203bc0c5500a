"""Intake under load: simultaneous events share a commit, and each gets its own answer."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import exchange
from faults import Postgres
from journey import wait_until
from test_webhook import PATHS, RECEIVED, new_event, sign

MANY = 50


@pytest.fixture
def post_all(stack):
    """Sends events side by side; their pages in the same order."""
    def send(bodies):
        def one(body):
            headers = {"Content-Type": "application/json", "Stripe-Signature": sign(stack["webhook_secret"], body)}
            return exchange("POST", stack["url"] + PATHS[0], headers, body)
        with ThreadPoolExecutor(len(bodies)) as pool:
            return list(pool.map(one, bodies))
    return send


def kept(db, events):
    return db.value("select count(*) from inbox.events where id = any(%s)", [ident for ident, _ in events])


def test_f72_many_at_once_are_all_kept_byte_for_byte(post_all, db):
    events = [new_event("customer.subscription.updated", data={"object": {"id": "sub_nobodys%d" % (i % 3)}},
                        note="x" * i)
              for i in range(MANY)]
    assert {(p.status, p.body) for p in post_all([body for _, body in events])} == {(200, RECEIVED)}
    assert dict(db.rows("select id, raw from inbox.events where id = any(%s)", [i for i, _ in events])) == dict(events)


def test_f77_what_the_database_refuses_fails_alone(post_all, db):
    events = [new_event("poison" if i == MANY // 2 else "plan.created") for i in range(MANY)]
    db.execute("alter table inbox.events add constraint poison check (type <> 'poison') not valid")
    try:
        pages = post_all([body for _, body in events])
    finally:
        db.execute("alter table inbox.events drop constraint poison")
    bad = pages.pop(MANY // 2)
    assert bad.status >= 500
    assert {p.status for p in pages} == {200}
    assert kept(db, events) == MANY - 1


@pytest.mark.only("nginx")
def test_f75_without_a_database_nothing_is_acknowledged(post_all, db, stack):
    events = [new_event() for _ in range(MANY)]
    bodies = [body for _, body in events]
    with Postgres(stack, db).down():
        assert {p.status for p in post_all(bodies)} == {503}
    wait_until(lambda: {p.status for p in post_all(bodies)} == {200})
    assert kept(db, events) == MANY
