"""The operator's command, against a private PostgreSQL: migrate, status, check."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
TOLLGATE = ROOT / os.environ.get("BUILD", "build") / "tollgate"
PLANS = 'plans = ( { id = "starter"; price = "price_1"; }, { id = "growth"; price = "price_2"; } );\n'
FIRST = "create schema ops; create table ops.plans (plan jsonb); create table ops.first (n int);\n"
PUT_PLANS = """create or replace function ops.put_plans(doc jsonb) returns jsonb language sql as $$
truncate ops.plans; insert into ops.plans values (doc) returning null::jsonb $$;
"""


def ordered(line):
    """A line of a dump. The roles of a policy have no order, and pg_dump takes that of their rows in the catalogue."""
    return re.sub(r"(?<= TO )tollgate_\w+(, tollgate_\w+)+", lambda m: ", ".join(sorted(m[0].split(", "))), line)


@pytest.fixture(scope="module")
def server():
    directory = tempfile.mkdtemp(prefix="tollgate-db.")
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


class Site:
    """A database of its own, a schema directory and a configuration."""

    def __init__(self, server, path, name, template="template1"):
        self.server, self.path, self.name, self.schema = server, path, name, path / "schema"
        self.conninfo = "host=%s user=postgres dbname=%s" % (server, name)
        with psycopg.connect("host=%s user=postgres dbname=postgres" % server, autocommit=True) as db:
            db.execute('drop database if exists "%s"' % name)
            db.execute('create database "%s" template "%s"' % (name, template))
        self.write("roles.sql", "select 1;\n")
        self.write("migrations/001_first.sql", FIRST)
        self.write("functions/plans.sql", PUT_PLANS)
        self.write("triggers.sql", "")
        self.write("policies/none.sql", "")
        self.configure(self.conninfo, self.schema)

    def configure(self, conninfo, schema):
        self.conf = self.path / "tollgate.conf"
        self.conf.write_text(
            'site = { environment = "development"; url = "https://a.example"; pages = "%s"; own_pages = ""; };\n'
            'database = { conninfo = "%s"; schema = "%s"; };\npasswords = { breached = ""; };\n%s'
            % (ROOT / "workers/pages", conninfo, schema, PLANS))

    def write(self, name, text):
        file = self.schema / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def ask(self, sql):
        with psycopg.connect(self.conninfo, autocommit=True) as db:
            cursor = db.execute(sql)
            return cursor.fetchall() if cursor.description else None

    def applied(self):
        return [name for name, in self.ask("select name from meta.migrations order by name")]

    def start(self, *arguments):
        return subprocess.Popen([TOLLGATE, *arguments, "--config", self.conf], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run(self, *arguments):
        process = self.start(*arguments)
        process.out, process.err = process.communicate(timeout=60)
        return process

    def migrate(self, *arguments):
        return self.run("migrate", *arguments)


@pytest.fixture
def site(server, tmp_path, request):
    return Site(server, tmp_path, request.node.name[:60])


@pytest.fixture(scope="module")
def real(server, tmp_path_factory):
    """The real schema, migrated."""
    site = Site(server, tmp_path_factory.mktemp("real"), "real")
    site.configure(site.conninfo, ROOT / "schema")
    done = site.migrate()
    assert done.returncode == 0, done.err
    return site


def test_f93_migrate_on_an_empty_database_and_again(site):
    done = site.migrate()
    assert (done.returncode, done.err) == (0, "")
    lines = [line.split()[0] for line in done.out.splitlines()]
    assert lines == ["roles.sql", "migrations/001_first.sql", "functions/plans.sql", "policies/none.sql",
                     "triggers.sql", "plans"]
    again = site.migrate()
    assert again.returncode == 0
    assert "001_first" not in again.out
    assert site.applied() == ["001_first"]


def test_plans_come_from_the_configuration_ranked_as_written(site):
    site.conf.write_text(site.conf.read_text().replace(
        '"price_2";', '"price_2"; amount = 4900; currency = "eur"; grace_days = 3; features = ["a"];'))
    site.migrate()
    assert site.ask("select plan from ops.plans") == [([
        {"id": "starter", "price": "price_1", "rank": 1, "interval": "month", "grace_days": 7, "features": []},
        {"id": "growth", "price": "price_2", "rank": 2, "interval": "month", "grace_days": 3, "features": ["a"],
         "amount": 4900, "currency": "eur"}],)]


def test_f93_a_new_migration_is_applied_to_an_existing_database(site):
    site.migrate()
    site.write("migrations/002_second.sql", "create table ops.second (n int);\n")
    assert site.migrate().returncode == 0
    assert site.applied() == ["001_first", "002_second"]
    assert site.ask("select * from ops.second") == []


def test_f93_a_changed_migration_is_refused(site):
    site.migrate()
    file = site.write("migrations/001_first.sql", FIRST + "-- one more word\n")
    site.write("migrations/002_second.sql", "create table ops.second (n int);\n")
    refused = site.migrate()
    assert refused.returncode == 1
    assert "%s: was changed after it was applied" % file in refused.err
    assert site.applied() == ["001_first"]


def test_f93_a_missing_migration_is_refused(site):
    site.migrate()
    site.schema.joinpath("migrations/001_first.sql").rename(site.schema / "migrations/002_renamed.sql")
    refused = site.migrate()
    assert refused.returncode == 1
    assert "migrations/001_first.sql: is applied but missing" in refused.err
    assert site.applied() == ["001_first"]


def test_f93_a_migration_before_an_applied_one_is_refused(site):
    site.migrate()
    site.write("migrations/000_late.sql", "create table ops.late (n int);\n")
    refused = site.migrate()
    assert refused.returncode == 1
    assert "000_late.sql: comes before 001_first" in refused.err
    assert site.applied() == ["001_first"]


def test_f93_a_migration_that_fails_leaves_nothing_and_can_be_mended(site):
    file = site.write("migrations/002_second.sql", "create table ops.second (n int);\n-- \u20ac\ncreate tabel x;\n")
    failed = site.migrate()
    assert failed.returncode == 1
    assert '%s:3: syntax error at or near "tabel"' % file in failed.err
    assert site.applied() == ["001_first"]
    assert site.ask("select to_regclass('ops.second')") == [(None,)]
    site.write("migrations/002_second.sql", "create table ops.second (n int);\n")
    assert site.migrate().returncode == 0
    assert site.applied() == ["001_first", "002_second"]


def test_f93_a_migration_may_not_end_its_transaction(site):
    file = site.write("migrations/002_second.sql", "commit;\n")
    refused = site.migrate()
    assert refused.returncode == 1
    assert "%s: ends the transaction it runs in" % file in refused.err


def test_functions_and_policies_change_together_or_not_at_all(site):
    site.write("functions/f.sql", "create or replace function ops.f() returns int language sql as 'select 1';\n")
    site.migrate()
    site.write("functions/f.sql", "create or replace function ops.f() returns int language sql as 'select 2';\n")
    site.write("policies/none.sql", "nonsense;\n")
    assert site.migrate().returncode == 1
    assert site.ask("select ops.f()") == [(1,)]


def test_functions_are_loaded_from_folders_in_whatever_order(site):
    site.write("functions/a/early.sql", "create or replace function ops.early() returns int language sql as "
               "'select ops.late()';\n")
    site.write("functions/b/deep/late.sql", "create or replace function ops.late() returns int language sql as "
               "'select 7';\n")
    site.write("functions/b/notes.txt", "nonsense;\n")
    site.write("triggers.sql", "create or replace trigger t after insert on ops.first execute function ops.fired();\n")
    site.write("functions/z.sql", "create or replace function ops.fired() returns trigger language plpgsql as "
               "'begin return null; end';\n")
    done = site.migrate()
    assert (done.returncode, done.err) == (0, "")
    assert "functions/b/deep/late.sql" in done.out
    assert site.ask("select ops.early()") == [(7,)]


def test_the_bodies_of_functions_are_not_checked_in_functions_and_policies_alone(site):
    site.write("migrations/002_second.sql",
               "create function ops.wrong() returns int language sql as 'select ops.none()';\n")
    failed = site.migrate()
    assert failed.returncode == 1 and "function ops.none() does not exist" in failed.err


@pytest.mark.parametrize("delay", [0.05, 0.3])
def test_f93_killed_in_the_middle_the_next_run_finishes(site, delay):
    site.write("migrations/002_slow.sql", "create table ops.slow (n int);\nselect pg_sleep(0.6);\n")
    process = site.start("migrate")
    time.sleep(delay)
    process.kill()
    process.communicate()
    done = site.migrate()
    assert done.returncode == 0, done.err
    assert site.applied() == ["001_first", "002_slow"]


def test_two_at_once_wait_for_each_other(site):
    site.write("migrations/002_slow.sql", "create table ops.slow (n int);\nselect pg_sleep(0.6);\n")
    both = [site.start("migrate"), site.start("migrate")]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("002_slow" in out for out, _ in said) == 1
    assert sum("waiting for another migrate" in err for _, err in said) == 1


def test_a_dry_run_changes_nothing(site):
    done = site.migrate("--dry-run")
    assert done.returncode == 0
    assert "would apply migrations/001_first.sql" in done.out
    assert site.ask("select to_regnamespace('ops'), to_regnamespace('meta')") == [(None, None)]


def test_without_a_database_the_code_is_69(site):
    site.configure("host=%s dbname=nosuch user=postgres" % site.server, site.schema)
    for command in ("migrate", "status"):
        failed = site.run(command)
        assert failed.returncode == 69
        assert failed.err


def test_without_schema_files_the_code_is_1(site):
    site.configure(site.conninfo, "/nonexistent")
    failed = site.migrate()
    assert failed.returncode == 1
    assert "/nonexistent/migrations: No such file or directory" in failed.err


def test_the_real_schema_again_changes_nothing(real):
    def dump():
        dumped = subprocess.run(["pg_dump", "-s", "-d", real.conninfo], capture_output=True, text=True, check=True)
        return sorted(ordered(line) for line in dumped.stdout.splitlines() if "restrict" not in line)
    before = dump()
    assert real.migrate().returncode == 0
    assert dump() == before


@pytest.fixture
def stamped(real, server, tmp_path, request):
    """A copy of it, with a configuration of its own. Function (environment, ...) -> what migrate did."""
    site = Site(server, tmp_path, request.node.name[:60], template=real.name)
    site.configure(site.conninfo, ROOT / "schema")
    development = site.conf.read_text()

    def migrate(environment, *arguments):
        site.conf.write_text(development.replace('"development"', '"%s"' % environment))
        return site.migrate(*arguments)
    site.migrate_as = migrate
    site.stamp = lambda: site.ask("select environment, account from meta.stamp")
    return site


def test_c92_migrate_stamps_and_keeps_the_stamp(stamped):
    newest = sorted(p.stem for p in (ROOT / "schema/migrations").glob("*.sql"))[-1]
    assert stamped.ask("select environment, account, migrated_to from meta.stamp") == [("development", None, newest)]
    stamped.ask("update meta.stamp set account = 'acct_1'")
    before = stamped.ask("select * from meta.stamp")
    done = stamped.migrate()
    assert done.returncode == 0 and stamped.ask("select * from meta.stamp") == before
    assert "would stamp" not in stamped.migrate("--dry-run").out


def test_d24_migrate_writes_every_limit_of_the_configuration(stamped):
    shipped = re.search(r"(?ms)^limits: \{(.*?)^\};", (ROOT / "conf/tollgate.conf").read_text())[1]
    shipped = {kind: int(n) for kind, n in re.findall(r"^\t(\w+) = (\d+);$", shipped, re.M)}
    assert dict(stamped.ask("select kind, allowed from auth.limits where configured = allowed")) == shipped
    wanted = {"confirm": 7, "second_totp": 8, "invite_tenant": 9, "address_change": 10, "link_known": 11}
    text = "".join(f"{kind} = {n}; " for kind, n in wanted.items())
    stamped.conf.write_text(stamped.conf.read_text() + "limits = { %s};\n" % text)
    assert stamped.migrate().returncode == 0
    assert dict(stamped.ask("select kind, allowed from auth.limits where configured is not null")) == {
        **shipped, **wanted}


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
def test_c92_migrate_refuses_a_database_of_another_environment_and_changes_nothing(stamped, arguments):
    stamped.ask("drop function api.admit(text, text) cascade")
    refused = stamped.migrate_as("production", *arguments)
    assert refused.returncode == 78 and refused.out == ""
    assert 'is stamped "development", and site.environment is "production": nothing was changed' in refused.err
    assert "tollgate migrate --stamp" in refused.err
    assert stamped.ask("select to_regproc('api.admit')") == [(None,)] and stamped.stamp() == [("development", None)]


def test_c92_a_copy_is_stamped_anew_only_when_that_is_asked_for(stamped):
    stamped.ask("update meta.stamp set account = 'acct_1', stamped_at = '2026-01-01'")
    told = stamped.migrate_as("preview", "--stamp", "--dry-run")
    assert told.returncode == 0 and stamped.stamp() == [("development", "acct_1")]
    assert 'would stamp the database "preview", now "development", and delete its recorded Stripe account' in told.out
    done = stamped.migrate_as("preview", "--stamp")
    assert done.returncode == 0, done.err
    assert stamped.stamp() == [("preview", None)]
    assert stamped.ask("select stamped_at > now() - interval '1 h' from meta.stamp") == [(True,)]
    assert stamped.migrate_as("development").returncode == 78


def test_c92_a_database_without_a_stamp_gets_the_configured_one(stamped):
    stamped.ask("delete from meta.stamp")
    told = stamped.migrate_as("preview", "--dry-run")
    assert told.returncode == 0 and 'would stamp the database "preview"' in told.out and stamped.stamp() == []
    assert stamped.migrate_as("preview").returncode == 0
    assert stamped.stamp() == [("preview", None)]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_f93_a_database_of_another_encoding_is_refused(site, real, encoding):
    name = "in_" + encoding.lower()
    with psycopg.connect("host=%s user=postgres dbname=postgres" % site.server, autocommit=True) as db:
        db.execute("create database %s encoding '%s' locale 'C' template template0" % (name, encoding))
    site.configure(site.conninfo.replace(site.name, name), ROOT / "schema")
    refused = site.migrate()
    assert refused.returncode == 1 and refused.out == ""
    assert "database: has encoding %s, and must have UTF8" % encoding in refused.err
    # one that an earlier version has migrated
    dump = subprocess.run(["pg_dump", "-d", real.conninfo], capture_output=True, text=True, check=True).stdout
    subprocess.run(["psql", "-Xq", "-o", "/dev/null", "-d", site.conninfo.replace(site.name, name)], check=True,
                   input=dump.encode("ascii", "replace").decode(), text=True)
    complete(site)
    checked = site.run("check", "--live")
    assert checked.returncode == 78
    assert "database: this database has encoding %s, and must have UTF8" % encoding in checked.out


def test_f93_a_dump_restored_without_owners_is_told_what_to_do(site, real):
    dump = subprocess.run(["pg_dump", "-d", real.conninfo, "--no-owner", "--no-privileges"], capture_output=True,
                          text=True, check=True).stdout
    subprocess.run(["psql", "-Xq", "-o", "/dev/null", "-d", site.conninfo], input=dump, check=True, text=True)
    site.configure(site.conninfo, ROOT / "schema")
    refused = site.migrate()
    assert refused.returncode == 1
    assert "owned by postgres, not by tollgate_owner" in refused.err and "roles.sql" in refused.err


def test_f93_the_stamp_moves_with_the_functions(stamped):
    """Half applied: the migrations are there, and what belongs to them is not."""
    stamped.schema = shutil.copytree(ROOT / "schema", stamped.path / "copy")
    stamped.configure(stamped.conninfo, stamped.schema)
    before = stamped.ask("select migrated_to from meta.stamp")
    stamped.write("migrations/999_last.sql", "select 1;\n")
    broken = stamped.write("policies/99_broken.sql", "nonsense;\n")
    assert stamped.migrate().returncode == 1
    assert stamped.applied()[-1] == "999_last" and stamped.ask("select migrated_to from meta.stamp") == before
    broken.unlink()
    assert stamped.migrate().returncode == 0
    assert stamped.ask("select migrated_to from meta.stamp") == [("999_last",)]


def test_status_tells_a_program_and_a_human(real):
    as_json = real.run("status", "--json")
    assert as_json.returncode == 0, as_json.err
    status = json.loads(as_json.out)
    assert status["migrations"] == sorted(p.stem for p in (ROOT / "schema/migrations").glob("*.sql"))[-1]
    assert {"events", "oldest_received_seconds", "dirty", "dead_objects", "mail", "alerts", "unknown_types",
            "last_gap_look",
            "last_comparison", "tenants"} <= set(status)
    said = real.run("status").out
    assert re.search(r"\n  objects to fetch +2\b", said), "the plans' prices"
    assert "\nALERTS\n  none\n" in said and "\n  subscriptions compared         never\n" in said
    assert said.endswith("\nSCHEMA\n  %s\n" % status["migrations"])


def complete(site):
    """A configuration with nothing missing."""
    for name, text in (("stripe.key", "sk_test_1"), ("webhook.secret", "whsec_" + 32 * "1"), ("seed.key", 64 * "1")):
        site.path.joinpath(name).write_text(text)
        site.path.joinpath(name).chmod(0o600)
    site.conf.write_text(site.conf.read_text() + (
        'stripe = { key_file = "%(path)s/stripe.key"; webhook_secret_files = ["%(path)s/webhook.secret"]; };\n'
        'auth = { seed_key_file = "%(path)s/seed.key"; };\n'
        'mail = { url = "smtp://localhost:25"; from = "a@b.example"; };\n') % {"path": site.path})


def test_f121_check_says_ok_or_tells_every_fault(site):
    complete(site)
    done = site.run("check")
    assert (done.returncode, done.out, done.err) == (0, "%s: ok\n" % site.conf, "")
    site.conf.write_text(site.conf.read_text() + "colour = 1;\n")
    site.path.joinpath("stripe.key").chmod(0o644)
    failed = site.run("check")
    assert failed.returncode == 78
    assert "colour is not known" in failed.err and "chmod 600" in failed.err
    assert "sk_test_1" not in failed.err + failed.out


def test_c90_check_and_the_programs_refuse_a_plan_without_a_name(site):
    complete(site)
    own = site.path / "own"
    text = site.conf.read_text().replace('own_pages = ""', 'own_pages = "%s"' % own)
    site.conf.write_text(text.replace('id = "starter"', 'id = "pro"'))
    told = 'plan pro: has no name in language de: add "plan_pro" to %s/languages/de/common.json' % own
    programs = ["account", "billing", "signup", "mailer"]
    for program in programs:
        done = subprocess.run([TOLLGATE.with_name(program), "--check", "--config", site.conf], capture_output=True,
                              text=True)
        assert (done.returncode, told in done.stderr) == (78, True), done.stderr
    done = site.run("check")
    assert (done.returncode, done.err.count(told), done.out) == (78, 1, "")
    for language in ("en", "de"):
        (own / "languages" / language).mkdir(parents=True)
        (own / "languages" / language / "common.json").write_text('{"plan_pro": "Pro"}')
    assert site.run("check").returncode == 0
    (own / "languages/de/billing.json").write_text('{"x": 1}')
    done = site.run("check")
    assert done.returncode == 78 and "%s/languages/de/billing.json:1: x is not a string" % own in done.err


OWN_FAULTS = {
    "signup/signup.mustache": ("<p>\n{{#a}}\n{{/b}}\n", ":3: this tag closes no open section of that name"),
    "signin/signin.mustache": ("{{#a}}\n", ":2: a section is not closed"),
    "languages/en/billing.json": ('{\n"plan_a": "A",\n"x": 1\n}', ":3: x is not a string"),
    "languages/de/billing.json": ('{\n\n"x" "y"}', ":3: is not JSON from here on"),
    "languages/en/account.json": ('[]', ":1: is not a JSON object"),
    "languages/de/account.json": ('{"tenant": "a",\n"tenant": "b"}', ":2: tenant is there twice"),
    "languages/en/mail.json": ('{"x":\n"y", "z": "{{"}', ":2: z: a tag is not closed"),
    "languages/de/common.json": ('{\n"date_pattern": "DD.MM.YYYY"}',
                                 ':2: date_pattern "DD.MM.YYYY" has DD, which is no part of a date'),
}


def own_pages(site, files):
    own = site.path / "own"
    shutil.rmtree(own, ignore_errors=True)
    for name, text in files.items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(text)
    site.conf.write_text(site.conf.read_text().replace('own_pages = ""', 'own_pages = "%s"' % own))
    return own


def test_c90_check_tells_every_fault_of_the_pages_once_and_its_line(site):
    complete(site)
    own = own_pages(site, {name: text for name, (text, _) in OWN_FAULTS.items()})
    done = site.run("check")
    assert (done.returncode, done.out) == (78, "")
    for name, (_, why) in OWN_FAULTS.items():
        assert [why in line for line in done.err.splitlines() if line.startswith("%s/%s" % (own, name))][:1] == [True]
    assert len(done.err.splitlines()) == len(set(done.err.splitlines()))


def test_c90_a_keys_fault_hides_none_of_the_pages(site):
    complete(site)
    own = own_pages(site, {"signup/signup.mustache": "{{#a}}"})
    site.conf.write_text(site.conf.read_text() + "colour = 1;\n")
    done = site.run("check")
    assert done.returncode == 78
    assert "colour is not known" in done.err and "%s/signup/signup.mustache:1: a section" % own in done.err


def test_c90_check_names_own_files_and_texts_that_no_program_reads(site):
    complete(site)
    own = own_pages(site, {
        "signup/singup.mustache": "", "stile.css": "", "languages/en/sign_up.json": "{}",
        "languages/fr/common.json": "{}",
        "languages/en/signup.json": '{\n"signup_laed": "Join"}', "languages/de/signup.json": '{"signup_laed": "Los"}',
        "languages/en/common.json": '{"plan_starter_about": "All"}',
        "languages/de/common.json": '{"plan_starter_about": "Alles"}', "signup/signup.mustache": "{{>signup_title}}"})
    done = site.run("check")
    assert (done.returncode, done.out) == (0, "%s: ok\n" % site.conf)
    assert sorted(line.removeprefix(str(own) + "/") for line in done.err.splitlines()) == [
        "languages/de/signup.json:1: signup_laed is a text of no installed page: did you mean signup_lead?",
        "languages/en/sign_up.json: is read by no program: did you mean languages/en/signup.json?",
        "languages/en/signup.json:2: signup_laed is a text of no installed page: did you mean signup_lead?",
        "languages/fr/common.json: is of a language that is not in site.languages",
        "signup/singup.mustache: is read by no program: did you mean signup/signup.mustache?",
        "stile.css: is read by no program: did you mean style.css?"]


def test_check_live_reaches_the_database(real):
    complete(real)
    text = real.conf.read_text().replace("stripe = {", 'stripe = { api_url = "http://127.0.0.1:9";')
    real.conf.write_text(text)
    done = real.run("check", "--live")
    assert done.returncode == 69 and "Stripe cannot be reached" in done.err
    assert "database: ok" in done.out
    real.conf.write_text(text.replace("dbname=real", "dbname=nosuch"))
    try:
        assert real.run("check", "--live").returncode == 69
    finally:
        real.conf.write_text(text)


@pytest.mark.parametrize("arguments, code", [
    ([], 64), (["nosuch"], 64), (["status", "--nosuch"], 64), (["status", "--dry-run"], 64), (["check", "x"], 64),
    (["--help"], 0), (["migrate", "--help"], 0), (["--help", "status"], 0), (["--version"], 0)])
def test_usage_goes_to_stderr_with_64_and_help_to_stdout(arguments, code):
    done = subprocess.run([TOLLGATE, *arguments], capture_output=True, text=True)
    assert done.returncode == code
    said, silent = (done.stderr, done.stdout) if code else (done.stdout, done.stderr)
    assert "tollgate" in said and silent == ""


SETTINGS = ("default_transaction_read_only = on", "synchronous_commit = off", "row_security = off",
            "statement_timeout = 0", "search_path = public", "timezone = 'Asia/Tokyo'")


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("where", ["", " in database %s", " in database postgres"], ids=["", "here", "elsewhere"])
def test_s05_what_a_role_set_for_itself_does_not_outlive_migrate(real, setting, where):
    where = where.replace("%s", '"%s"' % real.name)
    before = real.ask("select setdatabase, setrole, setconfig from pg_db_role_setting order by 1, 2")
    real.ask("set session authorization tollgate_billing; alter role tollgate_billing%s set %s" % (where, setting))
    done = real.run("status", "--json")
    assert done.returncode == 0, done.err
    faults = json.loads(done.out)["role_faults"]
    assert len(faults) == 1 and faults[0].startswith("tollgate_billing sets ")
    assert faults[0] in real.run("status").out
    assert real.migrate().returncode == 0
    assert real.ask("select setdatabase, setrole, setconfig from pg_db_role_setting order by 1, 2") == before
    assert json.loads(real.run("status", "--json").out)["role_faults"] == []


def test_s05_a_role_has_no_password_unless_the_operator_gives_it_one(real):
    def password():
        return real.ask("select rolpassword is not null, rolvaliduntil < now() from pg_authid "
                        "where rolname = 'tollgate_billing'")
    assert password() == [(False, True)]
    real.ask("set session authorization tollgate_billing; alter role tollgate_billing password 'mine'")
    assert real.migrate().returncode == 0 and password() == [(False, True)]
    text = real.conf.read_text()
    real.conf.write_text(text.replace("database = {", "database = { passwords = true;"))
    try:
        real.ask("alter role tollgate_billing password 'ours' valid until 'infinity'")
        assert real.migrate().returncode == 0 and password() == [(True, False)]
    finally:
        real.conf.write_text(text)
        assert real.migrate().returncode == 0 and password() == [(False, True)]


@pytest.mark.parametrize("attribute, fault", [("createdb", "may create databases"), ("bypassrls", "bypasses row-level"),
                                              ("superuser", "is a superuser")])
def test_s05_status_names_a_role_that_may_more_than_it_should(real, attribute, fault):
    real.ask("alter role tollgate_signin %s" % attribute)
    told = json.loads(real.run("status", "--json").out)["role_faults"]
    assert len(told) == 1 and told[0].startswith("tollgate_signin " + fault)
    assert real.migrate().returncode == 0
    assert json.loads(real.run("status", "--json").out)["role_faults"] == []
