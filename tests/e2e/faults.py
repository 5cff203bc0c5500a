"""faults: makes things fail on purpose, and checks what must hold in spite of it."""
import hashlib
import hmac
import json
import os
import re
import secrets
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import journey
import psycopg
from client import exchange
from harness.system import DAEMONS, PROGRAMS, WORKERS  # noqa: F401
from journey import press_link, stack_command, token_in, wait_until

READY, PROCESSING = "You are all set", "Confirming your payment"


def heading(page):
    return page.html.one("h1").text


def await_welcome(browser, url, seconds=40):
    """Reloads the page people come back to until it says that all is ready."""
    return wait_until(lambda: heading(browser.get(url)) == READY, seconds)


def sign_in_by_welcome(browser, mail, email):
    answer = press_link(browser, token_in(mail.wait(email)))
    assert answer.status == 303 and browser.cookie("__Host-sid"), answer


def press(browser, page, button):
    """The form of a hosted page that has the button of that id."""
    form, = [f for f in page.forms if any(b.get("id") == button for b in f.buttons)]
    return browser.post(urljoin(page.url, form.action), form.fields, came_from=page)


def cancel_in_portal(browser):
    """From our page to Stripe's portal; cancelled there; back, until our page says when it ends."""
    page = browser.get("/settings/billing")
    assert page.html.one(id="status").text == "Active"
    portal = browser.follow(browser.submit(page))
    assert press(browser, portal, "cancel-at-period-end").status == 303
    wait_until(lambda: browser.get("/settings/billing").html.all(id="ends-on"))


def finish(browser, sim, db, mail, email, returned):
    """All that comes after paying; at the end there is one of each."""
    await_welcome(browser, returned)
    sign_in_by_welcome(browser, mail, email)
    wait_until(lambda: "Starter" in browser.get("/settings/billing").html.one("main").text)
    cancel_in_portal(browser)
    assert_one_of_each(db, sim, mail, email)


def assert_one_of_each(db, sim, mail, email):
    """One tenant, customer, session, subscription, owner and of each mail; the same ones at Stripe; no event lost."""
    sim.quiet()
    tenant, status, session, customer, subscription, members, welcomes = wait_until(lambda: db.row("""
        select t.id, t.status, c.session_id, u.id, s.id, (select count(*) from app.members m where m.tenant_id = t.id),
            (select count(*) from mail.outbox o where o.recipient = c.email and o.template = 'welcome')
        from billing.checkouts c join app.tenants t on t.id = c.tenant_id
            join billing.customers u on u.tenant_id = t.id join billing.subscriptions s on s.tenant_id = t.id
        where c.email_canonical = %s""", email))
    assert (status, members, welcomes) == ("active", 1, 1)
    mails = mail.to(email)
    assert mails and len({header(m, "Message-ID") for m in mails}) == len({m["subject"] for m in mails}) == len(mails)
    state = sim.get("state")
    assert [s["id"] for s in state["checkout.session"] if s["client_reference_id"] == str(tenant)] == [session]
    assert [c["id"] for c in state["customer"] if c.get("email") == email] == [customer]
    assert [s["id"] for s in state["subscription"] if s["customer"] == customer] == [subscription]
    wait_until(lambda: db.value("select count(*) from inbox.events where state = 'received' and object_id = any(%s)",
                                [session, customer, subscription]) == 0)


def header(mail, name):
    value, = [v for k, v in mail["headers"] if k == name]
    return value


def event(customer=None):
    """(id, customer, bytes) of a new event, by default about a customer that Stripe does not know."""
    word = secrets.token_hex(8)
    ident, customer = "evt_" + word, customer or "cus_" + word
    return ident, customer, json.dumps({
        "id": ident, "object": "event", "type": "customer.updated", "api_version": "2026-07-29.dahlia",
        "created": int(time.time()), "livemode": False,
        "data": {"object": {"id": customer, "object": "customer"}}}).encode()


def deliver(stack, body, age=0):
    """The endpoint's answer to an event that was signed `age` seconds ago."""
    when = int(time.time()) - age
    mac = hmac.new(stack["webhook_secret"].encode(), b"%d." % when + body, hashlib.sha256).hexdigest()
    return exchange("POST", stack["url"] + "/webhooks/stripe",
                    {"Content-Type": "application/json", "Stripe-Signature": f"t={when},v1={mac}"}, body)


def pids(stack):
    """Of what the supervisor started, by name."""
    return json.loads(stack_command("show", "--dir", stack["dir"]))["pids"]


def processes(stack, name):
    """The ids of a program's processes, started by the supervisor or by Apache."""
    program = f"{stack['prefix']}/lib/tollgate/{name}".encode()
    found = set()
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if Path("/proc", pid, "cmdline").read_bytes().split(b"\0")[0] == program:
                found.add(int(pid))
        except OSError:
            pass
    return found


