"""talkers: people who chat, each in a conversation after the other, and the providers that fail them."""
import http.client
import random
import threading
import time
from dataclasses import dataclass, field

import psycopg
from chatting import Answer, Chat, Models, new_id
from client import Browser
from journey import sign_in
from life import Life
from world import PATIENCE, SEED, TALLY, Threads, try_connect

MOST_TURNS = 6      # of a conversation, which is told as a whole each time
WAYS = ("read",) * 6 + ("leave",) * 4 + ("unread", "stop", "stop", "tabs", "same", "again", "regenerate", "title",
                                         "delete", "new")
QUEUE = 300         # plans that wait for calls
FAILED = ({"status": 500}, {"status": 502}, {"status": 503}, {"status": 529}, {"html": True}, {"garbage": 4},
          {"status": 429, "code": "rate_limit_exceeded", "headers": {"retry-after": "3600"}},
          {"status": 429, "code": "slow_down"}, {"status": 401}, {"status": 404}, {"hang": "accept"}, {"hang": "head"},
          {"status": 429, "code": "credit_balance_exhausted", "type": "insufficient_quota"})
LIES = ("missing", "zero", "low", "high", "negative", "huge")
HOWS = ("end", "close", "reset", "hang", "error")
FAULTS = ("", "busy", "invalid", "provider", "unavailable", "uncertain", "limit")
EXPIRES = "expires_at = now() where id = (select id from usage.holds where state = 'held' order by random() limit 1)"
# As if longer had passed: who is tried again, and whose program has been silent.
LATER = ("update chat.breakers set until = least(until, now() + interval '200 ms')",
         "update chat.turns set seen_at = seen_at - interval '30 s' where state = 'open' "
         "and seen_at between now() - interval '30 s' and now() - interval '3 s'")


@dataclass
class Told:
    """What somebody was told of one message. answer: our id of the answer, "" when none has begun."""
    person: object
    chat: str
    message: str
    said: str
    answer: str = ""
    text: str = ""
    finish: dict = field(default_factory=dict)
    fault: str = ""

    def read(self, answer):
        start = answer.of("start")
        self.answer = start[0]["messageId"] if start else ""
        self.text = answer.text
        self.finish = answer.of("finish")[0] if answer.of("finish") else {}
        self.fault = (answer.error or {}).get("code", "")


class Person:
    """Somebody with a plan, who is signed in."""

    def __init__(self, world, plan):
        self.world, self.life, self.browser = world, Life(world, plan), Browser(world.stack["url"])
        self.life.sign_up()
        assert self.life.act("pay")

    def sign_in(self):
        sign_in(self.browser, self.world.mail, self.life.email)
        self.id = str(self.world.db.value("select id from auth.users where email_canonical = %s", self.life.email))


