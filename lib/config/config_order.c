#include "private/config_reader.h"

/* Pairs of numbers: the first must not be above the second. */
#define PAIR(section, low, high) { #section "." #low, #section "." #high, offsetof(struct config, section.low), \
	offsetof(struct config, section.high) }

static const struct {
	const char	*low, *high;
	size_t		low_at, high_at;
} pairs[] = {
	PAIR(limits, link_near, link_wide), PAIR(limits, link_wide, link_far),
	PAIR(limits, draft_near, draft_wide), PAIR(limits, draft_wide, draft_far),
	PAIR(limits, call_near, call_wide), PAIR(limits, call_wide, call_far),
	PAIR(limits, flow_near, flow_wide), PAIR(limits, flow_wide, flow_far),
};

static int
number_at(const struct config *c, size_t offset)
{
	return *(const int *)((const char *)c + offset);
}

/* A fault is told of the key that the file has; the defaults of a pair are in order. */
void
config_order_check(struct reader *r, const config_t *tree)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const config_setting_t	*low = config_lookup(tree, pairs[i].low), *high = config_lookup(tree, pairs[i].high);
		int			most = number_at(r->out, pairs[i].high_at);

		if (number_at(r->out, pairs[i].low_at) <= most)
			continue;
		if (low)
			config_fault(r, low, pairs[i].low, "must not be above %s, which is %d", pairs[i].high, most);
		else
			config_fault(r, high, pairs[i].high, "must not be below %s, which is %d", pairs[i].low,
			    number_at(r->out, pairs[i].low_at));
	}
}
