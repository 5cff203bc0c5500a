"""Real connections for the tests that are about several callers at once."""
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import psycopg

numbers = count(1)


def ok(passed, name, detail=""):
    print(f"{'ok' if passed else 'not ok'} {next(numbers)} - {name}")
    if not passed:
        print(f"# {detail}")


def run(tests):
    """Every test_ function of a module, in its order; then the plan."""
    for name, test in list(tests.items()):
        if name.startswith("test_"):
            test()
    print(f"1..{next(numbers) - 1}")


def value(statement, *args):
    """One value, as a superuser; None when there is no row."""
    with psycopg.connect(autocommit=True) as connection:
        row = connection.execute(statement, args).fetchone()
        return row and row[0]


def answer(connection, statement, *args):
    try:
        return connection.execute(statement, args).fetchone()[0]
    except psycopg.Error as error:
        return error.sqlstate


def at_once(n, function):
    """function(0) .. function(n - 1), let go together."""
    gate = threading.Barrier(n)

    def one(i):
        gate.wait()
        return function(i)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(one, range(n)))


def overlapped(first, second, then=None):
    """The answers of two statements, each with its arguments, as a superuser, and whether the second waited for the
    first. The second begins when the first has answered. When the second waits or has answered, the first goes on with
    then, whose answer is its own, and commits."""
    with psycopg.connect() as one, psycopg.connect(autocommit=True) as two, ThreadPoolExecutor(1) as pool:
        early = answer(one, *first)
        later = pool.submit(answer, two, *second)
        while not later.done() and not value("select cardinality(pg_blocking_pids(%s)) > 0", two.info.backend_pid):
            time.sleep(0.002)
        waited = not later.done()
        early = answer(one, *then) if then else early
        one.commit()
        return early, later.result(), waited
