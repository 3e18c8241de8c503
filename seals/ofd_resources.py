"""The resources of an OFD that a picture of a page needs: GB/T 33190-2016 clause 7.9 (Res), 8.2 (DrawParam).

Images, drawing parameters and composite units are found by their ID; fonts are not read, because a preview is set in
one of ours.
"""

from __future__ import annotations

import base64
import io
import posixpath
import struct
import warnings
from typing import TYPE_CHECKING

from PIL import Image

from seals.container import MAX_XML
from seals.ofd_parts import NAMESPACE, OfdError, locate, read, read_xml, resolve

if TYPE_CHECKING:
    from lxml.etree import _Element

    from seals.container import Archive

MAX_IMAGE = 8 << 20  # bytes
MAX_PIXELS, MAX_REPACKED = 20_000_000, 4_000_000
_MEDIA = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif"}
_NO_PICTURE = (OSError, ValueError, Warning, Image.DecompressionBombError, SyntaxError, LookupError, struct.error)
_REPACKED = "BMP"  # which no browser and no drawer of SVG need know


class Resources:
    """What the files of resources of a document and of a page name, by ID."""

    def __init__(self, archive: Archive) -> None:
        """Begin with nothing."""
        self._archive = archive
        self._images: dict[str, str] = {}
        self._parameters: dict[str, _Element] = {}
        self._units: dict[str, _Element] = {}

    def add(self, owner: _Element, base: str) -> None:
        """Add the resources that an element names: PublicRes and DocumentRes of a document, PageRes of a page."""
        for tag in ("PublicRes", "DocumentRes", "PageRes"):
            for pointer in owner.findall(f"{NAMESPACE}{tag}"):
                self._add_file(locate(self._archive, pointer.text or "", base))

    def parameter(self, identifier: str | None) -> _Element | None:
        """Return the DrawParam of that ID."""
        return self._parameters.get(identifier or "")

    def unit(self, identifier: str | None) -> _Element | None:
        """Return the CompositeGraphicUnit of that ID."""
        return self._units.get(identifier or "")

    def image(self, identifier: str | None) -> str | None:
        """Return the image of that ID as a data URI, None where it is missing, too large, or of a kind not drawn."""
        name = self._images.get(identifier or "")
        if name is None or not self._archive.holds(name):
            return None
        try:
            return data_uri(read(self._archive, name, MAX_IMAGE))
        except OfdError:
            return None

    def _add_file(self, name: str) -> None:
        root = read_xml(self._archive, name, "Res", limit=MAX_XML)
        folder = posixpath.join(posixpath.dirname(name), root.get("BaseLoc") or "", "x")
        for media in root.iter(f"{NAMESPACE}MultiMedia"):
            file = media.find(f"{NAMESPACE}MediaFile")
            if media.get("Type") == "Image" and file is not None and (file.text or "").strip():
                self._images[media.get("ID") or ""] = resolve(self._archive, (file.text or "").strip(), folder)
        for parameter in root.iter(f"{NAMESPACE}DrawParam"):
            self._parameters[parameter.get("ID") or ""] = parameter
        for unit in root.iter(f"{NAMESPACE}CompositeGraphicUnit"):
            self._units[unit.get("ID") or ""] = unit


def data_uri(data: bytes) -> str | None:
    """Return a picture as a data URI, None unless it is a PNG, JPEG, GIF or BMP of bearable size."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a decompression bomb is only warned of
            with Image.open(io.BytesIO(data), formats=(*_MEDIA, _REPACKED)) as found:
                kind, (width, height) = found.format or "", found.size
                if width * height > (MAX_REPACKED if kind == _REPACKED else MAX_PIXELS):
                    return None
                if kind == _REPACKED:
                    kind, data = "PNG", _as_png(found)
    except _NO_PICTURE:
        return None
    return f"data:{_MEDIA[kind]};base64,{base64.b64encode(data).decode()}"


def _as_png(image: Image.Image) -> bytes:
    packed = io.BytesIO()
    image.convert("RGB").save(packed, "PNG", compress_level=1)
    return packed.getvalue()
