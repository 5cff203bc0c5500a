"""world: one stack for many lives of customers. The test chooses when and how often an event is delivered and kills
programs. It waits for a result by polling, never by a fixed sleep."""
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent)]
import journey  # noqa: E402
import psycopg  # noqa: E402
import requests  # noqa: E402
from harness.supervisor import LIBC, PR_SET_PDEATHSIG  # noqa: E402

FULL = os.environ.get("PROPERTY_RUNS") == "full"
SEED = int(os.environ.get("PROPERTY_SEED") or random.SystemRandom().randrange(10 ** 9))
TALLY = Counter()       # what was done, for the report
LANES = 8               # deliveries under way at once
PATIENCE = 45           # seconds until something that should become true counts as never
RETRIED = (502, 503, 504)
FOLLOWED = {"invoice": "invoice.updated", "charge": "charge.refunded", "dispute": "charge.dispute.created"}
# All tables that hold what came with customers and events, but for the audit log, of which no row may go.
FILLED = """select distinct format('%I.%I', t.table_schema, t.table_name) from information_schema.tables t
    join information_schema.columns c using (table_schema, table_name) where t.table_type = 'BASE TABLE'
    and t.table_schema <> 'audit' and (
        c.column_name in ('tenant_id', 'user_id')
        or (t.table_schema, t.table_name) = ('usage', 'corrections')
        or t.table_schema in ('app', 'inbox', 'sync', 'mail') and t.table_name not in ('roles', 'role_verbs')
        or (t.table_schema, t.table_name) = ('auth', 'users'))"""
OURS = ("charge.", "checkout.session.", "customer.created", "customer.updated", "customer.deleted",
        "customer.subscription.", "invoice.", "refund.",
        "subscription_schedule.")       # the rest is kept when it comes, and not looked for
UNASKED = ("charge.succeeded", "charge.failed", "invoice.payment_succeeded")      # repeat what another event says
# What programs are told, so that hours need not pass.
HURRIED = {"jobs_poll_ms": 20, "mail_poll_ms": 20, "jobs_settle_ms": 0, "stripe_timeout_ms": 1500, "stripe_rate": 1000,
           "mail_timeout_ms": 3000, "database_timeout_ms": 3000, "serve_threads": LANES + 1, "serve_calls": LANES}


class Threads:
    """self.threads, from the beginning of a block to its end, when self.done tells them to end."""

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()


def runs(full, few):
    """How many: all of them when PROPERTY_RUNS=full, as many as PROPERTY_RUNS says, else a few."""
    wanted = os.environ.get("PROPERTY_RUNS", "")
    return full if FULL else int(wanted) if wanted.isdecimal() else few


def configure(path, **changed):
    """Writes other values into the configuration. A key the file does not have is left out."""
    text = path.read_text()
    for name, value in changed.items():
        section, _, key = name.partition("_")
        text = re.sub(r"(?ms)^(%s: \{.*?^\t?%s = )[^;]+;" % (section, key), r"\g<1>%s;" % value, text, count=1)
    path.write_text(text)


