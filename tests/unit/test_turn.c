/* turn: who is asked, how often, what comes of it, and what counts. The server does what each test's script says. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "turn.h"
#include "unit.h"

#define KEY "sk-test-4242"
#define ANSWER(status, type, more) "HTTP/1.1 " status "\r\nContent-Type: " type "\r\nConnection: close\r\n" more "\r\n"
#define STREAM ANSWER("200 OK", "text/event-stream; charset=utf-8", "X-Request-Id: req_1\r\n")
#define ERROR(status, more, body) ANSWER(status, "application/json", more) body
#define EVENT(data) "data: " data "\n\n"
#define TEXT(t) EVENT("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" t "\"},\"finish_reason\":null}]}")
#define FINISH EVENT("{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}")
#define USAGE EVENT("{\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":12}}")
#define DONE EVENT("[DONE]")
#define GOOD STREAM TEXT("Hel") TEXT("lo") FINISH USAGE DONE
#define OTHER_GOOD STREAM \
	EVENT("{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":15,\"output_tokens\":1}}}") \
	EVENT("{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Other\"}}") \
	EVENT("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":9}}") \
	EVENT("{\"type\":\"message_stop\"}")

enum { MOST = 6, ROOM = 64 * 1024, SOON_MS = 5000, INPUT = 40 };

enum then { CLOSE, RESET, HANG /* until the client has gone */, FLOOD /* the last event again and again */ };

struct step {
	const char	*says;		/* NULL ends a script */
	enum then	then;
	const char	*later;		/* said after a moment; or NULL */
};

struct server {
	int		fd;
	int		bell;		/* an eventfd that rings when a request has come; 0: none */
	uint16_t	port;
	struct step	steps[MOST];
	char		asked[MOST][ROOM];
	atomic_uint	n;		/* requests that came */
	atomic_uint	left;		/* connections that the client closed while a step hung */
	pthread_t	thread;
};

/* A test's turn: its server, what the turn was given, and what it gave. */
struct scene {
	mem_ctx				*mem;
	struct server			server;
	struct config			config;
	struct config_model_provider	providers[2];
	struct turn_candidate		candidates[2];
	struct wire_message		message;
	struct turn_request		q;
	struct turn_calls		calls;
	struct turn_result		out;
	struct buf			text;
	unsigned			texts, ticks, n_called;
	unsigned			stop_text, stop_tick;	/* the first call that is answered with ERR_CLOSED; 0: none */
	struct turn_call		called[MOST];
};

static void
say(int fd, const char *text)
{
	size_t	n = strlen(text);

	for (ssize_t sent = 1; n > 0 && sent > 0; text += sent, n -= (size_t)sent) {
		sent = send(fd, text, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
	}
}

/* One request, with its body. */
static void
request_read(int fd, char *into)
{
	const char	*body, *length;
	size_t		n = 0;

	for (ssize_t got = 1; got > 0; n += (size_t)got) {
		body = strstr(into, "\r\n\r\n");
		length = strstr(into, "Content-Length: ");
		if (body != NULL && length != NULL && strlen(body + 4) >= strtoul(length + 16, NULL, 10))
			return;
		got = recv(fd, into + n, ROOM - n - 1, 0);
		if (got <= 0)
			return;
	}
}

static void
step_end(struct server *s, const struct step *step, int fd)
{
	const struct linger	at_once = { .l_onoff = 1 };
	char			rest[64];

	if (step->later != NULL) {
		usleep(100000);
		say(fd, step->later);
	}
	while (step->then == FLOOD && send(fd, TEXT("0123456789012345678901234567890123456789"),
	    strlen(TEXT("0123456789012345678901234567890123456789")), MSG_NOSIGNAL) > 0)
		;
	if (step->then == RESET) {
		usleep(50000);		/* what was said is read before the reset discards it */
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	} else if (step->then != CLOSE) {
		poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, SOON_MS);
		s->left += recv(fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0;
	}
	close(fd);
}

static void *
server_run(void *arg)
{
	struct server	*s = arg;
	int		fd;

	for (unsigned i = 0; (fd = accept(s->fd, NULL, NULL)) >= 0; i++) {
		if (i >= MOST || s->steps[i].says == NULL) {
			s->n++;		/* more than the script has: the test sees the number */
			close(fd);
			continue;
		}
		request_read(fd, s->asked[i]);
		s->n++;
		if (s->bell > 0)
			eventfd_write(s->bell, 1);
		say(fd, s->steps[i].says);
		step_end(s, &s->steps[i], fd);
	}
	return NULL;
}

static enum err
on_text(void *own, const char *utf8, size_t n)
{
	struct scene	*s = own;

	buf_put(&s->text, utf8, n);
	return ++s->texts == s->stop_text ? ERR_CLOSED : OK;
}

static enum err
on_tick(void *own)
{
	struct scene	*s = own;

	return ++s->ticks >= s->stop_tick && s->stop_tick > 0 ? ERR_CLOSED : OK;
}

static void
on_called(void *own, const struct turn_call *call)
{
	struct scene	*s = own;

	assert_true(s->n_called < MOST);
	s->called[s->n_called++] = *call;
}

static void
server_open(struct server *s)
{
	struct sockaddr_in	a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t		size = sizeof(a);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &size), 0);
	s->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, server_run, s), 0);
}

