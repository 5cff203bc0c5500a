"""tollgate explain and override: why a tenant has its access, and the operator's changes to it."""
import os
import pwd

import pytest


@pytest.fixture
def paid(site):
    """A tenant that has paid, with everything stored."""
    site.sub = None
    site.id = site.tenant("anna@example.com")
    session = site.sim.session(client_reference_id=site.id,
                               **{"metadata[tenant_id]": site.id, "subscription_data[metadata][tenant_id]": site.id})
    assert site.sim.control(f"checkout/{session['id']}/pay", {"card": "good"})["paid"]
    site.session = session["id"]
    site.sub = site.sim.get(f"/v1/checkout/sessions/{session['id']}")["subscription"]
    site.customer = site.sim.get(f"/v1/subscriptions/{site.sub}")["customer"]
    site.deliver()
    site.work()
    return site


def explained(site, *arguments):
    tenant, = site.json("explain", *arguments)
    return tenant


def test_c80_a_tenant_is_found_by_any_of_its_names(paid):
    paid.ask("insert into billing.checkouts (key, tenant_id, email, email_canonical, plan, language, session_id, "
             "status) values ('k', %s, 'Payer@b.example', 'payer@b.example', 'starter', 'en', %s, 'complete')",
             paid.id, paid.session)
    for name in ("payer@B.example", paid.id, "Anna@Example.com", paid.customer, paid.sub, paid.session):
        assert explained(paid, name)["id"] == paid.id
    done = paid.run("explain", "nobody@example.com")
    assert done.returncode == 1 and b"no tenant matches nobody@example.com" in done.stderr


def test_c80_why_it_is_entitled_and_the_events_that_led_to_it(paid):
    tenant = explained(paid, paid.id)
    assert tenant["entitlement"]["allowed"] and tenant["entitlement"]["reason"] == "active"
    assert tenant["entitlement"]["plan"] == "starter"
    assert [m["email"] for m in tenant["members"]] == ["anna@example.com"]
    assert [c["id"] for c in tenant["customers"]] == [paid.customer]
    change = tenant["changes"][-1]
    assert (change["what"], change["status"]) == (paid.sub, "active")
    assert change["entitlement"]["allowed"]
    created, = paid.sim.get("/v1/events", "type=customer.subscription.created")["data"]
    assert {"id": created["id"], "type": "customer.subscription.created"} in change["events"]


def test_each_change_has_its_own_events(paid):
    paid.sim.control(f"subscriptions/{paid.sub}/cancel", {})
    paid.deliver()
    paid.work()
    tenant = explained(paid, paid.id)
    assert (tenant["entitlement"]["allowed"], tenant["entitlement"]["reason"]) == (False, "canceled")
    newest, oldest = tenant["changes"][0], tenant["changes"][-1]
    assert [e["type"] for e in newest["events"]] == ["customer.subscription.deleted"]
    assert "customer.subscription.deleted" not in [e["type"] for e in oldest["events"]]
    said = paid.ok("explain", paid.id)
    assert "denied" in said and "< %s customer.subscription.deleted" % newest["events"][0]["id"] in said


def test_the_past_is_asked_for_by_a_time(paid):
    assert not explained(paid, paid.id, "--at", "2020-01-01")["entitlement"]["allowed"]
    assert paid.run("explain", paid.id, "--at", "never").returncode == 1


def test_c44_the_past_keeps_what_the_plan_was(paid):
    before, = paid.ask("select clock_timestamp()")[0]
    paid.configure(plans='{ id = "starter"; price = "price_starter"; features = ["chat", "api"]; }, '
                         '{ id = "growth"; price = "price_growth"; }')
    done = paid.run("migrate", PGUSER="postgres")
    assert done.returncode == 0, done.stderr
    assert explained(paid, paid.id, "--at", before.isoformat())["entitlement"]["features"] == []
    tenant = explained(paid, paid.id)
    assert tenant["entitlement"]["features"] == ["chat", "api"]
    change = tenant["changes"][0]
    assert (change["what"], change["plan"], change["events"]) == ("plan", "starter", [])
    assert "plan changed, starter, with chat, api\n" in paid.ok("explain", paid.id)


@pytest.mark.parametrize("verb", ["allow", "deny"])
def test_an_override_that_is_over_changes_nothing(site, verb):
    site.tenant("anna@example.com")
    site.ok("override", "deny", "anna@example.com", "--reason", "fraud")
    done = site.run("override", verb, "anna@example.com", "--until", "2020-01-01", "--reason", "a typo")
    assert (done.returncode, b"--until" in done.stderr) == (1, True), done.stderr
    assert site.ask("select allowed, until, reason from billing.overrides") == [(False, None, "fraud")]


