"""How calls are answered: plans, which tests give, and the rules that say which calls a plan is for."""
import wires

HOW = ("end", "close", "reset", "hang", "error", "failed")
LIES = {"missing": {}, "zero": {"input": 0, "fresh": 0, "cache_read": 0, "written": 0, "cache_write": 0,
                                "cache_write_1h": 0, "output": 0, "reasoning": 0},
        "low": {"output": 1}, "high": {"output": 1000000}, "negative": {"output": -1, "input": -1, "fresh": -1},
        "huge": {"output": 2 ** 63, "input": 2 ** 63, "fresh": 2 ** 63}}
SAY = "You said: {said}"
TELLS = ("input", "fresh", "cache_read", "written", "cache_write", "cache_write_1h", "output", "reasoning", "total")
CLASSES = ("cache_read", "cache_write", "cache_write_1h")


def is_text(v):
    return isinstance(v, str)


def is_count(v):
    return isinstance(v, int) and not isinstance(v, bool) and v >= 0


def is_number(v):
    return isinstance(v, (int, float)) and not isinstance(v, bool) and v >= 0


def is_flag(v):
    return isinstance(v, bool)


def is_cut(v):
    return (isinstance(v, dict) and set(v) in ({"bytes", "how"}, {"deltas", "how"}) and v["how"] in HOW
            and is_count(v.get("bytes", v.get("deltas"))))


def is_usage(v):
    return v in LIES if is_text(v) else isinstance(v, dict) and set(v) <= set(TELLS)


def is_inserts(v):
    return isinstance(v, list) and all(isinstance(p, list) and len(p) == 2 and is_count(p[0]) and is_text(p[1])
                                       for p in v)


PLAN = {
    # an answer that is no stream
    "status": lambda v: is_count(v) and 100 <= v <= 599, "body": lambda v: is_text(v) or isinstance(v, dict),
    "headers": lambda v: isinstance(v, dict) and all(map(is_text, v.values())), "content_type": is_text,
    "message": is_text, "code": is_text, "type": is_text, "html": is_flag,
    # what is said
    "text": is_text, "say": is_text, "words": is_count,
    "deltas": lambda v: isinstance(v, list) and all(map(is_text, v)),
    "flood": is_flag, "line": is_count, "clock": is_flag, "refusal": is_text,
    "finish": lambda v: v is None or is_text(v),
    # when
    "rate": is_number, "first": is_number, "think": is_number, "hang": lambda v: v in ("accept", "head"),
    # usage
    "usage": is_usage, "usage_on": lambda v: v == "every", "usage_after": is_number, "inputs_again": is_flag,
    "inputs": lambda v: isinstance(v, dict) and set(v) <= set(CLASSES) and all(map(is_count, v.values())),
    "reasoning": is_count,
    # how it ends, and how its bytes look
    "cut": is_cut, "terminal": is_flag, "done": is_flag, "insert": is_inserts, "garbage": is_count,
    "newline": lambda v: v in ("\n", "\r\n", "\r"), "last_blank": is_flag, "pieces": lambda v: is_count(v) and v > 0,
    "comments": is_flag,
}
WHERE = ("name", "path", "model", "key", "stream")


def wrong(document):
    """What is wrong with a rule, or None."""
    if not isinstance(document, dict):
        return "a rule is an object"
    if unknown := set(document) - {*WHERE, "times", "plan"}:
        return "unknown: %s" % ", ".join(sorted(unknown))
    if not isinstance(document.get("plan"), dict):
        return "plan is missing"
    if not is_count(document.get("times", 1)):
        return "times is a number"
    bad = [k for k, v in document["plan"].items() if k not in PLAN or not PLAN[k](v)]
    return "not in a plan, or not like that: %s" % ", ".join(bad) if bad else None


class Rules:
    def __init__(self, usual):
        self.usual, self.rules = usual, []

    def add(self, document):
        self.rules.append({"times": 1, **document})

    def clear(self):
        self.rules.clear()

    def take(self, call):
        """The plan of a call: of the first rule that it fits and that is not used up; times 0 never is."""
        for rule in self.rules:
            if all(getattr(call, w) == rule[w] for w in WHERE if w in rule):
                if rule["times"] == 1:
                    self.rules.remove(rule)
                elif rule["times"]:
                    rule["times"] -= 1
                return {**self.usual, **rule["plan"]}
        return dict(self.usual)


def pieces_of(call):
    """The texts of an answer's deltas, and its finish in our words. A text stops at the limit of tokens."""
    plan, most = call.plan, max(call.limit - call.plan.get("reasoning", 0), 0)
    if plan.get("deltas") is not None:
        return plan["deltas"], "stop"
    text = plan.get("refusal", plan.get("text"))
    if text is None and "words" in plan:
        text = " ".join("word%d" % (i % 10) for i in range(plan["words"]))
    if text is None:
        last = [said for role, said in call.messages if role == "user"]
        text = plan.get("say", SAY).replace("{said}", last[-1] if last else "")
    pieces = wires.tokens(text)
    return (pieces[:most], "length") if len(pieces) > most else (pieces, "stop")
