#include "route.h"

const struct route_kind kind_raw = { .json = true };
