"""The three wire formats: what is answered, as documents and events. What is asked is checked in strict.py.

A token is a piece of at most four letters, so that a text of n bytes has more than n / 16 of them; a message costs
three more, and so does the answer. Everything said before the last message was cached, for OpenAI's formats always and
for Anthropic's when the request has a cache_control, which also writes the last message to the cache.
"""
import json
import re

import strict

TOKEN = re.compile(r"\s?\w{1,4}|\s?[^\w\s]|\s")
STATUS_WORDS = {     # of OpenAI: type, code, message; of Anthropic: type, message
    400: ("invalid_request_error", None, "Invalid request."), 401: (
        "invalid_request_error", "invalid_api_key", "Incorrect API key provided: {key}. You can find your API key at"
        " https://platform.openai.com/account/api-keys."),
    403: ("invalid_request_error", "unsupported_country_region_territory", "Permission denied."),
    404: ("invalid_request_error", "model_not_found", "The model `{model}` does not exist or you do not have access to"
          " it."),
    408: ("server_error", "timeout", "Request timed out."), 409: ("conflict_error", None, "Conflict."),
    413: ("invalid_request_error", "request_too_large", "Request too large."),
    422: ("invalid_request_error", None, "Unprocessable."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for {model}. Please try again in 1s."),
    500: ("server_error", None, "The server had an error while processing your request. Sorry about that!"),
    502: ("server_error", None, "Bad gateway."), 504: ("server_error", None, "Gateway timeout."),
    503: ("server_error", "server_is_overloaded", "The server is overloaded. Please try again later.")}
ANTHROPIC_WORDS = {
    400: ("invalid_request_error", "Invalid request."), 401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "There is an issue with your billing or payment information."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model: {model}"), 408: ("timeout_error", "Request timed out."),
    409: ("conflict_error", "Conflict."), 413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your account's rate limit. Please try again later."),
    500: ("api_error", "Internal server error"), 504: ("timeout_error", "Request timed out."),
    529: ("overloaded_error", "Overloaded")}


def tokens(text):
    return TOKEN.findall(text)


def count(said):
    """Tokens of each message, and of what comes with every request."""
    return [3 + len(tokens(text)) for _, text in said], 3


def dump(document):
    """As UTF-8, but for halves of surrogate pairs, which only an escape can say."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return json.dumps(document, separators=(",", ":")) if strict.LONE.search(text) else text


class Wire:
    """One format. A call is the server's.

    Its events are (name or None, document), and a document may be text as well."""
    path, prefix, finishes, named = "", "", {}, True

    def errors(self, status, message, code=None, type_=None, param=None, request_id=None, **more):
        usual = STATUS_WORDS.get(status, STATUS_WORDS[500 if status >= 500 else 400])
        return {"error": {"message": message or usual[2], "type": type_ or usual[0], "param": param,
                          "code": code if message or code else usual[1], **more}}

    def id_header(self):
        return "x-request-id"

    def limits(self):
        return {"x-ratelimit-%s-%s" % (what, of): value for of, values in (
            ("requests", ("500", "499", "120ms")), ("tokens", ("30000", "29900", "6ms")))
            for what, value in zip(("limit", "remaining", "reset"), values)}

    def inputs(self, said, document):
        """Tokens by class: fresh, cache_read, cache_write, cache_write_1h."""
        each, base = count(said)
        return {"fresh": base + each[-1], "cache_read": sum(each[:-1]), "cache_write": 0, "cache_write_1h": 0}

    def limit(self, document):
        return document.get("max_completion_tokens") or document.get("max_tokens") or strict.MAX_OUTPUT


class Chat(Wire):
    path, prefix, named = "chat/completions", "chatcmpl-", False
    check = staticmethod(strict.chat)
    finishes = {"stop": "stop", "length": "length", "filter": "content_filter"}

    def usage(self, call):
        t = call.tell()
        return {"prompt_tokens": t["input"], "completion_tokens": t["output"], "total_tokens": t["total"],
                "prompt_tokens_details": {"cached_tokens": t["cache_read"], "cache_write_tokens": t["written"]},
                "completion_tokens_details": {"reasoning_tokens": t["reasoning"]}}

    def chunk(self, call, choices, usage=None):
        document = {"id": call.id, "object": "chat.completion.chunk", "created": call.created, "model": call.model,
                    "service_tier": "default", "system_fingerprint": None, "choices": choices}
        options = call.document.get("stream_options") or {}
        if usage or call.plan.get("usage_on") == "every":
            document["usage"] = usage or self.usage(call)
        elif options.get("include_usage"):
            document["usage"] = None
        if call.strict and options.get("include_obfuscation", True):
            document["obfuscation"] = "x" * (1 + call.deltas % 16)
        return None, document

    def choice(self, delta, finish=None):
        return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]

    def begin(self, call):
        return [self.chunk(call, self.choice({"role": "assistant", "content": "", "refusal": None}))]

    def delta(self, call, text):
        return self.chunk(call, self.choice({"content": text}))

    def refuse(self, call, text):
        return self.chunk(call, self.choice({"refusal": text}))

    def stop(self, call, finish):
        return [self.chunk(call, self.choice({}, finish))]

    def usages(self, call):
        wanted = (call.document.get("stream_options") or {}).get("include_usage") or not call.strict
        return [self.chunk(call, [], self.usage(call))] if wanted and call.plan.get("usage") != "missing" else []

    def end(self, call):
        return [(None, "[DONE]")]

    def error(self, call, how):
        return [(None, self.errors(500, "The server had an error while processing your request.", None,
                                   "server_error"))]

    def whole(self, call, text, refusal, finish):
        document = {"id": call.id, "object": "chat.completion", "created": call.created, "model": call.model,
                    "choices": [{"index": 0, "logprobs": None, "finish_reason": finish, "message": {
                        "role": "assistant", "content": text or None, "refusal": refusal, "annotations": []}}],
                    "usage": self.usage(call), "service_tier": "default", "system_fingerprint": None}
        if call.plan.get("usage") == "missing":
            del document["usage"]
        return document


class Compatible(Chat):
    check = staticmethod(strict.compatible)


class Responses(Wire):
    path, prefix = "responses", "resp_"
    check = staticmethod(strict.responses)
    finishes = {"stop": "stop", "length": "max_output_tokens", "filter": "content_filter"}

    def limit(self, document):
        return document.get("max_output_tokens") or strict.MAX_OUTPUT

    def usage(self, call):
        t = call.tell()
        return {"input_tokens": t["input"], "input_tokens_details": {"cached_tokens": t["cache_read"],
                                                                     "cache_write_tokens": t["written"]},
                "output_tokens": t["output"], "output_tokens_details": {"reasoning_tokens": t["reasoning"]},
                "total_tokens": t["total"]}

    def response(self, call, status, output=(), usage=None, error=None, reason=None):
        d = call.document
        return {"id": call.id, "object": "response", "created_at": call.created, "status": status, "background": False,
                "error": error, "incomplete_details": {"reason": reason} if reason else None,
                "instructions": d.get("instructions"), "max_output_tokens": d.get("max_output_tokens"),
                "metadata": {}, "model": call.model, "output": list(output), "parallel_tool_calls": True,
                "previous_response_id": None, "store": d.get("store", True) is not False, "temperature": 1.0,
                "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": 1.0,
                "truncation": "disabled", "usage": usage, "user": None}

    def event(self, call, kind, **members):
        document = {"type": kind, **members, "sequence_number": call.sequence}
        call.sequence += 1
        return kind, document

    def part(self, call, text, refusal):
        if refusal is not None:
            return {"type": "refusal", "refusal": refusal}
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def item(self, call, status, content):
        return {"id": call.item, "type": "message", "status": status, "role": "assistant", "content": content}

    def begin(self, call):
        refused = None if call.plan.get("refusal") is None else ""
        return [self.event(call, "response.created", response=self.response(call, "in_progress")),
                self.event(call, "response.in_progress", response=self.response(call, "in_progress")),
                self.event(call, "response.output_item.added", output_index=0, item=self.item(call, "in_progress", [])),
                self.event(call, "response.content_part.added", item_id=call.item, output_index=0, content_index=0,
                           part=self.part(call, "", refused))]

    def delta(self, call, text):
        more = {"logprobs": []}
        if (call.document.get("stream_options") or {}).get("include_obfuscation", True):
            more["obfuscation"] = "x" * (1 + call.deltas % 16)
        return self.event(call, "response.output_text.delta", item_id=call.item, output_index=0, content_index=0,
                          delta=text, **more)

    def refuse(self, call, text):
        return self.event(call, "response.refusal.delta", item_id=call.item, output_index=0, content_index=0,
                          delta=text)

    def stop(self, call, finish):
        where = {"item_id": call.item, "output_index": 0, "content_index": 0}
        text, refusal = call.said()
        part = self.part(call, text, refusal)
        done = ("response.refusal.done", {"refusal": refusal}) if refusal is not None else (
            "response.output_text.done", {"text": text, "logprobs": []})
        item = self.item(call, "completed", [part])
        return [self.event(call, done[0], **where, **done[1]),
                self.event(call, "response.content_part.done", **where, part=part),
                self.event(call, "response.output_item.done", output_index=0, item=item)]

    def usages(self, call):
        return []

    def ended(self, call, text, refusal, finish):
        """The response as its terminal event, or the answer to a request without stream, has it."""
        usage = None if call.plan.get("usage") == "missing" else self.usage(call)
        output = [self.item(call, "completed" if finish == "stop" else "incomplete", [self.part(call, text, refusal)])]
        if finish == "stop":
            return self.response(call, "completed", output, usage)
        return self.response(call, "incomplete", output, usage, reason=finish)

    def end(self, call):
        response = self.ended(call, *call.said(), call.finish)
        return [self.event(call, "response." + response["status"], response=response)]

    def error(self, call, how):
        if how == "failed":
            error = {"code": "server_error", "message": "The model failed to generate a response."}
            return [self.event(call, "response.failed", response=self.response(call, "failed", error=error))]
        return [self.event(call, "error", code="server_error", message="The server had an error.", param=None)]

    def whole(self, call, text, refusal, finish):
        return self.ended(call, text, refusal, finish)


class Messages(Wire):
    path, prefix = "messages", "msg_"
    finishes = {"stop": "end_turn", "length": "max_tokens", "filter": "refusal"}

    def errors(self, status, message, code=None, type_=None, param=None, request_id=None, **more):
        usual = ANTHROPIC_WORDS.get(status, ANTHROPIC_WORDS[500 if status >= 500 else 400])
        error = {"type": type_ or usual[0], "message": message or usual[1], **more}
        if code:
            error["details"] = {"error_code": code}
        return {"type": "error", "error": error, "request_id": request_id}

    def id_header(self):
        return "request-id"

    def limits(self):
        return {"anthropic-ratelimit-%s-%s" % (of, what): value for of in ("requests", "input-tokens", "output-tokens")
                for what, value in (("limit", "50"), ("remaining", "49"), ("reset", "2026-11-30T00:00:00Z"))}

    def limit(self, document):
        return document["max_tokens"]

    def inputs(self, said, document):
        each, base = count(said)
        marked = '"cache_control"' in dump(document)
        read = sum(each[:-1]) if marked else 0
        written = each[-1] if marked else 0
        return {"fresh": base + sum(each) - read - written, "cache_read": read, "cache_write": written,
                "cache_write_1h": 0}

    def check(self, document):
        return strict.messages(document)

    def usage(self, call, output=None):
        t = call.tell()
        return {"input_tokens": t["fresh"], "cache_creation_input_tokens": t["written"],
                "cache_read_input_tokens": t["cache_read"],
                "cache_creation": {"ephemeral_5m_input_tokens": t["cache_write"],
                                   "ephemeral_1h_input_tokens": t["cache_write_1h"]},
                "output_tokens": t["output"] if output is None else output, "service_tier": "standard"}

    def message(self, call, content, stop, usage):
        return {"id": call.id, "type": "message", "role": "assistant", "model": call.model, "content": content,
                "stop_reason": stop, "stop_sequence": None, "stop_details": None, "usage": usage}

    def begin(self, call):
        message = self.message(call, [], None, self.usage(call, 1))
        if call.plan.get("usage") == "missing":
            del message["usage"]
        return [("message_start", {"type": "message_start", "message": message}),
                ("content_block_start", {"type": "content_block_start", "index": 0,
                                         "content_block": {"type": "text", "text": ""}}),
                ("ping", {"type": "ping"})]

    def delta(self, call, text):
        return "content_block_delta", {"type": "content_block_delta", "index": 0,
                                       "delta": {"type": "text_delta", "text": text}}

    refuse = delta

    def after(self, call):
        """A message_delta in mid-stream, of a server that counts on every chunk."""
        return [("message_delta", {"type": "message_delta", "delta": {"stop_reason": None, "stop_sequence": None},
                                   "usage": {"output_tokens": call.tell()["output"]}})]

    def stop(self, call, finish):
        usage = self.usage(call)
        document = {"type": "message_delta", "delta": {"stop_reason": finish, "stop_sequence": None}, "usage": {
            **{k: usage[k] if call.plan.get("inputs_again") else None for k in (
                "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")},
            "output_tokens": usage["output_tokens"]}}
        if call.plan.get("usage") == "missing":
            del document["usage"]
        return [("content_block_stop", {"type": "content_block_stop", "index": 0}), ("message_delta", document)]

    def usages(self, call):
        return []

    def end(self, call):
        return [("message_stop", {"type": "message_stop"})]

    def error(self, call, how):
        return [("error", self.errors(529, None, request_id=call.request_id))]

    def whole(self, call, text, refusal, finish):
        said = text or refusal
        content = [{"type": "text", "text": said}] if said else []
        message = self.message(call, content, finish, self.usage(call))
        if call.plan.get("usage") == "missing":
            del message["usage"]
        return message


WIRES = {w.path: w for w in (Chat(), Responses(), Messages())}
COMPATIBLE = Compatible()
