"""One stack for all tests. TOLLGATE_SERVER=nginx|apache chooses its server; TOLLGATE_STACK=DIR takes a running one."""
import json
import os
import re
import sys
import time
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import journey  # noqa: E402
from client import Browser  # noqa: E402
from harness.system import DAEMONS  # noqa: E402
from parties import parties, published, reason, user  # noqa: E402, F401 (fixtures)

SERVER = os.environ.get("TOLLGATE_SERVER", "nginx")
if SERVER == "apache":
    collect_ignore = ["test_fastcgi.py"]    # speaks to a worker without any web server: once is enough


def pytest_configure(config):
    config.addinivalue_line("markers", "only(server): what the other web server has no part in is not collected for it")


FIRST = ("test_states", "test_tenants")     # they move Stripe's clock by months, which renews every customer there is
LAST = ("test_contract", "test_secrets")    # they check what all other tests have left behind


def turn(item):
    name = item.module.__name__
    return (name in LAST) - (name in FIRST), LAST.index(name) if name in LAST else 0


def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if all(SERVER in mark.args for mark in item.iter_markers("only"))]
    items.sort(key=turn)


@pytest.fixture(scope="session")
def stack():
    """What tests/stack prints: url, stripe_url, mail_url, database_url, webhook_secret, log_dir, sockets, server..."""
    if running := os.environ.get("TOLLGATE_STACK"):
        state = json.loads(journey.stack_command("show", "--dir", running))
        prepare(state)
        yield state
        return
    state = json.loads(journey.stack_command("up", "--detach", "--server", SERVER))
    try:
        prepare(state)
        yield state
    finally:
        journey.stack_command("down", "--dir", state["dir"])


def prepare(state):
    """Lifts the rate limits, since all tests come from one address; the tests of limits set rows of their own. Makes
    jobs and mailer poll often. Jobs does not look through Stripe's lists by itself for 17 hours, whatever the time of
    day, because a test may hold events back: these looks are counted in periods since 1970, or begin at an hour."""
    now = int(time.time())
    gap, hour = now // (now // 86400 + 1), now // 3600 % 24
    journey.Database(state["database_url"]).execute("update auth.limits set allowed = 1000000")
    config = Path(state["config"])
    text = config.read_text()
    hurried = re.sub(r"poll_ms = \d+;", "poll_ms = 100;", text)
    hurried = re.sub(r"gap_seconds = \d+;", f"gap_seconds = {gap};", hurried)
    hurried = re.sub(r"reconcile_hour = \d+;", f"reconcile_hour = {hour};", hurried)
    assert all(f"{line};" in hurried for line in ("poll_ms = 100", f"gap_seconds = {gap}", f"reconcile_hour = {hour}"))
    if hurried != text:
        config.write_text(hurried)
        for name in DAEMONS:
            journey.stack_command("restart", "--dir", state["dir"], name)


@pytest.fixture(scope="session")
def db(stack):
    return journey.Database(stack["database_url"])


@pytest.fixture(scope="session")
def sim(stack):
    return journey.Simulator(stack["stripe_url"])


@pytest.fixture(scope="session")
def mail(stack):
    return journey.Mail(stack["mail_url"])


@pytest.fixture
def calm(sim, mail):
    """Whatever a test broke works again afterwards."""
    yield
    sim.delete("faults")
    sim.post("mode", reset=True)
    mail.answer()


@pytest.fixture
def limit(db):
    """A function that sets what is allowed of one kind, with nothing used up. What it gives back tells whether a page's
    Retry-After is the wait for the next, when all of it was used in the last minute."""
    def lower(kind, allowed):
        db.execute("delete from auth.hits where kind = %s", kind)
        db.execute("update auth.limits set allowed = %s where kind = %s", allowed, kind)
        unit = db.value("select (extract(epoch from per) / allowed)::int from auth.limits where kind = %s", kind)
        return lambda page: unit - 60 <= int(page.header("Retry-After")) <= unit
    yield lower
    db.execute("delete from auth.hits")
    db.execute("delete from auth.tries")
    db.execute("update auth.limits set allowed = 1000000")


@pytest.fixture
def fresh(request):
    """A function that makes unused mail addresses."""
    name = request.node.name.split("[")[0][:30].rstrip("_").replace("test_", "").replace("_", "-")
    return lambda what=name: journey.new_address(what)


@pytest.fixture
def new_browser(stack):
    return lambda **more: Browser(stack["url"], **more)


@pytest.fixture
def browser(new_browser):
    return new_browser()


@pytest.fixture
def other(new_browser):
    """Another person, or the same one at another machine."""
    return new_browser()


@pytest.fixture
def customer(browser, sim, db, mail, fresh):
    """(browser, address) of a user who has paid and is signed in."""
    email = fresh()
    journey.become_customer(browser, sim, db, email)
    journey.sign_in(browser, mail, email)
    journey.wait_until(lambda: db.value("select count(*) from billing.subscriptions where tenant_id = %s",
                                        db.tenant_of(email)))       # its mail may be faster
    return browser, email
