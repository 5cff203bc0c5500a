"""Programs of tenants reserve, settle and record over HTTP while usage, jobs and PostgreSQL are killed, and while every
message to the database and to Stripe is cut: each unit that was acknowledged is counted once, no hold stays open, the
books are true, and Stripe's meters say what the ledger says. Two hundred at once hold what there is room for.
500 kills, 500 cuts and 100 rounds with PROPERTY_RUNS=full."""
import base64
import hashlib
import http.client
import json
import random
import secrets
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cutproxy import HOWS
from journey import wait_until
from life import Life
from test_cut import ENDS, cut_world  # noqa: F401: the fixture
from test_kill import Killer
from world import PATIENCE, RETRIED, SEED, TALLY, Threads, reconnect, runs

VICTIMS = ("usage", "usage", "jobs", "second", "backend", "postgres", "crash")
ROOM = 60       # of the tenant whose plan sells nothing beyond
SETTINGS = {"meters": ["tokens"], "rates": [], "caps": [{"kind": "all", "plan": "", "subject": "", "micros": 10 ** 15}],
            "costs": [{"provider": "acme", "model": "big", "class": "unit", "micros": 3000000}], "quotas": [
                {"plan": "starter", "meter": "tokens", "included": 0, "sold": True, "most": None},
                {"plan": "growth", "meter": "tokens", "included": ROOM, "sold": False, "most": ROOM}]}
METER = {"display_name": "Tokens", "event_name": "tokens", "default_aggregation[formula]": "sum"}
EVENTS = "/v1/billing/meter_events"
SUMS = """select coalesce(sum(h.spent), 0) + coalesce(sum(c.units), 0), count(*) filter (where h.state = 'held')
    from usage.holds h left join usage.corrections c on c.hold_id = h.id where h.tenant_id = %s"""
UNTOLD = "select count(*) from usage.outbox where state <> 'sent'"
CALLS = ("api.usage_reserve", "api.usage_settle", "api.usage_record", "service.claim_usage", "service.usage_told",
         "service.usage_failed", "service.tend_usage", "Stripe")


class Program:
    """It asks again, with the same key, until it is answered. used: the units of which it was told that they count."""

    def __init__(self, world, plan):
        self.world, self.used, self.late = world, 0, []
        self.life = Life(world, plan)
        self.life.sign_up()
        assert self.life.act("pay")
        key = secrets.token_bytes(32)
        self.key = "tg_" + base64.urlsafe_b64encode(key).decode().rstrip("=")
        self.stored = hashlib.sha256(hashlib.sha256(b"key1" + key).digest()).digest()

    def ask(self, path, body, ident):
        headers = {"Content-Type": "application/json", "Authorization": "Bearer " + self.key, "Idempotency-Key": ident}
        try:
            self.world.connection().request("POST", "/api/usage/" + path, json.dumps(body), headers)
            answer = self.world.connection().getresponse()
            text = answer.read()
            return answer.status, text
        except (OSError, http.client.HTTPException):
            self.world.local.connection.close()
            self.world.local.connection = None
            return 0, b""

    def call(self, path, **body):
        """The answer, 200 or 402."""
        ident, end = secrets.token_hex(8), time.monotonic() + PATIENCE
        while True:
            status, text = self.ask(path, body, ident)
            TALLY[f"answers {status} of usage"] += 1
            if status in (200, 402):
                return json.loads(text)
            assert status in (0, 429, *RETRIED), (path, body, status, text)     # 429: connections of one network
            assert time.monotonic() < end, f"{path} is never answered: {status}"
            time.sleep(0.02)

    def reserve(self, units, seconds=300):
        return self.call("reserve", meter="tokens", units=units, seconds=seconds, provider="acme", model="big")

    def settle(self, hold, units):
        assert self.call("settle", id=hold, units=units)["used"] == units
        self.used += units

    def record(self, units):
        assert self.call("record", meter="tokens", units=units, provider="acme", model="big")["used"] == units
        self.used += units

    def act(self, dice):
        """Work of one of the kinds that there are: its end is told, or never, or after the hold has expired."""
        units, kind = dice.randint(1, 9), dice.choice(("settle", "settle", "leave", "late", "record"))
        if kind == "record" and self.life.plan == "starter":
            return self.record(units)
        held = self.reserve(units + dice.randint(0, 3), 1 if kind in ("leave", "late") else 300)
        if not held["ok"]:
            assert held["code"] == "quota" and self.life.plan == "growth", held
        elif kind == "settle":
            self.settle(held["id"], units)
        elif kind == "late" and self.life.plan == "starter":
            self.late.append((held["id"], units))
        return None

    def catch_up(self):
        while self.late:
            self.settle(*self.late.pop())

    def told(self, events):
        """The units that Stripe has been told of, by its events."""
        customer = self.life.customer()
        return sum(int(row["payload"]["value"]) for row in events if row["payload"]["stripe_customer_id"] == customer)


