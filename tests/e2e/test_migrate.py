"""`tollgate migrate` while the programs serve: none of their statements fails, and neither does the migrate."""
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from faults import Load
from journey import become_customer, sign_in, wait_until

ROOT = Path(__file__).resolve().parents[2]
RUNS = 100 if os.environ.get("PROPERTY_RUNS") == "full" else 3
CHANGES = 40    # a second, of subscriptions

pytestmark = [pytest.mark.only("nginx"), pytest.mark.usefixtures("calm")]


class Migrations:
    """Migrates the stack's database from a copy of the schema, so that policies may differ from run to run."""

    def __init__(self, stack, path):
        self.stack, self.schema, self.config = stack, shutil.copytree(ROOT / "schema", path / "schema"), path / "a.conf"
        text = Path(stack["config"]).read_text()
        installed = stack["prefix"] + "/share/tollgate/schema"
        assert installed in text
        self.config.write_text(text.replace(installed, str(self.schema)))

    def change(self, n):
        for file in (self.schema / "policies").glob("[a-z]*.sql"):
            file.write_text(file.read_text() + f"-- {n}\n")

    def start(self):
        return subprocess.Popen([self.stack["prefix"] + "/bin/tollgate", "migrate", "--config", self.config], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**os.environ, "PGUSER": "postgres"})

    def run(self):
        process = self.start()
        process.out, process.err = process.communicate(timeout=120)
        return process


@pytest.fixture
def migrations(stack, tmp_path):
    yield Migrations(stack, tmp_path)
    assert Migrations(stack, tmp_path / "last").run().returncode == 0


@pytest.fixture
def busy(sim, db, new_browser, mail, fresh):
    """A signed-in member whose subscription changes all the time."""
    browser, email = new_browser(), fresh()
    become_customer(browser, sim, db, email)
    sign_in(browser, mail, email)
    ident = wait_until(lambda: db.value("select id from billing.subscriptions where tenant_id = %s",
                                        db.tenant_of(email)))
    stop = threading.Event()

    def change():
        while not stop.wait(1 / CHANGES):
            db.execute("select sync.mark('subscription', %s)", ident)

    thread = threading.Thread(target=change)
    thread.start()
    yield browser
    stop.set()
    thread.join()
    wait_until(lambda: db.value("select version = clean_version from sync.objects where id = %s", ident))


def test_f93_a_migrate_under_load_fails_no_request(migrations, busy, db):
    paths = ["/workspace", "/settings/billing", "/signup"]
    failed = "select kind, id from sync.objects where last_error is not null"
    before = set(db.rows(failed))       # of earlier tests; they may be fetched meanwhile
    turn = iter(range(10 ** 9))
    with Load(lambda: (busy.get(paths[next(turn) % len(paths)]).status, None)) as load:
        for n in range(RUNS):
            migrations.change(n)
            done = migrations.run()
            assert done.returncode == 0, done.out + done.err
            load.more(20)
    assert [status for status, _ in load.answers if status not in (200, 303)] == []
    assert set(db.rows(failed)) <= before


def test_f93_a_migrate_that_waits_for_a_table_lets_programs_pass(migrations, busy, db):
    migrations.change("waits")
    with db.connection.transaction():
        db.connection.execute("lock table app.tenants in access share mode")
        waits = migrations.start()
        waiting = "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and not granted"
        wait_until(lambda: db.value(waiting) == 1)
        assert [busy.get("/workspace").status for _ in range(20)] == [200] * 20
        assert waits.poll() is None
    assert waits.wait(60) == 0, waits.stderr.read()


def test_f93_a_migrate_that_changes_nothing_locks_no_table(migrations, db):
    assert migrations.run().returncode == 0
    with db.connection.transaction():
        db.execute("lock table app.tenants, billing.subscriptions, auth.users, mail.outbox in access share mode")
        again = migrations.run()
    assert again.returncode == 0, again.err
    assert again.out.count("unchanged\n") == len(list((ROOT / "schema/policies").glob("[a-z]*.sql")))


@pytest.mark.parametrize("drift", ["grant select on app.tenants to tollgate_signup",
                                   "grant update (status) on app.tenants to tollgate_billing",
                                   "drop policy member on app.tenants",
                                   "create policy more on app.tenants for select to tollgate_signup using (true)",
                                   "alter policy member on app.tenants using (true)",
                                   "alter table app.tenants no force row level security"])
def test_f93_rights_that_were_changed_by_hand_are_stated_anew(migrations, db, drift):
    digest = "select meta.rights_of('app')"
    assert migrations.run().returncode == 0
    before = db.value(digest)
    db.execute(drift)
    assert db.value(digest) != before
    assert migrations.run().returncode == 0
    assert db.value(digest) == before


def test_f93_a_right_to_a_sequence_and_a_trigger_that_was_disabled_are_put_right(migrations, db):
    sequence = db.value("select oid::regclass::text from pg_class where relkind = 'S' and "
                        "relnamespace::regnamespace::text in ('app', 'auth', 'billing', 'ops') limit 1")
    asked = f"select has_sequence_privilege('tollgate_signup', '{sequence}', 'usage')"
    disabled = "select count(*) from pg_trigger where tgenabled <> 'O' and not tgisinternal"
    db.execute(f"grant usage on sequence {sequence} to public")
    db.execute("alter table billing.plans disable trigger watch_plan")
    assert (db.value(asked), db.value(disabled)) == (True, 1)
    assert migrations.run().returncode == 0
    assert (db.value(asked), db.value(disabled)) == (False, 0)
