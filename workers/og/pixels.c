#include "pixels.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>

/* Cairo's own writer uses zlib's level 6, which takes four times as long and saves a twentieth of the bytes. */
enum { LEVEL = 1 };

/* A write to memory fails only when memory runs out, which ends the process as any failed allocation does. */
static void
failed(png_structp png, png_const_charp why)
{
	(void)png;
	fprintf(stderr, "{\"level\":\"fatal\",\"event\":\"png\",\"reason\":\"%s\"}\n", why);
	abort();
}

static void
bytes_put(png_structp png, png_bytep bytes, size_t n)
{
	buf_put(png_get_io_ptr(png), bytes, n);
}

static void
nothing_to_flush(png_structp png)
{
	(void)png;
}

void
pixels_put(struct buf *out, const unsigned char *rows, int width, int height, int stride)
{
	png_structp	png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, failed, NULL);
	png_infop	info = png != NULL ? png_create_info_struct(png) : NULL;

	if (info == NULL)
		failed(png, "memory");
	png_set_write_fn(png, out, bytes_put, nothing_to_flush);
	png_set_compression_level(png, LEVEL);
	png_set_filter(png, 0, PNG_FILTER_NONE);
	png_set_IHDR(png, info, (unsigned)width, (unsigned)height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
	    PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	png_set_filler(png, 0, PNG_FILLER_AFTER);
	png_set_bgr(png);
	for (int y = 0; y < height; y++)
		png_write_row(png, rows + (size_t)y * (size_t)stride);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
}
