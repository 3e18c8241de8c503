import pytest
from lxml import etree

from seals.container import Archive
from seals.ofd_parts import (
    NAMESPACE,
    OfdError,
    child,
    locate,
    optional_child,
    optional_text,
    read,
    read_xml,
    resolve,
    text,
)
from tests.unit.seals.made import OFD, pack

FILES = {"OFD.xml": f'<ofd:OFD xmlns:ofd="{OFD}"/>'.encode(), "Doc_0/Tpls/T.xml": b"t", "Doc_0/Pages/P.xml": b"p"}


@pytest.fixture
def archive() -> Archive:
    return Archive(pack(FILES))


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("/Doc_0/Tpls/T.xml", "Doc_0/Tpls/T.xml"),
        ("/DOC_0/TPLS/t.xml", "Doc_0/Tpls/T.xml"),
        ("../Tpls/T.xml", "Doc_0/Tpls/T.xml"),
        ("Doc_0/Tpls/T.xml", "Doc_0/Tpls/T.xml"),
        ("P.xml", "Doc_0/Pages/P.xml"),
        ("/../../OFD.xml", "OFD.xml"),
        ("/gone.xml", "gone.xml"),
        ("gone.xml", "Doc_0/Pages/gone.xml"),
    ],
)
def test_a_location_is_a_name_in_the_archive(archive: Archive, location: str, name: str) -> None:
    assert resolve(archive, location, "Doc_0/Pages/P.xml") == name


def test_what_is_not_there_or_too_large_is_refused(archive: Archive) -> None:
    assert locate(archive, " /OFD.xml\n", "") == "OFD.xml"
    assert read(archive, "Doc_0/Tpls/T.xml", 1) == b"t"
    for attempt in (
        lambda: locate(archive, "/gone.xml", ""),
        lambda: read(archive, "Doc_0/Tpls/T.xml", 0),
        lambda: read_xml(archive, "gone.xml", "OFD"),
        lambda: read_xml(archive, "Doc_0/Tpls/T.xml", "OFD"),
        lambda: read_xml(archive, "OFD.xml", "Document"),
        lambda: read_xml(archive, "OFD.xml", "OFD", limit=3),
    ):
        with pytest.raises(OfdError):
            attempt()
    assert read_xml(archive, "OFD.xml", "OFD").tag == f"{NAMESPACE}OFD"


def test_what_stands_twice_or_empty_is_refused() -> None:
    parent = etree.fromstring(
        f'<a xmlns="{OFD}"><one> x </one><two/><two/><empty> </empty><deep>x<one/></deep></a>'.encode()
    )
    assert (text(parent, "one"), optional_text(parent, "none"), optional_child(parent, "none")) == ("x", None, None)
    assert optional_text(parent, "one") == "x"
    for tag in ("two", "empty", "deep", "none"):
        with pytest.raises(OfdError):
            text(parent, tag)
    for read_child in (child, optional_child):
        with pytest.raises(OfdError):
            read_child(parent, "two")
