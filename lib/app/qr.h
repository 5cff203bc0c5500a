/* qr: a text as a QR code, for a page to show as SVG (libqrencode behind it). */
#ifndef TOLLGATE_QR_H
#define TOLLGATE_QR_H

#include "err.h"
#include "mem.h"

/*
 * *path is the dark modules, for the d of a path, and *size the side of the square that it is drawn in: one unit for a
 * module, with the quiet zone of four that readers need. ERR_INVALID: the text is too long for a QR code, or empty.
 */
enum err qr_path(mem_ctx *mem, const char *text, const char **path, int *size) MUST_CHECK;

#endif
