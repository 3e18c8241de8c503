"""Sealing an OFD: judged by our own verifier, and by the rules of GB/T 33190 read with another XML reader."""

import base64
import io
import random
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from keys.sm2 import sm3
from seals.check import check_file
from seals.container import MAX_ENTRIES, ContainerError
from seals.decoding import read_seal, read_signature
from seals.ofd_parts import OfdError
from seals.ofd_writer import LockedError, prepare
from seals.position import Position
from seals.report import SealReport
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import NOW, OFD, SIGNED_AT, City, Party, pack, signatures_xml, unpack
from tests.unit.seals.test_mutants import mutants

NS = {"ofd": OFD}
SIGNS = "Doc_0/Signs"
LIST = f"{SIGNS}/Signatures.xml"


def seal(
    city: City, data: bytes, *, position: Position | None = None, lock: bool = False, signer: Party | None = None
) -> bytes:
    draft = prepare(data, seal=city.seal, position=position or Position(), lock=lock)
    description = draft.describe(SIGNED_AT)
    return draft.finish(description, city.stamp(description, name=draft.property_info, signer=signer))


def judge(city: City, data: bytes) -> SealReport:
    return check_file(data, anchors=city.anchors, now=NOW)


def xml(files: dict[str, bytes], name: str) -> ET.Element:
    return ET.fromstring(files[name])  # noqa: S314


def word(parent: ET.Element, path: str) -> str:
    found = parent.findall(path, NS)
    assert len(found) == 1, path
    assert found[0].text
    return found[0].text


@pytest.mark.parametrize("lock", [False, True])
def test_a_sealed_document_holds(city: City, lock: bool) -> None:
    report = judge(city, seal(city, pack(document_files()), lock=lock))
    assert report.ok, report
    assert [signature.not_covered for signature in report.signatures] == [()]


def test_what_was_there_keeps_its_bytes_and_ofd_xml_names_the_list(city: City) -> None:
    before = document_files(pages=3)
    after = unpack(seal(city, pack(before)))
    assert {n: d for n, d in after.items() if n in before and n != "OFD.xml"} == {
        n: d for n, d in before.items() if n != "OFD.xml"
    }
    own = {f"{SIGNS}/Sign_0/{name}" for name in ("Signature.xml", "Seal.esl", "SignedValue.dat")}
    assert after.keys() - before.keys() == own | {LIST}
    body = xml(after, "OFD.xml").find("ofd:DocBody", NS)
    assert body is not None
    assert [child.tag.partition("}")[2] for child in body] == ["DocInfo", "DocRoot", "Signatures"]
    assert word(body, "ofd:Signatures") == f"/{LIST}"


def test_the_files_are_those_of_the_standard(city: City) -> None:
    files = unpack(seal(city, pack(document_files()), position=Position(1, 50, 60.5)))
    listed = xml(files, LIST)
    assert listed.tag == f"{{{OFD}}}Signatures"
    (line,) = listed.findall("ofd:Signature", NS)
    assert line.attrib == {"ID": "1", "Type": "Seal", "BaseLoc": f"/{SIGNS}/Sign_0/Signature.xml"}
    root = xml(files, f"{SIGNS}/Sign_0/Signature.xml")
    assert [child.tag.partition("}")[2] for child in root] == ["SignedInfo", "SignedValue"]
    info = root.find("ofd:SignedInfo", NS)
    assert info is not None
    assert [child.tag.partition("}")[2] for child in info] == [
        "Provider", "SignatureMethod", "SignatureDateTime", "References", "StampAnnot", "Seal",
    ]  # fmt: skip
    assert word(info, "ofd:SignatureMethod") == "1.2.156.10197.1.501"
    assert word(info, "ofd:SignatureDateTime") == "20260301080000Z"
    stamp = info.find("ofd:StampAnnot", NS)
    assert stamp is not None
    assert (stamp.get("PageRef"), stamp.get("Boundary")) == ("1", "50 60.5 42 42")
    assert stamp.get("ID") not in {line.get("ID"), None}
    assert int(word(listed, "ofd:MaxSignId")) >= max(int(line.attrib["ID"]), int(stamp.attrib["ID"]))
    assert word(info, "ofd:Seal/ofd:BaseLoc") == f"/{SIGNS}/Sign_0/Seal.esl"
    assert word(root, "ofd:SignedValue") == f"/{SIGNS}/Sign_0/SignedValue.dat"
    assert files[f"{SIGNS}/Sign_0/Seal.esl"] == city.seal


