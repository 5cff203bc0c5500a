/* replay: events done again. Nothing is believed twice: their objects become due, and are fetched as they are now. */
#ifndef TOLLGATE_REPLAY_H
#define TOLLGATE_REPLAY_H

#include "operator.h"

/* One event, a range of time, or all that is dead. May be repeated at will. Answers an exit code. */
int events_replay(const struct operator *o);

#endif
