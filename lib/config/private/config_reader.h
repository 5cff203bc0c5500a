/* config_reader: the state of reading one file, and how values are read and faults reported. Only for config*.c. */
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
	struct config_list secret_files;	/* that were read */
};

/* Prints "FILE:LINE: KEY what is wrong"; without LINE if at is NULL. */
void config_fault(struct reader *r, const config_setting_t *at, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Reads the value of a key (at NULL: its default) into the struct at into. */
void config_key_read(struct reader *r, const struct config_key *k, const config_setting_t *at, void *into);

/* Reads a list of groups: as plans, meters or providers. */
void config_groups_read(struct reader *r, const struct config_key *k, const config_setting_t *at);

/* Checks numbers together, as a network's limit and that of the network around it. */
void config_order_check(struct reader *r, const config_t *tree);

/* Checks that quotas, rates, caps and costs name plans and meters that there are, and what is sold. */
void config_usage_check(struct reader *r, const config_t *tree);

/* Checks that models have a provider, plans, quotas and costs that there are. */
void config_chat_check(struct reader *r, const config_t *tree);

#endif
