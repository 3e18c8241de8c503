"""Archives and XML that must be refused before anything in them is believed."""

import io
import json
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from seals.container import MAX_FILE, Archive, ContainerError, parse_xml
from tests.unit.seals.made import pack

NAMES = json.loads((Path(__file__).parents[2] / "vectors" / "seals" / "archive_names.json").read_text())


def one(name: str, data: bytes = b"x", **facts: object) -> bytes:
    info = zipfile.ZipInfo(name)
    for key, value in facts.items():
        setattr(info, key, value)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(info, data)
    return buffer.getvalue()


@pytest.mark.parametrize("names", NAMES["good"], ids=ascii)
def test_ordinary_names_are_read(names: list[str]) -> None:
    archive = Archive(pack({name: b"" if name.endswith("/") else b"x" for name in names}))
    assert archive.names == {name for name in names if not name.endswith("/")}


@pytest.mark.parametrize("names", NAMES["bad"], ids=ascii)
def test_names_that_could_mean_two_things_are_refused(names: list[str]) -> None:
    with pytest.raises(ContainerError):
        Archive(pack(dict.fromkeys(names, b"x")))


def test_a_name_given_twice_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("OFD.xml", b"one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("OFD.xml", b"two")
    with pytest.raises(ContainerError, match="same name"):
        Archive(buffer.getvalue())


def test_a_link_is_refused() -> None:
    with pytest.raises(ContainerError, match="link"):
        Archive(one("OFD.xml", b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16))


@pytest.mark.parametrize("bit", [0, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15])
def test_an_entry_with_flags_that_change_its_reading_is_refused(bit: int) -> None:
    """Encrypted, enhanced deflate, patched data, masked headers, and what nobody has defined (APPNOTE 4.4.4)."""
    data = bytearray(one("OFD.xml"))
    for place in (6, data.index(b"PK\x01\x02") + 8):
        data[place + bit // 8] |= 1 << bit % 8
    with pytest.raises(ContainerError, match="encrypted"):
        Archive(bytes(data))


def test_an_encrypted_entry_is_refused() -> None:
    data = bytearray(one("OFD.xml"))
    directory = data.index(b"PK\x01\x02")
    data[directory + 8] |= 1
    with pytest.raises(ContainerError, match="encrypted"):
        Archive(bytes(data))


def test_a_method_other_than_deflate_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("OFD.xml", b"x" * 100)
    with pytest.raises(ContainerError, match="deflate"):
        Archive(buffer.getvalue())


def test_a_thousand_entries_and_no_more() -> None:
    assert len(Archive(pack({f"{n}": b"" for n in range(1000)})).names) == 1000
    with pytest.raises(ContainerError, match="1000 entries"):
        Archive(pack({f"{n}": b"" for n in range(1001)}))


def test_a_bomb_is_refused_by_its_ratio_before_it_is_unpacked() -> None:
    with pytest.raises(ContainerError, match="100 times"):
        Archive(pack({"OFD.xml": bytes(10_000_000)}))


def test_a_directory_that_lies_about_sizes_is_refused() -> None:
    data = bytearray(pack({"OFD.xml": bytes(10_000_000)}))
    directory = data.index(b"PK\x01\x02")
    for place in (22, directory + 24):  # uncompressed size, in the entry's own header and in the directory
        struct.pack_into("<I", data, place, 10)
    archive = Archive(bytes(data))
    with pytest.raises(ContainerError, match="damaged"):
        archive.read("OFD.xml", limit=MAX_FILE)


def test_more_than_200_mb_in_all_is_refused() -> None:
    data = bytearray(pack({str(n): bytes(range(256)) for n in range(3)}))
    for match in (i for i in range(len(data)) if data[i : i + 4] == b"PK\x01\x02"):
        struct.pack_into("<I", data, match + 24, 70_000_000)
    with pytest.raises(ContainerError, match="200 MB"):
        Archive(bytes(data))


def test_data_that_the_directory_does_not_list_is_refused() -> None:
    data = one("OFD.xml")
    with pytest.raises(ContainerError, match="data between"):
        Archive(one("hidden.xml")[:60] + data)
    inside = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    moved = bytearray(data[:inside] + b"hidden" * 9 + data[inside:])
    struct.pack_into("<I", moved, end + 54 + 16, inside + 54)
    with pytest.raises(ContainerError, match="does not list"):
        Archive(bytes(moved))


def test_overlapping_entries_are_refused() -> None:
    data = bytearray(pack({"a": b"same", "b": b"same"}))
    second = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, second + 42, 0)
    with pytest.raises(ContainerError):
        Archive(bytes(data)).read("b", limit=MAX_FILE)


def test_an_archive_written_in_one_stream_is_read() -> None:
    class Stream(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(data)  # type: ignore[arg-type]

    stream = Stream()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:  # sizes follow the data, as Java writes it
        archive.writestr("OFD.xml", b"x" * 50)
        archive.writestr("Doc_0/Document.xml", b"y" * 50)
    assert Archive(stream.data).read("OFD.xml", limit=MAX_FILE) == b"x" * 50


@pytest.mark.parametrize(
    "xml",
    [
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a>&b;</a>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-<a/>',
        b"<a>\xff</a>",
        b"<a>&undefined;</a>",
        b"<a",
        b"",
        b"<a>" * 100_000,
        b"<a>" + b" " * (8 << 20) + b"</a>",
    ],
    ids=["external", "entity", "entities", "utf-16", "utf-7", "not utf-8", "undefined", "cut", "empty", "deep", "big"],
)
def test_xml_that_reaches_out_or_blows_up_is_refused(xml: bytes) -> None:
    with pytest.raises(ContainerError):
        parse_xml(xml)


def test_xinclude_stays_plain_text() -> None:
    root = parse_xml(b'<a xmlns:x="http://www.w3.org/2001/XInclude"><x:include href="file:///etc/passwd"/></a>')
    assert root[0].text is None


@pytest.mark.parametrize("place", [4, 6, 8, 10, 12, 14, 18, 22, 30])
def test_an_entry_whose_two_headers_differ_is_refused(place: int) -> None:
    """Version, flags, method, time, date, checksum, sizes, name: readers differ in which header they believe."""
    data = bytearray(pack({"OFD.xml": b"<x/>" * 20}))
    data[place] ^= 1
    with pytest.raises(ContainerError):
        Archive(bytes(data))
