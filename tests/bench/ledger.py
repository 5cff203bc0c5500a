"""ledger: reservations and settlements a second, over HTTP with a key, next to pgbench with the same calls; with few
records in the current period and with many. All are of one tenant, whose accounts each of them locks."""
import base64
import hashlib
import json
import secrets
import signal
import statistics
import struct
import subprocess
import time
from collections import Counter

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


class Alone:
    """pgbench with the same two calls of the database, in a transaction each. It is stopped but for the slices that are
    asked of it, so that its connections have their plans, as those of usage do."""

    def __init__(self, ledger):
        self.work, self.windows = ledger.bench.work, []
        script = self.work / "ledger.sql"
        script.write_text(
            "\\set n random(1, 1000000000000000)\n"
            "select api.usage_reserve('%s', (:n)::text) ->> 'id' as id \\gset\n"
            "select api.usage_settle(jsonb_build_object('id', (:id)::text, 'counts', '%s'::jsonb));\n"
            % (json.dumps(HELD), json.dumps(USED)))
        self.process = subprocess.Popen(
            ["pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", "86400", "-l", "--log-prefix",
             self.work / "alone", "-U", "tollgate_usage", "-f", script], stdout=subprocess.DEVNULL,
            env={**ledger.bench.env, "PGOPTIONS": "-c app.bearer=" + ledger.bearer})
        time.sleep(3)
        self.process.send_signal(signal.SIGSTOP)

    def slice(self, seconds):
        begun = time.time()
        self.process.send_signal(signal.SIGCONT)
        time.sleep(seconds)
        self.process.send_signal(signal.SIGSTOP)
        self.windows.append((begun, time.time()))

    def end(self):
        """How many in each slice, and how many a second."""
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGALRM)    # as at the end of its time
        self.process.wait(60)
        ends = []
        for log in self.work.glob("alone.*"):
            ends += [int(line.split()[4]) + int(line.split()[5]) / 1e6 for line in log.read_text().splitlines()]
            log.unlink()
        counts = [sum(begun <= end < over for end in ends) for begun, over in self.windows]
        return [{"n": n, "rate": n / (over - begun)} for n, (begun, over) in zip(counts, self.windows)]


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
        return {"begin": begun, "end": ended, "rate": 1 / (1 / begun["rate"] + 1 / ended["rate"]), "n": n}

    def fill(self, rows):
        have = int(self.bench.sql("select count(*) from usage.holds"))
        if rows > have:
            self.bench.sql(FILL.format(n=rows - have))
        for table in ("holds", "outbox", "accounts", "days"):
            self.bench.sql("vacuum analyze usage." + table)
        self.bench.sql("checkpoint")


PARTS = ("usage", "nginx", "postgres")
SLICES = 8      # of a round, by turns: what else the machine does hits both alike


def slices(ledger):
    """What each slice over HTTP and each of pgbench did, with the CPU seconds of both by part."""
    options, ours, costs = ledger.bench.options, [], {"ours": Counter(), "alone": Counter()}
    alone = Alone(ledger)

    def timed(side, work):
        before = ledger.bench.cpu(*PARTS)
        work()
        costs[side].update({part: now - before[part] for part, now in ledger.bench.cpu(*PARTS).items()})
    turns = [("ours", lambda: ours.append(ledger.over_http(options.holds // SLICES))),
             ("alone", lambda: alone.slice(options.seconds / SLICES))]
    try:
        for _ in range(options.rounds * SLICES):
            for side, work in turns:
                timed(side, work)
            turns.reverse()
    finally:
        theirs = alone.end()
    return ours, theirs, costs


def sum_up(ours, theirs, costs):
    def micros(side, done):
        return {part: seconds * 1e6 / sum(one["n"] for one in done) for part, seconds in costs[side].items()}
    ratios = [our["rate"] / their["rate"] for our, their in zip(ours, theirs)]
    return {
        "rate": statistics.median(our["rate"] for our in ours),
        "pgbench": statistics.median(their["rate"] for their in theirs),
        "ratio": statistics.median(ratios), "quartiles": statistics.quantiles(ratios)[::2],
        "cpu_us": micros("ours", ours), "pgbench_cpu_us": micros("alone", theirs)["postgres"],
        **{side: {key: statistics.median(our[side][key] for our in ours) / 1000 for key in ("p50_us", "p99_us")}
           for side in ("begin", "end")}}


def measure(bench):
    """{records: ...}. jobs is stopped: what it tells Stripe is no part of this."""
    ledger, found = Ledger(bench), {}
    ledger.over_http(200)
    for rows in map(int, bench.options.records.split(",")):
        ledger.fill(rows)
        found[rows] = sum_up(*slices(ledger))
    audit = json.loads(bench.sql("select jsonb_build_object('from', clock_timestamp(), 'faults', usage.faults(), "
                                 "'seconds', extract(epoch from clock_timestamp() - now()))"))
    assert audit["faults"] == [], audit
    return {"records": found, "audit_seconds": audit["seconds"]}


def show(found):
    print("\nwork that reserves and settles, all of one tenant; %d connections (goals: 500/s, 0.8, p50 3 ms, p99 15 ms)"
          % CLIENTS)
    for rows, r in found["records"].items():
        print("  %8d records: %5.0f a second through nginx and usage; pgbench, the same calls: %5.0f; ours : pgbench "
              "%.2f (half of them %.2f to %.2f)\n    begin p50 %.2f ms, p99 %.2f ms; end p50 %.2f ms, p99 %.2f ms\n"
              "    microseconds of CPU for both: %s; PostgreSQL for pgbench %.0f" % (
                  rows, r["rate"], r["pgbench"], r["ratio"], *r["quartiles"],
                  r["begin"]["p50_us"], r["begin"]["p99_us"], r["end"]["p50_us"], r["end"]["p99_us"],
                  ", ".join("%s %.0f" % part for part in r["cpu_us"].items()), r["pgbench_cpu_us"]))
    print("  all their sums looked through in %.1f s" % found["audit_seconds"])