class World:
    def __init__(self, stack):
        self.stack, self.dir = stack, stack["dir"]
        self.db = journey.Database(stack["database_url"])
        self.sim = journey.Simulator(stack["stripe_url"])
        self.mail = journey.Mail(stack["mail_url"])
        self.secret = stack["webhook_secret"].encode()
        self.local = threading.local()
        self.pool = ThreadPoolExecutor(LANES)
        self.second = self.proxy = None
        configure(Path(stack["config"]), **HURRIED)
        self.db.execute("update auth.limits set allowed = 1000000")
        for name in ("jobs", "mailer", "signup", "webhooks"):
            self.ask("restart", name=name)
        self.start_second()

    def close(self):
        self.stop_second()
        self.pool.shutdown()

    # -- processes

    def ask(self, do, **more):
        """The supervisor's answer; sooner than by a command."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE)
            s.connect(self.dir + "/run/control")
            s.sendall(json.dumps({"do": do, **more}).encode())
            answer = json.loads(s.makefile().read())
        assert "error" not in answer, answer
        return answer

    def start_second(self):
        """Another jobs process beside the stack's."""
        with open(self.stack["log_dir"] + "/jobs2.log", "ab") as log:
            self.second = subprocess.Popen(
                [self.stack["prefix"] + "/lib/tollgate/jobs"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"TOLLGATE_CONFIG": self.stack["config"]},
                preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL))

    def stop_second(self):
        self.second.kill()
        self.second.wait()

    def pid(self, name):
        return self.ask("show")["pids"].get(name)

    def kill(self, name, leases=True):
        """By SIGKILL, and started again at once. second: the jobs process that is ours."""
        if name == "second":
            self.stop_second()
            self.start_second()
        else:
            pid = self.pid(name)
            with contextlib.suppress(ProcessLookupError):       # of the last kill, not replaced yet
                if pid:
                    os.kill(pid, signal.SIGKILL)
            self.ask("start", name=name)
        if leases:
            TALLY[f"kills of {name}"] += 1
            self.leases_end()

    @lru_cache
    def follows(self, kind):
        """Whether an event about such an object makes that object dirty, and not another."""
        name, ident = FOLLOWED[kind], f"{kind}_probe{SEED}"
        event = {"id": f"evt_{ident}", "object": "event", "type": name, "api_version": "2026-07-29.dahlia",
                 "created": int(time.time()), "livemode": False, "data": {"object": {"id": ident, "object": kind}}}
        self.deliver({"event": event["id"], "payload": json.dumps(event)})
        return self.db.value("select object_kind from inbox.events where id = %s", event["id"]) == kind

    def leases_end(self):
        """Frees what killed processes had claimed, as half a minute would."""
        self.hasten("sync.objects", "claimed_until = now() - interval '1 s'", "claimed_until > now()")
        self.hasten("mail.outbox", "claimed_until = now() - interval '1 s'", "claimed_until > now()")

    def back_off_ends(self):
        """What failed is due again, as it would be by itself in a while."""
        waits = "next_at > now() and claimed_until is null and "
        self.hasten("sync.objects", "next_at = now()", waits + "version > clean_version and dead_at is null")
        self.hasten("mail.outbox", "next_at = now()", waits + "state = 'pending'")

    def hasten(self, table, change, which):
        """Skips rows that are locked."""
        self.db.execute(f"update {table} set {change} where ctid in "
                        f"(select ctid from {table} where {which} for update skip locked)")

    # -- deliveries

    def begin(self):
        """Resets Stripe, and our database to its state after migration, since leftover rows would be drift."""
        self.begun = self.db.value("select now()")
        while not self.emptied():
            pass
        self.sim.post("reset")
        self.sim.post("mode", manual=True)
        requests.delete(self.stack["mail_url"] + "/mails", timeout=30)

    def emptied(self):
        """Locks the tables first: jobs may be adopting events, and an event that loses only its mark would wait for
        ever. Returns False after a deadlock."""
        with psycopg.connect(self.stack["database_url"]) as db:
            tables = [table for table, in db.execute(FILLED).fetchall()]
            try:
                db.execute("set session_replication_role = replica; set lock_timeout = '10s'")
                db.execute(f"lock table {', '.join(tables)} in exclusive mode")
                for table in tables:
                    db.execute(f"delete from {table}")
            except psycopg.errors.DeadlockDetected:
                db.rollback()
                return False
        return True

    def mails(self):
        return requests.get(self.stack["mail_url"] + "/mails", timeout=30).json()

    def take(self):
        """The events since the last time: [{"event", "type", "payload"}], oldest first."""
        return self.sim.post("take")

    def connection(self):
        if getattr(self.local, "connection", None) is None:
            self.local.connection = http.client.HTTPConnection(urlsplit(self.stack["url"]).netloc, timeout=20)
        return self.local.connection

    def attempt(self, payload):
        """One POST to the endpoint: its status, 0 when there was no answer."""
        when = int(time.time())
        mac = hmac.new(self.secret, b"%d." % when + payload, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": f"t={when},v1={mac}"}
        try:
            self.connection().request("POST", "/webhooks/stripe", payload, headers)
            answer = self.connection().getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            self.local.connection.close()
            self.local.connection = None
            return 0

    def deliver(self, event):
        """Repeats until it is accepted, as Stripe does with longer waits."""
        end = time.monotonic() + PATIENCE
        while (status := self.attempt(event["payload"].encode())) != 200:
            assert status == 0 or status in RETRIED, (status, event["payload"])
            assert time.monotonic() < end, f"not accepted in time: {event['event']}, {status}"
            time.sleep(0.02)

    def deliver_all(self, events):
        """In this order; some are under way side by side."""
        list(self.pool.map(self.deliver, events))
        TALLY["deliveries"] += len(events)
        if events:
            self.sim.post("delivered", events=sorted({e["event"] for e in events}))

    def find_lost(self, events):
        """Makes Stripe's lists due and starts a new jobs process to read them. Stripe lists the events of 30 days only:
        when the simulator's clock is further ahead, the cursor moves back as far and all objects are compared."""
        long_ago = self.sim.get("clock")["now"] - time.time() > 29 * 86400
        self.stop_second()
        self.db.execute("with gone as (delete from sync.cursors where name <> 'events')"
                        " insert into sync.cursors (name, watermark, seen_at)"
                        " select 'events', t, t from (select %s::timestamptz t) v"
                        " on conflict (name) do update set watermark = excluded.watermark, seen_at = excluded.seen_at,"
                        " started_at = null, finished_at = null,"
                        " after = null, claim = null, claimed_until = null",
                        datetime.now(timezone.utc) - timedelta(days=60) if long_ago else None)
        self.start_second()
        begun = nudged = time.monotonic()
        while not self.looked_through():
            now = time.monotonic()
            assert now - begun < PATIENCE, self.db.rows("select * from sync.cursors")
            if now - nudged > 5:        # the process that held it has died or failed
                self.db.execute("update sync.cursors set claimed_until = null")
                self.kill("second")
                nudged = now
            time.sleep(0.02)
        TALLY["looks through Stripe's lists"] += 1
        wanted = {e["event"] for e in events if e["type"].startswith(OURS) and e["type"] not in UNASKED}
        known = {ident for ident, in self.db.rows("select id from inbox.events where id = any(%s)", list(wanted))}
        assert long_ago or known == wanted, [e for e in events if e["event"] in wanted - known]

    def looked_through(self):
        return self.db.value("select count(*) filter (where finished_at >= started_at) = 3 and count(*) = 3 "
                             "from sync.cursors")

    # -- rest

    def unrest(self):
        """What is still to be done, as text; "" when nothing is."""
        dirty, received, mails = self.db.row("""select
            (select count(*) from sync.objects where version > clean_version and dead_at is null),
            (select count(*) from inbox.events where state = 'received'),
            (select count(*) from mail.outbox where state = 'pending')""")
        return f"{dirty} dirty objects, {received} events received, {mails} mails" if dirty or received or mails else ""

    def quiet(self, lease=5):
        """Waits until all is done. Shortens the back-off of failed attempts, and less often a lease."""
        begun, hurried, freed = time.monotonic(), time.monotonic(), time.monotonic()
        while why := self.unrest():
            now = time.monotonic()
            assert now - begun < PATIENCE, f"no rest: {why}; {self.restless()}"
            if now - hurried > 0.3:
                self.back_off_ends()
                hurried = now
            if now - freed > lease:
                self.leases_end()
                freed = now
            time.sleep(0.01)

    def restless(self):
        """The dirty objects, and the waiting events with the state of their object. An event without a version has lost
        its mark; one without a key was adopted from Stripe's list, not delivered."""
        objects = self.db.rows(
            "select kind, id, version, clean_version, attempts, last_error, next_at - now(), claimed_until - now() "
            "from sync.objects where version > clean_version limit 20")
        return objects, self.db.rows(
            "select e.id, e.type, e.object_kind, e.object_id, e.received_at, e.attempts, e.key_id, o.version, "
            "o.clean_version, o.dead_at from inbox.events e left join sync.objects o "
            "on (o.kind, o.id) = (e.object_kind, e.object_id) where e.state = 'received' limit 20")

    def dead(self):
        """What was dead-lettered since the run began."""
        return self.db.rows("select kind, id, last_error from sync.objects where dead_at >= %s union all "
                            "select template, key, last_error from mail.outbox where state = 'dead' "
                            "and created_at >= %s", self.begun, self.begun)


def open_world():
    """Yields a World: of the stack in TOLLGATE_STACK, else of one that is gone afterwards."""
    running = os.environ.get("TOLLGATE_STACK")
    words = ("show", "--dir", running) if running else ("up", "--detach")
    stack = json.loads(journey.stack_command(*words))
    world = None
    try:
        world = World(stack)
        yield world
    finally:
        if world is not None:
            world.close()
        if not running:
            journey.stack_command("down", "--dir", stack["dir"])


def reconnect(world):
    """After the server was away."""
    world.db.connection = journey.wait_until(lambda: try_connect(world.stack["database_url"]), PATIENCE)


def try_connect(url):
    try:
        return psycopg.connect(url, autocommit=True)
    except psycopg.OperationalError:
        return None