@pytest.mark.parametrize("lock", [False, True])
def test_every_other_file_is_referenced_with_its_sm3(city: City, lock: bool) -> None:
    files = unpack(seal(city, pack(document_files(pages=2) | {"Doc_0/Attachs/附件 & <一>.txt": b"x"}), lock=lock))
    references = xml(files, f"{SIGNS}/Sign_0/Signature.xml").find("ofd:SignedInfo/ofd:References", NS)
    assert references is not None
    assert references.get("CheckMethod") == "1.2.156.10197.1.401"
    found = {one.attrib["FileRef"]: word(one, "ofd:CheckValue") for one in references}
    own = {f"{SIGNS}/Sign_0/Signature.xml", f"{SIGNS}/Sign_0/SignedValue.dat"} | (set() if lock else {LIST})
    assert found == {f"/{n}": base64.b64encode(sm3(d)).decode() for n, d in files.items() if n not in own}


def test_the_seal_signature_covers_signature_xml_under_its_path(city: City) -> None:
    files = unpack(seal(city, pack(document_files())))
    signed = read_signature(files[f"{SIGNS}/Sign_0/SignedValue.dat"])
    assert signed.data_hash == sm3(files[f"{SIGNS}/Sign_0/Signature.xml"])
    assert signed.property_info == f"/{SIGNS}/Sign_0/Signature.xml"
    assert (signed.signed_at, signed.seal.info.version) == (SIGNED_AT, 4)


def test_the_same_document_seal_and_time_give_the_same_bytes(city: City) -> None:
    files = document_files(pages=2)
    drafts = [
        prepare(pack(one), seal=city.seal, position=Position()) for one in (files, dict(reversed(list(files.items()))))
    ]
    descriptions = [draft.describe(SIGNED_AT) for draft in drafts]
    assert descriptions[0] == descriptions[1]
    assert drafts[0].describe(SIGNED_AT + timedelta(seconds=1)) != descriptions[0]
    value = city.stamp(descriptions[0], name=drafts[0].property_info)
    sealed = [draft.finish(descriptions[0], value) for draft in drafts]
    assert sealed[0] == sealed[1]
    with zipfile.ZipFile(io.BytesIO(sealed[0])) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist()[0] == "OFD.xml"


def test_several_seals_on_one_document_until_one_locks_it(city: City) -> None:
    data = pack(document_files(pages=2))
    for number in range(3):
        data = seal(city, data, position=Position(page=2, x=10 + 50 * number, y=20), lock=number == 2)
    report = judge(city, data)
    assert report.ok
    assert [signature.not_covered for signature in report.signatures] == [(), (), ()]
    lines = xml(unpack(data), LIST).findall("ofd:Signature", NS)
    assert [line.get("BaseLoc") for line in lines] == [f"/{SIGNS}/Sign_{n}/Signature.xml" for n in range(3)]
    stamps = [xml(unpack(data), f"{SIGNS}/Sign_{n}/Signature.xml").find(".//ofd:StampAnnot", NS) for n in range(3)]
    ids = [line.get("ID") for line in lines] + [stamp.get("ID") for stamp in stamps if stamp is not None]
    assert len(set(ids)) == 6
    with pytest.raises(LockedError):
        seal(city, data)


def test_a_later_seal_covers_the_earlier_ones(city: City) -> None:
    once = seal(city, pack(document_files()))
    files = unpack(seal(city, once))
    stripped = {n: d for n, d in files.items() if "/Sign_0/" not in n}
    stripped[LIST] = signatures_xml([f"/{SIGNS}/Sign_1/Signature.xml"])
    report = judge(city, pack(stripped))
    assert report.signatures[0].altered == tuple(
        f"{SIGNS}/Sign_0/{name}" for name in ("Seal.esl", "Signature.xml", "SignedValue.dat")
    )


def test_what_was_locked_shows_a_line_added_to_the_list(city: City) -> None:
    files = unpack(seal(city, pack(document_files()), lock=True))
    files[LIST] += b" "
    assert judge(city, pack(files)).signatures[0].altered == (LIST,)


def test_a_seal_by_somebody_the_seal_does_not_name_shows(city: City) -> None:
    assert not judge(city, seal(city, pack(document_files()), signer=city.stranger)).ok