/* Two candidates: "first" speaks Chat Completions at /a, "second" Anthropic's Messages at /b. */
static struct scene *
scene_new(mem_ctx *mem)
{
	struct scene	*s = talloc_zero(mem, struct scene);

	s->mem = mem;
	s->text.ctx = mem;
	server_open(&s->server);
	s->providers[0] = (struct config_model_provider){ "first", "openai-chat",
		mem_printf(mem, "http://127.0.0.1:%d/a", s->server.port), "bearer", "", "max_tokens", true, KEY };
	s->providers[1] = (struct config_model_provider){ "second", "anthropic",
		mem_printf(mem, "http://127.0.0.1:%d/b", s->server.port), "x-api-key", "2026-10-21", "", false, KEY "-2" };
	s->config.model_providers = s->providers;
	s->config.n_model_providers = 2;
	s->config.chat.first_ms = s->config.chat.fallback_ms = s->config.chat.idle_ms = SOON_MS;
	s->config.chat.total_ms = 2 * SOON_MS;
	s->candidates[0] = (struct turn_candidate){ "first", "m1", 0, false };
	s->candidates[1] = (struct turn_candidate){ "second", "m2", 50, false };
	s->message = (struct wire_message){ "user", "Hi" };
	s->q = (struct turn_request){ .config = &s->config, .https = https_open(mem, true), .mem = mem,
		.candidates = s->candidates, .n_candidates = 2, .messages = &s->message, .n_messages = 1, .max_tokens = 100,
		.input = INPUT, .stream = true };
	s->calls = (struct turn_calls){ .own = s, .text = on_text, .tick = on_tick, .called = on_called, .other_fd = -1 };
	return s;
}

static void
server_close(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

/* Runs the turn to its end against this script, whose every step must be asked for, and no more. */
static void
scene_play(struct scene *s, const struct step *script)
{
	unsigned	n = 0;

	for (; script[n].says != NULL; n++)
		s->server.steps[n] = script[n];
	turn_run(&s->q, &s->calls, &s->out);
	buf_puts(&s->text, "");
	server_close(&s->server);
	assert_int_equal(s->server.n, n);
	assert_int_equal(s->n_called, n);
}

#define play(s, ...) scene_play((s), (const struct step[]){ __VA_ARGS__, { 0 } })

static void
came(const struct scene *s, enum turn_end end, const char *provider, const char *text)
{
	assert_int_equal(s->out.end, end);
	assert_string_equal(s->out.provider, provider);
	assert_string_equal(s->text.data, text);
	assert_int_equal(s->out.text_bytes, strlen(text));
}

static void
used(const struct scene *s, int64_t input, int64_t output, bool measured, unsigned alerts)
{
	assert_int_equal(s->out.usage.fresh, input);
	assert_int_equal(s->out.usage.output, output);
	assert_int_equal(s->out.measured, measured);
	assert_int_equal(s->out.alerts, alerts);
}

static void
test_an_answer_comes_piece_by_piece_with_what_it_used(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "first", "Hello");
	used(s, 20, 12, false, 0);
	assert_int_equal(s->texts, 2);
	assert_int_equal(s->out.deltas, 2);
	assert_string_equal(s->out.model, "m1");
	assert_string_equal(turn_finish(s->out.end), "stop");
	assert_string_equal(s->called[0].outcome, "ok");
	assert_int_equal(s->called[0].status, 200);
	assert_in_range(s->called[0].first_ms, 0, s->called[0].ms);
}

