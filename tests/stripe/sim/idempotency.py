"""Idempotency-Key: what was answered first is what is answered again.

Nothing is kept of a request that was refused before it began, of a conflict, or of a 429.
"""
from .errors import ApiError, bad

DAY = 86400
RUNNING = object()


class Idempotency:
    def __init__(self, world):
        self.world = world
        self.seen = {}          # key -> [when, fingerprint, answer or RUNNING]

    def begin(self, key, fingerprint):
        """The saved answer, or None: then finish() or forget() must follow."""
        if not 1 <= len(key) <= 255:
            raise bad("Idempotency-Key is limited to 255 characters", "Idempotency-Key")
        entry = self.seen.get(key)
        if entry is None or self.world.now() - entry[0] >= DAY:
            self.seen[key] = [self.world.now(), fingerprint, RUNNING]
            return None
        if entry[1] != fingerprint:
            raise ApiError(400, "Keys for idempotent requests can only be used with the same parameters they were "
                           f"first used with. Try using a key other than '{key}' if you meant to execute a different "
                           "request.", kind="idempotency_error", checked=True)
        if entry[2] is RUNNING:
            raise ApiError(409, "There is currently another in-progress request using this Idempotent Key (that "
                           f"probably means you submitted twice, and the other request is still going through): {key}.",
                           "idempotency_key_in_use", kind="idempotency_error", checked=True,
                           headers={"Stripe-Should-Retry": "true"})
        return entry[2]

    def finish(self, key, status, body):
        if status == 429:
            self.forget(key)
        else:
            self.seen[key][2] = (status, body)

    def forget(self, key):
        self.seen.pop(key, None)
