"""tollgate factors: the seeds of second factors are stored under another key, and stay what they are."""
OLD, NEW = "o" * 64, "n" * 64
KEYS = {"TOLLGATE_SEED_KEY": NEW, "TOLLGATE_SEED_KEY_BEFORE": OLD}


def add(site, n, key):
    """So many users with a factor whose seed is stored under this key."""
    site.ask("""with users as (
            insert into auth.users (email, email_canonical)
            select a, a from (select gen_random_uuid() || '@example.com' from generate_series(1, %s::int)) v (a)
            returning id)
        insert into auth.factors (user_id, seed, confirmed_at)
        select id, auth.seal_seed(convert_to(id::text, 'UTF8'), %s), now() from users""", str(n), key)


def opened(site, key):
    """How many seeds are right under this key."""
    return site.ask("select count(*) from auth.factors "
                    "where auth.open_seed(seed, %s) = convert_to(user_id::text, 'UTF8')", key)[0][0]


def test_f202_seeds_are_stored_under_a_new_key(site):
    """More of them than one transaction moves, and again after an interruption."""
    add(site, 700, OLD)
    add(site, 3, NEW)
    assert opened(site, f"{NEW} {OLD}") == 703
    done = site.run("factors", "rotate", **KEYS)
    assert done.returncode == 0 and done.stdout.startswith(b"700 moved to the new key, 3 had it already, 0 are")
    assert b"second factors: 703" in done.stderr
    assert opened(site, NEW) == 703
    add(site, 1, "x" * 64)
    again = site.run("factors", "rotate", "--json", TOLLGATE_SEED_KEY=NEW)
    assert again.returncode == 1 and again.stdout == b'{"moved":0,"kept":703,"lost":1}\n'


def test_f202_without_a_key_nothing_is_moved(site):
    done = site.run("factors", "rotate")
    assert done.returncode == 78 and b"auth.seed_key_file is not set" in done.stderr