class Stream(Threads):
    """All programs at work at once."""

    def __init__(self, programs):
        self.programs, self.done, self.answered, self.wrong = programs, threading.Event(), 0, []
        self.threads = [threading.Thread(target=self.run, args=(p, n)) for n, p in enumerate(programs)]

    def run(self, program, number):
        dice = random.Random(f"{SEED} {number}")
        try:
            while not self.done.is_set():
                program.act(dice)
                self.answered += 1
                if len(program.late) > 5:
                    program.catch_up()
            program.catch_up()
        except Exception as e:      # pylint: disable=broad-except
            self.wrong.append(repr(e))


@pytest.fixture(scope="module")
def programs(world):
    world.begin()
    world.ask("restart", name="usage")      # with short timeouts
    found = [Program(world, plan) for plan in ("starter", "starter", "starter", "growth")]
    found[0].life.api("POST", "billing/meters", METER)
    world.deliver_all(world.take())
    world.quiet()
    world.db.execute("select ops.put_usage(%s)", json.dumps(SETTINGS))
    for p in found:
        world.db.execute("insert into app.keys (tenant_id, name, hint, hash, scopes) "
                         "values (%s, 'Program', 'abcd', %s, '{write}')", p.life.tenant, p.stored)
    return found


def settled(world):
    """Waits until no hold is open and Stripe has been told of everything, as it would be in a while."""
    end = time.monotonic() + PATIENCE + world.db.value(UNTOLD) / 10
    while world.db.value("select count(*) from usage.holds where state = 'held'") or world.db.value(UNTOLD):
        world.hasten("usage.holds", "expires_at = now()", "state = 'held' and expires_at > now()")
        world.hasten("usage.outbox", "next_at = now()", "state = 'pending' and next_at > now()")
        world.hasten("usage.outbox", "claimed_until = now()", "claimed_until > now() + interval '5 s'")
        assert time.monotonic() < end, world.db.rows("select state, error, count(*) from usage.outbox group by 1, 2")
        time.sleep(0.2)


def differences(world, programs):
    """What the programs were told, the ledger, and Stripe's books say, where they are not one."""
    found, events = [], world.sim.get("state/billing.meter_event")
    for n, p in enumerate(programs):
        used, held = world.db.row(SUMS, p.life.tenant)
        sold = used if p.life.plan == "starter" else 0
        if (used, held, p.told(events)) != (p.used, 0, sold):
            found.append(f"{n}: used {used}, acknowledged {p.used}, open {held}, Stripe was told of {p.told(events)}")
        if p.life.plan == "growth" and used > ROOM:
            found.append(f"{n}: used {used} of {ROOM}")
    return found + world.db.value("select usage.faults()")


