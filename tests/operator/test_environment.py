"""The database's stamp: it refuses programs of another environment, of another Stripe account, or newer than its
schema."""
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from conftest import BUILD, KEY, ROOT, SECRET

sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/e2e")]
import fcgi  # noqa: E402
from harness.system import APART, DAEMONS, WORKERS  # noqa: E402

OTHER = 'this database is stamped "preview", and site.environment is "development"'
AT_STRIPE = [("reconcile",), ("backfill", "customers"), ("stripe", "diff"), ("stripe", "apply")]


def wait_until(check, seconds=15):
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, f"nothing after {seconds} s"
        time.sleep(0.03)
    return found


class Program:
    def __init__(self, site, name):
        self.log = site.path / (name + ".log")
        self.socket = None if name in DAEMONS else site.path / (name + ".sock")
        listen = ["--listen", self.socket] if self.socket else []
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [BUILD / name, "--config", site.conf, *listen], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "TOLLGATE_STRIPE_WEBHOOK_SECRET": SECRET})

    def listens(self):
        if self.socket is None:
            return True
        try:
            fcgi.Connection(self.socket).close()
        except OSError:
            return False
        return True

    def says(self):
        return self.log.read_text()

    def lines(self, event):
        rows = [json.loads(line) for line in self.says().splitlines() if line.startswith("{")]
        return [row for row in rows if row["event"] == event]

    def ask(self, path):
        return fcgi.call(self.socket, "GET", path, HTTP_COOKIE="__Host-sid=" + 43 * "A")

    def end(self, seconds=10):
        return self.process.wait(seconds)


@contextmanager
def running(site, name):
    program = Program(site, name)
    try:
        wait_until(program.listens)
        yield program
    finally:
        program.process.terminate()
        program.end()


def swap(site, name, **stamp):
    """The database is another one from now on, and its connections are new ones."""
    site.ask("update meta.stamp set " + ", ".join(f"{column} = '{value}'" for column, value in stamp.items()))
    site.ask("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'tollgate_%s' and datname = '%s'"
             % (name, site.name))


def account(site):
    return site.ask("select account from meta.stamp")[0][0]


def asked(site):
    return {request["path"] for request in site.sim.control("requests")}


@pytest.fixture
def work(site):
    """Makes an object to fetch and a mail to send. Returns a function: which of them have been claimed."""
    site.ask("select sync.mark('customer', 'cus_1')")
    site.ask("insert into mail.outbox (key, recipient, template, language) "
             "values ('k', 'a@b.example', 'welcome', 'en')")

    def claimed():
        return site.ask("select 'sync' from sync.objects where claim is not null or attempts > 0 or clean_version > 0 "
                        "union all select 'mail' from mail.outbox where claim is not null or attempts > 0")
    return claimed


@pytest.mark.parametrize("name", sorted({*WORKERS, *DAEMONS} - {*APART}))
def test_c92_a_program_for_another_environment_ends_with_78(site, name):
    site.ask("update meta.stamp set environment = 'preview'")
    program = Program(site, name)
    assert program.end() == 78
    assert f"{name}: {site.conf}: {OTHER}" in program.says() and asked(site) == set()


@pytest.mark.parametrize("command", [("status",), ("events", "list"), ("explain", "a@b.example"), *AT_STRIPE])
def test_c92_so_does_the_operators_command_and_asks_stripe_nothing(site, command):
    site.ask("update meta.stamp set environment = 'preview'")
    done = site.run(*command)
    assert done.returncode == 78 and OTHER in done.stderr.decode() and done.stdout == b"" and asked(site) == set()


def test_c92_check_live_tells(site):
    secret = {"TOLLGATE_STRIPE_WEBHOOK_SECRET": SECRET}
    assert b"database: ok" in site.run("check", "--live", **secret).stdout
    site.ask("update meta.stamp set environment = 'preview'")
    assert site.run("check", **secret).returncode == 0
    done = site.run("check", "--live", **secret)
    assert done.returncode == 78 and "database: " + OTHER in done.stdout.decode()


