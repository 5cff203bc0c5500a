"""Behind Debian's PgBouncer in transaction mode, with its default settings and database.prepared = false."""
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest
from faults import PROGRAMS, all_at_once, deliver, event, settings
from journey import become_customer, sign_in, wait_until

pytestmark = [pytest.mark.usefixtures("calm"), pytest.mark.only("nginx")]

ROLES = ("postgres", *("tollgate_" + name for name in (*PROGRAMS, "operator")))
PORT = 6432
INI = """
[databases]
tollgate = host={run} port=5432 dbname=tollgate
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {dir}
auth_type = trust
auth_file = {dir}/users
pool_mode = transaction
default_pool_size = 1
admin_users = postgres
"""


@pytest.fixture(scope="module")
def pooler(stack):
    """The directory of its socket. It opens one server connection for each role, however many the programs open."""
    run = Path(stack["dir"], "run")
    directory = Path(tempfile.mkdtemp(prefix="tollgate-pooler."))
    directory.joinpath("users").write_text("".join(f'"{role}" ""\n' for role in ROLES))
    directory.joinpath("ini").write_text(INI.format(run=run, port=PORT, dir=directory))
    shutil.chown(directory, run.stat().st_uid)
    directory.chmod(0o755)
    argv = ["/usr/sbin/pgbouncer", "-q", directory / "ini"]
    if os.getuid() == 0:        # pgbouncer refuses to run as root
        owner = str(run.stat().st_uid)
        argv = ["setpriv", "--reuid", owner, "--clear-groups", *argv]
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or directory.joinpath(f".s.PGSQL.{PORT}").exists())
        assert process.poll() is None, directory.joinpath("log").read_text()
        yield directory
    finally:
        process.terminate()
        process.wait(5)
        shutil.rmtree(directory)


@pytest.fixture(scope="module")
def pooled(stack, pooler):
    """All programs connect through the pooler."""
    with settings(stack, *PROGRAMS, database_conninfo=f'"host={pooler} port={PORT} dbname=tollgate"',
                  database_prepared="false"):
        yield


def backends(db, program):
    return db.value("select count(*) from pg_stat_activity where usename = %s", "tollgate_" + program)


def test_f92_through_a_pooler_a_page_is_served_an_event_taken_in_and_an_object_written_down(
        stack, pooled, browser, sim, db, mail, fresh):
    email = fresh()
    become_customer(browser, sim, db, email)
    sign_in(browser, mail, email)
    assert browser.get("/settings/billing").html.one(id="status").text == "Active"
    ident, _, body = event()
    assert deliver(stack, body).status == 200
    wait_until(lambda: db.value("select state from inbox.events where id = %s", ident) == "done")
    assert max(backends(db, program) for program in PROGRAMS) == 1
    said = subprocess.run([stack["prefix"] + "/bin/tollgate", "events", "show", ident, "--config", stack["config"]],
                          capture_output=True, text=True, check=True).stdout
    assert "customer.updated" in said and backends(db, "operator") == 1


def test_f92_through_a_pooler_identities_share_a_connection_and_never_cross(pooled, new_browser, sim, db, mail, fresh):
    people = [(new_browser(), fresh()) for _ in range(2)]
    for browser, email in people:
        become_customer(browser, sim, db, email)
        sign_in(browser, mail, email)
    turn, lock = iter(people * 20), threading.Lock()

    def ask():
        with lock:
            browser, email = next(turn)
        return email, browser.get("/workspace").body.decode()
    answers = all_at_once(ask, 40)
    for email, page in answers:
        assert [e for _, e in people if e in page] == [email]
    assert backends(db, "account") == 1


@pytest.mark.parametrize("program, path", [("account", "/workspace"), ("billing", "/settings/billing")])
def test_f92_d27_what_is_left_on_a_shared_connection_says_nothing_to_a_page(
        pooled, pooler, browser, new_browser, sim, db, mail, fresh, program, path):
    """Another client of the pooler writes, as the same role and for its whole session, what pages' policies go by."""
    victim, email = fresh(), fresh()
    become_customer(new_browser(), sim, db, victim)
    become_customer(browser, sim, db, email)
    sign_in(browser, mail, email)
    user, tenant = db.row("select m.user_id::text, m.tenant_id::text from app.members m "
                          "join auth.users u on u.id = m.user_id where u.email = %s", victim)
    with psycopg.connect(host=str(pooler), port=PORT, dbname="tollgate", user=f"tollgate_{program}",
                         autocommit=True, prepare_threshold=None) as forger:
        for name, value in (("user", user), ("tenants", f"{{{tenant}}}"), ("managed", f"{{{tenant}}}")):
            forger.execute("select set_config(%s, %s, false)", (f"page.{name}", value))
        page = browser.get(path).body.decode()
        left = forger.execute("select current_setting('page.tenants', true)").fetchone()[0]
        rows = forger.execute("select id from billing.subscriptions").fetchall()
    assert (email in page, victim in page, tenant in page) == (True, False, False)
    assert left == f"{{{tenant}}}" and rows == []
    assert backends(db, program) == 1
