/* document: what is fetched when, and what serves while nothing newer can be had. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "clock.h"
#include "document.h"
#include "unit.h"

#define ANSWER(head, body) "HTTP/1.1 " head "\r\nConnection: close\r\n\r\n" body
#define GOOD(n) ANSWER("200 OK", "{\"n\":" #n "}")

enum { MOST = 6, AGAIN_MS = 150, WAIT_MS = 200 };

/* Gives one answer to each connection, the last one again and again; "" is silence for a while. */
struct server {
	int		fd;
	const char	*answers[MOST];
	unsigned	n;
	atomic_uint	asked;
	int		slow_ms;
	pthread_t	thread;
};

static void
rest(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

static void *
serve(void *arg)
{
	struct server	*s = arg;
	char		request[2048];
	int		fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		unsigned	i = atomic_fetch_add(&s->asked, 1);
		const char	*answer = s->answers[i < s->n ? i : s->n - 1];

		(void)!read(fd, request, sizeof(request));
		rest(s->slow_ms);
		(void)!write(fd, answer, strlen(answer));
		close(fd);
	}
	return NULL;
}

static const char *
no_fault(mem_ctx *mem, const void *arg, struct json_object *doc)
{
	(void)mem, (void)arg;
	return json_int(doc, "/n", 0) == 13 ? "is unlucky" : NULL;
}

static struct document *
begin(mem_ctx *mem, struct server *s, int kept_ms)
{
	struct sockaddr_in	a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t		size = sizeof(a);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(listen(s->fd, 16), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &size), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	return document_open(mem, &(struct document_options){ .https = https_open(mem, true),
	    .url = mem_printf(mem, "http://127.0.0.1:%d/keys", ntohs(a.sin_port)), .least_ms = kept_ms, .most_ms = kept_ms,
	    .again_ms = AGAIN_MS, .wait_ms = WAIT_MS, .fault = no_fault });
}

static void
end(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

/* The number in the document; -1: there is none. */
static int
number(struct document *d, enum document_wish wish)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;
	const char		*why;
	int			n = document_read(d, mem, wish, &doc, &why) == OK ? (int)json_int(doc, "/n", 0) : -1;

	assert_non_null(why);
	talloc_free(mem);
	return n;
}

static void
test_f215_what_there_is_serves_while_nothing_newer_can_be_had(void **state)
{
	struct server	s = { .answers = { GOOD(1), ANSWER("500 Oh", ""), ANSWER("200 OK", "[]"), GOOD(13), "", GOOD(2) },
	    .n = 6 };
	struct document	*d = begin(*state, &s, 0);

	assert_int_equal(number(d, DOCUMENT_ANY), 1);
	for (unsigned i = 2; i <= 5; i++) {
		rest(AGAIN_MS + 5);
		assert_int_equal(number(d, DOCUMENT_ANY), 1);
		assert_int_equal(s.asked, i);
	}
	rest(AGAIN_MS + 5);
	assert_int_equal(number(d, DOCUMENT_ANY), 2);
	end(&s);
}

/* Whether there is news, and the end of what failed. */
static const char *
news(mem_ctx *mem, struct document *d)
{
	const char	*why;

	if (!document_news(d, mem, &why))
		return "none";
	return why == NULL ? "good" : strstr(why, "/keys ");
}

static void
test_f214_a_fetch_that_fails_is_told_while_an_earlier_one_serves(void **state)
{
	struct server	s = { .answers = { GOOD(1), GOOD(13), GOOD(2) }, .n = 3 };
	struct document	*d = begin(*state, &s, 0);

	assert_string_equal(news(*state, d), "none");
	assert_int_equal(number(d, DOCUMENT_ANY), 1);
	assert_string_equal(news(*state, d), "good");
	assert_int_equal(number(d, DOCUMENT_ANY), 1);
	assert_string_equal(news(*state, d), "none");
	rest(AGAIN_MS + 5);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(number(d, DOCUMENT_ANY), 1);
		assert_string_equal(news(*state, d), "/keys is unlucky");
	}
	rest(AGAIN_MS + 5);
	assert_int_equal(number(d, DOCUMENT_ANY), 2);
	assert_string_equal(news(*state, d), "good");
	assert_string_equal(news(*state, d), "none");
	assert_int_equal(s.asked, 3);
	end(&s);
}

static void
test_f215_a_newer_one_is_looked_for_once_in_a_while(void **state)
{
	struct server	s = { .answers = { GOOD(1), GOOD(2) }, .n = 2 };
	struct document	*d = begin(*state, &s, 60000);

	for (int i = 0; i < 5; i++)
		assert_int_equal(number(d, DOCUMENT_NEWER), 1);
	assert_int_equal(s.asked, 1);
	rest(AGAIN_MS + 5);
	assert_int_equal(number(d, DOCUMENT_ANY), 1);
	assert_int_equal(number(d, DOCUMENT_NEWER), 2);
	assert_int_equal(s.asked, 2);
	end(&s);
}

