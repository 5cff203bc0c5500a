"""Kills webhooks, jobs, mailer and PostgreSQL with kill -9 at random while events arrive. Each acknowledged event must
be stored once and applied. 2,000 kills with PROPERTY_RUNS=full; PROPERTY_SEED repeats the order of the killings."""
import json
import os
import random
import secrets
import signal
import threading
import time
from pathlib import Path

import mirror
import pytest
from journey import wait_until
from life import Life
from world import PATIENCE, SEED, TALLY, Threads, reconnect, runs, try_connect

CLIENTS = 4
VICTIMS = ("webhooks", "webhooks", "jobs", "second", "mailer", "backend", "postgres", "crash")


class Stream(Threads):
    """Changes at Stripe, each told at once by an event; what is not accepted is told again later, as Stripe does."""

    def __init__(self, world, lives):
        self.world, self.done, self.accepted, self.wrong = world, threading.Event(), set(), []
        self.subscriptions = [life.subscription() for life in lives]
        self.threads = [threading.Thread(target=self.run, args=(self.subscriptions[n::CLIENTS], n))
                        for n in range(CLIENTS)]

    def run(self, mine, number):
        dice, late = random.Random(f"{SEED} {number}"), []
        while not self.done.is_set() or late:
            if late and (self.done.is_set() or dice.random() < 0.5):
                event = late.pop(dice.randrange(len(late)))
            else:
                event = self.change(dice.choice(mine), dice)
            if not self.offer(event):
                late.append(event)
                time.sleep(0.01)

    def change(self, subscription, dice):
        """Other terms, and the event that tells of them."""
        action, body = dice.choice([("change", {"price": "price_starter"}), ("change", {"price": "price_growth"}),
                                    ("cancel_at_period_end", {}), ("renew", {})])
        self.world.sim.post(f"subscriptions/{subscription}/{action}", **body)
        ident = "evt_kill" + secrets.token_hex(10)
        return {"event": ident, "payload": json.dumps({
            "id": ident, "object": "event", "type": "customer.subscription.updated", "livemode": False,
            "api_version": "2026-07-29.dahlia", "created": int(time.time()),
            "data": {"object": {"id": subscription, "object": "subscription"}}})}

    def offer(self, event):
        status = self.world.attempt(event["payload"].encode())
        TALLY[f"answers {status}"] += 1
        if status == 200:
            self.accepted.add(event["event"])
        elif status not in (0, 502, 503, 504):
            self.wrong.append((status, event))
        return status == 200


class Killer:
    def __init__(self, world, dice, victims=VICTIMS):
        self.world, self.dice, self.victims, self.history = world, dice, victims, []

    def strike(self):
        victim = self.dice.choice(self.victims)
        self.history.append(victim)
        TALLY[f"kills of {victim}"] += 1
        getattr(self, victim, lambda: self.program(victim))()

    def program(self, name):
        self.world.kill(name, leases=False)

    def second(self):
        self.world.kill("second", leases=False)

    def backend(self):
        """One of the server's own processes that serves a program: it ends all others and recovers."""
        top = self.world.pid("postgres")
        children = Path(f"/proc/{top}/task/{top}/children").read_text().split()
        serving = [pid for pid in map(int, children) if b"tollgate_" in command_line(pid)]
        if serving:
            os.kill(self.dice.choice(serving), signal.SIGKILL)
            self.await_server()

    def crash(self):
        """Immediate shutdown, as after a power failure."""
        self.server(signal.SIGQUIT)

    def postgres(self):
        self.server(signal.SIGKILL)

    def server(self, number):
        pid = self.world.pid("postgres")
        if pid:
            os.kill(pid, number)
            wait_until(lambda: self.world.pid("postgres") not in (None, pid), PATIENCE)
        self.await_server()

    def await_server(self):
        wait_until(lambda: (c := try_connect(self.world.stack["database_url"])) and (c.close() or True), PATIENCE)


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def lives(world):
    """Customers whose events have all been applied."""
    world.begin()
    found = [Life(world) for _ in range(12)]
    list(world.pool.map(Life.sign_up, found))
    for life in found:
        assert life.act("pay")
    world.deliver_all(world.take())
    world.quiet()
    yield found
    reconnect(world)


def test_f76_f78_f84_killed_at_random_under_load_nothing_is_lost_or_doubled(world, lives):
    dice = random.Random(SEED)
    killer = Killer(world, dice)
    with Stream(world, lives) as stream:
        for _ in range(runs(2000, 50)):
            seen = len(stream.accepted)
            killer.strike()
            time.sleep(dice.random() * 0.2)
            wait_until(lambda: len(stream.accepted) > seen, PATIENCE)
    reconnect(world)
    world.leases_end()
    world.quiet()
    history = (f"PROPERTY_SEED={SEED}", killer.history)
    there = world.db.rows("select id, state, count(*) from inbox.events where id = any(%s) group by id, state",
                          list(stream.accepted))
    TALLY["events acknowledged under fire"] += len(stream.accepted)
    assert stream.wrong == [], history
    assert {row[0] for row in there} == stream.accepted, history
    assert {row[1:] for row in there} == {("done", 1)}, history
    assert mirror.subscription_differences(world.db, world.sim.get("state"), lives) == [], history
    world.deliver_all(world.take())
    world.quiet()
    assert mirror.all_differences(world, lives) == [], history
    assert world.dead() == [], history