def test_an_override_counts_until_it_is_cleared(site):
    tenant = site.tenant("anna@example.com")
    allowed = site.json("override", "allow", "anna@example.com", "--plan", "growth", "--until", "7d", "--reason",
                        "outage")
    assert (allowed["allowed"], allowed["plan"], allowed["reason"]) == (True, "growth", "override")
    assert allowed["features"] == ["export"]
    assert site.ask("select until > now() + interval '6 days' from billing.overrides") == [(True,)]
    assert site.json("override", "deny", tenant, "--reason", "abuse")["allowed"] is False
    assert site.json("override", "clear", tenant)["reason"] == "no_subscription"
    changes = explained(site, tenant)["changes"]
    assert [(c["status"], c["note"]) for c in changes] == [("ended", "abuse"), ("deny", "abuse"), ("allow", "outage")]
    assert all(c["by"] for c in changes)


@pytest.mark.parametrize("sudo, by", [("anna", "anna"), ("", None)])
def test_an_override_names_who_called_sudo(site, sudo, by):
    tenant = site.tenant()
    assert site.run("override", "allow", tenant, "--reason", "x", SUDO_USER=sudo).returncode == 0
    me = pwd.getpwuid(os.getuid()).pw_name
    assert [c["by"] for c in explained(site, tenant)["changes"]] == [by or me]


def test_an_override_wants_a_reason_a_plan_and_one_tenant(site):
    tenant = site.tenant("anna@example.com")
    assert site.run("override", "allow", tenant).returncode == 64
    assert site.run("override", "allow", tenant, "--reason", "").returncode == 64
    done = site.run("override", "allow", tenant, "--plan", "gold", "--reason", "x")
    assert done.returncode == 1 and b"there is no plan gold" in done.stderr
    assert site.run("override", "allow", "nobody@example.com", "--reason", "x").returncode == 1
    other = site.tenant("anna@example.com")
    done = site.run("override", "deny", "anna@example.com", "--reason", "x")
    assert done.returncode == 1 and tenant.encode() in done.stderr and other.encode() in done.stderr
    assert site.ask("select * from billing.overrides") == []


def test_two_tenants_of_one_address_are_both_explained(site):
    wanted = {site.tenant("anna@example.com"), site.tenant("anna@example.com")}
    assert {tenant["id"] for tenant in site.json("explain", "anna@example.com")} == wanted


@pytest.mark.parametrize("command", [["explain"], ["override", "allow"], ["override"], ["explain", "a", "b"],
                                     ["explain", "a", "--dead"], ["events"], ["events", "show"]])
def test_usage_is_64(site, command):
    done = site.run(*command)
    assert done.returncode == 64 and done.stdout == b"" and b"usage:" in done.stderr


def test_c25_what_webhooks_missed_is_found_and_repaired(paid):
    paid.sim.control(f"subscriptions/{paid.sub}/cancel", {})
    found = paid.lines("reconcile", "--dry-run", code=1)
    assert {"subscription"} <= {line["kind"] for line in found}
    assert paid.due() == []
    paid.ok("reconcile")
    paid.work()
    assert explained(paid, paid.id)["entitlement"]["reason"] == "canceled"
    paid.ok("reconcile", "--dry-run")


def test_every_command_helps_itself_with_an_example(site):
    commands = [line[2:22].strip() for line in site.ok("--help").splitlines() if line.startswith("  ")
                and "--" not in line]
    assert len(commands) >= 14
    for command in commands:
        said = site.ok(*command.split(), "--help")
        assert said.startswith("usage: tollgate %s" % command) and "Example: " in said and "Exit: " in said


def test_f121_only_what_needs_the_key_reads_it(site):
    site.key.chmod(0o644)
    assert site.json("events", "list") == []
    done = site.run("stripe", "diff")
    assert done.returncode == 78 and b"chmod 600" in done.stderr


def test_without_a_database_the_code_is_69(site):
    site.name = "nosuch"
    site.configure()
    for command in (["events", "list"], ["explain", "x"], ["events", "replay", "--dead"]):
        done = site.run(*command)
        assert done.returncode == 69 and b"the database cannot be reached" in done.stderr


def test_s01_an_offered_tenant_names_whom_it_is_offered_to(paid):
    other = paid.tenant()
    paid.ask("insert into app.offers (tenant_id, user_id, email, plan) "
             "values (%s, auth.find_user('anna@example.com'), 'anna@example.com', 'starter')", other)
    assert [(o["email"], o["accepted_at"]) for o in explained(paid, other)["offers"]] == [("anna@example.com", None)]
    said = paid.ok("explain", other)
    assert "OFFERED TO" in said and "anna@example.com" in said
    assert "OFFERED TO" not in paid.ok("explain", paid.id)
