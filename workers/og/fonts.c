/* fonts: the files that the configuration names, and no other font of the machine. */
#include <cairo.h>
#include <fontconfig/fontconfig.h>
#include <pango/pango.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "og.h"
#include "secret.h"

/* Fontconfig's own rule that draws emoji, which are bitmaps, in the size of the text. */
#define SCALING "/usr/share/fontconfig/conf.avail/10-scale-bitmap-fonts.conf"

static enum err
font_add(FcConfig *fc, const char *path)
{
	if (FcConfigAppFontAddFile(fc, (const FcChar8 *)path))
		return OK;
	fprintf(stderr, "og: og.fonts: %s is not a font\n", path);
	return ERR_INVALID;
}

/* The first file's family goes before the others, which are for what it lacks. */
static enum err
family_read(mem_ctx *ctx, FcConfig *fc, struct og *og)
{
	FcChar8	*family;

	if (FcPatternGetString(FcConfigGetFonts(fc, FcSetApplication)->fonts[0], FC_FAMILY, 0, &family) != FcResultMatch)
		return ERR_INVALID;
	og->family = mem_printf(ctx, "%s", (const char *)family);
	return OK;
}

/* A file by what changes with it. */
static void
file_name(struct buf *b, const char *path)
{
	struct stat	st = { 0 };

	(void)!stat(path, &st);
	buf_printf(b, " %s %lld %lld", path, (long long)st.st_size, (long long)st.st_mtime);
}

static const char *
edition_make(mem_ctx *ctx, const struct config *c)
{
	struct buf	b = { .ctx = ctx };
	struct secret	digest;

	buf_printf(&b, "%s %s %s %s %s", TOLLGATE_VERSION, cairo_version_string(), pango_version_string(), c->site.name,
	    c->site.url);
	file_name(&b, c->og.logo);
	for (size_t i = 0; i < c->og.fonts.n; i++)
		file_name(&b, c->og.fonts.items[i]);
	digest = secret_sha256("edition", b.data, b.len);
	return secret_hex(ctx, &digest);
}

/* Makes this configuration fontconfig's current one before anything else makes it read the machine's. */
static enum err
fonts_open(mem_ctx *ctx, struct app *app)
{
	struct og			*og = app->own;
	const struct config_list	*files = &app->config->og.fonts;
	FcConfig			*fc = FcConfigCreate();

	if (fc == NULL || !FcConfigParseAndLoad(fc, (const FcChar8 *)SCALING, FcTrue)) {
		fputs("og: " SCALING " cannot be read\n", stderr);
		return ERR_INVALID;
	}
	for (size_t i = 0; i < files->n; i++)
		TRY(font_add(fc, files->items[i]));
	TRY(family_read(ctx, fc, og));
	og->edition = edition_make(ctx, app->config);
	return FcConfigSetCurrent(fc) ? OK : ERR_INTERNAL;
}

static const char *const *
fonts_files(mem_ctx *ctx, const struct app *app)
{
	const struct config_list	*files = &app->config->og.fonts;
	const char			**paths = talloc_array(ctx, const char *, files->n + 1);

	memcpy(paths, files->items, files->n * sizeof(*paths));
	paths[files->n] = NULL;
	return paths;
}

const struct resource resource_fonts = { "fonts", NEED_SITE | NEED_OG, fonts_open, NULL, NULL, fonts_files };
