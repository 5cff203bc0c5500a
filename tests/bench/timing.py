"""Whether the time of an answer tells which addresses are users': the same request for addresses of both kinds."""
import http.client
import math
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from client import Browser

WARM = 50       # requests of each kind that are not counted
PASSWORD = "correct horse battery staple"
# What is asked: the page, the form's other fields, and the status of the answer.
ASKED = {"link": ("/signin", {"next": "/workspace"}, 303), "reset": ("/reset", {}, 303),
         "register": ("/register", {"password": PASSWORD}, 303),
         "password": ("/signin", {"next": "/workspace", "password": "wrong"}, 422)}


def ks(a, b):
    """The two-sample Kolmogorov-Smirnov statistic, and the probability of one as large for one distribution."""
    a, b = sorted(a), sorted(b)
    i = j = 0
    most = 0.0
    while i < len(a) and j < len(b):
        at = min(a[i], b[j])
        while i < len(a) and a[i] == at:
            i += 1
        while j < len(b) and b[j] == at:
            j += 1
        most = max(most, abs(i / len(a) - j / len(b)))
    root = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    x = (root + 0.12 + 0.11 / root) * most
    terms = [(-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 101)]
    return most, min(max(2 * sum(terms), 0.0), 1.0) if x > 0.2 else 1.0


class Asker:
    """One browser's form, sent again and again over one connection."""

    def __init__(self, url, path, fields, status):
        browser = Browser(url)
        self.path, self.status = path, status
        self.fields = {"csrf": browser.get(path).form().fields["csrf"], **fields}
        self.headers = {"Cookie": "__Host-flow=" + browser.cookie("__Host-flow"), "Origin": url,
                        "Content-Type": "application/x-www-form-urlencoded"}
        self.connection = http.client.HTTPConnection(url.partition("//")[2])

    def seconds(self, address):
        body = urlencode({**self.fields, "email": address})
        begun = time.perf_counter()
        self.connection.request("POST", self.path, body, self.headers)
        answer = self.connection.getresponse()
        answer.read()
        took = time.perf_counter() - begun
        if answer.status != self.status:
            raise SystemExit("timing: the answer was %d" % answer.status)
        return took


def measure(url, known, unknown, what="link"):
    """The two kinds of addresses, each address once, in a random order."""
    asker = Asker(url, *ASKED[what])
    order = [("known", address) for address in known] + [("unknown", address) for address in unknown]
    random.shuffle(order)
    took = {"known": [], "unknown": []}
    for kind, address in order:
        took[kind].append(asker.seconds(address))
    took = {kind: times[WARM:] for kind, times in took.items()}
    distance, p = ks(took["known"], took["unknown"])
    return {"n": len(took["known"]), "ks": distance, "p": p,
            **{kind + "_ms": 1000 * statistics.median(times) for kind, times in took.items()}}


def sign_ins(url, addresses, connections):
    """Sign-ins by the right password a second, over so many connections at once."""
    askers = [Asker(url, "/signin", {"next": "/workspace", "password": PASSWORD}, 303) for _ in range(connections)]
    begun = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(lambda n: [askers[n].seconds(a) for a in addresses[n::connections]], range(connections)))
    return len(addresses) / (time.perf_counter() - begun)
