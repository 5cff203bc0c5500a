/* og: draws the image that stands for a page where somebody shows a link to it. */
#include "og.h"
#include "worker.h"

static const struct route *const	routes[] = { image_routes, NULL };
static const struct resource *const	resources[] = { &resource_fonts, &resource_logo, NULL };

int
main(int argc, char **argv)
{
	struct og	og = { 0 };

	return worker_main(&(struct worker){
		.name = "og", .about = "Draws the image that stands for a page where a link to it is shown.",
		.resources = resources, .routes = routes, .needs = NEED_PICTURE, .own = &og,
	}, argc, argv);
}
