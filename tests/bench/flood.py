"""How long pages take that need no call to Stripe, while Stripe holds every answer and eight clients press again."""
import json
import sys
import time
from itertools import cycle
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "e2e")]
import journey  # noqa: E402
from client import Browser  # noqa: E402
from faults import Load  # noqa: E402

CLIENTS = 8
PAGES = ("/signup", "/signin", "/workspace", "/settings/billing")


def member(state, sim, db):
    """A browser of a user who has paid."""
    browser, email = Browser(state["url"]), journey.new_address("bench")
    journey.become_customer(browser, sim, db, email)
    journey.sign_in(browser, journey.Mail(state["mail_url"]), email)
    return browser


def presses(state, presser):
    """Sign-ups from eight addresses, and a member who presses Manage, in turn."""
    manage = presser.get("/settings/billing")
    asks = [lambda: presser.submit(manage)]
    for n in range(1, CLIENTS + 1):
        browser = Browser(state["url"], address="127.0.8.%d" % n)
        form, email = browser.get("/signup"), journey.new_address("bench")
        asks.append(lambda b=browser, f=form, e=email: b.submit(f, {"email": e, "plan": "starter"}))
    turns = cycle(asks)
    return lambda: (next(turns)().status, None)


def timed(reader, path):
    begun = time.monotonic()
    page = reader.get(path)
    if page.status != 200:
        sys.exit("bench: %s answered %d under the flood" % (path, page.status))
    return time.monotonic() - begun


def flood(server, times):
    """{"p50_ms", "p99_ms", "max_ms", "refused"} of so many pages behind that server."""
    state = json.loads(journey.stack_command("up", "--detach", "--server", server))
    try:
        sim, db = journey.Simulator(state["stripe_url"]), journey.Database(state["database_url"])
        db.execute("update auth.limits set allowed = 1000000")
        visitor, reader = Browser(state["url"]), member(state, sim, db)
        ask = presses(state, member(state, sim, db))
        sim.fault(answer="hang", times=1000000)
        with Load(ask, CLIENTS) as load:
            load.more(CLIENTS)
            took = sorted(timed(visitor if path in PAGES[:2] else reader, path)
                          for _ in range(times // len(PAGES)) for path in PAGES)
            load.done.set()
            sim.delete("faults")
        return {"p50_ms": 1000 * took[len(took) // 2], "p99_ms": 1000 * took[len(took) * 99 // 100],
                "max_ms": 1000 * took[-1], "refused": len([a for a in load.answers if a[0] == 503])}
    finally:
        journey.stack_command("down", "--dir", state["dir"])