def has_ended(pid):
    """Waits for its sockets too: they are closed after the command line has disappeared."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state in "ZX" and len(list(Path(f"/proc/{pid}/task").iterdir())) == 1
    except OSError:
        return True


def send(stack, name, number):
    """Signals a program's processes; their ids."""
    gone = processes(stack, name)
    for pid in gone:
        os.kill(pid, number)
    return gone


def replaced(stack, name, gone, seconds=30):
    """Waits until other processes have taken the place of those."""
    return wait_until(lambda: (now := processes(stack, name)) and not now & gone and now, seconds)


def kill(stack, name, number=signal.SIGKILL):
    return replaced(stack, name, send(stack, name, number))


@contextmanager
def configured(stack, *programs, **changed):
    """Runs these programs with other values of the configuration, and with the old ones afterwards. What Apache has
    started ends, and it starts another for the next request."""
    path = Path(stack["config"])
    before = path.read_text()
    text = before
    for name, value in changed.items():
        section, _, key = name.partition("_")
        text, n = re.subn(r"(?ms)^(%s: \{.*?^\t?%s = )[^;]+;" % (section, key), r"\g<1>%s;" % value, text, count=1)
        assert n == 1, name

    def renew(text):
        path.write_text(text)
        for program in programs:
            gone = send(stack, program, signal.SIGTERM)
            if stack["server"] == "apache" and program in WORKERS:
                wait_until(lambda: all(map(has_ended, gone)))
            else:
                replaced(stack, program, gone)
    renew(text)
    try:
        yield
    finally:
        renew(before)


settings = configured


@contextmanager
def another(stack, name, log):
    """One more process of jobs or mailer beside the stack's own; what it says goes to the file."""
    with open(log, "wb") as out:
        sanitizers = {k: v for k, v in os.environ.items() if "SAN_" in k}
        process = subprocess.Popen([f"{stack['prefix']}/lib/tollgate/{name}"], stdout=out, stderr=out,
                                   env={"TOLLGATE_CONFIG": stack["config"], **sanitizers})
    try:
        wait_until(lambda: b'"started"' in log.read_bytes())
        yield
    finally:
        process.terminate()
        assert process.wait(5) == 0


class Postgres:
    """The stack's server."""

    def __init__(self, stack, db):
        self.stack, self.db = stack, db

    def command(self, what):
        stack_command(what, "--dir", self.stack["dir"], "postgres")

    def stop(self, how="fast"):
        """Down until started: by SIGINT, or by SIGQUIT, as after a crash."""
        if how == "immediate":
            self.crash()
        self.command("stop")

    def crash(self):
        """By SIGQUIT; its supervisor starts it again."""
        pid = pids(self.stack)["postgres"]
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: pids(self.stack).get("postgres", pid) != pid)

    def start(self):
        self.command("start")
        self.connect()

    def connect(self):
        self.db.connection = psycopg.connect(self.stack["database_url"], autocommit=True)

    @contextmanager
    def down(self, how="fast"):
        self.stop(how)
        try:
            yield
        finally:
            self.start()

    def processes(self):
        """The postmaster first, then its children."""
        top = pids(self.stack)["postgres"]
        return [top, *map(int, Path(f"/proc/{top}/task/{top}/children").read_text().split())]


@contextmanager
def holding(stack, lock):
    """A transaction that has run this and is not over."""
    with psycopg.connect(stack["database_url"]) as connection:
        connection.execute(lock)
        yield


def waiting(db, role):
    """How many of a program's connections wait for a lock."""
    return db.value("select count(*) from pg_stat_activity where usename = %s and wait_event_type = 'Lock'",
                    "tollgate_" + role)


def leases_end(db):
    """Ends leases as half a minute would. Skips rows that are locked."""
    for table in ("sync.objects", "mail.outbox"):
        db.execute(f"update {table} set claimed_until = now() - interval '1 s' where ctid = any(array(select ctid from "
                   f"{table} where claimed_until > now() for update skip locked))")


class Load:
    """Clients that ask one thing after another, on new connections, until the block ends. ask() -> (status, more)."""

    def __init__(self, ask, clients=8):
        self.ask, self.answers, self.done = ask, [], threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(clients)]

    def run(self):
        while not self.done.is_set():
            try:
                self.answers.append(self.ask())
            except Exception as e:
                self.answers.append((repr(e), None))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()

    def more(self, number, seconds=60):
        """Waits until that many more were answered."""
        goal = len(self.answers) + number
        wait_until(lambda: len(self.answers) >= goal, seconds)

    def except_for(self, *good):
        return [a for a in self.answers if a[0] not in good]


def all_at_once(ask, number):
    """The answers to so many calls that begin together."""
    barrier, answers = threading.Barrier(number), []

    def run():
        barrier.wait()
        answers.append(ask())
    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == number
    return answers


def pay(browser, sim, email, plan="starter"):
    """Signed up and paid: where Stripe sends the browser back to."""
    paid = sim.pay(journey.session_in(journey.sign_up(browser, email, plan)))
    assert paid["paid"]
    return paid["return_url"]
