"""One reading of a ZIP file or none: what other readers could read in another way is refused."""

import io
import random
import struct
import zipfile
import zlib

import pytest

from seals.zip_entries import ZipError, read_entries, refuse_ambiguity, unpack
from tests.unit.seals.made import pack

FILES = {"OFD.xml": b"<a/>" * 20, "Doc_0/Document.xml": b"<b/>" * 9}


def read(data: bytes) -> dict[str, bytes]:
    entries = read_entries(data, at_most=10)
    refuse_ambiguity(data, entries)
    return {entry.name: unpack(data, entry) for entry in entries}


def test_an_archive_reads_as_another_reader_reads_it() -> None:
    assert read(pack(FILES)) == FILES


def test_a_comment_changes_nothing() -> None:
    buffer = io.BytesIO(pack(FILES))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = "演示".encode()
    assert read(buffer.getvalue()) == FILES


def end_of(data: bytes, **facts: int) -> bytes:
    """Change the end record: `at` is the place in it, `value` two octets."""
    made = bytearray(data)
    struct.pack_into("<H", made, data.rindex(b"PK\x05\x06") + facts["at"], facts["value"])
    return bytes(made)


def with_extra(field: bytes, *, listed: bool) -> bytes:
    """Return an archive of one stored file with an extra field in its own header or in the directory."""
    name, content = b"OFD.xml", b"<a/>"
    facts = struct.pack("<HHHHHIII", 20, 0, 0, 0, 0x5C61, zlib.crc32(content), len(content), len(content))
    own, there = (b"", field) if listed else (field, b"")
    header = b"PK\x03\x04" + facts + struct.pack("<HH", len(name), len(own)) + name + own + content
    line = b"PK\x01\x02\x14\x00" + facts + struct.pack("<HHHHHII", len(name), len(there), 0, 0, 0, 0, 0) + name + there
    return header + line + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(line), len(header), 0)


def unicode_path(name: bytes) -> bytes:
    value = b"\x01" + struct.pack("<I", zlib.crc32(b"OFD.xml")) + name
    return struct.pack("<HH", 0x7075, len(value)) + value


def test_a_second_name_that_is_the_same_is_no_second_name() -> None:
    for listed in (True, False):
        assert read(with_extra(unicode_path(b"OFD.xml"), listed=listed)) == {"OFD.xml": b"<a/>"}


def with_slack(behind: bytes) -> bytes:
    """Return an archive whose one packed file has more bytes than it needs."""
    content = b"<a/>" * 30
    packing = zlib.compressobj(wbits=-15)
    packed = packing.compress(content) + packing.flush() + behind
    facts = struct.pack("<HHHHHIII", 20, 0, 8, 0, 0x5C61, zlib.crc32(content), len(packed), len(content))
    header = b"PK\x03\x04" + facts + struct.pack("<HH", 7, 0) + b"OFD.xml" + packed
    line = b"PK\x01\x02\x14\x00" + facts + struct.pack("<HHHHHII", 7, 0, 0, 0, 0, 0, 0) + b"OFD.xml"
    return header + line + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(line), len(header), 0)


def test_the_archive_made_by_hand_is_one() -> None:
    assert read(with_slack(b"")) == {"OFD.xml": b"<a/>" * 30}
    assert read(with_extra(b"", listed=True)) == {"OFD.xml": b"<a/>"}


