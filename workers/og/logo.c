/* logo: read once, when the program starts. */
#include "logo.h"

#include <stdio.h>

#include "og.h"

enum { LEAST = 16, MOST = 2048, WIDEST = 6 };

struct logo {
	cairo_surface_t	*read;
	int		 width, height;
};

static int
logo_close(struct logo *logo)
{
	cairo_surface_destroy(logo->read);
	return 0;
}

static bool
is_side(int n)
{
	return n >= LEAST && n <= MOST;
}

static enum err
logo_open(mem_ctx *ctx, struct app *app)
{
	const char	*path = app->config->og.logo;
	struct logo	*logo;

	if (*path == '\0')
		return OK;
	logo = talloc_zero(ctx, struct logo);
	logo->read = cairo_image_surface_create_from_png(path);
	talloc_set_destructor(logo, logo_close);
	logo->width = cairo_image_surface_get_width(logo->read);
	logo->height = cairo_image_surface_get_height(logo->read);
	((struct og *)app->own)->logo = logo;
	if (is_side(logo->width) && is_side(logo->height))
		return OK;
	fprintf(stderr, "og: og.logo: %s is not a PNG file of %d to %d pixels a side\n", path, LEAST, MOST);
	return ERR_INVALID;
}

const struct resource resource_logo = { "logo", NEED_SITE | NEED_OG, logo_open, NULL, NULL, NULL };

double
logo_draw(const struct logo *logo, cairo_t *cr, double x, double y, double height)
{
	bool		 is_wide = logo->width > WIDEST * logo->height;
	double		 scale = is_wide ? WIDEST * height / logo->width : height / logo->height;
	cairo_surface_t	*pixels;

	/* One for each drawing: cairo counts who holds an image's pixels without a lock. */
	pixels = cairo_image_surface_create_for_data(cairo_image_surface_get_data(logo->read),
	    cairo_image_surface_get_format(logo->read), logo->width, logo->height,
	    cairo_image_surface_get_stride(logo->read));
	cairo_save(cr);
	cairo_translate(cr, x, y + (height - logo->height * scale) / 2);
	cairo_scale(cr, scale, scale);
	cairo_set_source_surface(cr, pixels, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BEST);
	cairo_paint(cr);
	cairo_restore(cr);
	cairo_surface_destroy(pixels);
	return logo->width * scale;
}
