"""What the processes take that mod_fcgid may start: FcgidMaxProcesses in conf/apache.conf, each with one thread."""
import os
import re
import subprocess
import time
from pathlib import Path

import fcgi

PAGES = {"signup": "/signup", "signin": "/signin", "account": "/nothing-here", "billing": "/settings/billing"}


def own_memory(pid):
    """MB that no other process shares: what the programs and libraries themselves take is there once for all."""
    return int(re.search(r"RssAnon:\s+(\d+)", Path("/proc/%d/status" % pid).read_text())[1]) / 1024


def start(state, work, config, name, n):
    socket = str(work / ("%s-%d.sock" % (name, n)))
    process = subprocess.Popen(
        [state["prefix"] + "/lib/tollgate/" + name, "--config", str(config), "--threads", "1", "--listen", socket],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})
    return process, socket


def answer(state, name, socket):
    """Once it listens."""
    for _ in range(200):
        try:
            return fcgi.call(socket, "GET", PAGES[name], HTTP_HOST=state["url"].partition("://")[2])
        except OSError:
            time.sleep(0.05)
    raise SystemExit("bench: %s does not listen" % name)


def measure(state, work, processes):
    """{"processes", "memory_mb"}: as many of each program, after each has shown a page ten times."""
    config = work / "fcgid.conf"        # the programs run as another user here, who needs slots of its own
    config.write_text(Path(state["config"]).read_text().replace('/slots";', '/slots-of-another";'))
    running = [(name, *start(state, work, config, name, n)) for n in range(processes // len(PAGES)) for name in PAGES]
    try:
        for name, _, socket in running:
            for _ in range(10):
                assert answer(state, name, socket).status in (200, 303, 404)
        return {"processes": len(running), "memory_mb": round(sum(own_memory(p.pid) for _, p, _ in running), 1)}
    finally:
        for _, process, _ in running:
            process.terminate()
        for _, process, _ in running:
            process.wait(20)
