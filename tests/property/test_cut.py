"""Cuts the connection to PostgreSQL at every message boundary of every kind of transaction, by FIN, by RST or by
silence: nothing may be lost or done twice. Then cuts the one to Stripe, before and after the effect of each call.

All cuts with PROPERTY_RUNS=full (more than 1,000); else as many as fit into a check, drawn by PROPERTY_SEED.
"""
import itertools
import random
import time
from pathlib import Path

import cuts
import mirror
import pytest
from cutproxy import HOWS, Proxy
from harness.system import PROGRAMS
from life import Life
from world import HURRIED, PATIENCE, SEED, TALLY, configure, runs


@pytest.fixture(scope="module")
def cut_world(world):
    """All programs reach PostgreSQL through the proxy, with short timeouts."""
    path = Path(world.stack["config"])
    before = path.read_text()
    world.proxy = Proxy(world.dir + "/run/.s.PGSQL.5432")
    configure(path, **{**HURRIED, "database_timeout_ms": 400, "database_conninfo":
                       f'"host=127.0.0.1 port={world.proxy.port} dbname=tollgate sslmode=disable"'})
    restart(world)
    yield world
    path.write_text(before)
    restart(world)
    world.proxy.close()


def restart(world):
    for name in PROGRAMS:
        world.ask("restart", name=name)
    world.kill("second")


def measured(case):
    """One run without a cut: how many messages there are."""
    case.prepare()
    case.world.proxy.drop()
    idle = case.world.proxy.arm("nothing is called so", 0, "fin")
    idle.fired.set()
    case.run(lambda: idle)
    number = case.world.proxy.length(case.name)
    assert number > 3, f"{case.name} was not called"
    return number


def chosen(boundaries):
    """All of [(at, how)] or a few of them, the same ones for a seed."""
    wanted = runs(10 ** 6, 3)
    every = list(itertools.product(range(boundaries + 1), HOWS))
    return every if wanted >= len(every) else random.Random(SEED).sample(every, wanted)


@pytest.mark.parametrize("number", range(len(cuts.cases(None))), ids=[c.name for c in cuts.cases(None)])
def test_f76_f88_cut_at_any_message_nothing_is_lost_or_doubled(cut_world, number):
    case = cuts.cases(cut_world)[number]
    for at, how in chosen(measured(case)):
        armed = []

        def cut():
            armed.append(cut_world.proxy.arm(case.name, at, how))
            return armed[0]
        try:
            case.run(cut)
            assert armed[0].fired.wait(PATIENCE), "was not called"
        except Exception as e:
            raise AssertionError(f"{case.name} cut at {at} by {how}: {e}; PROPERTY_SEED={SEED}") from e
        TALLY[f"cuts by {how}"] += 1


# What jobs and mailer write under a lease.
WRITES = ["service.write_checkout", "service.write_subscription", "service.write_customer", "service.fail_object",
          "service.mail_sent", "service.mail_failed"]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("name", WRITES)
def test_f88_what_is_written_under_a_lease_is_repeated_before_its_lease_ends(cut_world, name, how):
    """No lease is shortened here. Cut before the Sync, so that nothing was done; the programs cannot know."""
    case = cuts.Sync(cut_world, name)
    cut_world.begin()
    life = Life(cut_world)
    life.sign_up()
    assert life.act("pay")
    case.spoil(life)
    armed = cut_world.proxy.arm(name, 0, how)
    cut_world.deliver_all(cut_world.take())
    assert armed.fired.wait(PATIENCE), "was not called"
    lost = "select count(*) from {} where claimed_until < now()"
    end = time.monotonic() + PATIENCE
    while cut_world.unrest():
        assert time.monotonic() < end, cut_world.restless()
        cut_world.back_off_ends()
        for table in ("sync.objects", "mail.outbox"):
            assert cut_world.db.value(lost.format(table)) == 0, "a lease ended"
        time.sleep(0.02)
    assert mirror.all_differences(cut_world, [life]) == []
    assert len(cut_world.mail.to(life.email)) == 1


CALLS = [("POST", "/v1/checkout/sessions"), ("GET", "/v1/checkout/sessions/*"), ("GET", "/v1/customers/*"),
         ("GET", "/v1/subscriptions/*")]
ENDS = [{"answer": "close"}, {"answer": "close", "effect": True}, {"answer": "partial"}, {"answer": "hang"},
        {"answer": "hang", "effect": True}]
BREAKS = [{"method": method, "path": path, "times": times, **end}
          for (method, path), end, times in itertools.product(CALLS, ENDS, (1, 2, 5))]


def broke(world, fault):
    """Whether the fault has met a call."""
    return all(left["times"] < fault["times"] for left in world.sim.get("faults"))


def test_f98_f103_the_way_to_stripe_breaks_before_and_after_the_effect_and_there_is_one_of_each(world):
    for fault in random.Random(SEED).sample(BREAKS, min(len(BREAKS), runs(len(BREAKS), 8))):
        try:
            cuts.Journey(world, "Stripe").run(lambda: world.sim.fault(**fault))
            assert broke(world, fault), "met no call"
        except Exception as e:
            raise AssertionError(f"{fault}: {e}; PROPERTY_SEED={SEED}") from e
        finally:
            world.sim.delete("faults")
        TALLY["breaks towards Stripe"] += 1
