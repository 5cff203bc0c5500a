"""What the configuration says of usage reaches the database, and tollgate usage audit names sums that are wrong."""
MORE = """
meters = ( { event_name = "tokens"; display_name = "Tokens"; } );
quotas = ( { plan = "starter"; meter = "tokens"; included = 100; member_most = 50; },
    { plan = "growth"; meter = "tokens"; included = 200; sold = true; price = "price_use"; } );
rates = ( { name = "minute"; allowed = 10; seconds = 60; } );
caps = ( { kind = "all"; amount = 3000; } );
costs = ( { provider = "acme"; model = "big-1"; class = "input"; micros = %s; }, { model = "tokens"; micros = 7; } );
"""


def migrate(site):
    done = site.run("migrate", PGUSER="postgres")
    assert done.returncode == 0, done.stderr


def test_c75_what_is_configured_is_what_counts(site):
    site.configure(more=MORE % 5)
    migrate(site)
    assert site.ask("select plan, included, sold, most, member_most from usage.quotas order by 1") == [
        ("growth", 200, True, None, None), ("starter", 100, False, 100, 50)]
    assert site.ask("select name, plan, meter, allowed, per::text from usage.rates") == [
        ("minute", "", "", 10, "00:01:00")]
    assert site.ask("select kind, micros from usage.caps") == [("all", 3000 * 10**6)]
    site.configure(more=MORE % 6)
    migrate(site)
    assert site.ask("select model, class, micros, to_at is null from usage.costs order by id") == [
        ("big-1", "input", 5, False), ("tokens", "unit", 7, True), ("big-1", "input", 6, True)]
    site.configure()
    migrate(site)
    assert site.ask("select meter, offered from usage.meters") == [("tokens", False)]
    assert site.ask("select count(*) from usage.quotas") == [(0,)]


def test_f111_a_sum_that_is_wrong_is_named(site):
    site.configure(more=MORE % 5)
    migrate(site)
    site.ask("select usage.record(gen_random_uuid(), null, null, 'tokens', '{\"unit\": 5}', "
             "'[{\"provider\": \"\", \"model\": \"tokens\"}]', 'once')")
    assert site.ok("usage", "audit") == "1 records, 0 of them open, 0 not told to Stripe; the sums are right\n"
    assert site.json("usage", "audit")["faults"] == []
    site.ask("insert into usage.comparisons (tenant_id, meter, day, ours, theirs, compared_at) "
             "select gen_random_uuid(), 'tokens', now()::date - 1, 5, 4, now() returning 1")
    done = site.run("usage", "audit")
    assert done.returncode == 1 and "is 5, Stripe has 4\n1 records" in done.stdout.decode()
    site.ask("delete from usage.comparisons returning 1")
    site.ask("update usage.accounts set used = 9 where kind = 'tenant' and meter = 'tokens' returning 1")
    done = site.run("usage", "audit")
    assert done.returncode == 1 and done.stdout.decode().endswith("1 records, 0 of them open, 0 not told to Stripe\n")
    assert [line.split("\t")[0::2] for line in done.stdout.decode().splitlines()[:1]] == [["used", "is 9, should be 5"]]
    assert site.run("usage", "audit", "--json").returncode == 1


def test_f156_what_stripe_cannot_be_told_is_given_up(site):
    site.configure(more=MORE % 5)
    migrate(site)
    tenant, = site.ask("insert into app.tenants (status, name) values ('active', 'acme') returning id::text")[0]
    site.ask("insert into usage.outbox (id, tenant_id, meter, units, at, state, error) "
             "values (gen_random_uuid(), %s, 'tokens', 7, now() - interval '40 days', 'parked', 'too old') returning 1",
             tenant)
    assert site.run("usage", "drop").returncode == 64
    assert site.run("usage", "drop", "nobody@example.com").returncode == 1
    assert site.ok("usage", "drop", tenant) == "1 records of 7 units are given up\n"
    assert site.json("usage", "drop", tenant) == {"records": 0, "units": 0}
    assert site.ok("usage", "retry") == "0 records are told to Stripe again\n"
    assert site.ask("select state, error from usage.outbox") == [("dropped", "dropped: too old")]
