"""Seals on OFD documents: what is covered, what was altered, and the oddities of real files."""

import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from keys import sm2
from seals.check import check_file
from seals.report import SealReport
from tests.unit.seals.made import (
    NOW,
    OFD,
    City,
    pack,
    page,
    plain_files,
    signature_xml,
    signatures_xml,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "seals"
SIGN = "Doc_0/Signs/Sign_0"
Files = dict[str, bytes]


def judge(city: City, files: Files) -> SealReport:
    return check_file(pack(files), anchors=city.anchors, now=NOW)


def results(report: SealReport, index: int = 0) -> dict[str, str]:
    return {check.name: str(check.result) for check in report.signatures[index].checks}


def seal_description(city: City, files: Files, change: Callable[[bytes], bytes]) -> Files:
    """Change Signature.xml and seal it again, as a maker with its own habits would write it."""
    description = change(files[f"{SIGN}/Signature.xml"])
    value = city.stamp(description, name=f"/{SIGN}/Signature.xml")
    return files | {f"{SIGN}/Signature.xml": description, f"{SIGN}/SignedValue.dat": value}


@pytest.mark.parametrize("lock", [True, False])
def test_an_untouched_sealed_ofd_holds(city: City, lock: bool) -> None:
    report = judge(city, city.sealed_files(plain_files(), lock=lock))
    assert report.ok, report
    assert list(results(report)) == [
        "format", "seal_signature", "seal_maker", "seal_period", "signature", "signer_in_list", "signer_certificate",
        "integrity", "coverage", "revocation",
    ]  # fmt: skip
    assert report.as_json()["format"] == "ofd"


TAMPERED: dict[str, Callable[[Files], Files]] = {
    "page_altered": lambda f: f | {"Doc_0/Pages/Page_0/Content.xml": page("改")},
    "page_removed": lambda f: {n: d for n, d in f.items() if n != "Doc_0/Pages/Page_0/Content.xml"},
    "page_added": lambda f: f | {"Doc_0/Pages/Page_1/Content.xml": page("加")},
    "ofd_points_elsewhere": lambda f: f | {"OFD.xml": f["OFD.xml"].replace(b"Document.xml", b"Other.xml")},
    "seal_file_replaced": lambda f: f | {f"{SIGN}/Seal.esl": b"another"},
    "signature_xml_altered": lambda f: f | {f"{SIGN}/Signature.xml": f[f"{SIGN}/Signature.xml"] + b" "},
    "signed_value_of_another_file": lambda f: f | {f"{SIGN}/SignedValue.dat": City().stamp(b"another")},
    "signed_value_broken": lambda f: f | {f"{SIGN}/SignedValue.dat": b"\x30\x03\x02\x01\x04"},
    "signed_value_missing": lambda f: {n: d for n, d in f.items() if n != f"{SIGN}/SignedValue.dat"},
    "list_of_signatures_missing": lambda f: {n: d for n, d in f.items() if n != "Doc_0/Signs/Signatures.xml"},
    "list_of_signatures_emptied": lambda f: f | {"Doc_0/Signs/Signatures.xml": signatures_xml([])},
    "not_marked_as_sealed": lambda f: f | {"OFD.xml": plain_files(sealed=False)["OFD.xml"]},
    "listed_twice": lambda f: f | {"Doc_0/Signs/Signatures.xml": signatures_xml([f"/{SIGN}/Signature.xml"] * 2)},
    "only_a_signature_without_seal": lambda f: (
        f | {"Doc_0/Signs/Signatures.xml": f["Doc_0/Signs/Signatures.xml"].replace(b'"Seal"', b'"Sign"')}
    ),
}
VERDICTS = json.loads((VECTORS / "ofd_tampered.json").read_text())


@pytest.mark.parametrize("change", TAMPERED)
def test_each_change_to_the_file_is_named(city: City, change: str) -> None:
    expected = VERDICTS[change]
    report = judge(city, TAMPERED[change](city.sealed_files(plain_files(), lock=False)))
    entries = [
        {
            "not_ok": {n: r for n, r in results(report, i).items() if r != "ok" and n != "revocation"},
            "altered": list(signature.altered),
            "not_covered": list(signature.not_covered),
        }
        for i, signature in enumerate(report.signatures)
    ]
    assert {"signatures": entries, "reasons": list(report.reasons), "exit": report.exit_status} == expected
    assert not report.ok


ODDITIES: dict[str, Callable[[bytes], bytes]] = {
    "digest_named_by_word": lambda x: x.replace(b"1.2.156.10197.1.401", b"SM3"),
    "other_case_of_a_path": lambda x: x.replace(b"/Doc_0/Pages/", b"/Doc_0/PAGES/"),
    "path_relative_to_the_signature": lambda x: x.replace(b"/Doc_0/Pages/Page_0/", b"../../Pages/Page_0/"),
    "path_relative_to_the_root": lambda x: x.replace(b'"/Doc_0/Pages/', b'"Doc_0/Pages/'),
    "wrapped_base64": lambda x: x.replace(b"=</ofd:CheckValue>", b"=\n  </ofd:CheckValue>"),
    "comments_and_a_declaration": lambda x: b'<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->' + x,
    "byte_order_mark": lambda x: b"\xef\xbb\xbf" + x,
    "no_seal_file_named": lambda x: re.sub(rb"<ofd:Seal>.*</ofd:Seal>", b"", x),
    "signed_value_first": lambda x: re.sub(
        rb"(<ofd:SignedInfo>.*</ofd:SignedInfo>)(<ofd:SignedValue>.*</ofd:SignedValue>)", rb"\2\1", x
    ),
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_oddities_of_real_files_are_tolerated(city: City, oddity: str) -> None:
    files = city.sealed_files(plain_files())
    changed = seal_description(city, files, ODDITIES[oddity])
    assert changed[f"{SIGN}/Signature.xml"] != files[f"{SIGN}/Signature.xml"]
    assert judge(city, changed).ok


REFUSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "digests_by_md5": (lambda x: x.replace(b"1.2.156.10197.1.401", b"MD5"), "format_unknown"),
    "no_digest_named": (lambda x: x.replace(b' CheckMethod="1.2.156.10197.1.401"', b""), "format_unknown"),
    "two_lists_of_references": (
        lambda x: x.replace(b"</ofd:References>", b'</ofd:References><ofd:References CheckMethod="SM3"/>'),
        "unreadable",
    ),
    "two_signed_infos": (
        lambda x: x.replace(b"<ofd:SignedValue>", b"<ofd:SignedInfo/><ofd:SignedValue>"),
        "unreadable",
    ),
    "no_references": (lambda x: re.sub(rb"<ofd:Reference .*</ofd:Reference>", b"", x), "unreadable"),
    "check_value_that_is_no_base64": (
        lambda x: re.sub(rb"<ofd:CheckValue>", b"<ofd:CheckValue>!", x),
        "unreadable",
    ),
    "document_type": (lambda x: b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + x, "unreadable"),
    "another_namespace": (lambda x: x.replace(OFD.encode(), b"http://example.org/"), "unreadable"),
    "not_xml": (lambda _: b"not xml", "unreadable"),
    "signed_value_outside": (lambda x: x.replace(b"/SignedValue.dat", b"/Missing.dat"), "unreadable"),
}


@pytest.mark.parametrize("change", REFUSED)
def test_an_ambiguous_or_weak_description_is_refused_however_well_it_is_sealed(city: City, change: str) -> None:
    alter, reason = REFUSED[change]
    report = judge(city, seal_description(city, city.sealed_files(plain_files()), alter))
    assert results(report) == {"format": "fail"}
    assert report.reasons == (reason,)


def test_a_reference_cannot_leave_the_archive(city: City) -> None:
    def escape(description: bytes) -> bytes:
        return description.replace(b'FileRef="/OFD.xml"', b'FileRef="/../../../OFD.xml"')

    report = judge(city, seal_description(city, city.sealed_files(plain_files()), escape))
    assert report.ok  # `..` at the root stays at the root, where OFD.xml is


def test_two_seals_on_one_document(city: City) -> None:
    first = city.sealed_files(plain_files(), lock=False)
    both = city.sealed_files(first, number=1)
    report = judge(city, both)
    assert report.ok
    assert [s.not_covered for s in report.signatures] == [(), ()]


def test_what_only_the_second_seal_covers_is_a_notice_on_the_first(city: City) -> None:
    first = city.sealed_files(plain_files(), lock=False)
    both = city.sealed_files(first | {"Doc_0/Annots/Annotations.xml": page("注")}, number=1)
    report = judge(city, both)
    assert (results(report, 0)["coverage"], results(report, 1)["coverage"]) == ("notice", "ok")
    assert report.signatures[0].not_covered == ("Doc_0/Annots/Annotations.xml",)
    assert report.ok


def test_a_forged_second_seal_cannot_hide_an_added_page(city: City) -> None:
    first = city.sealed_files(plain_files(), lock=False)
    added = first | {"Doc_0/Pages/Page_1/Content.xml": page("伪")}
    forged = city.sealed_files(added, number=1, signer=city.stranger)
    report = judge(city, forged)
    assert not report.ok
    assert report.signatures[0].not_covered == ("Doc_0/Pages/Page_1/Content.xml",)


def test_the_picture_of_the_seal_is_bound_by_the_seal_file(city: City) -> None:
    files = city.sealed_files(plain_files())
    other = city.make_seal(signers=(city.signer, city.stranger))
    digests = {n: sm2.sm3(d) for n, d in files.items() if n not in {f"{SIGN}/Signature.xml", f"{SIGN}/SignedValue.dat"}}
    digests[f"{SIGN}/Seal.esl"] = sm2.sm3(other)
    changed = seal_description(city, files | {f"{SIGN}/Seal.esl": other}, lambda _: signature_xml(SIGN, digests))
    report = judge(city, changed)
    assert (results(report)["integrity"], report.signatures[0].altered) == ("fail", (f"{SIGN}/Seal.esl",))


def test_more_seals_than_anybody_needs_are_not_judged(city: City) -> None:
    files = city.sealed_files(plain_files(), lock=False)
    listed = [f"/Doc_0/Signs/Sign_{number}/Signature.xml" for number in range(51)]
    copies = {location.lstrip("/"): files[f"{SIGN}/Signature.xml"] for location in listed}
    report = judge(city, files | copies | {"Doc_0/Signs/Signatures.xml": signatures_xml(listed)})
    assert (report.signatures, report.reasons) == ((), ("unreadable",))


def test_a_signature_value_too_large_to_be_one_is_not_held_in_memory(city: City) -> None:
    noise = random.Random(0).randbytes((4 << 20) + 1)
    report = judge(city, city.sealed_files(plain_files()) | {f"{SIGN}/SignedValue.dat": noise})
    assert results(report) == {"format": "fail"}
    assert report.reasons == ("unreadable",)
