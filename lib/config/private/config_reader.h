/* config_reader: one reading of a file, and how values are read and faults told. Only for config*.c. */
#ifndef TOLLGATE_CONFIG_READER_H
#define TOLLGATE_CONFIG_READER_H

#include <libconfig.h>

#include "config_key.h"

struct reader {
	mem_ctx		*ctx;
	const char	*path;
	struct config	*out;
	unsigned	needs;
	unsigned	faults;
};

/* "FILE:LINE: KEY what is wrong"; without the line where there is no setting to point at. */
void config_fault(struct reader *r, const config_setting_t *at, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The value of a key (at NULL: its default) into the struct it belongs to. */
void config_key_read(struct reader *r, const struct config_key *k, const config_setting_t *at, void *into);

/* A list of groups, as plans and meters are. */
void config_groups_read(struct reader *r, const struct config_key *k, const config_setting_t *at);

#endif