def test_f202_check_live_tells_of_another_key_of_the_seeds(site):
    secret = {"TOLLGATE_STRIPE_WEBHOOK_SECRET": SECRET}
    site.tenant("ann@example.com")
    for key in ("k" * 32, "z" * 32):
        assert site.run("check", "--live", TOLLGATE_SEED_KEY=key, **secret).returncode == 0, "no seed is there"
    site.ask("insert into auth.factors (user_id, seed, confirmed_at) select id, auth.seal_seed('x', %s), now() "
             "from auth.users", "k" * 32)
    assert site.run("check", "--live", TOLLGATE_SEED_KEY="k" * 32, **secret).returncode == 0
    for more in ({"TOLLGATE_SEED_KEY": "z" * 32}, {}):
        done = site.run("check", "--live", **secret, **more)
        assert done.returncode == 78
        assert b"auth.seed_key_file is not the key that second factors are stored under" in done.stdout


@pytest.mark.parametrize("stamp, back, why", [
    ({"environment": "preview"}, {"environment": "development"}, OTHER),
    ({"migrated_to": "001_auth"}, {"migrated_to": "999"},
     "this database is migrated to 001_auth, and this program needs")],
    ids=["c92", "f93"])
def test_c92_f93_a_database_that_is_swapped_under_a_worker_is_503(site, stamp, back, why):
    with running(site, "account") as worker:
        assert worker.ask("/healthz").status == 200
        swap(site, "account", **stamp)
        for path in ("/healthz", "/workspace") * 10:
            answer = worker.ask(path)
            assert answer.status == 503 and (path == "/healthz" or answer.header("Retry-After")), answer.stdout
        assert worker.process.poll() is None
        refused, = worker.lines("db_refused")
        assert why in refused["reason"]
        site.ask("update meta.stamp set " + " ".join(f"{c} = '{v}'" for c, v in back.items()))
        wait_until(lambda: worker.ask("/healthz").status == 200)


def test_f93_a_program_newer_than_the_schema_waits_for_it(site):
    site.ask("update meta.stamp set migrated_to = '001_auth'")
    with running(site, "account") as worker:
        assert worker.ask("/healthz").status == 503
        done = site.run("status")
        assert done.returncode == 69 and b"run tollgate migrate" in done.stderr
        assert site.run("migrate", PGUSER="postgres").returncode == 0
        wait_until(lambda: worker.ask("/healthz").status == 200)


def test_c92_jobs_asks_once_which_stripe_account_the_key_is_of(site, work):
    assert account(site) is None
    with running(site, "jobs"):
        wait_until(lambda: not site.due())
        assert account(site) == "acct_1Simulator"
    with running(site, "jobs") as again:
        wait_until(lambda: again.lines("started"))
        site.ask("select sync.mark('customer', 'cus_1')")
        wait_until(lambda: not site.due())
    assert len(site.sim.control("requests?path=/v1/account")) == 2


def test_c92_jobs_with_a_key_of_another_account_does_nothing_and_ends_with_78(site, work):
    site.ask("update meta.stamp set account = 'acct_ours'")
    jobs = Program(site, "jobs")
    assert jobs.end() == 78
    told, = jobs.lines("stripe_account")
    assert "belongs to acct_ours at Stripe, and this key to acct_1Simulator" in told["reason"]
    assert told["level"] == "error"
    assert KEY not in jobs.says()
    assert work() == [] and asked(site) == {"/v1/account"} and account(site) == "acct_ours"


