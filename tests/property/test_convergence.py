"""Random lives of customers with random deliveries: in the end our rows equal Stripe's objects.

A run is a few lives side by side. Between what they do, events are delivered in any order, twice, late, in either
shape, or not at all; Stripe fails, time passes, programs are killed. PROPERTY_RUNS=N asks for N runs, "full" for all of
them; PROPERTY_SEED repeats a failure, and PROPERTY_SHRINK=1 looks for a shorter one.
"""
import os
import random

import mirror
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from life import ACTIONS, Life
from world import SEED, TALLY, runs

WHAT = {"change": ["price_starter", "price_growth"], "settle": [True, False], "fail_next": [1, 2, 4],
        "settle_debit": [True, False],
        "status": ["past_due", "unpaid", "paused", "frozen"], "pause": ["void", "keep_as_draft", "mark_uncollectible"],
        "pause_until": [1, 20, 40], "discount": ["once", "repeating", "forever", None], "balance": [-700, 300, 0],
        "send_invoice": [14, None], "schedule": ["price_starter", "price_growth"],
        "pending": ["price_starter", "price_growth"],
        "card": ["good", "failing", "bank"], "close_dispute": [True, False]}
FAULTS = [{"status": 500}, {"status": 429, "headers": {"Retry-After": "1"}}, {"answer": "close"}, {"answer": "partial"},
          {"answer": "truncate"}, {"answer": "html"}, {"answer": "real", "after": 0.3}, {"status": 401}]
LATE = ["pay", "settle", "change", "change", "cancel", "cancel_at_period_end", "cancel_at", "renew", "trial_end",
        "fail_next", "debit_next", "confirm_next", "settle_debit", "settle_debit", "settle_debit", "pay_open",
        "status", "pause", "pause_until", "unpause", "discount", "discount", "balance", "send_invoice", "schedule",
        "release", "pending", "resume", "card", "refund", "refund_part", "dispute", "close_dispute", "resubscribe",
        "resubscribe", "forget"]
SHRINK = "PROPERTY_SHRINK" in os.environ
assert set(LATE) | {"expire"} == set(ACTIONS)

people = st.fixed_dictionaries({
    "plan": st.sampled_from(["starter", "growth"]), "trial": st.sampled_from([0, 0, 0, 3, 14]),
    "card": st.sampled_from(["good", "good", "good", "bank", "none"]),
    "without": st.sampled_from(["create_invoice", "cancel", "pause"]),
    "expires": st.integers(0, 9).map(lambda n: n == 9)})
actions = st.sampled_from(LATE).flatmap(lambda name: st.tuples(
    st.just("act"), st.integers(0, 4), st.just(name), st.sampled_from(WHAT.get(name, [None]))))
numbers = st.integers(0, 2 ** 32 - 1)
steps = st.one_of(
    actions, actions, actions, actions, actions, actions, actions,
    st.tuples(st.just("deliver"), numbers, st.sampled_from([0.3, 0.7, 1.0]), st.sampled_from([0, 0.2, 1])),
    st.tuples(st.just("drop"), numbers, st.sampled_from([0.1, 0.5, 1.0])),
    st.tuples(st.just("days"), st.sampled_from([1, 4, 16, 32])),
    st.tuples(st.just("renewal"), st.integers(0, 4), st.sampled_from(["debit_next", "confirm_next"])),
    st.tuples(st.just("shape"), st.sampled_from(["old", "new"]), st.sampled_from(["flexible", "classic"])),
    st.tuples(st.just("fault"), st.sampled_from(FAULTS), st.integers(1, 2)),
    st.tuples(st.just("kill"), st.sampled_from(["jobs", "second", "mailer"])))


