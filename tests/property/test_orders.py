"""Every order of the seven events of one life, from the first payment to the end, with some of them told twice.

All 5,040 with PROPERTY_RUNS=full; else as many of them as fit into a check, drawn by PROPERTY_SEED.
"""
import itertools
import random

import mirror
from life import Life
from world import SEED, TALLY, runs

SEVEN = ("customer.created", "customer.updated", "customer.subscription.created", "invoice.paid",
         "checkout.session.completed", "customer.subscription.updated", "customer.subscription.deleted")
ORDERS = list(itertools.permutations(SEVEN))
ABREAST = 60        # lives in one batch


def chosen():
    number = runs(len(ORDERS), 240)
    return ORDERS if number >= len(ORDERS) else random.Random(SEED).sample(ORDERS, number)


def live(life):
    """A customer who pays, changes the plan once and cancels."""
    life.sign_up()
    assert life.act("pay") and life.act("change", "price_growth") and life.act("cancel")


def first_of_each(events, life):
    """{type: the first event of it} of this life."""
    mine = {life.customer(), life.subscription(), life.session}
    found = {}
    for event in events:
        if any(ident in event["payload"] for ident in mine):
            found.setdefault(event["type"], event)
    return {name: found[name] for name in SEVEN}


def told(world, dice, events, order):
    """In this order, and one of them once more later."""
    pile = [events[name] for name in order]
    at = dice.randrange(len(pile))
    pile.insert(dice.randrange(at, len(pile)) + 1, pile[at])
    for event in pile:
        world.deliver(event)


def test_f73_all_orders_of_seven_events_end_the_same(world):
    dice, wanted = random.Random(SEED), chosen()
    for start in range(0, len(wanted), ABREAST):
        batch = wanted[start:start + ABREAST]
        world.begin()
        lives = [Life(world) for _ in batch]
        list(world.pool.map(live, lives))
        world.sim.post("clock", advance=0)
        events = world.take()
        sets = [first_of_each(events, life) for life in lives]
        throws = [random.Random(dice.random()) for _ in batch]
        list(world.pool.map(lambda one: told(world, *one), zip(throws, sets, batch)))
        TALLY["orders"] += len(batch)
        world.quiet()
        wrong = mirror.all_differences(world, lives)
        assert wrong == [], (f"PROPERTY_SEED={SEED}", wrong,
                             [(life.tenant, order) for life, order in zip(lives, batch) if life.tenant in str(wrong)])
        assert world.dead() == []