@pytest.mark.vectors
def test_a_second_seal_on_a_foreign_document(city: City, vectors: Path) -> None:
    data = (vectors / "seals" / "SESV4SignDoc.ofd").read_bytes()
    before, after = judge(city, data), judge(city, seal(city, data))
    assert after.signatures[1].ok
    assert after.signatures[0].checks == before.signatures[0].checks
    line = xml(unpack(seal(city, data)), LIST).findall("ofd:Signature", NS)[1]
    assert line.attrib == {"ID": "3", "Type": "Seal", "BaseLoc": f"/{SIGNS}/Sign_1/Signature.xml"}


@pytest.mark.parametrize(
    "identifiers", [["s001"], ["7", "2"], ["x"], ["99999999999999999999"], ["１"]], ids=lambda ids: ids[0]
)
def test_numbers_of_other_makers_are_not_used_again(city: City, identifiers: list[str]) -> None:
    locations = [f"/{SIGNS}/Old_{n}/Signature.xml" for n in range(len(identifiers))]
    once = unpack(seal(city, pack(document_files())))
    listed = signatures_xml(locations)
    for number, identifier in enumerate(identifiers, 1):
        listed = listed.replace(f'ID="{number}" '.encode(), f'ID="{identifier}" '.encode())
    files = once | {LIST: listed}
    files |= {location.lstrip("/"): once[f"{SIGNS}/Sign_0/Signature.xml"] for location in locations}
    lines = xml(unpack(seal(city, pack(files))), LIST).findall("ofd:Signature", NS)
    ids = [line.attrib["ID"] for line in lines]
    assert len(set(ids)) == len(identifiers) + 1


def test_folders_that_are_taken_in_any_case_are_left_alone(city: City) -> None:
    files = document_files() | {"doc_0/SIGNS/sign_0/note.txt": b"n", "Doc_0/Signs/Sign_1/Seal.esl": b"e"}
    assert f"{SIGNS}/Sign_2/Signature.xml" in unpack(seal(city, pack(files)))


@pytest.mark.parametrize("folder", ["文档", "A B"])
def test_the_path_of_the_signature_is_ascii_wherever_the_document_lies(city: City, folder: str) -> None:
    sealed = seal(city, pack(document_files(folder=folder)))
    assert judge(city, sealed).ok
    names = [name for name in unpack(sealed) if name.endswith("Signature.xml")]
    assert names == [f"{'Signs' if folder == '文档' else folder + '/Signs'}/Sign_0/Signature.xml"]


def test_a_file_that_packs_too_well_is_stored(city: City) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in (document_files() | {"Doc_0/Res/blank.bmp": bytes(1_000_000)}).items():
            archive.writestr(name, data)
    assert judge(city, seal(city, buffer.getvalue())).ok


Change = Callable[[dict[str, bytes]], dict[str, bytes]]
REFUSED: dict[str, Change] = {
    "no OFD.xml": lambda f: {n: d for n, d in f.items() if n != "OFD.xml"},
    "entry file in another case": lambda f: {n.replace("OFD.xml", "ofd.xml"): d for n, d in f.items()},
    "OFD.xml that is no XML": lambda f: f | {"OFD.xml": b"<"},
    "document type": lambda f: f | {"OFD.xml": b"<!DOCTYPE a>" + f["OFD.xml"]},
    "another namespace": lambda f: f | {"OFD.xml": f["OFD.xml"].replace(b"ofdspec", b"example")},
    "two documents": lambda f: (
        f | {"OFD.xml": f["OFD.xml"].replace(b"</ofd:DocBody>", b"</ofd:DocBody><ofd:DocBody/>")}
    ),
    "two DocRoots": lambda f: (
        f | {"OFD.xml": f["OFD.xml"].replace(b"</ofd:DocBody>", b"<ofd:DocRoot>x</ofd:DocRoot></ofd:DocBody>")}
    ),
    "no Document.xml": lambda f: {n: d for n, d in f.items() if n != "Doc_0/Document.xml"},
    "list that OFD.xml does not name": lambda f: f | {LIST: signatures_xml([])},
    "list that is not there": lambda f: (
        f
        | {
            "OFD.xml": f["OFD.xml"].replace(
                b"</ofd:DocBody>", b"<ofd:Signatures>/Missing.xml</ofd:Signatures></ofd:DocBody>"
            )
        }
    ),
    "a signature without a seal": lambda f: _with_list(f, signatures_xml(["/OFD.xml"]).replace(b'"Seal"', b'"Sign"')),
    "a signature that is none": lambda f: _with_list(f, signatures_xml(["/OFD.xml"])),
    "two MaxSignId": lambda f: _with_list(
        f, signatures_xml([]).replace(b"</ofd:Signatures>", b"<ofd:MaxSignId/><ofd:MaxSignId/></ofd:Signatures>")
    ),
    "no number left": lambda f: _with_list(
        f,
        signatures_xml([]).replace(b"</ofd:Signatures>", b"<ofd:MaxSignId>999999999</ofd:MaxSignId></ofd:Signatures>"),
    ),
    "too many files": lambda f: f | {f"n/{n}": b"" for n in range(MAX_ENTRIES - len(f) - 3)},
    "more unpacked than is sealed here": lambda f: (
        f | {f"Doc_0/Res/{n}": random.Random(n).randbytes(11) * 1_500_000 for n in range(4)}
    ),
    "a name that XML cannot hold": lambda f: f | {"Doc_0/\ufffe.txt": b""},
}


