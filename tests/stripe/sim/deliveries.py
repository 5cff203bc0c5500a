"""Webhook deliveries: signed anew for each attempt, retried until a 2xx, and spoilt on request.

The mode (control.py changes it):
  hold        true keeps every delivery back until it is false again
  manual      true: events wait for POST /_sim/take, and the caller delivers them
  delay       seconds before the first attempt
  shuffle     seconds over which first attempts are scattered at random
  reverse     seconds to gather deliveries in; they then go out newest first
  duplicate   extra copies of each delivery
  drop        how many of the next first attempts are lost without being sent (they are retried like any failed one)
  parallel    attempts under way at once
  timeout     seconds given to the endpoint
  retries     seconds between attempts; after the last the delivery has failed
"""
import asyncio
import hashlib
import hmac
import json
import time
from copy import deepcopy

import aiohttp

from . import events, shapes, thin

MODE = {"hold": False, "manual": False, "delay": 0, "shuffle": 0, "reverse": 0, "duplicate": 0, "drop": 0,
        "parallel": 4, "timeout": 10, "retries": [0.2, 0.5, 1, 2, 3, 5, 5, 10, 10, 20, 30, 60]}


def signature(payload, secrets, when):
    """The Stripe-Signature header: one v1 for each active secret, and the v0 of test mode that proves nothing."""
    signed = str(when).encode() + b"." + payload

    def mac(secret):
        return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    parts = [f"t={when}"] + [f"v1={mac(secret)}" for secret in secrets]
    return ",".join(parts + [f"v0={mac('v0')}"])


class Deliveries:
    def __init__(self, world):
        self.world = world
        self.mode = deepcopy(MODE)
        self.rows = []              # what GET /_sim/deliveries shows
        self.open = 0               # not yet answered with a 2xx, not given up
        self.tasks = set()
        self.gathered = []
        self.waiting = []           # ids of events that are for others to deliver
        self.session = None
        self.running = 0
        world.on_event = self.take
        world.on_thin = self.take_thin

    def take(self, event):
        targets = [row for row in self.world.all("webhook_endpoint") if events.wants(row, event["type"])]
        event["pending_webhooks"] = len(targets)
        if self.mode["manual"]:
            self.waiting.append(event["id"])
            return
        for endpoint in targets:
            self.add(event, endpoint, 1 + self.mode["duplicate"])

    def take_thin(self, event, destinations):
        for destination in destinations:
            self.add(event, destination, 1 + self.mode["duplicate"])

    def add(self, event, endpoint, copies=1):
        payload = (thin.payload(event) if event["object"] == thin.EVENT
                   else self.payload(event, endpoint["api_version"] or event["api_version"]))
        for _ in range(copies):
            row = {"event": event["id"], "type": event["type"], "endpoint": endpoint["id"], "state": "pending",
                   "attempts": 0, "statuses": [], "created": time.time()}
            self.rows.append(row)
            self.open += 1
            self.start(self.carry(row, event, endpoint, payload))

    def start(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    @staticmethod
    def payload(event, version):
        return json.dumps(shapes.render_event(event, version), indent=2, ensure_ascii=False).encode()

    async def first_wait(self):
        mode = self.mode
        if mode["reverse"]:
            turn = asyncio.Event()
            self.gathered.append(turn)
            if len(self.gathered) == 1:
                self.start(self.release_reversed(mode["reverse"]))
            await turn.wait()
            return
        await asyncio.sleep(mode["delay"] + self.world.random.random() * mode["shuffle"])

    async def release_reversed(self, seconds):
        await asyncio.sleep(seconds)
        turns, self.gathered = self.gathered, []
        for turn in reversed(turns):
            turn.set()
            await asyncio.sleep(0.02)

    async def held(self):
        while self.mode["hold"]:
            await asyncio.sleep(0.02)

    async def carry(self, row, event, endpoint, payload):
        """One delivery from the first attempt to success or to the last retry."""
        await self.first_wait()
        for wait in [0] + self.mode["retries"]:
            await asyncio.sleep(wait)
            await self.held()
            if endpoint["status"] != "enabled" or endpoint["id"] not in self.world.secrets:
                break
            row["attempts"] += 1
            status = await self.attempt(endpoint, payload)
            row["statuses"].append(status)
            if isinstance(status, int) and 200 <= status < 300:
                row["state"] = "delivered"
                if "pending_webhooks" in event:
                    event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
                break
        else:
            row["state"] = "failed"
        if row["state"] == "pending":
            row["state"] = "abandoned"
        self.open -= 1

    async def attempt(self, endpoint, payload):
        """The status of the answer, or a word for why there was none. Redirects are not followed: they are failures."""
        if self.mode["drop"] > 0:
            self.mode["drop"] -= 1
            return "dropped"
        while self.running >= self.mode["parallel"]:
            await asyncio.sleep(0.005)
        self.running += 1
        try:
            return await self.post(endpoint["url"], payload, self.world.secrets[endpoint["id"]])
        except asyncio.TimeoutError:
            return "timeout"
        except (aiohttp.ClientError, OSError) as failure:
            return type(failure).__name__
        finally:
            self.running -= 1

    async def post(self, url, payload, secrets):
        self.session = self.session or aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0 (simulator)",
                   "Cache-Control": "no-cache", "Stripe-Signature": signature(payload, secrets, int(time.time()))}
        timeout = aiohttp.ClientTimeout(total=self.mode["timeout"])
        async with self.session.post(url, data=payload, headers=headers, timeout=timeout,
                                     allow_redirects=False) as answer:
            await answer.read()
            return answer.status

    async def close(self):
        for task in list(self.tasks):
            task.cancel()
        if self.session:
            await self.session.close()
