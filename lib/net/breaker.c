#include "breaker.h"

bool
breaker_is_open(const struct breaker *b, int64_t now)
{
	return now < b->until;
}

bool
breaker_has_opened(const struct breaker *b)
{
	return b->until != 0;
}

bool
breaker_allows(struct breaker *b, int64_t now)
{
	if (breaker_is_open(b, now))
		return false;
	if (b->until != 0)
		b->until = now + BREAKER_PAUSE_MS;
	return true;
}

void
breaker_note(struct breaker *b, bool succeeded, int64_t now)
{
	if (succeeded && b->until != 0) {
		*b = (struct breaker){ 0 };
		return;
	}
	b->failed = (b->failed << 1 | !succeeded) & ((1u << BREAKER_CALLS) - 1);
	if (!succeeded && __builtin_popcount(b->failed) >= BREAKER_FAILURES)
		b->until = now + BREAKER_PAUSE_MS;
}

void
breaker_trip(struct breaker *b, int64_t now)
{
	b->until = now + BREAKER_PAUSE_MS;
}
