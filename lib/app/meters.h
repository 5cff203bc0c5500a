/* meters: what was used of meters, as pages show it. */
#ifndef TOLLGATE_METERS_H
#define TOLLGATE_METERS_H

#include "visit.h"

/*
 * Gives each row with a "meter" what people call it: "called", the name of the catalogue's text meter_NAME, where there
 * is one, and "word", the configuration's display_name.
 */
void meters_call(struct visit *v, struct json_object *rows);

/* The same, and what common/meter_card.mustache asks for, for documents of usage.meter_document(). */
void meters_show(struct visit *v, struct json_object *rows);

/* Makes values of all whole numbers in a document that words.h says: money of what is named micros, else figures. */
void meters_figures(struct visit *v, struct json_object *doc);

#endif