class Talker:
    """One at a keyboard. told: all that was sent; gone: conversations that were deleted; answered: whole answers."""

    def __init__(self, person, dice):
        self.person, self.dice, self.told, self.gone, self.answered = person, dice, [], set(), 0
        self.wait = threading.Event()
        self.new()

    def new(self):
        self.chat, self.turns, self.last = Chat(self.person.browser), 0, None

    def act(self):
        if self.turns >= MOST_TURNS:
            self.new()
        kind = self.dice.choice(WAYS)
        TALLY[f"chat: {kind}"] += 1
        getattr(self, kind)()

    # -- one request

    def tell(self, said=None, message=None):
        message = message or new_id()
        told = Told(self.person, self.chat.id, message, said or f"{message} says " + "so " * self.dice.randint(1, 20))
        self.told.append(told)
        self.turns += 1
        return told

    def begin(self, told, allowed=(), **more):
        """Its answer, or None: nobody is there."""
        try:
            connection = self.chat.open_only(self.chat.document(told.said, told.message, **more))
            answer = Answer(connection, connection.getresponse())
        except (OSError, http.client.HTTPException):
            TALLY["chat: answers 0"] += 1
            return None
        answer.url = self.chat.browser.base
        answer.header_all = lambda name: [v for k, v in answer.headers if k.lower() == name.lower()]
        self.chat.browser.keep_cookies(answer)
        TALLY[f"chat: answers {answer.status} {(answer.json or {}).get('code', '')}"] += 1
        assert answer.status in (200, 409, 429, 502, 503, 504, *allowed), (told, answer)
        return answer

    def finish(self, told, answer):
        """Reads it to its end."""
        if answer is not None:
            answer.all()
            told.read(answer)
            self.answered += bool(told.finish)
            assert told.fault in FAULTS, (told, answer)
        return answer

    # -- the ways

    def read(self, **more):
        """To a whole answer: by the same message, until that is answered."""
        told, allowed = self.tell(), ()
        end = time.monotonic() + 4 * PATIENCE       # the server is away most of the time
        while True:
            answer = self.finish(told, self.begin(told, allowed, **more))
            if told.finish or self.wait.is_set():
                self.last = told
                return
            assert time.monotonic() < end, f"never answered: {told}"
            time.sleep(0.3)
            # One that was sent before, by a client that has left, may be taken later and then is the last of the two.
            overtaken = answer is not None and answer.status == 422
            told, allowed = (self.tell(), ()) if overtaken else (self.tell(told.said, told.message), (422,))

    def leave(self):
        """In mid-stream, or before."""
        told = self.tell()
        answer = self.begin(told)
        if answer is not None and answer.is_stream():
            end = time.monotonic() + self.dice.random()
            while time.monotonic() < end and answer.more():
                pass
            answer.close()
            told.read(answer)

    def unread(self):
        told = self.tell()
        try:
            connection = self.chat.open_only(self.chat.document(told.said, told.message))
            time.sleep(self.dice.random() / 2)
            connection.close()
        except (OSError, http.client.HTTPException):
            pass

    def stop(self):
        """And another at once."""
        self.leave()
        self.read()

    def tabs(self):
        """Two of one conversation: the later is answered, and the former ends."""
        one, two = self.tell(), self.tell()
        first = self.begin(one)
        second = self.begin(two)
        self.finish(two, second)
        self.finish(one, first)

    def same(self):
        """One message twice at once."""
        one = self.tell()
        two = self.tell(one.said, one.message)
        other = threading.Thread(target=lambda: self.finish(two, self.begin(two)))
        other.start()
        self.finish(one, self.begin(one))
        other.join()

    def again(self):
        """An earlier message of this conversation."""
        earlier = [told for told in self.told if told.chat == self.chat.id and told.answer]
        if earlier:
            told = self.dice.choice(earlier)
            told = self.tell(told.said, told.message)
            self.finish(told, self.begin(told, allowed=(422,)))

    def regenerate(self):
        if self.last is None or self.last is not self.told[-1]:
            self.read()
        told = self.tell(self.last.said, self.last.message)
        self.finish(told, self.begin(told, trigger="regenerate-message"))
        self.last = None

    def title(self):
        self.leave()
        answer = self.api(f"/{self.chat.id}/title", "POST", {})
        assert answer in (0, 200, 402, 404, 409, 422, 429, 502, 503, 504), answer

    def delete(self):
        self.leave()
        if self.api(f"/{self.chat.id}", "DELETE") in (0, 200, 204, 502, 503, 504):
            self.gone.add(self.chat.id)
        self.new()

    def api(self, path, method, body=None):
        try:
            return self.chat.api(path, method, body).status
        except (OSError, http.client.HTTPException):
            return 0


class Crowd(Threads):
    """All talkers at once, until the end of the block. wrong: what must not have happened."""

    def __init__(self, persons, number):
        self.talkers = [Talker(persons[n % len(persons)], random.Random(f"{SEED} {n}")) for n in range(number)]
        self.done, self.wrong = threading.Event(), []
        self.threads = [threading.Thread(target=self.run, args=(t,)) for t in self.talkers]

    def run(self, talker):
        talker.wait = self.done
        try:
            while not self.done.is_set():
                talker.act()
        except Exception as e:      # pylint: disable=broad-except
            self.wrong.append(repr(e))

    def answered(self):
        return sum(talker.answered for talker in self.talkers)


class Weather:
    """What providers do, and how time passes. plans: by the word that an answer's text begins with. calm: only time
    passes."""

    def __init__(self, world, calm=False):
        self.url, self.models, self.calm = world.stack["database_url"], Models(world.stack["models_url"]), calm
        self.dice, self.plans, self.done = random.Random(f"{SEED} weather"), {}, threading.Event()
        self.thread = threading.Thread(target=self.run)

    def plan(self):
        """One call's. Most go well."""
        dice = self.dice
        if dice.random() < 0.25:
            return dict(dice.choice(FAILED))
        word = "t" + new_id()
        plan = {"text": f"{word} " + " ".join("word%d" % n for n in range(dice.randint(1, 40))),
                "rate": dice.choice((20, 50, 200, 1000)), "think": dice.choice((0, 0, 0.1, 0.5))}
        if dice.random() < 0.2:
            plan["usage"] = dice.choice(LIES)
        if dice.random() < 0.2:
            plan["cut"] = {"deltas": dice.randint(0, 30), "how": dice.choice(HOWS)}
        if dice.random() < 0.1:
            plan["usage_after"] = dice.random()
        if dice.random() < 0.05:
            plan["terminal"] = False
        if dice.random() < 0.1:
            plan["reasoning"] = dice.randint(1, 50)
        self.plans[word] = plan
        return plan

    def fill(self):
        if not self.calm and len(self.models.rules()) < QUEUE:
            self.models.put([{"plan": self.plan()} for _ in range(QUEUE)])

    def run(self):
        db = None
        while not self.done.wait(0.1):
            self.fill()
            db = db or try_connect(self.url)
            try:
                for statement in LATER if db else ():
                    db.execute(statement)
                if db and not self.calm and self.dice.random() < 0.1:
                    db.execute("update usage.holds set " + EXPIRES)
            except psycopg.Error:
                db = None       # the server is away

    def __enter__(self):
        if not self.calm:
            self.models.clear()
        self.fill()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
