"""ledger: reservations and settlements a second, over HTTP with a key, next to pgbench with the same calls; with few
records in the current period and with many. All are of one tenant, whose accounts each of them locks."""
import base64
import hashlib
import json
import secrets
import statistics
import struct

CLIENTS = 8
SETTINGS = {"meters": ["tokens"], "rates": [],
            "caps": [{"kind": kind, "plan": "", "subject": "", "micros": 10 ** 17} for kind in ("tenant", "all")],
            "costs": [{"provider": "acme", "model": "big", "class": c, "micros": 3000000} for c in ("input", "output")],
            "quotas": [{"plan": plan, "meter": "tokens", "included": 0, "sold": True}
                       for plan in ("starter", "growth")]}
HELD = {"meter": "tokens", "provider": "acme", "model": "big", "counts": {"input": 100, "output": 200}}
USED = {"input": 90, "output": 120}
# Records that have ended, and their totals, so that the books stay true.
FILL = """with h as (insert into usage.holds (tenant_id, request, digest, meter, plan, sold, models, accounts, units,
        micros, counts, state, provider, model, spent, spent_micros, outer_micros, costs, counted, created_at,
        expires_at, ended_at)
    select k.tenant_id, 'fill ' || gen_random_uuid(), k.digest, k.meter, k.plan, k.sold, k.models, k.accounts, k.units,
        k.micros, k.counts, k.state, k.provider, k.model, k.spent, k.spent_micros, k.outer_micros, k.costs, k.counted,
        k.created_at, k.expires_at, k.ended_at
    from (select * from usage.holds where state = 'settled' order by created_at desc limit 1) k, generate_series(1, {n})
    returning *),
o as (insert into usage.outbox (id, tenant_id, meter, units, at, state, sent_at)
    select id, tenant_id, meter, spent, ended_at, 'sent', now() from h),
d as (update usage.days d set units = d.units + s.units, micros = d.micros + s.micros, records = d.records + s.n
    from (select tenant_id, (ended_at at time zone 'UTC')::date as day, meter, sum(spent) as units,
            sum(spent_micros) as micros, count(*) as n from h group by 1, 2, 3) s
    where (d.tenant_id, d.day, d.meter) = (s.tenant_id, s.day, s.meter))
update usage.accounts a set used = a.used + s.n
from (select unnest(accounts) as id, count(*) * min(spent) as units, count(*) * min(spent_micros) as micros from h
    group by 1) v cross join lateral (select case when (select b.meter from usage.accounts b where b.id = v.id) = ''
    then v.micros else v.units end as n) s where a.id = v.id"""


def request(host, path, key, ident, body):
    body = json.dumps(body).encode()
    head = ("POST /api/usage/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nIdempotency-Key: %s\r\n"
            "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (path, host, key, ident, len(body)))
    head = head.encode()
    return struct.pack("=I", len(head) + len(body)) + head + body


class Ledger:
    def __init__(self, bench):
        self.bench, self.host, key = bench, bench.state["url"][7:], secrets.token_bytes(32)
        self.key = "tg_" + base64.urlsafe_b64encode(key).decode().rstrip("=")
        self.bearer = hashlib.sha256(b"key1" + key).hexdigest()
        self.tenant = bench.sql("select tenant_id from billing.subscriptions where id = '%s'" % bench.subscription)
        bench.sql("select ops.put_usage('%s')" % json.dumps(SETTINGS))
        bench.sql("insert into app.keys (tenant_id, name, hint, hash, scopes) values ('%s', 'Bench', 'abcd', "
                  "sha256('\\x%s'), '{write}')" % (self.tenant, self.bearer))

    def send(self, path, bodies):
        """bodies: {Idempotency-Key: body}."""
        file = self.bench.work / "usage"
        file.write_bytes(b"".join(request(self.host, path, self.key, ident, body) for ident, body in bodies.items()))
        return self.bench.send(self.bench.port, file, len(bodies), CLIENTS)

    def over_http(self, n):
        tag = secrets.token_hex(4)
        begun = self.send("reserve", {"%s %d" % (tag, i): HELD for i in range(n)})
        holds = self.bench.sql("select id from usage.holds where request like '%s %%'" % tag).split()
        ended = self.send("settle", {ident: {"id": ident, "counts": USED} for ident in holds})
        return {"begin": begun, "end": ended, "rate": 1 / (1 / begun["rate"] + 1 / ended["rate"])}

    def alone(self):
        """The same two calls of the database, in a transaction each."""
        script = ("\\set n random(1, 1000000000000000)\n"
                  "select api.usage_reserve('%s', (:n)::text) ->> 'id' as id \\gset\n"
                  "select api.usage_settle(jsonb_build_object('id', (:id)::text, 'counts', '%s'::jsonb));\n"
                  % (json.dumps(HELD), json.dumps(USED)))
        self.bench.env["PGOPTIONS"] = "-c app.bearer=" + self.bearer
        try:
            return self.bench.pgbench(script, "tollgate_usage", self.bench.options.seconds, "-c", str(CLIENTS))
        finally:
            del self.bench.env["PGOPTIONS"]

    def fill(self, rows):
        have = int(self.bench.sql("select count(*) from usage.holds"))
        if rows > have:
            self.bench.sql(FILL.format(n=rows - have))
        for table in ("holds", "outbox", "accounts", "days"):
            self.bench.sql("vacuum analyze usage." + table)
        self.bench.sql("checkpoint")


def measure(bench):
    """{records: ...}. jobs is stopped: what it tells Stripe is no part of this."""
    ledger, found = Ledger(bench), {}
    ledger.over_http(200)
    for rows in map(int, bench.options.records.split(",")):
        ledger.fill(rows)
        rounds = [(ledger.over_http(bench.options.holds), ledger.alone()) for _ in range(bench.options.rounds)]
        found[rows] = {
            "rate": statistics.median(ours["rate"] for ours, _ in rounds),
            "pgbench": statistics.median(alone["rate"] for _, alone in rounds),
            "ratio": statistics.median(ours["rate"] / alone["rate"] for ours, alone in rounds),
            **{side: {key: statistics.median(ours[side][key] for ours, _ in rounds) / 1000
                      for key in ("p50_us", "p99_us")} for side in ("begin", "end")}}
    audit = json.loads(bench.sql("select jsonb_build_object('from', clock_timestamp(), 'faults', usage.faults(), "
                                 "'seconds', extract(epoch from clock_timestamp() - now()))"))
    assert audit["faults"] == [], audit
    return {"records": found, "audit_seconds": audit["seconds"]}


def show(found):
    print("\nwork that reserves and settles, all of one tenant; %d connections (goals: 500/s, 0.8, p50 3 ms, p99 15 ms)"
          % CLIENTS)
    for rows, r in found["records"].items():
        print("  %8d records: %5.0f a second through nginx and usage; pgbench, the same calls: %5.0f; ours : pgbench "
              "%.2f\n    begin p50 %.2f ms, p99 %.2f ms; end p50 %.2f ms, p99 %.2f ms" % (
                  rows, r["rate"], r["pgbench"], r["ratio"], r["begin"]["p50_us"], r["begin"]["p99_us"],
                  r["end"]["p50_us"], r["end"]["p99_us"]))
    print("  all their sums looked through in %.1f s" % found["audit_seconds"])
