/* date_pattern: a catalogue's pattern of dates, as ICU reads it: "d MMMM y", "d 'de' MMMM". Pure. */
#ifndef TOLLGATE_DATE_PATTERN_H
#define TOLLGATE_DATE_PATTERN_H

#include "mem.h"

/*
 * What is wrong with the pattern, or NULL. It must show a year, a month and a day, and no time of day. ICU takes other
 * letters too, and shows nonsense.
 */
const char *date_pattern_fault(mem_ctx *ctx, const char *pattern);

#endif
