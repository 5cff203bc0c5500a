"""How unlike two images are to an eye: another version of a library may move an edge by a part of a pixel."""
import io

import numpy
from PIL import Image

SHRINK, TILE = 4, 10
SAME = 8        # of 255


def blurred(data):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    small = image.resize((image.width // SHRINK, image.height // SHRINK), Image.BOX)
    return numpy.asarray(small, dtype=float)


def distance(a, b):
    """The mean difference within the square of 40 x 40 pixels where it is largest, from 0 to 255. Images of different
    sizes are as unlike as can be."""
    a, b = blurred(a), blurred(b)
    if a.shape != b.shape:
        return 255.0
    difference = numpy.abs(a - b).max(axis=2)
    rows, columns = (n // TILE * TILE for n in difference.shape)
    tiles = difference[:rows, :columns].reshape(rows // TILE, TILE, columns // TILE, TILE)
    return float(tiles.mean(axis=(1, 3)).max())
