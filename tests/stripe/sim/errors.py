"""Stripe's refusals, each as one exception that carries the answer."""


class ApiError(Exception):
    """An answer other than 200. checked: the request was refused before it began to execute."""

    def __init__(self, status, message, code=None, param=None, kind="invalid_request_error", **more):
        super().__init__(message)
        self.status = status
        self.headers = more.pop("headers", {})
        self.checked = more.pop("checked", False)
        self.error = {"type": kind, "message": message, **more}
        if code:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param:
            self.error["param"] = param

    @property
    def body(self):
        return {"error": self.error}


def bad(message, param=None, code=None):
    """A request that is wrong in any state of the objects."""
    return ApiError(400, message, code, param, checked=True)


def missing_param(param):
    return bad(f"Missing required param: {param}.", param, "parameter_missing")


def unknown_param(param):
    return bad(f"Received unknown parameter: {param}", param, "parameter_unknown")


def exclusive(param, other):
    return bad(f"You may only specify one of these parameters: {param}, {other}.", param, "parameters_exclusive")


def not_found(kind, ident, param=None):
    """404 for the object named by the path (no param), 400 for one named by a parameter."""
    name = {"checkout.session": "checkout.session", "billing_portal.configuration": "configuration"}.get(kind, kind)
    return ApiError(400 if param else 404, f"No such {name}: '{ident}'", "resource_missing", param or "id")


def refused(message, param=None, code=None):
    """A request that the present state of the object does not allow."""
    return ApiError(400, message, code, param)