@pytest.fixture
def absent(site):
    """Stripe cannot be reached. Returns a function that starts it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    site.conf.write_text(site.conf.read_text().replace(site.sim.url, "http://127.0.0.1:%d" % port))
    children = []

    def come():
        argv = [ROOT / "tests/stripe/simulator", "--port", str(port)]
        children.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "SIM_KEY": KEY}))
        assert children[0].stdout.readline()
    yield come
    for child in children:
        child.terminate()
        child.communicate()


@pytest.mark.parametrize("ours", [True, False])
def test_c92_while_stripe_is_away_no_object_is_claimed_and_afterwards_the_account_counts(site, work, absent, ours):
    if not ours:
        site.ask("update meta.stamp set account = 'acct_ours'")
    with running(site, "jobs") as jobs:
        wait_until(lambda: jobs.lines("stripe"))
        time.sleep(0.3)
        assert work() == [] and jobs.process.poll() is None
        absent()
        if ours:
            wait_until(lambda: not site.due(), 25)
            assert account(site) == "acct_1Simulator"
        else:
            assert jobs.end(25) == 78 and work() == []


def test_s11_the_mailer_sends_without_a_key_whatever_account_the_database_is_of(site, work):
    """Mails concern this database alone, and sign-in must not wait for Stripe."""
    site.key.unlink()
    site.ask("update meta.stamp set account = 'acct_ours'")
    with running(site, "mailer"):
        wait_until(lambda: work() == [("mail",)])
    assert asked(site) == set()


def test_s11_jobs_takes_no_mail(site, work):
    with running(site, "jobs"):
        wait_until(lambda: not site.due())
    assert work() == [("sync",)]


def test_c92_while_the_database_is_away_stripe_is_not_asked(site, work):
    site.ask("update meta.stamp set migrated_to = '001_auth'")
    with running(site, "jobs") as jobs:
        wait_until(lambda: jobs.lines("tasks_failing"))
        time.sleep(0.5)
        assert asked(site) == set()
        site.ask("update meta.stamp set migrated_to = '999'")
        wait_until(lambda: not site.due())
    assert account(site) == "acct_1Simulator"


def test_c92_a_restricted_key_that_may_not_ask_is_warned_of_and_goes_on(site, work):
    site.ask("update meta.stamp set account = 'acct_ours'")
    site.sim.control("faults", {"path": "/v1/account", "status": 403, "times": 100})
    with running(site, "jobs") as jobs:
        wait_until(lambda: not site.due())
    told, = jobs.lines("stripe_account")
    assert told["level"] == "warn" and account(site) == "acct_ours"
    assert site.run("backfill", "customers").returncode == 0


def test_c92_a_key_that_stripe_does_not_know_fetches_nothing(site, work):
    site.key.write_text("sk_test_wrong")
    with running(site, "jobs") as jobs:
        wait_until(lambda: len(jobs.lines("stripe")) >= 2, 25)
        assert work() == [] and jobs.process.poll() is None and asked(site) == {"/v1/account"}
        assert [(a["kind"], a["detail"]) for a in site.json("alerts", "list")] == \
            [("stripe_key", {"refused": ["every call"]})]
    site.key.write_text(KEY)
    with running(site, "jobs"):
        wait_until(lambda: site.json("alerts", "list") == [])


@pytest.mark.parametrize("command", AT_STRIPE)
def test_c92_the_operators_command_refuses_another_accounts_key(site, command):
    site.ask("update meta.stamp set account = 'acct_ours'")
    done = site.run(*command)
    assert done.returncode == 78 and b"belongs to acct_ours at Stripe" in done.stderr and done.stdout == b""
    assert asked(site) == {"/v1/account"}


def test_c92_the_operators_command_takes_no_account_down(site):
    site.ok("reconcile", "--dry-run")
    assert account(site) is None


def test_c92_a_database_that_is_stamped_anew_learns_another_account(site):
    site.ask("update meta.stamp set account = 'acct_production'")
    assert site.run("migrate", "--stamp", PGUSER="postgres").returncode == 0
    with running(site, "jobs"):
        wait_until(lambda: account(site) == "acct_1Simulator")