class Run:
    """The state of one run, and its history."""

    def __init__(self, world, people):
        self.world, self.waiting, self.dropped, self.history = world, [], [], []
        self.lives = [Life(world, p["plan"], p["trial"], p["card"], p.get("without", "create_invoice")) for p in people]
        self.ends = [p["expires"] for p in people]

    def begin(self):
        TALLY["runs"] += 1
        TALLY["lives"] += len(self.lives)
        self.world.begin()
        list(self.world.pool.map(Life.sign_up, self.lives))
        for life, expires in zip(self.lives, self.ends):
            self.history.append(f"{life.email}: {life.plan}, {life.trial} days of trial, {life.card}, {life.tenant}")
            life.act("expire" if expires else "pay")

    def step(self, what, *more):
        self.history.append(f"{what} {more}")
        getattr(self, what)(*more)

    def act(self, number, name, what):
        life = self.lives[number % len(self.lives)]
        done = life.act(name, what)
        TALLY[f"act {name}"] += done
        self.history.append(f"    {life.email}: {'done' if done else 'makes no sense'}")

    def days(self, number):
        self.world.sim.post("clock", days=number)

    def renewal(self, number, name):
        """The next payment, which a bank makes difficult."""
        self.act(number, name, None)
        self.days(32)

    def shape(self, version, mode):
        self.world.sim.post("settings", api_version=version, billing_mode=mode)

    def fault(self, fault, times):
        TALLY["faults of Stripe"] += times
        self.world.sim.fault(method="GET", times=times, **fault)

    def kill(self, name):
        self.world.kill(name)

    def take(self):
        self.waiting += self.world.take()
        return self.waiting

    def deliver(self, number, share, twice):
        """Some of what waits, in any order, some of it twice; the rest goes on waiting."""
        dice = random.Random(number)
        pile = dice.sample(self.take(), round(len(self.waiting) * share))
        ids = {e["event"] for e in pile}
        self.waiting = [e for e in self.waiting if e["event"] not in ids]
        again = [e for e in pile if dice.random() < twice]
        pile += again
        dice.shuffle(pile)
        self.history.append("    " + ", ".join(f"{e['type']} {e['event'][-4:]}" for e in pile))
        self.world.deliver_all(pile)

    def drop(self, number, share):
        """Some of what waits is lost."""
        lost = random.Random(number).sample(self.take(), round(len(self.waiting) * share))
        self.history.append(f"    {len(lost)} lost")
        TALLY["events lost"] += len(lost)
        self.dropped += lost
        self.waiting = [e for e in self.waiting if e not in lost]

    def end(self, number):
        """Delivers everything but the lost events, has reconciliation find those, and expects no difference."""
        self.world.sim.delete("faults")
        self.deliver(number, 1.0, 0.1)
        self.world.quiet()
        if self.dropped:
            self.world.find_lost(self.dropped)
        while self.settle(number):
            pass
        assert mirror.all_differences(self.world, self.lives) == []
        assert self.world.dead() == []

    def settle(self, number):
        """What falls due at Stripe just now is delivered too. False when there was nothing more."""
        self.world.sim.post("clock", advance=0)
        more = self.take()
        self.deliver(number, 1.0, 0)
        self.world.quiet()
        return more


@seed(SEED)
@settings(max_examples=runs(10000, 40), deadline=None, database=None, print_blob=True,
          suppress_health_check=list(HealthCheck), phases=[Phase.generate] + [Phase.shrink] * SHRINK)
@given(people=st.lists(people, min_size=1, max_size=5), program=st.lists(steps, min_size=12, max_size=60),
       number=numbers)
def test_f73_f81_every_life_ends_as_stripe_has_it(world, people, program, number):
    run = Run(world, people)
    try:
        run.begin()
        for step in program:
            run.step(*step)
        run.end(number)
    except Exception as e:
        raise AssertionError("\n".join([f"{type(e).__name__}: {e}", f"PROPERTY_SEED={SEED}", *run.history])) from e


@pytest.mark.parametrize("first", ["old", "new"])
def test_f73_whoever_replaces_a_deleted_customer_is_bound_whichever_is_told_first(world, first):
    run = Run(world, [{"plan": "starter", "trial": 0, "card": "good", "expires": False}])
    run.begin()
    run.deliver(1, 1.0, 0)
    world.quiet()
    life, = run.lives
    old = life.customer()
    assert life.act("forget") and life.act("resubscribe")
    pile = sorted(run.take(), key=lambda e: (old in e["payload"]) == (first == "new"))
    for event in pile:
        world.deliver_all([event])
        world.quiet()
    assert mirror.all_differences(world, run.lives) == []
