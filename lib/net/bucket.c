#include "bucket.h"

enum { SECOND_US = 1000000, MS_US = 1000 };

int64_t
bucket_take(struct bucket *b, int64_t now)
{
	int64_t	now_us = now * MS_US, cost, room_at;

	if (now < b->paused_until)
		return b->paused_until - now;
	if (b->rate == 0)
		return 0;
	cost = SECOND_US / b->rate;
	if (b->full_at < now_us)
		b->full_at = now_us;
	room_at = b->full_at + cost - SECOND_US;
	if (room_at > now_us)
		return (room_at - now_us + MS_US - 1) / MS_US;
	b->full_at += cost;
	return 0;
}

void
bucket_pause(struct bucket *b, int64_t now, int ms)
{
	int64_t	empty_until = (now + ms) * MS_US + SECOND_US;

	if (now + ms > b->paused_until)
		b->paused_until = now + ms;
	if (b->rate != 0 && empty_until - SECOND_US / b->rate > b->full_at)
		b->full_at = empty_until - SECOND_US / b->rate;
}
