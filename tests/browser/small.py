"""Makes a picture of a page small: 256 colours, the ones that it has most of; the others become their nearest.

A page has a few colours and the shades of its letters, so nobody sees a difference, and the file is a third as large.
"""

import base64
import struct
import zlib
from collections import Counter

from playwright.async_api import Page

_COLOURS = 256
_PIXELS = """async (png) => {
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  const { data, width, height } = canvas.getImageData(0, 0, picture.width, picture.height);
  let text = "";
  for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
  return [width, height, btoa(text)];
}"""


async def smaller(png: bytes, blank: Page) -> bytes:
    """Return the picture in few colours; an empty page of the browser reads it."""
    width, height, text = await blank.evaluate(_PIXELS, base64.b64encode(png).decode())
    pixels = base64.b64decode(text)
    colours = [pixels[at : at + 3] for at in range(0, len(pixels), 4)]
    counted = Counter(colours)
    kept = [colour for colour, _ in counted.most_common(_COLOURS)]
    number = {colour: kept.index(_nearest(colour, kept)) for colour in counted}
    drawn = bytes(number[colour] for colour in colours)
    rows = b"".join(b"\0" + drawn[at : at + width] for at in range(0, len(drawn), width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # eight bits each, a place in the palette
    parts = ((b"IHDR", header), (b"PLTE", b"".join(kept)), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _nearest(colour: bytes, kept: list[bytes]) -> bytes:
    return min(kept, key=lambda one: sum((a - b) ** 2 for a, b in zip(one, colour, strict=True)))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
