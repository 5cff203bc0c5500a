"""The hosted pages' addresses: what a browser sees of Checkout and of the portal, and what its buttons do."""
from urllib.parse import parse_qsl

from aiohttp import web

from . import catalog, checkout, invoices, lifecycle, options, pages, pdf, portal
from .errors import ApiError

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
           "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
                                      "frame-ancestors 'none'"}


def html(text, status=200):
    return web.Response(status=status, text=text, content_type="text/html", headers=HEADERS)


def see_other(url):
    return web.Response(status=303, headers={**HEADERS, "Location": url})


class Hosted:
    def __init__(self, sim):
        self.sim = sim
        self.tokens = {}        # one for each page shown, good for one press -> the session's id

    def token(self, ident):
        token = self.sim.world.new_id("tok_")
        self.tokens[token] = ident
        return token

    async def pressed(self, request, ident):
        """The fields of the form, or None when this page's buttons were pressed before."""
        body = (await request.read()).decode("utf-8", "replace")
        fields = dict(parse_qsl(body, keep_blank_values=True))
        return fields if self.tokens.pop(fields.get("token"), None) == ident else None

    @property
    def world(self):
        return self.sim.world

    def checkout_page(self, row, problem=None, status=200):
        data = self.world.keep(row["id"])["data"]
        trial = data.get("trial_end") or ("trial_period_days" in data
                                          and self.world.now() + data["trial_period_days"] * checkout.DAY)
        return html(pages.checkout(row, self.world.line_items[row["id"]]["data"], self.token(row["id"]), problem,
                                   trial or None, self.world.keep(row["id"]).get("code")), status)

    def over(self, row):
        """What a session that is not open any more shows."""
        if row["status"] == "complete":
            return html(pages.plain("Already paid", "This checkout is complete.",
                                    (checkout_return(row), "Continue")), 200)
        link = (row["cancel_url"], "Back") if row["cancel_url"] else None
        return html(pages.plain("Expired", "This checkout is no longer open.", link), 410)

    def clock_page(self, problem=None, status=200):
        return html(pages.clock(self.world.now(), self.token("clock"), problem), status)

    async def clock(self, request):
        """Lets time pass, as nobody can at Stripe but for a test clock."""
        if request.method != "POST":
            return self.clock_page()
        fields = await self.pressed(request, "clock")
        if fields is None:
            return self.clock_page("That page was used already. Nothing was done; please try again.", 409)
        if fields.get("days") not in pages.DAYS:
            return self.clock_page("So many days cannot pass at once.", 400)
        await self.sim.pass_time(int(fields["days"]) * lifecycle.DAY)
        return see_other("/")

    async def checkout(self, request):
        row = self.world.objects["checkout.session"].get(request.match_info["id"])
        if row is None:
            return html(pages.plain("Not found", "There is no such checkout."), 404)
        if row["status"] != "open":
            return self.over(row)
        if request.method != "POST":
            return self.checkout_page(row)
        fields = await self.pressed(request, row["id"])
        if fields is None:
            return self.checkout_page(row, "That page was used already. Nothing was done; please try again.", 409)
        try:
            if fields.get("card") == "later":
                options.take(self.world, row, fields)
                return self.checkout_page(row)
            checkout.pay(self.world, row, fields.get("card"), fields.get("email"), fields)
        except (checkout.Declined, ApiError) as refusal:
            return self.checkout_page(row, str(refusal), 402)
        return see_other(checkout_return(row))

    def portal_page(self, row, problem=None, status=200):
        world = self.world
        customer = world.objects["customer"][row["customer"]]
        subs = [(sub, " + ".join(invoices.product_name(world, item["price"]) for item in sub["items"]["data"]))
                for sub in portal.live(world, row)]
        prices = [(price["id"], f"{invoices.product_name(world, price)}, {catalog.money(price['unit_amount'])} a month")
                  for price in portal.offered_prices(world, row)]
        method = customer.get("invoice_settings", {}).get("default_payment_method")
        card = world.objects["payment_method"][method]["card"]["last4"] if method else None
        return html(pages.portal(row, customer.get("email"), subs, card, self.token(row["id"]),
                                 lambda action: portal.allows(world, row, action), prices, problem), status)

    async def portal(self, request):
        row = portal.find(self.world, request.match_info["secret"])
        if row is None:
            return html(pages.plain("Expired", "This link is no longer valid. Please go back and ask for a new one."),
                        410)
        if request.method != "POST":
            return self.portal_page(row)
        fields = await self.pressed(request, row["id"])
        if fields is None:
            return self.portal_page(row, "That page was used already. Nothing was done; please try again.", 409)
        try:
            portal.act(self.world, row, fields.get("action"), fields.get("subscription"), fields.get("price"),
                       fields.get("card"))
        except ApiError as refusal:
            return self.portal_page(row, str(refusal), 400)
        return see_other(row["url"])

    def invoice_page(self, row, problem=None, status=200):
        return html(pages.invoice(row, self.token(row["id"]), problem), status)

    async def invoice(self, request):
        row = self.world.objects["invoice"].get(request.match_info["id"])
        if row is None or row["status"] == "draft":
            return html(pages.plain("Not found", "There is no such invoice."), 404)
        if request.method != "POST":
            return self.invoice_page(row)
        if await self.pressed(request, row["id"]) is None:
            return self.invoice_page(row, "That page was used already. Nothing was done; please try again.", 409)
        try:
            lifecycle.pay_by_hand(self.world, row)
        except ApiError as refusal:
            return self.invoice_page(row, str(refusal), 400)
        return see_other(row["hosted_invoice_url"])

    async def amounts(self, request):
        intent = self.world.objects["payment_intent"].get(request.match_info["id"])
        if intent is None or not invoices.wants_amounts(intent):
            return html(pages.plain("Nothing to do", "Nothing is asked of this bank account."), 410)
        if request.method != "POST":
            return html(pages.amounts(self.token(intent["id"])))
        if await self.pressed(request, intent["id"]) is None:
            return see_other(request.path)
        invoices.enter_amounts(self.world, intent)
        return see_other(request.path)

    async def invoice_pdf(self, request):
        row = self.world.objects["invoice"].get(request.match_info["id"])
        if row is None or row["status"] == "draft":
            return html(pages.plain("Not found", "There is no such invoice."), 404)
        return web.Response(body=pdf.page(pages.invoice_lines(row)), content_type="application/pdf", headers=HEADERS)


def checkout_return(row):
    return row["success_url"].replace("{CHECKOUT_SESSION_ID}", row["id"])