static void
test_each_provider_is_asked_in_its_own_way(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ERROR("404 Gone", "", ""), CLOSE, NULL }, { OTHER_GOOD, CLOSE, NULL });
	assert_non_null(strstr(s->server.asked[0], "POST /a/chat/completions HTTP/1.1\r\n"));
	assert_non_null(strstr(s->server.asked[0], "\r\nAuthorization: Bearer " KEY "\r\n"));
	assert_non_null(strstr(s->server.asked[0], "\"max_tokens\":100,"));
	assert_null(strstr(s->server.asked[0], "anthropic-version"));
	assert_non_null(strstr(s->server.asked[1], "POST /b/messages HTTP/1.1\r\n"));
	assert_non_null(strstr(s->server.asked[1], "\r\nx-api-key: " KEY "-2\r\n"));
	assert_non_null(strstr(s->server.asked[1], "\r\nanthropic-version: 2026-10-21\r\n"));
	assert_non_null(strstr(s->server.asked[1], "\"max_tokens\":50,"));
	assert_null(strstr(s->server.asked[1], "Authorization"));
	assert_null(strstr(s->server.asked[1], "Expect"));
}

static void
test_without_a_key_none_is_sent(void **state)
{
	struct scene	*s = scene_new(*state);

	s->providers[0].key = "";
	play(s, { GOOD, CLOSE, NULL });
	assert_null(strstr(s->server.asked[0], "Authorization"));
}

static void
test_an_answer_may_come_whole(void **state)
{
	struct scene	*s = scene_new(*state);

	s->q.stream = false;
	play(s, { ANSWER("200 OK", "application/json", "") "{\"choices\":[{\"index\":0,"
	    "\"message\":{\"content\":\"A title\"},\"finish_reason\":\"stop\"}],"
	    "\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":4}}", CLOSE, NULL });
	came(s, TURN_STOP, "first", "A title");
	used(s, 20, 4, false, 0);
	assert_int_equal(s->texts, 1);
	assert_null(strstr(s->server.asked[0], "\"stream\""));
}

static void
test_f126_a_failure_is_tried_again_once(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ERROR("500 Oh", "", "{}"), CLOSE, NULL }, { GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "first", "Hello");
	assert_string_equal(s->called[0].outcome, "error");
	assert_int_equal(s->called[0].status, 500);
	assert_string_equal(s->called[1].outcome, "ok");
}

static void
test_f126_after_two_failures_another_is_asked(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ERROR("529 Busy", "", "{}"), CLOSE, NULL }, { "", RESET, NULL }, { OTHER_GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "second", "Other");
	used(s, 15, 9, false, 0);
	assert_string_equal(s->called[0].outcome, "busy");
	assert_int_equal(s->called[1].status, 0);
}

static void
test_f127_nobody_answers(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ERROR("502 Oh", "", ""), CLOSE, NULL }, { STREAM, CLOSE, NULL }, { STREAM EVENT(
	    "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"" KEY "\"}}"), CLOSE, NULL },
	    { ERROR("503 Oh", "Retry-After: 7\r\n", "<html>"), CLOSE, NULL });
	came(s, TURN_FAILED, "second", "");
	used(s, 0, 0, false, 0);
	assert_int_equal(s->out.retry_after, 7);
	assert_int_equal(s->called[2].status, 529);
	assert_false(s->out.refused);
	assert_string_equal(turn_finish(s->out.end), "error");
}

static void
test_f128_a_short_wait_is_waited(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ERROR("429 Slow", "Retry-After-Ms: 20\r\nRetry-After: 3600\r\n", ""), CLOSE, NULL },
	    { GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "first", "Hello");
	assert_string_equal(s->called[0].outcome, "busy");
}