def audit(world):
    done = subprocess.run([world.stack["prefix"] + "/bin/tollgate", "usage", "audit", "--config",
                           world.stack["config"]], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "the sums are right" in done.stdout, done


def test_f138_f140_f156_killed_at_random_under_load_every_unit_is_counted_once(world, programs, progress):
    dice = random.Random(SEED)
    killer = Killer(world, dice, VICTIMS)
    with Stream(programs) as stream:
        for _ in progress(runs(500, 12)):
            wanted = stream.answered + dice.randint(1, 12)
            killer.strike()
            time.sleep(dice.random() * 0.2)
            wait_until(lambda: stream.answered >= wanted or stream.wrong, PATIENCE)
    reconnect(world)
    settled(world)
    history = (f"PROPERTY_SEED={SEED}", killer.history)
    TALLY["calls of usage under fire"] += stream.answered
    assert stream.wrong == [], history
    assert differences(world, programs) == [], history
    audit(world)


def breaks(world, dice):
    """Whatever the next call to Stripe's meter meets."""
    fault = {"method": "POST", "path": EVENTS, "times": dice.choice((1, 2)), **dice.choice(ENDS)}
    world.sim.fault(**fault)
    return fault


def cut_once(world, program, name, dice):
    """One piece of work of which one exchange is cut, and what its program does then."""
    if name == "Stripe":
        what = breaks(world, dice)
    else:
        what = (name, dice.randrange(max(4, world.proxy.length(name)) + 1), dice.choice(HOWS))
        if name == "service.usage_failed":
            world.sim.fault(method="POST", path=EVENTS, headers={"Stripe-Should-Retry": "false"})
    held = program.reserve(5, 1 if name == "service.tend_usage" else 300) if name != "api.usage_reserve" else None
    armed = None if name == "Stripe" else world.proxy.arm(*what)
    held = held or program.reserve(5)
    if name != "service.tend_usage":
        program.settle(held["id"], 4)
    program.record(3)
    settled(world)
    assert armed is None or armed.fired.wait(PATIENCE), f"{what} was not called"
    world.sim.delete("faults")
    return what


def test_f140_f156_cut_at_any_message_every_unit_is_counted_once(cut_world, programs, progress):  # noqa: F811
    dice, world = random.Random(SEED), cut_world
    program = programs[0]
    program.settle(program.reserve(1)["id"], 1)     # each exchange once without a cut, so that its length is known
    settled(world)                                  # and before a fault waits for the next that Stripe is told
    for n in progress(runs(500, 8)):
        name = dice.choice(CALLS)
        what = cut_once(world, program, name, dice)
        assert differences(world, programs) == [], (f"PROPERTY_SEED={SEED}", n, what)
        TALLY[f"cuts of {name}"] += 1
    audit(world)


def test_f143_two_hundred_at_once_hold_what_there_is_room_for(world, programs, progress):
    """A quota's room, and a tenant's cap of money. Last, because it empties the tables."""
    dice = random.Random(SEED)
    with ThreadPoolExecutor(200) as pool:
        for n in progress(runs(100, 2)):
            program, units = programs[3 * (n % 2)], dice.randint(1, ROOM)      # 3 micro-units of money a unit
            for table in ("corrections", "outbox", "holds", "accounts", "days"):
                world.db.execute(f"delete from usage.{table}")
            world.db.execute("select ops.put_usage(%s)", json.dumps({**SETTINGS, "caps": [
                {"kind": "tenant", "plan": "starter", "subject": "", "micros": 3 * ROOM}]}))
            held = [answer for answer in pool.map(lambda _: program.reserve(units), range(200)) if answer["ok"]]
            assert len(held) == len({answer["id"] for answer in held}) == ROOM // units, (units, held)
            list(pool.map(lambda answer: program.settle(answer["id"], units), held))
            assert world.db.value("select used + held from usage.accounts where tenant_id = %s and kind = 'tenant' "
                                  "and meter <> ''", program.life.tenant) == ROOM // units * units
            assert world.db.value("select usage.faults()") == []
            TALLY["rounds of 200 at once"] += 1
