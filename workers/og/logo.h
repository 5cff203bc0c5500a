/* logo: the site's own, an image of its own file. */
#ifndef TOLLGATE_LOGO_H
#define TOLLGATE_LOGO_H

#include <cairo.h>

struct logo;

/*
 * Draws it this high, or six times as wide where it would be wider, its left upper corner at x, y, and gives its width.
 * From any thread.
 */
double logo_draw(const struct logo *logo, cairo_t *cr, double x, double y, double height);

#endif