static void
test_f215_without_one_it_is_not_asked_for_at_once_again(void **state)
{
	struct server	s = { .answers = { ANSWER("503 No", ""), GOOD(1) }, .n = 2 };
	struct document	*d = begin(*state, &s, 60000);

	assert_int_equal(number(d, DOCUMENT_ANY), -1);
	assert_int_equal(number(d, DOCUMENT_ANY), -1);
	assert_int_equal(s.asked, 1);
	end(&s);
}

static void *
read_newer(void *d)
{
	return (void *)(intptr_t)number(d, DOCUMENT_NEWER);
}

static void
test_f215_one_fetches_and_others_have_the_earlier_one_at_once(void **state)
{
	struct server	s = { .answers = { GOOD(1), GOOD(2) }, .n = 2 };
	struct document	*d = begin(*state, &s, 60000);
	pthread_t	thread;
	void		*found;

	assert_int_equal(number(d, DOCUMENT_ANY), 1);
	rest(AGAIN_MS + 5);
	s.slow_ms = 400;
	assert_int_equal(pthread_create(&thread, NULL, read_newer, d), 0);
	rest(100);
	assert_int_equal(number(d, DOCUMENT_NEWER), 1);
	pthread_join(thread, &found);
	assert_int_equal((intptr_t)found, 2);
	assert_int_equal(s.asked, 2);
	end(&s);
}

/* A fetch for keys that are not in it fails while it is young: the operator is told, and once it is good again too. */
static void
test_f215_after_a_fetch_that_failed_another_one_follows_soon(void **state)
{
	struct server	s = { .answers = { GOOD(1), ANSWER("500 Oh", ""), GOOD(2) }, .n = 3 };
	struct document	*d = begin(*state, &s, 60000);

	assert_int_equal(number(d, DOCUMENT_ANY), 1);
	rest(AGAIN_MS + 5);
	assert_int_equal(number(d, DOCUMENT_NEWER), 1);
	assert_int_equal(number(d, DOCUMENT_ANY), 1);
	assert_int_equal(s.asked, 2);
	rest(AGAIN_MS + 5);
	assert_int_equal(number(d, DOCUMENT_ANY), 2);
	assert_string_equal(news(*state, d), "good");
	rest(AGAIN_MS + 5);
	assert_int_equal(number(d, DOCUMENT_ANY), 2);
	assert_int_equal(s.asked, 3);
	end(&s);
}

static void
test_s02_who_may_not_wait_has_what_there_is(void **state)
{
	struct server	s = { .answers = { GOOD(1), GOOD(2) }, .n = 2, .slow_ms = 300 };
	struct document	*d = begin(*state, &s, 60000);
	pthread_t	thread;
	void		*found;

	assert_true(document_waits(d));
	assert_int_equal(number(d, DOCUMENT_KEPT), -1);
	assert_int_equal(s.asked, 0);
	assert_int_equal(pthread_create(&thread, NULL, read_newer, d), 0);
	rest(100);
	assert_true(document_waits(d));
	assert_int_equal(number(d, DOCUMENT_KEPT), -1);
	pthread_join(thread, &found);
	assert_int_equal((intptr_t)found, 1);
	assert_false(document_waits(d));
	rest(AGAIN_MS + 5);
	assert_int_equal(pthread_create(&thread, NULL, read_newer, d), 0);
	rest(100);
	assert_false(document_waits(d));
	pthread_join(thread, &found);
	assert_int_equal((intptr_t)found, 2);
	end(&s);
}

static void
test_s02_without_one_others_wait_for_a_moment(void **state)
{
	struct server	s = { .answers = { GOOD(1) }, .n = 1, .slow_ms = 500 };
	struct document	*d = begin(*state, &s, 60000);
	pthread_t	thread;
	void		*found;
	int64_t		begun;

	assert_int_equal(pthread_create(&thread, NULL, read_newer, d), 0);
	rest(50);
	begun = clock_ms();
	assert_int_equal(number(d, DOCUMENT_ANY), -1);
	assert_in_range(clock_ms() - begun, WAIT_MS - 1, 2 * WAIT_MS);
	rest(150);
	assert_int_equal(number(d, DOCUMENT_ANY), 1);
	pthread_join(thread, &found);
	assert_int_equal((intptr_t)found, 1);
	assert_int_equal(s.asked, 1);
	end(&s);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f215_what_there_is_serves_while_nothing_newer_can_be_had),
		TEST(test_f214_a_fetch_that_fails_is_told_while_an_earlier_one_serves),
		TEST(test_f215_a_newer_one_is_looked_for_once_in_a_while),
		TEST(test_f215_without_one_it_is_not_asked_for_at_once_again),
		TEST(test_f215_one_fetches_and_others_have_the_earlier_one_at_once),
		TEST(test_f215_after_a_fetch_that_failed_another_one_follows_soon),
		TEST(test_s02_who_may_not_wait_has_what_there_is),
		TEST(test_s02_without_one_others_wait_for_a_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
