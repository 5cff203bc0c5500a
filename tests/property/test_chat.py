"""Fifty people chat at once, leave, stop and open second tabs, while models fail in every way, and chat, jobs and
PostgreSQL are killed, and every message to the database is cut: each call is counted once, no hold or answer stays
open, the books are true, and what was said is kept. 500 kills and 500 cuts with PROPERTY_RUNS=full."""
import json
import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from chatting import Chat, Models, new_id
from cutproxy import HOWS
from harness.models import USAGE
from journey import wait_until
from reckoning import Reckoning
from talkers import Crowd, Person, Talker, Weather
from test_cut import cut_world  # noqa: F401: the fixture
from test_kill import Killer
from world import PATIENCE, SEED, TALLY, configure, reconnect, runs

STREAMS = 50
VICTIMS = ("chat", "chat", "chat", "term", "jobs", "second", "backend", "postgres", "crash")
HURRY = {"chat_streams": 120, "chat_connect_ms": 1000, "chat_first_ms": 4000, "chat_fallback_ms": 1500,
         "chat_idle_ms": 1500, "chat_total_ms": 8000, "chat_ping_ms": 500, "chat_checkpoint_ms": 500}
METER = {"display_name": "Tokens", "event_name": "tokens", "default_aggregation[formula]": "sum"}
CALLS = ("api.chat_begin", "api.chat_checkpoint", "api.chat_settle", "api.chat_note_call", "service.tend_usage")
UNTOLD = "select count(*) from usage.outbox where state <> 'sent'"
OPEN = ("select (select count(*) from usage.holds where state = 'held') + "
        "(select count(*) from chat.turns where state = 'open')")
CLEARED = ("usage.corrections", "usage.outbox", "usage.holds", "usage.accounts", "usage.days", "chat.turns",
           "chat.conversations")


def quotas(included, sold=True):
    return [{"plan": "starter", "meter": "tokens", "included": included, "sold": sold,
             "most": None if sold else included}]


def settle_with(world, **more):
    world.db.execute("select ops.put_usage(%s)", json.dumps({**USAGE, "quotas": quotas(0), **more}))


class Fire(Killer):
    def term(self):
        """Told to stop, and started again."""
        pid = self.world.pid("chat")
        if pid:
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: self.world.pid("chat") != pid, PATIENCE)
        self.world.ask("start", name="chat")


@pytest.fixture(scope="module")
def persons(world):
    world.begin()
    configure(Path(world.stack["config"]), **HURRY)
    world.ask("restart", name="chat")
    world.models, world.logged = Models(world.stack["models_url"]), 0
    found = [Person(world, "starter") for _ in range(5)]
    world.meter = found[0].life.api("POST", "billing/meters", METER)["id"]
    world.deliver_all(world.take())
    world.quiet()
    settle_with(world)
    for person in found:
        person.sign_in()
    return found


def settled(world):
    """Waits until nothing is open and Stripe has been told of everything, as it would be in a while."""
    end = time.monotonic() + PATIENCE + world.db.value(UNTOLD) / 10
    while world.db.value(OPEN) or world.db.value(UNTOLD) or world.models.books(open=1, brief=1):
        world.hasten("usage.holds", "expires_at = now()", "state = 'held' and expires_at > now()")
        world.hasten("usage.outbox", "next_at = now()", "state = 'pending' and next_at > now()")
        world.hasten("usage.outbox", "claimed_until = now()", "claimed_until > now() + interval '5 s'")
        assert time.monotonic() < end, (world.db.value(OPEN), world.models.books(open=1, brief=1), world.db.rows(
            "select state, error, count(*) from usage.outbox group by 1, 2"))
        time.sleep(0.2)


def empty(world):
    """The tables of the ledger and of conversations, the providers' books, and no limits."""
    world.models.clear()
    settle_with(world)
    for table in CLEARED:
        world.db.execute(f"delete from {table}")
    world.db.execute("delete from chat.breakers")
    world.logged = len((Path(world.stack["log_dir"]) / "chat.log").read_text())


def told_stripe(world, persons):
    """Tenants of which Stripe's meter has another sum than the ledger."""
    found, end = [], int(time.time()) // 60 * 60 + 120
    for person in persons:
        said = person.life.ask("GET", f"billing/meters/{world.meter}/event_summaries?customer={person.life.customer()}"
                               f"&start_time={end - 86400}&end_time={end}").json()["data"]
        used = world.db.value("select coalesce(sum(h.spent + coalesce(c.units, 0)), 0) from usage.holds h left join "
                              "usage.corrections c on c.hold_id = h.id where h.tenant_id = %s", person.life.tenant)
        if sum(row["aggregated_value"] for row in said) != used:
            found.append((person.life.tenant, said, used))
    return found


def audit(world):
    done = subprocess.run([world.stack["prefix"] + "/bin/tollgate", "usage", "audit", "--config",
                           world.stack["config"]], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "the sums are right" in done.stdout, done


def test_f126_to_f140_killed_at_random_under_fifty_streams_every_call_is_counted_once(world, persons, progress):
    killer = Fire(world, random.Random(SEED), VICTIMS)
    with Weather(world) as weather, Crowd(persons, STREAMS) as crowd:
        wait_until(lambda: crowd.answered() >= STREAMS or crowd.wrong, PATIENCE)
        for _ in progress(runs(500, 4)):
            wanted = crowd.answered() + killer.dice.randint(1, 20)
            killer.strike()
            time.sleep(killer.dice.random() * 0.3)
            wait_until(lambda: crowd.answered() >= wanted or crowd.wrong, PATIENCE)
    reconnect(world)
    settled(world)
    history = (f"PROPERTY_SEED={SEED}", killer.history)
    TALLY["answers of chat under fire"] += crowd.answered()
    assert crowd.wrong == [], history
    assert Reckoning(world, crowd.talkers, weather.plans).faults() == [], history
    assert told_stripe(world, persons) == [], history
    audit(world)


def at_once(number, work):
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(work, range(number)))


