/* pixels: an image as the bytes of a PNG file. */
#ifndef TOLLGATE_PIXELS_H
#define TOLLGATE_PIXELS_H

#include "mem.h"

/* rows: width x height pixels of 4 bytes each, as cairo's RGB24 has them; stride: bytes of a row. */
void pixels_put(struct buf *out, const unsigned char *rows, int width, int height, int stride);

#endif
