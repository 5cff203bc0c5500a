"""The process: command line, environment, one listening socket, the three surfaces (API, hosted pages, control)."""
import argparse
import asyncio
import json
import os
import secrets
import signal
import socket
import sys
from pathlib import Path

from aiohttp import web

from . import catalog, control, events, lifecycle, portal
from .api import Api
from .deliveries import Deliveries
from .faults import Faults
from .hosted import Hosted
from .idempotency import Idempotency
from .world import World

PLANS = ["starter=price_starter:1900", "growth=price_growth:4900"]
MAX_BODY = 4 * 1024 * 1024


def secret(name, default):
    """The environment's NAME, or the contents of the file named by NAME_FILE, or the default."""
    if os.environ.get(name):
        return os.environ[name].strip()
    if os.environ.get(f"{name}_FILE"):
        with open(os.environ[f"{name}_FILE"], encoding="utf-8") as file:
            return file.read().strip()
    return default


def read_plan(text):
    """starter=price_starter:1900 -> ("starter", "price_starter", 1900)."""
    name, _, rest = text.partition("=")
    price, _, amount = rest.partition(":")
    if not name or not price or not amount.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}: want NAME=PRICE_ID:CENTS")
    return name, price, int(amount)


def read_options(doc, argv=None):
    parser = argparse.ArgumentParser(prog="simulator", description=doc, epilog=control.__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one (default)")
    parser.add_argument("--site", default="http://localhost", metavar="URL",
                        help="the product's address: where the portal's default configuration returns to")
    parser.add_argument("--webhook", metavar="URL", help="an endpoint that gets every event; none without it")
    parser.add_argument("--plan", "--price", type=read_plan, action="append", metavar="NAME=PRICE_ID:CENTS",
                        dest="plans", help=f"a monthly price (default {' '.join(PLANS)})")
    parser.add_argument("--portal", action="store_true", help="the Dashboard's portal settings are saved at the start, "
                        "so that there is a default configuration")
    parser.add_argument("--clock-file", metavar="FILE", help="the seconds that the clock is ahead: read at the start, "
                        "and written before it moves, for others whose clock is to move too: libfaketime's "
                        "FAKETIME_TIMESTAMP_FILE")
    parser.add_argument("--seed", type=int, help="makes ids and shuffling the same each time")
    options = parser.parse_args(argv)
    options.plans = options.plans or [read_plan(text) for text in PLANS]
    return options


class Simulator:
    def __init__(self, options):
        self.options = options
        self.key = secret("SIM_KEY", None) or "sk_test_" + secrets.token_hex(12)
        self.secrets = secret("SIM_WEBHOOK_SECRET", "whsec_" + secrets.token_hex(16)).split()
        self.url = None
        self.faults = Faults()
        self.api = Api(self)
        self.hosted = Hosted(self)
        self.deliveries = None

    def begin(self):
        """A new world, as the command line wants it."""
        self.world = World(self.options.seed)
        self.world.base = self.url
        if self.options.clock_file:
            self.world.offset = int(Path(self.options.clock_file).read_text(encoding="ascii"))
        self.deliveries = Deliveries(self.world)
        self.idempotency = Idempotency(self.world)
        for name, price, amount in self.options.plans:
            catalog.add_plan(self.world, name, price, amount)
        if self.options.portal:
            self.save_portal()
        if self.options.webhook:
            events.build_endpoint(self.world, self.options.webhook, self.secrets)

    async def pass_time(self, seconds):
        """Moves the clock. Those who read the file are given the two seconds that they take, so that they are ahead."""
        if self.options.clock_file and seconds > 0:
            Path(self.options.clock_file).write_text("%+d\n" % (self.world.offset + seconds), encoding="ascii")
            await asyncio.sleep(2.5)
        lifecycle.advance(self.world, seconds)

    def save_portal(self):
        """The Dashboard's portal settings are saved: everything the portal can do, for all plans."""
        for row in self.world.all("billing_portal.configuration"):
            if row["is_default"]:
                return row
        return portal.build(self.world, self.default_portal(), default=True)

    def default_portal(self):
        products = [{"product": row["product"], "prices": [row["id"]]} for row in self.world.all("price")
                    if row["active"] and row["recurring"]][:10]     # Stripe takes no more
        on = {"enabled": True}
        return {"default_return_url": self.options.site, "name": "Default",
                "features": {"invoice_history": on, "payment_method_update": on, "subscription_cancel": on,
                             "subscription_update": {**on, "default_allowed_updates": ["price"], "products": products,
                                                     "proration_behavior": "create_prorations"}}}

    async def restart(self):
        await self.deliveries.close()
        self.faults.waiting.clear()
        self.api.log.clear()
        self.hosted.tokens.clear()
        self.begin()

    def application(self):
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes(control.Control(self).routes())
        for method in ("GET", "POST"):
            app.router.add_route(method, "/", self.hosted.clock)
            app.router.add_route(method, "/c/pay/{id}", self.hosted.checkout)
            app.router.add_route(method, "/p/session/test_{secret}", self.hosted.portal)
            app.router.add_route(method, "/i/test_{id}", self.hosted.invoice)
            app.router.add_route(method, "/microdeposit/test_{id}", self.hosted.amounts)
        app.router.add_route("GET", "/i/test_{id}/pdf", self.hosted.invoice_pdf)
        app.router.add_route("*", "/v1/{rest:.*}", self.api.handle)
        app.router.add_route("*", "/v2/{rest:.*}", self.api.handle)
        return app

    async def tick(self):
        """Time passes by itself too."""
        while True:
            await asyncio.sleep(1)
            lifecycle.advance(self.world, 0)

    async def run(self):
        listening = socket.create_server((self.options.host, self.options.port), backlog=512)
        self.url = f"http://{self.options.host}:{listening.getsockname()[1]}"
        self.begin()
        runner = web.AppRunner(self.application(), access_log=None)
        await runner.setup()
        await web.SockSite(runner, listening, shutdown_timeout=0.5).start()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        print(json.dumps({"url": self.url, "control": f"{self.url}/_sim/", "prices":
                          {name: price for name, price, _ in self.options.plans}}), flush=True)
        ticking = asyncio.create_task(self.tick())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({stopping, ticking}, return_when=asyncio.FIRST_COMPLETED)
        if ticking.done():
            ticking.result()
        ticking.cancel()
        await self.deliveries.close()
        await runner.cleanup()


def main(doc):
    options = read_options(doc)
    try:
        asyncio.run(Simulator(options).run())
    except OSError as failure:
        print(f"simulator: {failure}", file=sys.stderr)
        return 1
    return 0