static void
test_f128_after_a_long_wait_another_is_asked(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ERROR("429 Slow", "Retry-After: 4\r\n", ""), CLOSE, NULL }, { OTHER_GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "second", "Other");
}

static void
test_f126_without_time_for_a_repetition_another_is_asked(void **state)
{
	struct scene	*s = scene_new(*state);

	s->config.chat.fallback_ms = 1200;
	play(s, { ERROR("503 Oh", "Retry-After-Ms: 400\r\n", ""), CLOSE, NULL }, { OTHER_GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "second", "Other");
}

static void
test_f128_the_longest_wait_is_told_in_seconds(void **state)
{
	struct scene	*s = scene_new(*state);

	s->q.n_candidates = 1;
	play(s, { ERROR("429 Slow", "Retry-After-Ms: 2147483647\r\n", ""), CLOSE, NULL });
	came(s, TURN_FAILED, "first", "");
	assert_int_equal(s->out.retry_after, 2147484);
}

static void
test_f128_with_nothing_left_to_spend_another_is_asked(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ERROR("429 No", "X-Should-Retry: true\r\n", "{\"error\":{\"type\":\"insufficient_quota\","
	    "\"code\":\"credit_balance_exhausted\"}}"), CLOSE, NULL }, { OTHER_GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "second", "Other");
	assert_string_equal(s->called[0].outcome, "spent");
}

static void
test_f128_a_provider_may_say_whether_to_repeat(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ERROR("404 Soon", "X-Should-Retry: true\r\n", ""), CLOSE, NULL },
	    { ERROR("500 Oh", "X-Should-Retry: false\r\n", ""), CLOSE, NULL },
	    { ERROR("500 Oh", "X-Should-Retry: false\r\n", ""), CLOSE, NULL });
	came(s, TURN_FAILED, "second", "");
}

/* Everything that this program has logged so far. */
static const char *
logged(mem_ctx *mem)
{
	struct buf	all = { .ctx = mem };
	char		part[4096];
	ssize_t		n;

	for (off_t at = 0; (n = pread(STDERR_FILENO, part, sizeof(part), at)) > 0; at += n)
		buf_put(&all, part, (size_t)n);
	assert_true(all.len > 0);
	return all.data;
}

static void
test_f129_a_refused_key_that_is_repeated_goes_nowhere(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ERROR("401 No", "X-Request-Id: " KEY "\r\n", "{\"error\":{\"message\":\"Incorrect API key: " KEY "\","
	    "\"code\":\"" KEY "\",\"type\":\"" KEY "\"}}"), CLOSE, NULL },
	    { ERROR("403 " KEY, "Request-Id: x" KEY "-2\r\n", KEY), CLOSE, NULL });
	came(s, TURN_FAILED, "second", "");
	assert_string_equal(s->called[0].outcome, "denied");
	assert_string_equal(s->called[1].outcome, "denied");
	assert_null(strstr(logged(*state), KEY));
	assert_non_null(strstr(logged(*state), "key refused"));
}

static void
test_a_call_is_logged_with_the_providers_id(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { STREAM TEXT("Hi") FINISH USAGE DONE, CLOSE, NULL });
	assert_non_null(strstr(logged(*state), "\"id\":\"req_1\""));
}

