#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum { WIDTH = 30, LINE = 79, PLAIN_MS = 2000 };

void
progress_begin(struct progress *p, const char *what, long total)
{
	const char	*term = getenv("TERM");

	*p = (struct progress){ .what = what, .total = total, .printed = clock_ms(),
	    .bar = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0 };
}

/* Without a total there is no bar, only the number. */
static void
bar_draw(const struct progress *p, long done, const char *at)
{
	char	bar[WIDTH + 1] = "", line[160];
	int	full = p->total > 0 ? (int)((double)done / (double)p->total * WIDTH) : 0;

	for (int i = 0; p->total > 0 && i < WIDTH; i++)
		bar[i] = i < full ? '#' : '.';
	if (p->total > 0)
		snprintf(line, sizeof(line), "%s [%s] %ld/%ld %s", p->what, bar, done, p->total, at ? at : "");
	else
		snprintf(line, sizeof(line), "%s %ld %s", p->what, done, at ? at : "");
	fprintf(stderr, "\r%-*.*s", LINE, LINE, line);
}

static void
line_print(struct progress *p, long done, const char *at)
{
	fprintf(stderr, "%s %ld", p->what, done);
	if (p->total > 0)
		fprintf(stderr, " of %ld", p->total);
	fprintf(stderr, "%s%s\n", at ? ", at " : "", at ? at : "");
	p->printed = clock_ms();
}

void
progress_step(struct progress *p, long done, const char *at)
{
	fflush(stdout);
	if (p->bar)
		bar_draw(p, done, at);
	else if (clock_ms() - p->printed >= PLAIN_MS)
		line_print(p, done, at);
}

void
progress_end(struct progress *p, long done)
{
	fflush(stdout);
	if (p->bar)
		fprintf(stderr, "\r%*s\r", LINE, "");
	line_print(p, done, NULL);
}
