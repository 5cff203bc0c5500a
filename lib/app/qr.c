#include "qr.h"

#include <errno.h>
#include <qrencode.h>

enum { QUIET = 4 };

static void
qr_release(void *code)
{
	QRcode_free(code);
}

/* The lowest bit of a module's byte is its colour. One rectangle for each run of dark ones in a row. */
static void
row_draw(struct buf *b, const unsigned char *row, int width, int y)
{
	for (int x = 0, n; x < width; x += n) {
		for (n = 1; x + n < width && (row[x + n] & 1) == (row[x] & 1); n++)
			;
		if (row[x] & 1)
			buf_printf(b, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, n, n);
	}
}

enum err
qr_path(mem_ctx *mem, const char *text, const char **path, int *size)
{
	QRcode		*code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	struct buf	b = { .ctx = mem };

	if (code == NULL)
		return errno == ERANGE || errno == EINVAL ? ERR_INVALID : ERR_UNAVAILABLE;
	mem_hang(mem, code, qr_release);
	for (int y = 0; y < code->width; y++)
		row_draw(&b, code->data + y * code->width, code->width, y);
	*path = b.data;
	*size = code->width + 2 * QUIET;
	return OK;
}
