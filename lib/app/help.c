#include "help.h"

#include <string.h>

#include "json.h"

void
help_put(mem_ctx *mem, const struct config *c, struct json_object *doc)
{
	const char	*help = c->site.help;

	json_put(doc, "help", help);
	json_put(doc, "help_link", mem_printf(mem, "%s%s",
	    *help != '\0' && strncmp(help, "https://", 8) != 0 ? "mailto:" : "", help));
}
