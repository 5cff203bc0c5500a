"""reckoning: where what people were told, conversations, the ledger and the providers' books do not agree."""
import json
import re
import time
from collections import defaultdict
from pathlib import Path

from harness.models import MAX_TOKENS, PRICES

SAID = re.compile(r"([0-9a-f]{16}) says so")
CLASSES = {"fresh": "input"} | {name: name for name in ("cache_read", "cache_write", "cache_write_1h", "output")}
HOLDS = """select h.id, h.request, h.state as hold, h.micros, h.counts, h.counted, h.spent, h.outer_micros, h.model,
        c.units as late, t.kind, t.chat_id, t.user_id, t.state as turn, extract(epoch from h.created_at)::float8 as at,
        m.id as answer, m.state, m.text, m.input, m.output
    from usage.holds h left join usage.corrections c on c.hold_id = h.id left join chat.turns t on t.hold_id = h.id
        left join chat.messages m on m.hold_id = h.id"""
MESSAGES = "select user_id::text, chat_id, id, text from chat.messages where role = 'user'"


class Row:
    def __init__(self, names, values):
        self.__dict__.update(zip(names, values))

    def total(self):
        """Units that its tenant pays."""
        return self.spent + (self.late or 0)

    def is_settled(self):
        return self.hold == "settled" or self.late is not None

    def __repr__(self):
        return str(self.__dict__)


def read(db, sql):
    cursor = db.connection.execute(sql)
    names = [column.name for column in cursor.description]
    return [Row(names, values) for values in cursor]


def asked(call):
    """The message that a call is for, or None: it is none of ours."""
    said = call["request"].get("messages") or call["request"].get("input") or ""
    found = SAID.findall(json.dumps(said[-1:] if isinstance(said, list) else said))
    return found[-1] if found else None


def billed(call):
    return {ours: call[theirs] for theirs, ours in CLASSES.items() if call[theirs]}


def brief(call):
    """For the report."""
    return {name: call[name] for name in ("n", "name", "status", "end", "deltas", "text", "at", "first_at", "finish_at",
                                          "ended_at")}


