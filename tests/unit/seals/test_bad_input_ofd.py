"""Attacks on sealed OFD documents, one each: docs/seals.md lists them all. Whatever is hostile is a verdict, soon."""

import base64
import re
import socket
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from keys.sm2 import sm3
from seals.check import check_file
from seals.report import SealReport
from seals.structure import Picture
from tests.unit.seals import made
from tests.unit.seals.made import NOW, OFD, SIGNED_AT, City, pack, page, plain_files, signature_xml, signatures_xml
from tests.unit.seals.test_ofd import SIGN, judge, results, seal_description

LIST, PAGE = "Doc_0/Signs/Signatures.xml", "Doc_0/Pages/Page_0/Content.xml"


def references(xml: bytes) -> list[bytes]:
    return re.findall(rb"<ofd:Reference .*?</ofd:Reference>", xml)


def reference(name: str, data: bytes) -> bytes:
    value = base64.b64encode(sm3(data)).decode()
    return f'<ofd:Reference FileRef="/{name}"><ofd:CheckValue>{value}</ofd:CheckValue></ofd:Reference>'.encode()


# -- references --------------------------------------------------------------------------------------------------------


def test_references_in_another_order_are_another_description(city: City) -> None:
    files = city.sealed_files(plain_files())
    xml = files[f"{SIGN}/Signature.xml"]
    first, second, *_ = references(xml)
    swapped = xml.replace(first, b"-").replace(second, first).replace(b"-", second, 1)
    assert sorted(references(swapped)) != references(swapped)
    report = judge(city, files | {f"{SIGN}/Signature.xml": swapped})
    assert (report.ok, report.signatures[0].altered) == (False, (f"{SIGN}/Signature.xml",))


@pytest.mark.parametrize("first", [True, False], ids=["before the true one", "behind the true one"])
@pytest.mark.parametrize("sealed_again", [True, False], ids=["signed", "not signed"])
def test_a_second_reference_to_a_file_cannot_vouch_for_another_content(
    city: City, first: bool, sealed_again: bool
) -> None:
    """Even where the signer himself signed both: each line has to hold."""
    files = city.sealed_files(plain_files())
    forged, true = reference(PAGE, page("伪")), reference(PAGE, files[PAGE])
    line = forged + true if first else true + forged

    def add(xml: bytes) -> bytes:
        return xml.replace(true, line)

    changed = (
        seal_description(city, files, add)
        if sealed_again
        else files | {f"{SIGN}/Signature.xml": add(files[f"{SIGN}/Signature.xml"])}
    )
    for content in (files[PAGE], page("伪")):
        report = judge(city, changed | {PAGE: content})
        assert not report.ok
        assert report.signatures[0].altered[0] == PAGE


def test_references_outside_the_signed_info_are_not_followed(city: City) -> None:
    files = city.sealed_files(plain_files())

    def move(xml: bytes) -> bytes:
        return xml.replace(b"<ofd:SignedValue>", b"<ofd:References/><ofd:SignedValue>")

    changed = seal_description(city, files, move)
    assert judge(city, changed).ok  # those inside count, and they hold
    assert judge(city, changed | {PAGE: page("伪")}).signatures[0].altered == (PAGE,)


# -- places ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        "../../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "http://203.0.113.1/Signature.xml",
        "\\\\203.0.113.1\\share", "/Doc_0/Signs/Sign_0/../../../../etc/passwd", "/", ".",
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["OFD.xml", "Signatures.xml", "Signature.xml"])
def test_a_place_outside_is_a_file_that_is_missing(city: City, where: str, place: str) -> None:
    files = city.sealed_files(plain_files(), lock=False)
    if where == "OFD.xml":
        files["OFD.xml"] = files["OFD.xml"].replace(b"/Doc_0/Signs/Signatures.xml", place.encode())
    elif where == "Signatures.xml":
        files[LIST] = signatures_xml([place])
    else:
        files = seal_description(
            city, files, lambda xml: xml.replace(b"/Doc_0/Signs/Sign_0/SignedValue.dat", place.encode())
        )
    report = judge(city, files)
    assert (report.ok, report.reasons) == (False, ("unreadable",))


# -- whose seal, on what, when -----------------------------------------------------------------------------------------


def test_a_valid_seal_pasted_into_another_document_fits_nothing_there(city: City) -> None:
    true = city.sealed_files(plain_files())
    root = f'<ofd:Document xmlns:ofd="{OFD}"> </ofd:Document>'
    other = plain_files() | {PAGE: page("另一份"), "Doc_0/Document.xml": root.encode()}
    pasted = other | {name: data for name, data in true.items() if name.startswith("Doc_0/Signs/")}
    report = judge(city, pasted)
    assert (results(report)["signature"], results(report)["integrity"]) == ("ok", "fail")
    assert set(report.signatures[0].altered) == {PAGE, "Doc_0/Document.xml"}
    assert not report.ok


