#include "canvas.h"

#include <pango/pangocairo.h>
#include <string.h>

#include "pixels.h"

/* Pixels. A heading over LONG characters is smaller, and what does not fit into its space ends with an ellipsis. */
enum { MARGIN = 80, LOGO = 72, TOP = 184, SPACE = 336, FOOT = 536, LONG = 80, LARGE = 72, MEDIUM = 48, SMALL = 34 };

struct colour {
	double	r, g, b;
};

#define COLOUR(x) { ((x) >> 16) / 255.0, ((x) >> 8 & 255) / 255.0, ((x) & 255) / 255.0 }

/* Those of the style sheet. */
static const struct scheme {
	const char	*mode;
	struct colour	paper, ink, soft, brand, on_brand;
} schemes[] = {
	{ "light", COLOUR(0xf6f7f9), COLOUR(0x16202c), COLOUR(0x546274), COLOUR(0x2f5bea), COLOUR(0xffffff) },
	{ "dark", COLOUR(0x10151c), COLOUR(0xe8edf3), COLOUR(0x9aa9ba), COLOUR(0x8aa8ff), COLOUR(0x0d1526) },
};

/* Han characters have shapes of their own in each language; Chinese where nothing tells. */
static const struct {
	GUnicodeScript	script;
	const char	*language;
} languages[] = {
	{ G_UNICODE_SCRIPT_HIRAGANA, "ja" }, { G_UNICODE_SCRIPT_KATAKANA, "ja" }, { G_UNICODE_SCRIPT_HANGUL, "ko" },
};

static const char *
language_of(const char *text)
{
	for (; *text != '\0'; text = g_utf8_next_char(text)) {
		for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
			if (g_unichar_get_script(g_utf8_get_char(text)) == languages[i].script)
				return languages[i].language;
		}
	}
	return "zh-cn";
}

static void
colour_set(cairo_t *cr, struct colour c)
{
	cairo_set_source_rgb(cr, c.r, c.g, c.b);
}

/* At most this wide and, with height > 0, this high; with an ellipsis where it is cut. */
static PangoLayout *
words_lay(cairo_t *cr, const char *family, const char *text, int size, int width, int height)
{
	PangoLayout		*l = pango_cairo_create_layout(cr);
	PangoFontDescription	*font = pango_font_description_new();

	pango_font_description_set_family(font, family);
	pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
	pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
	pango_layout_set_font_description(l, font);
	pango_font_description_free(font);
	pango_context_set_language(pango_layout_get_context(l), pango_language_from_string(language_of(text)));
	pango_layout_context_changed(l);
	pango_layout_set_text(l, text, -1);
	pango_layout_set_width(l, width * PANGO_SCALE);
	pango_layout_set_height(l, height > 0 ? height * PANGO_SCALE : -1);
	pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_ellipsize(l, PANGO_ELLIPSIZE_END);
	return l;
}

/* One line, its left end at x, or with end its right end. y: its middle. */
static void
line_draw(cairo_t *cr, const char *family, const char *text, int size, int x, int y, bool end)
{
	PangoLayout	*l = words_lay(cr, family, text, size, PICTURE_WIDTH / 2, 0);
	int		width, height;

	pango_layout_set_auto_dir(l, FALSE);
	pango_layout_get_pixel_size(l, &width, &height);
	cairo_move_to(cr, end ? x - width : x, y - height / 2);
	pango_cairo_show_layout(cr, l);
	g_object_unref(l);
}

static void
heading_draw(cairo_t *cr, const char *family, const char *text)
{
	int		size = g_utf8_strlen(text, -1) > LONG ? MEDIUM : LARGE, height;
	PangoLayout	*l = words_lay(cr, family, text, size, PICTURE_WIDTH - 2 * MARGIN, SPACE);

	pango_layout_get_pixel_size(l, NULL, &height);
	cairo_move_to(cr, MARGIN, TOP + (SPACE - height) / 2);
	pango_cairo_show_layout(cr, l);
	g_object_unref(l);
}

/* A barrier on its post, half open. */
static void
barrier_draw(cairo_t *cr, const struct scheme *s, double x, double y)
{
	double	r = LOGO / 4.0;

	cairo_new_sub_path(cr);
	for (int i = 0; i < 4; i++)
		cairo_arc(cr, x + (i == 0 || i == 3 ? LOGO - r : r), y + (i < 2 ? LOGO - r : r), r, i * G_PI / 2,
		    (i + 1) * G_PI / 2);
	cairo_close_path(cr);
	colour_set(cr, s->brand);
	cairo_fill(cr);
	colour_set(cr, s->on_brand);
	cairo_set_line_width(cr, LOGO / 8.0);
	cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
	cairo_move_to(cr, x + LOGO * 0.3, y + LOGO * 0.76);
	cairo_line_to(cr, x + LOGO * 0.3, y + LOGO * 0.5);
	cairo_line_to(cr, x + LOGO * 0.76, y + LOGO * 0.26);
	cairo_stroke(cr);
}

static void
all_draw(cairo_t *cr, const struct picture *p, const struct canvas_words *w, const struct scheme *s)
{
	double	width = LOGO;

	colour_set(cr, s->paper);
	cairo_paint(cr);
	colour_set(cr, s->brand);
	cairo_rectangle(cr, 0, PICTURE_HEIGHT - 12, PICTURE_WIDTH, 12);
	cairo_fill(cr);
	if (w->logo == NULL)
		barrier_draw(cr, s, MARGIN, MARGIN);
	else
		width = logo_draw(w->logo, cr, MARGIN, MARGIN, LOGO);
	colour_set(cr, s->ink);
	line_draw(cr, w->family, w->brand, SMALL + 6, MARGIN + (int)width + 24, MARGIN + LOGO / 2, false);
	heading_draw(cr, w->family, p->heading);
	colour_set(cr, s->brand);
	line_draw(cr, w->family, w->label, SMALL, MARGIN, FOOT + SMALL / 2, false);
	colour_set(cr, s->soft);
	line_draw(cr, w->family, w->host, SMALL, PICTURE_WIDTH - MARGIN, FOOT + SMALL / 2, true);
}

void
canvas_draw(const struct picture *p, const struct canvas_words *w, struct buf *out)
{
	cairo_surface_t	*surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, PICTURE_WIDTH, PICTURE_HEIGHT);
	cairo_t		*cr = cairo_create(surface);

	all_draw(cr, p, w, &schemes[strcmp(p->mode, schemes[1].mode) == 0]);
	cairo_surface_flush(surface);
	pixels_put(out, cairo_image_surface_get_data(surface), PICTURE_WIDTH, PICTURE_HEIGHT,
	    cairo_image_surface_get_stride(surface));
	cairo_destroy(cr);
	cairo_surface_destroy(surface);
}