static void
test_f130_from_a_silent_provider_another_takes_over(void **state)
{
	struct scene	*s = scene_new(*state);

	s->config.chat.fallback_ms = 200;
	play(s, { "", HANG, NULL }, { OTHER_GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "second", "Other");
	assert_int_equal(s->server.left, 1);
}

/* The queue of a listener that nobody accepts from is full, so the kernel ignores what comes. */
static void
test_f130_a_connection_that_is_not_made_is_given_up(void **state)
{
	struct scene		*s = scene_new(*state);
	struct sockaddr_in	a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t		size = sizeof(a);
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), others[4];

	assert_int_equal(bind(fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	for (size_t i = 0; i < LENGTH(others); i++) {
		others[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(others[i], (struct sockaddr *)&a, sizeof(a));
	}
	usleep(50000);
	s->providers[0].url = mem_printf(*state, "http://127.0.0.1:%d/a", ntohs(a.sin_port));
	s->config.chat.connect_ms = 100;
	s->config.chat.fallback_ms = 2000;
	s->server.steps[0] = (struct step){ OTHER_GOOD, CLOSE, NULL };
	turn_run(&s->q, &s->calls, &s->out);
	server_close(&s->server);
	came(s, TURN_STOP, "second", "Other");
	assert_int_equal(s->n_called, 3);
	for (size_t i = 0; i < LENGTH(others); i++)
		close(others[i]);
	close(fd);
}

static void
test_f130_signs_of_life_are_no_text(void **state)
{
	struct scene	*s = scene_new(*state);

	s->config.chat.fallback_ms = 200;
	s->config.chat.first_ms = 400;
	play(s, { STREAM TEXT(""), HANG, ": ping\n\n" }, { STREAM EVENT("{\"type\":\"ping\"}"), HANG, NULL });
	came(s, TURN_FAILED, "second", "");
	used(s, 0, 0, false, 0);
	assert_int_equal(s->server.left, 2);
}

static void
test_f130_a_silence_after_text_cuts_the_answer(void **state)
{
	struct scene	*s = scene_new(*state);

	s->config.chat.idle_ms = 200;
	play(s, { STREAM TEXT("Hel"), HANG, TEXT("lo") });
	came(s, TURN_CUT, "first", "Hello");
	used(s, INPUT, 2, true, 0);
	assert_int_equal(s->server.left, 1);
}

static void
test_f131_an_answer_without_its_end_is_cut(void **state)
{
	static const struct step	ways[] = {
		{ STREAM TEXT("Hello"), CLOSE, NULL }, { STREAM TEXT("Hello"), RESET, NULL },
		{ STREAM TEXT("Hello") EVENT("{\"error\":{\"message\":\"" KEY "\",\"type\":\"server_error\"}}") DONE,
		    CLOSE, NULL },
	};
	struct scene			*s;

	for (size_t i = 0; i < LENGTH(ways); i++) {
		s = scene_new(*state);
		scene_play(s, (const struct step[]){ ways[i], { 0 } });
		came(s, TURN_CUT, "first", "Hello");
		used(s, INPUT, 2, true, 0);
		assert_string_equal(s->called[0].outcome, "error");
		assert_string_equal(turn_finish(s->out.end), "error");
	}
}

static void
test_f131_of_a_cut_answer_the_input_is_as_said(void **state)
{
	struct scene	*s = scene_new(*state);

	s->candidates[0].open = true;
	play(s, { STREAM
	    EVENT("{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":15,\"output_tokens\":1}}}")
	    EVENT("{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Other\"}}"),
	    CLOSE, NULL });
	came(s, TURN_CUT, "second", "Other");
	used(s, 15, 2, true, 0);
}

static void
test_a_reason_to_finish_is_an_end_also_without_usage(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { STREAM TEXT("Hello") FINISH, CLOSE, NULL });
	came(s, TURN_STOP, "first", "Hello");
	used(s, INPUT, 2, true, 0);
}

static void
test_f131_anthropics_reason_to_finish_is_no_end_by_itself(void **state)
{
	struct scene	*s = scene_new(*state);

	s->candidates[0].open = true;
	play(s, { STREAM
	    EVENT("{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Other\"}}")
	    EVENT("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":9}}"),
	    CLOSE, NULL });
	came(s, TURN_CUT, "second", "Other");
	used(s, INPUT, 9, true, 0);
}

static void
test_f132_a_page_instead_of_a_stream_leads_to_another(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ANSWER("200 OK", "text/html", "") "<html>" GOOD, CLOSE, NULL }, { OTHER_GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "second", "Other");
	assert_string_equal(s->called[0].outcome, "error");
}

static void
test_f132_garbage_before_text_leads_to_another(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { STREAM EVENT("{") EVENT("x") EVENT("7") EVENT("[]") TEXT("Hi") FINISH, CLOSE, NULL },
	    { OTHER_GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "second", "Other");
}