WHOLE = pack(FILES)
REFUSED = {
    "nothing": b"",
    "an end record alone that lists one": end_of(b"PK\x05\x06" + bytes(18), at=8, value=1),
    "bytes behind the end": WHOLE + b"\0",
    "an archive behind the archive": WHOLE + pack({"OFD.xml": b"<other/>"}),
    "an archive before the archive": pack({"OFD.xml": b"<other/>"}) + WHOLE,
    "a comment longer than it says": end_of(WHOLE, at=20, value=0) + b"c",
    "a comment shorter than it says": end_of(WHOLE, at=20, value=5),
    "an end record in the comment": end_of(WHOLE, at=20, value=22) + b"PK\x05\x06" + bytes(18),
    "another disk": end_of(WHOLE, at=4, value=1),
    "counts that differ": end_of(WHOLE, at=8, value=1),
    "fewer than are listed": end_of(end_of(WHOLE, at=8, value=1), at=10, value=1),
    "more than are listed": end_of(end_of(WHOLE, at=8, value=3), at=10, value=3),
    "a directory elsewhere": end_of(WHOLE, at=16, value=1),
    "a file cut short": WHOLE[: len(WHOLE) // 2],
    "a second name in the directory": with_extra(unicode_path(b"Doc_0/Evil.xml"), listed=True),
    "a second name in the header": with_extra(unicode_path(b"Doc_0/Evil.xml"), listed=False),
    "a broken extra field": with_extra(b"\x75\x70\xff\xff\x01", listed=True),
    "bytes hidden behind packed ones": with_slack(b"hidden"),
    "newer than what is known": WHOLE.replace(b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\x40"),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_could_be_read_in_two_ways_is_refused(data: bytes) -> None:
    assert data != WHOLE
    with pytest.raises(ZipError):
        read(data)


def test_a_descriptor_stands_only_where_it_is_announced() -> None:
    """Up to 24 octets behind an entry are no hiding place: they say again what the directory says."""
    first = WHOLE.index(b"PK\x03\x04", 4)
    made = bytearray(WHOLE[:first] + b"hidden bytes" + WHOLE[first:])
    end = made.rindex(b"PK\x05\x06")
    struct.pack_into("<I", made, end + 16, struct.unpack_from("<I", WHOLE, end - 12 + 16)[0] + 12)
    second = made.rindex(b"PK\x01\x02")
    struct.pack_into("<I", made, second + 42, first + 12)
    with pytest.raises(ZipError, match="between"):
        read(bytes(made))


# --- ZIP64 ---------------------------------------------------------------------------------------------------------


class OneWay(io.BytesIO):
    """A stream in which nothing can be written over, as to a pipe."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError("a pipe has no place")

    def seek(self, *_: int) -> int:
        raise OSError("a pipe has no place")


def wide(monkeypatch: pytest.MonkeyPatch, buffer: io.BytesIO, limit: int) -> bytes:
    """Return an archive of which Python's writer believes that it is too large above so many bytes."""
    with monkeypatch.context() as patch:
        patch.setattr(zipfile, "ZIP64_LIMIT", limit)
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in FILES.items():
                with archive.open(name, "w", force_zip64=True) as file:
                    file.write(content)
    return buffer.getvalue()


def test_zip64_is_read_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the files' own headers alone; in the directory and its end too; written to a pipe."""
    for buffer, limit, ends in ((io.BytesIO(), 1 << 31, 0), (io.BytesIO(), 10, 1), (OneWay(), 10, 1)):
        data = wide(monkeypatch, buffer, limit)
        assert data.count(b"PK\x06\x06") == ends
        assert read(data) == FILES
        assert struct.pack("<HH", 1, 16) in data


def is_refused(data: bytearray) -> bool:
    try:
        read(bytes(data))
    except ZipError:
        return True
    return False


def test_zip64_that_contradicts_itself_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = wide(monkeypatch, io.BytesIO(), 10)
    end, locator, listed = data.index(b"PK\x06\x06"), data.index(b"PK\x06\x07"), data.index(b"PK\x01\x02")
    extra = listed + 46 + len("OFD.xml")
    changes = {
        "a directory elsewhere": (end + 48, 1), "another size of it": (end + 40, 1), "another count": (end + 32, 1),
        "room for more behind it": (end + 4, 1), "an end record elsewhere": (locator + 8, 1),
        "a disk": (locator + 16, 2),
        "a size": (extra + 4, 1), "a packed size": (extra + 12, 1), "an extra field of another kind": (extra, 2),
        "a longer field": (extra + 2, 8), "an own header's size": (30 + len("OFD.xml") + 4, 1),
    }  # fmt: skip
    for what, (place, change) in changes.items():
        made = bytearray(data)
        made[place] ^= change
        assert is_refused(made), what
    without = bytearray(data[:end] + data[locator + 20 :])
    struct.pack_into("<I", without, without.rindex(b"PK\x05\x06") + 12, 0xFFFFFFFF)
    narrow = bytearray(data)
    struct.pack_into("<H", narrow, data.rindex(b"PK\x05\x06") + 10, 1)
    beyond = bytearray(data)
    struct.pack_into("<Q", beyond, extra + 12, 1 << 62)
    assert is_refused(without), "no end record of its own"
    assert is_refused(narrow), "the usual end record says something else"
    assert is_refused(beyond), "an entry beyond any file"


def test_no_mutant_of_zip64_is_read_otherwise_than_another_reader_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data, dice, read_too = wide(monkeypatch, io.BytesIO(), 10), random.Random(64), 0
    for _ in range(5_000):
        mutant, place = bytearray(data), dice.randrange(len(data))
        mutant[place : place + 8] = dice.choice(
            [b"\xff" * 8, bytes(8), bytes([mutant[place] ^ 1 << dice.randrange(8)]) + mutant[place + 1 : place + 8]]
        )
        if not is_refused(mutant):
            read_too += 1
            with zipfile.ZipFile(io.BytesIO(mutant)) as archive:
                assert read(bytes(mutant)) == {name: archive.read(name) for name in archive.namelist()}
    assert read_too