LIMITS = {      # the room, as a configuration says it, and how one without it is refused
    "quota": lambda room, tenant: {"quotas": quotas(room, sold=False)},
    "cap": lambda room, tenant: {"caps": [{"kind": "tenant", "plan": "starter", "subject": "", "micros": room}]},
    "unavailable": lambda room, tenant: {"caps": [{"kind": "all", "plan": "", "subject": "", "micros": room}]}}


@pytest.mark.parametrize("code", LIMITS)
def test_f143_a_hundred_at_once_are_answered_as_there_is_room(world, persons, code, progress):
    """Each answer lasts until all have been refused or begun, so that nobody is let in by one that has ended."""
    dice = random.Random(SEED)
    for _ in progress(runs(50, 1)):
        empty(world)
        settle_with(world, **LIMITS[code](room := dice.randint(4000, 20000), None))     # of one at least
        world.models.put({"plan": {"words": 20, "rate": 4}, "times": 0})
        answers = at_once(100, lambda n: Chat(persons[0].browser).send("Hello"))
        settled(world)
        codes = sorted((a.status, (a.error or {}).get("code", "")) for a in answers)
        begun = codes.count((200, ""))
        assert set(codes) <= {(200, ""), (503 if code == "unavailable" else 402, code)}, codes
        meter = "tokens" if code == "quota" else ""
        held = [n for n, in world.db.rows(f"select {'units' if meter else 'micros'} from usage.holds")]
        assert begun == len(held) == sum(call["deltas"] > 0 for call in world.models.books(brief=1)) > 0
        least = min(held) if code != "quota" else max(held) - 1024 + 256
        assert room - least < sum(held) <= room, (room, held)
        assert world.db.value("select bool_and(used + held <= cap + overrun) and sum(overrun) = 0 from usage.accounts "
                              "where meter = %s and cap is not null", meter)
        assert world.db.value("select usage.faults()") == []
        TALLY["rounds of 100 at once"] += 1


def test_f141_one_message_twenty_times_at_once_is_one_call(world, persons, progress):
    for _ in progress(runs(50, 2)):
        empty(world)
        world.models.put({"plan": {"words": 5, "rate": 10}, "times": 0})
        chat, message = Chat(persons[0].browser), new_id()
        answers = at_once(20, lambda n: chat.send("Hello", message))
        settled(world)
        call, = world.models.books()
        told = [a for a in answers if a.status == 200]
        assert {a.text for a in told} == {call["text"]} and {a.finish for a in told} == {"stop"}
        assert {(a.status, a.json["code"]) for a in answers if a not in told} <= {(409, "busy")}
        assert world.db.value("select count(*) from usage.holds") == 1
        assert [m["role"] for m in chat.shown()] == ["user", "assistant"]
        TALLY["rounds of one message 20 times"] += 1


def test_f142_ten_tabs_of_one_conversation_are_all_kept(world, persons, progress):
    """The one that came last is answered, the others end."""
    for _ in progress(runs(50, 2)):
        empty(world)
        world.models.put({"plan": {"words": 30, "rate": 10}, "times": 0})
        chat = Chat(persons[0].browser)
        answers = at_once(10, lambda n: chat.send(f"Hello {n}"))
        settled(world)
        ends = sorted(a.finish or a.error["code"] for a in answers)
        assert ends == ["busy"] * 9 + ["stop"], answers
        shown = chat.shown()
        assert sorted(m["parts"][0]["text"] for m in shown if m["role"] == "user") == [f"Hello {n}" for n in range(10)]
        states = sorted(m["metadata"]["state"] for m in shown if m["role"] == "assistant")
        assert len(states) == 10 and states.count("complete") == 1 and set(states) <= {"complete", "partial", "empty",
                                                                                       "failed"}
        assert world.db.value("select count(*) from usage.holds") == 10
        assert world.db.value("select usage.faults()") == []
        TALLY["rounds of 10 tabs"] += 1


def cut_once(world, person, plans, name, dice):
    """One message of which one exchange is cut, and what its sender does then."""
    what = (name, dice.randrange(max(4, world.proxy.length(name)) + 1), dice.choice(HOWS))
    talker, word = Talker(person, dice), "t" + new_id()
    plans[word] = {"text": word + " and so on" * 8, "rate": 20}
    world.models.put([{"plan": plans[word]}])
    armed = world.proxy.arm(*what)
    talker.read()
    settled(world)
    assert armed.fired.wait(PATIENCE), f"{what} was not called"
    return what, talker


def test_f140_cut_at_any_message_every_call_is_counted_once(cut_world, persons, progress):  # noqa: F811
    """Nothing is emptied on the way: what could not be settled is settled up to some seconds later."""
    dice, world, plans, talkers = random.Random(SEED), cut_world, {}, []
    empty(world)
    for n in progress(runs(500, 4)):
        with Weather(world, calm=True):
            what, talker = cut_once(world, persons[0], plans, dice.choice(CALLS), dice)
        talkers.append(talker)
        assert Reckoning(world, talkers, plans).faults() == [], (f"PROPERTY_SEED={SEED}", n, what)
        TALLY[f"cuts of {what[0]}"] += 1
    audit(world)