static void
test_f132_garbage_within_text_is_skipped_three_times(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { STREAM TEXT("a") EVENT("{") EVENT("x") EVENT("7") TEXT("b") EVENT("[]") TEXT("c"), HANG, NULL });
	came(s, TURN_CUT, "first", "ab");
	assert_int_equal(s->server.left, 1);
}

static void
test_f133_a_line_that_is_too_long_cuts_the_answer(void **state)
{
	struct scene	*s = scene_new(*state);
	char		*line = talloc_array(*state, char, SSE_MAX_EVENT + 2);

	memset(line, 'x', SSE_MAX_EVENT + 1);
	line[SSE_MAX_EVENT + 1] = '\0';
	play(s, { STREAM TEXT("a"), HANG, line });
	came(s, TURN_CUT, "first", "a");
	assert_int_equal(s->server.left, 1);
}

static void
test_f133_an_answer_without_end_is_ended_as_too_long(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { STREAM, FLOOD, NULL });
	assert_int_equal(s->out.end, TURN_LENGTH);
	assert_in_range(s->text.len, TURN_MAX_TEXT - 100, TURN_MAX_TEXT);
	assert_in_range(talloc_total_size(*state), 0, 4 * TURN_MAX_TEXT);
	assert_int_equal(s->out.text_bytes, s->text.len);
	used(s, INPUT, 100, true, TOKENS_HIGH);
	assert_int_equal(s->server.left, 1);
}

static void
test_f133_a_whole_answer_that_is_too_long_is_none(void **state)
{
	struct scene	*s = scene_new(*state);

	s->q.stream = false;
	s->q.n_candidates = 1;
	play(s, { ANSWER("200 OK", "application/json", "") "{", FLOOD, NULL });
	came(s, TURN_FAILED, "first", "");
}

static void
test_f134_usage_that_cannot_be_true_is_told(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { STREAM TEXT("Hello") FINISH
	    EVENT("{\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":0}}") DONE, CLOSE, NULL });
	came(s, TURN_STOP, "first", "Hello");
	used(s, 20, 2, true, TOKENS_LOW);
}

static void
test_f131_a_stream_that_ends_without_a_word_is_no_answer(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { STREAM DONE, CLOSE, NULL }, { STREAM DONE, CLOSE, NULL }, { OTHER_GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "second", "Other");
	assert_string_equal(s->called[0].outcome, "error");
}

static void
test_f135_half_an_emoji_waits_for_the_other(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { STREAM TEXT("a\\ud83d"), CLOSE, TEXT("\\ude00\\u0000") FINISH TEXT("\\ud83d") DONE });
	came(s, TURN_STOP, "first", "a\xf0\x9f\x98\x80\xef\xbf\xbd");
}

static void
test_f136_a_client_that_leaves_before_text_pays_the_input(void **state)
{
	struct scene	*s = scene_new(*state);

	s->calls.other_fd = s->server.bell = eventfd(0, 0);
	s->stop_tick = 1;
	play(s, { "", HANG, NULL });
	came(s, TURN_CLOSED, "first", "");
	used(s, INPUT, 0, true, 0);
	assert_string_equal(s->called[0].outcome, "left");
	assert_int_equal(s->server.left, 1);
	close(s->calls.other_fd);
}

static void
test_f136_a_client_that_leaves_in_mid_stream_pays_what_came(void **state)
{
	struct scene	*s = scene_new(*state);

	s->stop_text = 2;
	play(s, { STREAM TEXT("Hel"), HANG, TEXT("lo") });
	assert_int_equal(s->out.end, TURN_CLOSED);
	assert_int_equal(s->out.text_bytes, 3);
	used(s, INPUT, 2, true, 0);
	assert_int_equal(s->server.left, 1);
}

static void
test_f136_after_the_reason_to_finish_the_usage_is_still_read(void **state)
{
	struct scene	*s = scene_new(*state);

	s->stop_text = 1;
	play(s, { STREAM EVENT("{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"},"
	    "\"finish_reason\":\"stop\"}]}"), HANG, TEXT("more") USAGE DONE });
	assert_int_equal(s->out.end, TURN_STOP);
	assert_string_equal(s->text.data, "Hello");
	used(s, 20, 12, false, 0);
}

