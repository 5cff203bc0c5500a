/* chat: the route tables of this program. */
#ifndef TOLLGATE_CHAT_H
#define TOLLGATE_CHAT_H

#include "route.h"

extern const struct route history_routes[], operation_routes[], reply_routes[], talk_routes[];

#endif