def test_a_seal_value_of_another_document_fits_no_description(city: City) -> None:
    """All references are true, made by whoever pasted the value; what the signer signed is another list."""
    true, other = city.sealed_files(plain_files()), plain_files() | {PAGE: page("另一份")}
    made_anew = city.sealed_files(other, signer=city.stranger)
    report = judge(city, made_anew | {f"{SIGN}/SignedValue.dat": true[f"{SIGN}/SignedValue.dat"]})
    assert (report.ok, report.signatures[0].altered) == (False, (f"{SIGN}/Signature.xml",))


def test_a_signer_whom_the_seal_does_not_name(city: City) -> None:
    report = judge(city, city.sealed_files(plain_files(), signer=city.stranger))
    assert (report.ok, report.reasons) == (False, ("seal_invalid",))
    assert {name for name, result in results(report).items() if result == "fail"} == {"signer_in_list"}


@pytest.mark.parametrize("days", [-2, 366], ids=["before", "after"])
def test_a_seal_used_out_of_its_time(city: City, days: int) -> None:
    report = judge(city, city.sealed_files(plain_files(), signed_at=SIGNED_AT + timedelta(days=days)))
    assert not report.ok
    assert results(report)["seal_period"] == "fail"


def test_a_seal_not_made_by_a_maker_of_seals(city: City) -> None:
    own = city.make_seal(maker=city.stranger)
    report = check_file(
        pack(city.sealed_files(plain_files(), seal=own)), anchors=city.anchors, makers=[city.maker.certificate], now=NOW
    )
    assert (report.ok, results(report)["seal_maker"]) == (False, "fail")


# -- what exhausts -----------------------------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    """Return a SEQUENCE in a SEQUENCE and so on, as deep as it can be with a true length each."""
    data = b""
    for _ in range(depth):
        size = len(data)
        length = bytes([size]) if size < 0x80 else b"\x83" + size.to_bytes(3, "big")
        data = b"\x30" + length + data
    return data


DEEP: dict[str, Callable[[], bytes]] = {
    "deep": lambda: nested(100_000),
    "deep and cut": lambda: b"\x30\x83\x0f\xff\xff" * 100_000,
    "indefinite": lambda: b"\x30\x80" * 100_000,
    "indefinite and closed": lambda: b"\x30\x80" * 1_000 + b"\0\0" * 1_000,
    "a length of 2^32": lambda: b"\x30\x84\xff\xff\xff\xff",
    "a length of 127 octets": lambda: b"\x30\xff" + b"\xff" * 127,
    "a tag without end": lambda: b"\x3f" + b"\xff" * 100_000,
}


@pytest.mark.parametrize("name", ["SignedValue.dat", "Seal.esl"])
@pytest.mark.parametrize("kind", DEEP)
def test_asn1_without_end_inside_is_unreadable_soon(city: City, kind: str, name: str) -> None:
    files = city.sealed_files(plain_files()) | {f"{SIGN}/{name}": DEEP[kind]()}  # to make it takes longer than to read
    started = time.thread_time()
    report = judge(city, files)
    assert time.thread_time() - started < 1
    assert not report.ok


def test_a_picture_said_to_be_giant_is_not_unpacked(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """40,000 by 40,000 pixels in a few octets: a verifier has no need to see it."""
    header = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR" + (40_000).to_bytes(4, "big") * 2 + b"\x08\x06\0\0\0"
    monkeypatch.setattr(made, "PICTURE", Picture("PNG", header, 42, 42))
    seal = city.make_seal()
    started = time.thread_time()
    report = judge(city, city.sealed_files(plain_files(), seal=seal))
    report.as_json()
    assert time.thread_time() - started < 1
    assert report.ok
    assert report.signatures[0].picture is not None
    assert len(report.signatures[0].picture.data) == len(header)


def test_a_file_cut_anywhere_is_unreadable(city: City) -> None:
    data = city.stamp_ofd(plain_files())
    for size in range(0, len(data), max(1, len(data) // 300)):
        assert check_file(data[:size], anchors=city.anchors, now=NOW).reasons in {("unreadable",), ("not_sealed",)}


# -- nothing is fetched ------------------------------------------------------------------------------------------------


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Refuse every socket; return what was asked for."""
    asked: list[object] = []

    def refuse(*facts: object, **_more: object) -> None:
        asked.append(facts)
        raise OSError("no network here")

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return asked


def test_nothing_is_fetched_whatever_a_file_names(city: City, no_network: list[object]) -> None:
    files = city.sealed_files(plain_files(), lock=False)
    url = b"http://203.0.113.1/a"
    styled = files["OFD.xml"].replace(b"<ofd:OFD", b'<?xml-stylesheet href="%s"?><ofd:OFD' % url)
    report: list[SealReport] = [
        judge(city, files),
        judge(city, files | {LIST: signatures_xml([url.decode()])}),
        judge(city, files | {"OFD.xml": b'<!DOCTYPE a SYSTEM "%s"><a/>' % url}),
        judge(city, files | {"OFD.xml": b'<!DOCTYPE a [<!ENTITY b SYSTEM "%s">]><a>&b;</a>' % url}),
        judge(city, files | {"OFD.xml": styled}),
        judge(city, files | {f"{SIGN}/Signature.xml": signature_xml(url.decode(), {url.decode(): bytes(32)})}),
    ]  # fmt: skip
    assert [one.ok for one in report] == [True, False, False, False, False, False]
    assert no_network == []