def _with_list(files: dict[str, bytes], listed: bytes) -> dict[str, bytes]:
    pointer = f"<ofd:Signatures>/{LIST}</ofd:Signatures></ofd:DocBody>".encode()
    return files | {"OFD.xml": files["OFD.xml"].replace(b"</ofd:DocBody>", pointer), LIST: listed}


@pytest.mark.parametrize("change", REFUSED)
def test_what_cannot_be_sealed_is_refused(city: City, change: str) -> None:
    changed = REFUSED[change](document_files())
    with pytest.raises((ContainerError, OfdError)) as caught:
        seal(city, pack(changed))
    assert not isinstance(caught.value, LockedError)


def test_random_damage_raises_nothing_but_its_own_errors(city: City) -> None:
    rng = random.Random(33190)
    whole = seal(city, pack(document_files()))
    for mutant in mutants(rng, whole, 300):
        _try(city, mutant)
    files = unpack(whole)
    for _ in range(500):
        name = rng.choice(sorted(files))
        (mutant,) = mutants(rng, files[name], 1)
        _try(city, pack(files | {name: mutant}))


def _try(city: City, data: bytes) -> None:
    try:
        draft = prepare(data, seal=city.seal, position=Position())
        draft.finish(draft.describe(SIGNED_AT), b"")
    except (ContainerError, OfdError):
        pass


def test_every_mutant_of_a_sealed_document_is_named(city: City) -> None:
    rng = random.Random(9)
    files = unpack(seal(city, pack(document_files()), lock=True))
    for _ in range(400):
        name = rng.choice(sorted(files))
        (mutant,) = mutants(rng, files[name], 1)
        assert not judge(city, pack(files | {name: mutant})).ok, name


def test_the_seal_is_the_one_given(city: City) -> None:
    other = city.make_seal(signers=(city.signer, city.stranger))
    draft = prepare(pack(document_files()), seal=other, position=Position())
    assert read_seal(draft.files[f"{draft.folder}/Seal.esl"]).der == other


def test_slices_across_page_edges_have_numbers_of_their_own(city: City) -> None:
    """骑缝章: one seal, a StampAnnot on each page, and a second seal that takes none of their numbers."""
    draft = prepare(pack(document_files(pages=3)), seal=city.seal, position=Position(across=True))
    description = draft.describe(SIGNED_AT)
    first = draft.finish(description, city.stamp(description, name=draft.property_info))
    assert check_file(first, anchors=city.anchors, now=NOW).ok
    stamps = re.findall(rb'StampAnnot ID="([0-9]+)" PageRef="([0-9]+)" Boundary="([^"]+)" Clip="([^"]+)"', description)
    assert [(number, page, clip) for number, page, _, clip in stamps] == [
        (b"2", b"1", b"0 0 14 42"), (b"3", b"2", b"14 0 14 42"), (b"4", b"3", b"28 0 14 42"),
    ]  # fmt: skip
    again = prepare(first, seal=city.seal, position=Position(), lock=True)
    assert again.stamp_id == 6
    second = again.describe(SIGNED_AT)
    both = check_file(again.finish(second, city.stamp(second, name=again.property_info)), anchors=city.anchors, now=NOW)
    assert both.ok
    assert len(both.signatures) == 2
