/* og: what its files share. No global: it hangs on the worker. */
#ifndef TOLLGATE_OG_H
#define TOLLGATE_OG_H

#include <stdatomic.h>

#include "logo.h"
#include "resource.h"
#include "route.h"

struct og {
	atomic_int	drawing;	/* images that are being drawn */
	const char	*family;	/* of the first font */
	const struct logo	*logo;	/* NULL: the drawn one */
	const char	*edition;	/* what images depend on besides the query: names, files, libraries */
};

extern const struct resource resource_fonts, resource_logo;
extern const struct route image_routes[];

#endif
