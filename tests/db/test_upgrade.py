"""A database of an earlier tree, with data in it, migrated by this one. upgrade/COMMIT.sql is a dump of a database that
the tree at COMMIT made and served, upgrade/COMMIT.json what that tree answered about it."""
import json
import subprocess

import psycopg
import pytest
from test_tollgate import ROOT, Site, ordered, server  # noqa: F401: the fixture

UPGRADE = ROOT / "tests/db/upgrade"
OLD = sorted(path.stem for path in UPGRADE.glob("*.sql"))
OURS = "('api', 'app', 'audit', 'auth', 'billing', 'inbox', 'mail', 'meta', 'ops', 'service', 'sync', 'usage')"
SIGNATURES = "select p.oid::regprocedure::text from pg_proc p where p.pronamespace::regnamespace::text in %s" % OURS


def psql(site, path):
    done = subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", site.conninfo, "-f", path],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def dump(site, *options):
    done = subprocess.run(["pg_dump", "-d", site.conninfo, *options], capture_output=True, text=True, check=True)
    return sorted(ordered(line) for line in done.stdout.splitlines() if "restrict" not in line)


@pytest.fixture(scope="module")
def fresh(server, tmp_path_factory):  # noqa: F811
    """A database that this tree made."""
    site = Site(server, tmp_path_factory.mktemp("fresh"), "fresh")
    site.configure(site.conninfo, ROOT / "schema")
    done = site.migrate()
    assert done.returncode == 0, done.err
    return site


@pytest.fixture(scope="module", params=OLD)
def upgraded(server, tmp_path_factory, request):  # noqa: F811
    site = Site(server, tmp_path_factory.mktemp("old"), "from_" + request.param)
    site.configure(site.conninfo, ROOT / "schema")
    psql(site, ROOT / "schema/roles.sql")
    psql(site, UPGRADE / (request.param + ".sql"))
    site.old = json.loads((UPGRADE / (request.param + ".json")).read_text())
    site.signatures = {name for name, in site.ask(SIGNATURES)}
    done = site.migrate()
    assert done.returncode == 0, done.err
    return site


def test_an_upgrade_applies_the_migrations_that_are_new(upgraded):
    assert upgraded.applied() == sorted(path.stem for path in (ROOT / "schema/migrations").glob("*.sql"))


def test_an_upgrade_keeps_every_tenant_and_what_it_may_use(upgraded):
    found = upgraded.ask("select id::text, status, billing.entitlement(id, %r) from app.tenants" % upgraded.old["at"])
    assert {tenant: status for tenant, status, _ in found} == upgraded.old["tenants"]
    assert {tenant: entitlement for tenant, _, entitlement in found} == upgraded.old["entitlements"]
    assert {e["reason"] for e in upgraded.old["entitlements"].values()} >= {"active", "disputed", "override"}


def test_an_upgrade_keeps_sessions(upgraded):
    live = [ident for ident, in upgraded.ask("select id::text from auth.sessions where revoked_at is null order by id")]
    assert live == upgraded.old["sessions"]
    with psycopg.connect(upgraded.conninfo) as db:
        db.execute("select set_config('app.bearer', %s, true)", [upgraded.old["bearer"]])
        assert str(db.execute("select auth.uid()").fetchone()[0]) == upgraded.old["user"]
        db.execute("set role tollgate_account")
        page = db.execute("select api.workspace_page()").fetchone()[0]
    assert page["email"] == "ann@example.com" and [tenant["plan"] for tenant in page["tenants"]] == ["plan_starter"]
    assert [tenant["name"] for tenant in page["tenants"]] == ["ann"]


def test_an_upgrade_keeps_alerts_and_what_disputes_do(upgraded):
    alerts = upgraded.ask("select kind, subject from ops.alerts where cleared_at is null order by 1, 2")
    assert [list(alert) for alert in alerts] == upgraded.old["alerts"]
    assert dict(upgraded.ask("select kind, effect from billing.dispute_rules")) == upgraded.old["rules"]
    assert upgraded.ask("select to_regclass('billing.alerts'), to_regclass('billing.policies')") == [(None, None)]
    upgraded.ask("select ops.raise_alert(null, 'drift', 'price:price_x', '{}'), "
                 "ops.end_alert('drift', 'price:price_x')")


def test_an_upgrade_keeps_what_waits(upgraded):
    assert upgraded.ask("select count(*) from mail.outbox where state = 'pending'") == [(upgraded.old["mails"],)]
    assert dict(upgraded.ask("select state, count(*) from inbox.events group by 1")) == upgraded.old["events"]
    orphans = upgraded.ask("select kind, id from sync.orphans order by 1, 2")
    assert [list(orphan) for orphan in orphans] == upgraded.old["orphans"]


def test_an_upgrade_leaves_no_function_behind(upgraded, fresh):
    gone = upgraded.signatures - {name for name, in fresh.ask(SIGNATURES)}
    assert {"billing.my_tenant()", "service.keep_house(integer)",
            "ops.entitlement(uuid,timestamp with time zone)"} <= gone
    assert {name for name, in upgraded.ask(SIGNATURES)} == {name for name, in fresh.ask(SIGNATURES)}


def test_an_upgraded_schema_is_that_of_a_new_database(upgraded, fresh):
    assert dump(upgraded, "--schema-only") == dump(fresh, "--schema-only")


def test_an_upgrade_done_again_changes_nothing(upgraded):
    before = dump(upgraded)
    again = upgraded.migrate()
    assert (again.returncode, again.err) == (0, "") and "migrations/" not in again.out
    assert dump(upgraded) == before


@pytest.mark.parametrize("owner, former", [
    ("tollgate_auth", "auth.network_of(p_ip inet) returns text"),
    ("tollgate_service", "billing.tell(p_tenant uuid, p_kind text, p_fact text, p_payload jsonb) returns boolean"),
    ("tollgate_owner", "api.digits_of(p_currency text) returns int"),
    ("tollgate_owner", "app.tenant_documents(p_current uuid) returns jsonb"),
    ("tollgate_owner", "billing.account_document(mine app.members) returns jsonb")])
def test_an_upgrade_leaves_no_former_function_beside_its_successor(fresh, owner, former):
    """Two of a name that differ in arguments with defaults make every call ambiguous."""
    wanted = fresh.ask(SIGNATURES + " order by 1")
    fresh.ask("set role %s; create function %s language sql as 'select null::%s'" % (owner, former, former.split()[-1]))
    done = fresh.migrate()
    assert done.returncode == 0, done.err
    assert fresh.ask(SIGNATURES + " order by 1") == wanted
