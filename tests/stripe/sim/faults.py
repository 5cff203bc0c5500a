"""Faults on request: the next calls that match are answered wrongly.

A fault is a JSON object:
  method, path   which calls: "POST", "/v1/checkout/*" (* matches anything); both default to every call
  times, skip    for how many calls, and how many matching ones to let pass first; default 1 and 0
  effect         true: the call is carried out all the same, and only its answer is lost or spoilt; default false
  before, after  seconds to wait before the effect (the key is in use meanwhile) and between effect and answer
  answer         what the caller gets:
                   "status"    status (default 500) with body (a JSON object or text; default an api_error)
                   "real"      the true answer, late, or changed by "set"; implies effect
                   "hang"      no byte, until the caller leaves; once all faults are removed, as "close"
                   "close"     the connection is closed without an answer
                   "partial"   the connection is closed in the middle of the body
                   "truncate"  the body is cut in half, in a well-formed HTTP answer of that length
                   "html"      200 with a web page
  set            {"url": "https://evil.example/"}: fields of the true answer to overwrite; null removes one
  headers        more headers of the answer: {"Retry-After": "3", "Stripe-Should-Retry": "false"}
  saved          whether an answer of kind "status" is what Idempotency-Key repeats later; default: what Stripe does,
                 that is yes for a status of 500 with effect, else no (then the true answer is repeated)
"""
import asyncio
from fnmatch import fnmatchcase

from aiohttp import web

from .errors import bad

ANSWERS = ("status", "real", "hang", "close", "partial", "truncate", "html")
DEFAULTS = {"method": "*", "path": "*", "times": 1, "skip": 0, "effect": False, "before": 0, "after": 0,
            "answer": "status", "status": 500, "body": None, "set": {}, "headers": {}, "saved": None}
NEED_EFFECT = ("real", "partial", "truncate")
API_ERROR = {"error": {"type": "api_error", "message": "An unknown error occurred (injected by a test)."}}
PAGE = "<!DOCTYPE html><html><head><title>502</title></head><body><h1>Bad gateway</h1></body></html>"


class Faults:
    def __init__(self):
        self.waiting = []
        self.cleared = 0

    def clear(self):
        self.waiting.clear()
        self.cleared += 1

    def add(self, wanted):
        for name in wanted:
            if name not in DEFAULTS:
                raise bad(f"A fault has no {name}", name)
        fault = {**DEFAULTS, **wanted}
        if fault["answer"] not in ANSWERS:
            raise bad(f"answer is one of {', '.join(ANSWERS)}", "answer")
        fault["effect"] = fault["effect"] or fault["answer"] in NEED_EFFECT
        if fault["saved"] is None:
            fault["saved"] = fault["effect"] and fault["answer"] == "status" and fault["status"] == 500
        self.waiting.append(fault)
        return fault

    def match(self, method, path):
        """The first fault that wants this call, counted down; or None."""
        for fault in self.waiting:
            if not fnmatchcase(method, fault["method"]) or not fnmatchcase(path, fault["path"]):
                continue
            if fault["skip"] > 0:
                fault["skip"] -= 1
                return None
            fault["times"] -= 1
            if fault["times"] <= 0:
                self.waiting.remove(fault)
            return fault
        return None


def patched(body, changes):
    """body with the fault's "set" laid over it."""
    return {key: value for key, value in {**body, **changes}.items() if not (key in changes and value is None)}


async def leave(request, faults):
    """Waits, without a byte, until the caller has gone or the faults are removed."""
    cleared = faults.cleared
    while request.transport is not None and not request.transport.is_closing():
        if faults.cleared != cleared:
            return await hang_up(request)
        await asyncio.sleep(0.02)
    return web.Response(status=499)


async def hang_up(request):
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


async def partial(request, payload, headers):
    response = web.StreamResponse(status=200, headers={**headers, "Content-Type": "application/json"})
    response.content_length = len(payload)
    await response.prepare(request)
    await response.write(payload[:len(payload) // 2])
    await asyncio.sleep(0.02)
    request.transport.close()
    return response


def spoilt_status(fault):
    """(status, body) of a fault that answers with a status."""
    return fault["status"], API_ERROR if fault["body"] is None else fault["body"]