def micros(counts):
    return -(-sum(n * PRICES[name] for name, n in counts.items()) // 10 ** 6)


class Reckoning:
    def __init__(self, world, talkers, plans):
        self.db, self.plans = world.db, plans
        logs = Path(world.stack["log_dir"])
        ends = logs / "supervisor.log"
        self.log = (logs / "chat.log").read_text()[world.logged:]
        self.ends = ends.read_text() if ends.exists() else ""      # none has ended of itself
        self.told = [told for talker in talkers for told in talker.told]
        self.gone = {chat for talker in talkers for chat in talker.gone}
        self.holds = read(self.db, HOLDS)
        self.by_answer = {h.request.removeprefix("chat:"): h for h in self.holds}
        self.messages = {row[:3]: row[3] for row in self.db.rows(MESSAGES)}
        self.calls = world.models.books()
        self.wrong = []

    def check(self, holds, what, *who):
        if not holds:
            print(what, *who, sep="\n    ")     # whole, where pytest shortens
            self.wrong.append((what, *map(str, who)))

    def is_text(self, call):
        """Whether it gave an answer that could be read, so that nobody else was asked after it."""
        return call["deltas"] > 0 and call["end"] in ("done", "cancelled") and call["text"].split()[0] in self.plans

    def faults(self):
        """All that is wrong: [(what, where)]."""
        for fault in self.db.value("select usage.faults()"):
            self.check(False, "the sums", fault)
        self.check_turns()
        self.check_calls()
        self.check_answers()
        for told in self.told:
            self.check_told(told)
        self.check_log()
        return self.wrong[:20]

    def check_turns(self):
        """Each hold is a turn's, and both have ended, and so has what they wrote."""
        for h in self.holds:
            self.check(h.kind is not None, "a hold without a turn", h)
            self.check(h.hold in ("settled", "expired") and h.turn != "open" and h.state != "open", "open", h)
        lost = self.db.value("select count(*) from chat.turns t where not exists "
                             "(select from usage.holds h where h.id = t.hold_id)")
        self.check(lost == 0, "turns without a hold", lost)
        self.check(self.db.value("select count(*) from chat.messages where state = 'open'") == 0, "open messages")

    def check_calls(self):
        """Each is for a message of somebody's, and there was never an answer more than holds that had begun."""
        chats = {told.message: (told.person.id, told.chat) for told in self.told}
        offset, times = time.time() - time.monotonic(), defaultdict(list)
        for call in self.calls:
            self.check(call["end"] is not None, "still answered", call)
            if not call["stream"] or call["request"] is None:
                continue
            chat = chats.get(asked(call))
            self.check(chat is not None, "a call for nobody", call)
            times[chat].append((call["at"] + offset, -self.is_text(call), brief(call)))
        for h in self.holds:
            if h.kind == "answer":
                times[str(h.user_id), h.chat_id].append((h.at - 0.01, 1, h))
        for chat, moves in times.items():
            free, tries = 0, 0
            moves.sort(key=lambda move: move[0])
            for _, move, _ in moves:
                free += move
                tries += 4 if move > 0 else -1
                self.check(free >= 0, "an answer without a hold", chat, moves)
                self.check(tries >= 0, "more calls than there may be", chat, moves)

    def check_answers(self):
        """What is kept of an answer is of one call, which is no other answer's, and is counted as the rules say."""
        calls = {call["text"].split()[0]: call for call in self.calls if call["text"]}
        owners = {}
        for h in self.holds:
            if h.state is None or not h.text.strip():
                self.check(h.state != "failed" or h.total() == 0, "paid for nothing", h)
                continue
            word = h.text.split()[0]
            if word not in self.plans:
                part = [call for call in self.calls if call["text"].startswith(h.text)]
                self.check(part, "nobody's text", h)
                continue
            self.check(word not in owners, "one text twice", h, owners.get(word))
            owners[word] = h
            self.check_answer(h, calls[word], self.plans[word])

    def check_answer(self, h, call, plan):
        self.check(call["text"].startswith(h.text), "another text", h, call)
        self.check(h.state != "complete" or call["text"] == h.text, "not the whole text", h, call)
        if h.is_settled():
            self.check((h.input or 0) + (h.output or 0) == h.total(), "counted otherwise", h)
            self.check(h.output >= min(MAX_TOKENS, -(-len(h.text.encode()) // 3) if h.counted == "measured" else 1),
                       "less than the text", h)
        if h.hold == "settled" and h.counted == "told" and "usage" not in plan:
            self.check(h.counts == billed(call), "not what the provider counts", h, call)
        if h.hold == "expired" and h.late is None:
            self.check(h.outer_micros >= max(h.micros, micros(billed(call))), "less than it may have cost", h, call)

    def check_told(self, told):
        if not told.answer:
            return
        h = self.by_answer.get(told.answer)
        self.check(h is not None, "answered without a hold", told)
        if h is None:
            return
        usage = told.finish.get("messageMetadata", {}).get("usage", {})
        if "left" in told.finish.get("messageMetadata", {}) and None not in usage.values():
            self.check(h.is_settled() and h.total() == sum(usage.values()), "not what was told", told, h)
        if h.is_settled() and h.counts and told.text and h.hold == "settled":
            self.check(h.counts.get("output", 0) > 0, "read and not paid", told, h)
        if told.chat in self.gone:
            return
        kept = self.messages.get((told.person.id, told.chat, told.message))
        self.check(kept == told.said, "a message is lost", told, kept)
        if h.state is None:
            return      # it was answered once more
        same = h.text.startswith(told.text) or not h.is_settled() and told.text.startswith(h.text)
        self.check(same and (not told.finish or not h.is_settled() or h.text == told.text), "kept otherwise", told, h)

    def check_log(self):
        """The program ends when it is told to, or killed by us. A settlement fails only while the database is away."""
        for number in re.findall(r"chat ended with (\S+)", self.ends):
            self.check(number in ("0", "-9"), "the program ended", number)
        for line in self.log.splitlines():
            if '"settle"' in line and "given up" not in line:
                self.check(False, "a settlement", line)