static void
test_f136_a_client_that_leaves_between_two_tries_pays_nothing(void **state)
{
	struct scene	*s = scene_new(*state);

	s->stop_tick = 1;
	play(s, { ERROR("500 Oh", "", ""), CLOSE, NULL });
	assert_int_equal(s->out.end, TURN_CLOSED);
	used(s, 0, 0, false, 0);
}

static void
test_a_descriptor_that_stays_readable_is_not_asked_again_and_again(void **state)
{
	struct scene	*s = scene_new(*state);

	s->calls.other_fd = eventfd(1, 0);
	s->config.chat.idle_ms = 600;
	play(s, { STREAM TEXT("a"), HANG, NULL });
	came(s, TURN_CUT, "first", "a");
	assert_in_range(s->ticks, 1, 4);
	close(s->calls.other_fd);
}

static void
test_f112_an_answer_that_takes_too_long_ends_there(void **state)
{
	struct scene	*s = scene_new(*state);

	s->config.chat.total_ms = 1000;
	play(s, { STREAM TEXT("Hel"), HANG, TEXT("lo") });
	came(s, TURN_LENGTH, "first", "Hello");
	used(s, INPUT, 2, true, 0);
	assert_string_equal(turn_finish(s->out.end), "length");
	assert_string_equal(s->called[0].outcome, "ok");
	assert_int_equal(s->server.left, 1);
}

static void
test_f112_a_silent_provider_has_no_longer_than_the_whole_answer(void **state)
{
	struct scene	*s = scene_new(*state);

	s->config.chat.first_ms = 2 * SOON_MS;
	s->q.total_ms = 200;
	play(s, { "", HANG, NULL });
	came(s, TURN_FAILED, "first", "");
	assert_int_equal(s->server.left, 1);
}

static void
test_a_request_that_is_refused_is_asked_of_nobody_else(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ERROR("400 No", "", "{\"error\":{\"message\":\"Invalid\"}}"), CLOSE, NULL });
	came(s, TURN_FAILED, "first", "");
	assert_true(s->out.refused);
	assert_string_equal(s->called[0].outcome, "invalid");
}

