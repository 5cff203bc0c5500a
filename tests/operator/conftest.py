"""A private PostgreSQL with the real schema, the Stripe simulator, and the operator's command between them."""
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
sys.path.insert(0, str(ROOT / "tests/stripe"))
from simclient import KEY, SECRET, Sim  # noqa: E402

PLANS = ('{ id = "starter"; price = "price_starter"; }, '
         '{ id = "growth"; price = "price_growth"; features = ["export"]; }')
NUMBERS = itertools.count()
CONFIG = """
site = { url = "http://localhost"; environment = "development"; pages = "%(root)s/workers/pages";
    own_pages = "%(dir)s/pages"; };
database = { conninfo = "host=%(server)s dbname=%(name)s"; schema = "%(root)s/schema"; };
stripe = { api_url = "%(sim)s"; timeout_ms = 2000; key_file = "%(dir)s/stripe.key"; %(stripe)s };
mail = { url = "smtp://127.0.0.1:9"; from = "a@b.example"; starttls = false; poll_ms = 20; };
jobs = { poll_ms = 20; };
passwords = { breached = ""; };
plans = ( %(plans)s );
%(more)s
"""


@pytest.fixture(scope="session")
def server():
    directory = tempfile.mkdtemp(prefix="tollgate-op.")
    process = subprocess.Popen([ROOT / "tests/db/postgres", directory])
    ready = ["pg_isready", "-q", "-h", directory, "-U", "postgres"]
    deadline = time.monotonic() + 30
    while subprocess.run(ready).returncode != 0:
        assert process.poll() is None and time.monotonic() < deadline, Path(directory, "log").read_text()
        time.sleep(0.05)
    yield directory
    process.send_signal(signal.SIGINT)
    process.wait()
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def process():
    env = {"PATH": os.environ["PATH"], "SIM_KEY": KEY, "SIM_WEBHOOK_SECRET": SECRET}
    child = subprocess.Popen([ROOT / "tests/stripe/simulator", "--portal"], stdout=subprocess.PIPE, text=True, env=env)
    yield Sim(json.loads(child.stdout.readline())["url"], None)
    child.terminate()
    child.wait(5)
    child.stdout.close()


@pytest.fixture
def sim(process):
    process.control("faults", method="DELETE")
    process.control("reset", {})
    return process


class Site:
    """A database, a configuration, and the command with them."""

    def __init__(self, server, path, name, sim):
        self.server, self.path, self.name, self.sim = server, path, name, sim
        self.conninfo = "host=%s user=postgres dbname=%s" % (server, name)
        self.key = path / "stripe.key"
        self.key.write_text(KEY)
        self.key.chmod(0o600)
        self.conf = path / "tollgate.conf"
        self.configure()

    def configure(self, plans=PLANS, stripe="", more=""):
        self.conf.write_text(CONFIG % {
            "root": ROOT, "server": self.server, "name": self.name, "sim": self.sim.url if self.sim else "",
            "dir": self.path, "plans": plans, "stripe": stripe, "more": more})

    def create(self, template="template0"):
        with psycopg.connect("host=%s user=postgres dbname=postgres" % self.server, autocommit=True) as db:
            db.execute('drop database if exists "%s"' % self.name)
            db.execute('create database "%s" template "%s"' % (self.name, template))

    def run(self, *arguments, **env):
        return subprocess.run([BUILD / "tollgate", *arguments, "--config", self.conf], capture_output=True, timeout=60,
                              env={**os.environ, **env})

    def ok(self, *arguments, code=0):
        """What it said on stdout."""
        done = self.run(*arguments)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout.decode()

    def json(self, *arguments, code=0):
        return json.loads(self.ok(*arguments, "--json", code=code))

    def lines(self, *arguments, code=0):
        return [json.loads(line) for line in self.ok(*arguments, "--json", code=code).splitlines()]

    def ask(self, sql, *arguments):
        with psycopg.connect(self.conninfo, autocommit=True) as db:
            cursor = db.execute(sql, arguments or None)
            return cursor.fetchall() if cursor.description else None

    def tenant(self, email=None, status="active"):
        """A tenant, with an owner when there is an address."""
        tenant = uuid.uuid4()
        self.ask("insert into app.tenants (id, status, activated_at) values (%s, %s, now())", tenant, status)
        if email:
            self.ask("select auth.add_user(%s)", email)
            owner = self.ask("select auth.find_user(%s)", email)[0][0]
            self.ask("insert into app.members (tenant_id, user_id, role) values (%s, %s, 'owner')", tenant, owner)
        return str(tenant)

    def receive(self, ident, type_="customer.updated", kind="customer", obj="cus_1", raw=b"{}"):
        about = [{"id": ident, "type": type_, "created": 1, "livemode": False, "signature": "t=1", "key": "0",
                  "kind": kind, "object": obj, "at": 1, "size": len(raw)}]
        self.ask("select service.receive_events(%s, %s)", json.dumps(about), raw)

    def deliver(self):
        """Stores the simulator's events of subscriptions as webhooks would."""
        kinds = {"checkout.session": "checkout", "customer.subscription": "subscription", "customer": "customer"}
        for event in reversed(self.sim.get("/v1/events", "limit=100")["data"]):
            kind = kinds.get(event["type"].rsplit(".", 1)[0])
            if kind:
                self.receive(event["id"], event["type"], kind, event["data"]["object"]["id"],
                             json.dumps(event).encode())

    def work(self):
        """Lets jobs make everything clean."""
        jobs = subprocess.Popen([BUILD / "jobs", "--config", self.conf], stderr=subprocess.PIPE)
        try:
            deadline = time.monotonic() + 20
            while self.due():
                assert jobs.poll() is None and time.monotonic() < deadline, self.due()
                time.sleep(0.05)
        finally:
            jobs.terminate()
            jobs.communicate()

    def due(self):
        return self.ask("select kind, id from sync.objects where version > clean_version and dead_at is null "
                        "order by 1, 2")


@pytest.fixture(scope="session")
def template(server, tmp_path_factory):
    site = Site(server, tmp_path_factory.mktemp("template"), "migrated", None)
    site.create()
    done = site.run("migrate", PGUSER="postgres")
    assert done.returncode == 0, done.stderr
    site.ask("delete from sync.objects")    # the plans' prices, which jobs would fetch first
    return site


@pytest.fixture
def site(server, template, sim, tmp_path):
    site = Site(server, tmp_path, "t%d" % next(NUMBERS), sim)
    site.create(template.name)
    return site
