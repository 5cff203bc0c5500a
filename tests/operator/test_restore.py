"""A customer of Stripe's that is newer than a restored dump is mended by one command."""
import json
import uuid

import pytest


@pytest.fixture
def lost(site):
    """(tenant, subscription) of somebody who pays for a tenant that the database does not have."""
    tenant = str(uuid.uuid4())
    sub = site.sim.subscribe(client_reference_id=tenant, **{"subscription_data[metadata][tenant_id]": tenant})
    site.deliver()
    site.work()
    assert site.ask("select * from billing.subscriptions") == [] and orphans(site) >= {sub["id"]}
    return tenant, sub


def orphans(site):
    return {ident for ident, in site.ask("select id from sync.orphans")}


def members(site):
    return site.ask("select m.tenant_id::text, m.role, u.email from app.members m "
                    "join auth.users u on u.id = m.user_id")


def links(site):
    return site.ask("select template, recipient from mail.outbox where template in ('welcome', 'offer')")


def test_f81_tenant_owner_and_link_are_there_after_one_command(site, lost):
    tenant, sub = lost
    assert site.json("restore", "customer", sub["customer"], "--dry-run")["match"] == "missing"
    assert members(site) == []
    assert site.json("restore", "customer", sub["customer"]) == {"match": "restored", "tenant": tenant}
    site.work()
    assert members(site) == [(tenant, "owner", "anna@example.com")]
    assert links(site) == [("welcome", "anna@example.com")]
    assert site.ask("select id, status, tenant_id::text from billing.subscriptions") == [(sub["id"], "active", tenant)]
    assert site.json("explain", tenant)[0]["entitlement"]["allowed"]
    assert orphans(site) == set()


def test_f81_again_it_changes_nothing(site, lost):
    tenant, sub = lost
    site.ok("restore", "customer", sub["customer"])
    site.work()
    assert site.json("restore", "customer", sub["customer"])["match"] == "known"
    assert (len(members(site)), len(links(site))) == (1, 1)


def test_s01_to_a_user_who_exists_the_tenant_is_offered(site, lost):
    tenant, sub = lost
    site.ask("select auth.add_user('anna@example.com')")
    site.ok("restore", "customer", sub["customer"])
    assert members(site) == [] and links(site) == [("offer", "anna@example.com")]


def test_f81_who_names_no_tenant_or_pays_nothing_is_refused(site):
    stranger = site.sim.subscribe(client_reference_id=None, **{"subscription_data[metadata][tenant_id]": None})
    poor = site.sim.post("/v1/customers", {"email": "b@example.com", "metadata[tenant_id]": str(uuid.uuid4())})["id"]
    mute = site.sim.post("/v1/customers", {"metadata[tenant_id]": str(uuid.uuid4())})["id"]
    for customer, why in ((stranger["customer"], "names no tenant"), (poor, "no live subscription"),
                          (mute, "no e-mail address"), ("cus_no", "Stripe has no customer")):
        done = site.run("restore", "customer", customer)
        assert (done.returncode, why in done.stderr.decode()) == (1, True), done.stderr
    assert site.ask("select * from app.tenants") == []


def test_f81_a_customer_of_another_tenant_is_refused(site, lost):
    _, sub = lost
    other = site.ask("insert into app.tenants default values returning id::text")[0][0]
    site.ask("insert into billing.customers (id, tenant_id) values ('%s', '%s')" % (sub["customer"], other))
    done = site.run("restore", "customer", sub["customer"])
    assert (done.returncode, b"it is another tenant's" in done.stderr) == (1, True), done.stderr
    assert len(site.ask("select * from app.tenants")) == 1


def test_f81_a_first_payment_that_is_due_is_none(site, lost):
    tenant, sub = lost
    sub = dict(sub, status="incomplete", items=site.sim.get("/v1/subscriptions/" + sub["id"])["items"])
    row = site.ask("select ops.restore_customer(%s, %s, true)" % tuple("$$%s$$::jsonb" % json.dumps(doc) for doc in (
        {"id": sub["customer"], "email": "a@example.com", "metadata": {"tenant_id": tenant}}, [sub])))[0][0]
    assert row["match"] == "no_plan"