static void
test_f151_a_model_that_is_gone_leads_to_another(void **state)
{
	struct scene	*s = scene_new(*state);

	play(s, { ERROR("404 Gone", "", "{\"error\":{\"code\":\"model_not_found\"}}"), CLOSE, NULL },
	    { OTHER_GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "second", "Other");
	assert_string_equal(s->called[0].outcome, "gone");
}

static void
test_a_candidate_whose_breaker_is_open_is_not_asked(void **state)
{
	struct scene	*s = scene_new(*state);

	s->candidates[0].open = true;
	play(s, { OTHER_GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "second", "Other");
}

static void
test_where_nobody_can_be_asked_nobody_is(void **state)
{
	struct scene	*s = scene_new(*state);

	s->candidates[0].open = true;
	s->candidates[1].provider = "unknown";
	scene_play(s, (const struct step[]){ { 0 } });
	assert_int_equal(s->out.end, TURN_FAILED);
	assert_null(s->out.provider);
}

static void
test_f158_a_redirect_is_not_followed(void **state)
{
	struct scene	*s = scene_new(*state), *other = scene_new(*state);

	play(s, { mem_printf(*state, ANSWER("307 There", "text/plain", "Location: http://127.0.0.1:%d/\r\n"),
	    other->server.port), CLOSE, NULL }, { OTHER_GOOD, CLOSE, NULL });
	came(s, TURN_STOP, "second", "Other");
	server_close(&other->server);
	assert_int_equal(other->server.n, 0);
}

static void
test_f158_an_address_that_is_not_public_is_not_asked(void **state)
{
	struct scene	*s = scene_new(*state);

	s->q.n_candidates = 1;		/* the other provider is on this machine, which allows this one nothing */
	s->providers[0].url = mem_printf(*state, "https://127.0.0.1:%d/a", s->server.port);
	turn_run(&s->q, &s->calls, &s->out);
	server_close(&s->server);
	assert_int_equal(s->out.end, TURN_FAILED);
	assert_int_equal(s->server.n, 0);
}

static void
test_f139_a_program_that_stops_ends_its_turns(void **state)
{
	struct scene	*s = scene_new(*state);

	https_stop(s->q.https);
	s->stop_tick = 1;
	turn_run(&s->q, &s->calls, &s->out);
	server_close(&s->server);
	assert_int_equal(s->out.end, TURN_CLOSED);
	assert_int_equal(s->n_called, 1);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_an_answer_comes_piece_by_piece_with_what_it_used),
		TEST(test_each_provider_is_asked_in_its_own_way),
		TEST(test_without_a_key_none_is_sent),
		TEST(test_an_answer_may_come_whole),
		TEST(test_f126_a_failure_is_tried_again_once),
		TEST(test_f126_after_two_failures_another_is_asked),
		TEST(test_f127_nobody_answers),
		TEST(test_f128_a_short_wait_is_waited),
		TEST(test_f128_after_a_long_wait_another_is_asked),
		TEST(test_f126_without_time_for_a_repetition_another_is_asked),
		TEST(test_f128_the_longest_wait_is_told_in_seconds),
		TEST(test_f128_with_nothing_left_to_spend_another_is_asked),
		TEST(test_f128_a_provider_may_say_whether_to_repeat),
		TEST(test_f129_a_refused_key_that_is_repeated_goes_nowhere),
		TEST(test_a_call_is_logged_with_the_providers_id),
		TEST(test_f130_from_a_silent_provider_another_takes_over),
		TEST(test_f130_a_connection_that_is_not_made_is_given_up),
		TEST(test_f130_signs_of_life_are_no_text),
		TEST(test_f130_a_silence_after_text_cuts_the_answer),
		TEST(test_f131_an_answer_without_its_end_is_cut),
		TEST(test_f131_of_a_cut_answer_the_input_is_as_said),
		TEST(test_a_reason_to_finish_is_an_end_also_without_usage),
		TEST(test_f131_anthropics_reason_to_finish_is_no_end_by_itself),
		TEST(test_f132_a_page_instead_of_a_stream_leads_to_another),
		TEST(test_f132_garbage_before_text_leads_to_another),
		TEST(test_f132_garbage_within_text_is_skipped_three_times),
		TEST(test_f133_a_line_that_is_too_long_cuts_the_answer),
		TEST(test_f133_an_answer_without_end_is_ended_as_too_long),
		TEST(test_f133_a_whole_answer_that_is_too_long_is_none),
		TEST(test_f134_usage_that_cannot_be_true_is_told),
		TEST(test_f131_a_stream_that_ends_without_a_word_is_no_answer),
		TEST(test_f135_half_an_emoji_waits_for_the_other),
		TEST(test_f136_a_client_that_leaves_before_text_pays_the_input),
		TEST(test_f136_a_client_that_leaves_in_mid_stream_pays_what_came),
		TEST(test_f136_after_the_reason_to_finish_the_usage_is_still_read),
		TEST(test_f136_a_client_that_leaves_between_two_tries_pays_nothing),
		TEST(test_a_descriptor_that_stays_readable_is_not_asked_again_and_again),
		TEST(test_f112_an_answer_that_takes_too_long_ends_there),
		TEST(test_f112_a_silent_provider_has_no_longer_than_the_whole_answer),
		TEST(test_a_request_that_is_refused_is_asked_of_nobody_else),
		TEST(test_f151_a_model_that_is_gone_leads_to_another),
		TEST(test_a_candidate_whose_breaker_is_open_is_not_asked),
		TEST(test_where_nobody_can_be_asked_nobody_is),
		TEST(test_f158_a_redirect_is_not_followed),
		TEST(test_f158_an_address_that_is_not_public_is_not_asked),
		TEST(test_f139_a_program_that_stops_ends_its_turns),
	};
	FILE	*log = tmpfile();
	int	out = dup(STDERR_FILENO), failed;

	/* What is logged is read by some of them. */
	if (log == NULL || out < 0 || dup2(fileno(log), STDERR_FILENO) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (failed != 0)
		dprintf(out, "%s", logged(mem_new()));
	return failed;
}
