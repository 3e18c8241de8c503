"""The forms of copies are read by implementations that are not ours: pdfsig, pyHanko, pymdoccbor, joserfc, claim169."""

import base64
import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cbor2
import claim169
import cryptography.x509  # pymdoccbor's own import is too late: without this one it silently refuses everything
import pytest
import zxingcpp
from joserfc import jwk, jws
from lxml import etree
from PIL import Image
from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko_certvalidator import ValidationContext
from pymdoccbor.mdoc.verifier import MobileDocument

from idservice.call import Call
from idservice.errors import Problem
from keys.certificates import to_pem
from keys.ring import Purpose
from licences import artefacts, copy_check, copy_forms
from licences.change import find
from licences.copies import Form
from licences.faces.drawing import Page
from licences.formats import face_ofd, face_pdf
from seals import first_page, house_certificate, ofd_picture, stamp_document
from seals.authority import DOCUMENT_ROOT, ROOT, party_of
from tests.town import ALICE, BOB, OFFICER, Town
from tests.unit.licences.copying import FORMS, content, fetch, root_certificate
from tests.unit.seals.pdfs import judged_by_pyhanko


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue("driving_licence").identifier


# --- accepted by others ------------------------------------------------------------------------------------------


def test_pdfsig_and_pyhanko_accept_the_pdf(town: Town, card: str, pdfsig: str, tmp_path: Path) -> None:
    data = content(town, card, Form.PDF)
    file = tmp_path / "licence.pdf"
    file.write_bytes(data)
    told = subprocess.run([pdfsig, str(file)], capture_output=True, text=True, check=False, timeout=60).stdout
    assert "Signature is Valid." in told
    assert "Total document signed" in told
    reader = PdfFileReader(io.BytesIO(data), strict=True)
    (signature,) = reader.embedded_signatures
    root = root_certificate(town)
    file.with_suffix(".pem").write_text(to_pem(root))
    trusted = ValidationContext(
        trust_roots=[load_cert_from_pemder(str(file.with_suffix(".pem")))], allow_fetching=False
    )
    status = judged_by_pyhanko(signature, trusted)
    assert (status.intact, status.valid, status.trusted) == (True, True, True)
    assert status.coverage.name == "ENTIRE_FILE"


def test_both_documents_hold_without_this_house(town: Town, card: str, tmp_path: Path) -> None:
    roots = [town.act(lambda call, name=name: party_of(call, name)).certificate.der for name in (ROOT, DOCUMENT_ROOT)]
    (tmp_path / "roots.pem").write_text("".join(map(to_pem, roots)))
    for form in (Form.PDF, Form.OFD):
        (tmp_path / form).write_bytes(content(town, card, form))
        command = [
            sys.executable,
            "examples/verify_offline.py",
            str(tmp_path / form),
            "--trust",
            str(tmp_path / "roots.pem"),
        ]
        done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False, timeout=60)
        told = json.loads(done.stdout)
        assert (done.returncode, told["ok"], told["signatures"][0]["not_covered"]) == (0, True, []), done.stdout


def test_the_pdf_says_what_conformance_asks_for(town: Town, card: str) -> None:
    """No checker of PDF/A installs from the index; typst refuses to write what does not conform, and this is left."""
    data = content(town, card, Form.PDF)
    reader = PdfFileReader(io.BytesIO(data), strict=True)
    metadata = reader.root["/Metadata"].data.decode()
    assert ('pdfaid:part="2"' in metadata, 'pdfaid:conformance="A"' in metadata) == (True, True)
    assert reader.root["/MarkInfo"]["/Marked"]
    assert str(reader.root["/Lang"]).lower().startswith("zh")
    assert "/OutputIntents" in reader.root
    assert not reader.encrypted
    fonts = [one for one in _resources(reader) if one.get("/Type") == "/Font" and "/DescendantFonts" in one]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor), "embedded"


def _resources(reader: PdfFileReader) -> list[dict[str, object]]:
    page = reader.root["/Pages"]["/Kids"][0]
    while "/Kids" in page:
        page = page["/Kids"][0]
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]


def test_the_code_on_both_faces_is_the_code_for_paper(town: Town, card: str) -> None:
    path = f"/v1/licences/{card}/qr.png"
    expected = _scanned(town.web.get(path, headers=town.person(ALICE)).data)
    assert _scanned(first_page.picture(content(town, card, Form.PDF))) == expected
    drawn = ofd_picture.picture(content(town, card, Form.OFD), width=1600)
    assert _scanned(drawn) == expected
    assert town.verify(expected)["licence"]["identifier"] == card


def _scanned(picture: bytes) -> str:
    with Image.open(io.BytesIO(picture)) as opened:
        grey = opened.convert("L")
    found = zxingcpp.read_barcodes(grey.resize((grey.width * 2, grey.height * 2)))
    return str(found[0].text)


def test_the_ofd_holds_metadata_and_an_index_of_its_fields(town: Town, card: str) -> None:
    space = {"ofd": "http://www.ofdspec.org/2016", "face": "urn:ona:licence:face:1"}
    with zipfile.ZipFile(io.BytesIO(content(town, card, Form.OFD))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    stated = json.loads(fetch(town, card, "record.json").data)
    root = etree.fromstring(parts["OFD.xml"])
    listed = {one.get("Name"): one.text for one in root.iterfind(".//ofd:CustomData", space)}
    assert listed["certificateIdentifier"] == card
    assert listed["certificateHolderName"] == "、".join(stated["certificateHolderName"])
    assert listed.keys() == stated.keys() - {"surfaceData"}
    tags = etree.fromstring(parts["Doc_0/Tags/CustomTags.xml"])
    assert tags.findtext(".//ofd:FileLoc", namespaces=space) == "Tag_Face.xml"
    index = etree.fromstring(parts["Doc_0/Tags/Tag_Face.xml"])
    page = etree.fromstring(parts["Doc_0/Pages/Page_0/Content.xml"])
    shown = {one.get("ID"): one.findtext("ofd:TextCode", namespaces=space) for one in page.iter("{*}TextObject")}
    fields = {
        field.get("Name"): "".join(shown[one.text or ""] or "" for one in field.iterfind("ofd:ObjectRef", space))
        for field in index.iterfind("face:Field", space)
    }
    assert fields.keys() >= set(stated["surfaceData"]) | {"holder_name", "holder_number"}
    assert fields["vehicle_class"] == "C1"
    assert fields["holder_number"].endswith(ALICE)


def test_pymdoccbor_accepts_the_mdoc(town: Town, card: str) -> None:
    opened = cbor2.loads(content(town, card, Form.MDOC))
    document = MobileDocument(docType="org.iso.18013.5.1.mDL", issuerSigned=opened)
    root = cryptography.x509.load_der_x509_certificate(root_certificate(town))
    assert document.verify(trusted_root_certs=[root], verify_hashes=True), document.hash_verification
    mso = document.issuersigned.issuer_auth.payload_as_dict
    assert (mso["docType"], mso["version"]) == ("org.iso.18013.5.1.mDL", "1.0")
    assert set(mso["status"]["status_list"]) == {"uri", "idx"}
    assert mso["validityInfo"]["signed"] <= mso["validityInfo"]["validFrom"] < mso["validityInfo"]["validUntil"]
    elements = {
        item["elementIdentifier"]: item["elementValue"]
        for item in (cbor2.loads(one.value) for one in opened["nameSpaces"]["org.iso.18013.5.1"])
    }
    assert elements["document_number"] == ALICE
    assert elements["driving_privileges"][0]["vehicle_category_code"] == "C1"


def test_joserfc_accepts_the_jwt_and_it_is_a_credential_of_the_data_model(town: Town, card: str) -> None:
    token = content(town, card, Form.JWT).decode()
    signer = town.house.keys.signer(Purpose.LICENCE).public
    read = jws.deserialize_compact(token, jwk.ECKey.import_key(signer.jwk()))
    assert read.headers() == {"alg": "ES256", "kid": signer.kid, "typ": "vc+jwt", "cty": "vc"}
    credential = json.loads(read.payload)
    assert credential["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    assert credential["type"][0] == "VerifiableCredential"
    assert not credential.keys() & {"vc", "vp"}
    assert credential["id"].endswith(card)
    assert datetime.fromisoformat(credential["validFrom"]) < datetime.fromisoformat(credential["validUntil"])
    assert credential["credentialSubject"]["face"]["vehicle_class"] == "C1"
    purposes = {one["statusPurpose"]: one for one in credential["credentialStatus"]}
    assert purposes.keys() == {"revocation", "suspension"}
    for purpose, one in purposes.items():
        assert one["type"] == "BitstringStatusListEntry"
        assert one["statusListCredential"].endswith(f"/{purpose}")
        assert one["statusListIndex"].isdigit()


def test_claim169_accepts_the_code(town: Town, card: str) -> None:
    text = content(town, card, Form.CLAIM169).decode()
    point = town.house.keys.signer(Purpose.LICENCE).public.jwk()
    key = b"\x04" + b"".join(base64.urlsafe_b64decode(point[name] + "=") for name in ("x", "y"))
    found = claim169.decode_with_ecdsa_p256(text, key)
    assert found.is_verified()
    assert (found.claim169.id, found.claim169.full_name) == (ALICE, "王小明")
    assert found.claim169.date_of_birth == f"{ALICE[6:10]}-{ALICE[10:12]}-{ALICE[12:14]}"
    assert found.cwt_meta.is_valid_now()


# --- the seal and the certificate behind them --------------------------------------------------------------------


def test_a_seal_that_is_not_in_force_goes_on_no_document(town: Town, card: str) -> None:
    def draw(call: Call) -> Page:
        licence = find(call, card)
        return copy_forms.face(call, licence, artefacts.open_record(call, licence).metadata)

    page = town.act(draw)
    ofd = face_ofd.write(page, {}, made_at=datetime.now(UTC))
    pdf = face_pdf.write(page, author="", keywords=(), made_at=datetime.now(UTC))
    later = datetime.now(UTC) + timedelta(days=70 * 365)
    seal_id = town.row(card).seal_id
    for stamp, document in ((stamp_document.stamp_ofd, ofd), (stamp_document.stamp_pdf, pdf)):
        for facts, moment in (({"seal_id": seal_id}, later), ({"seal_id": "0" * 14}, None)):
            with pytest.raises(Problem, match="seal_not_in_force"):
                town.act(
                    lambda call, stamp=stamp, document=document, facts=facts: stamp(
                        call, document=document, centre=page.centre, **facts
                    ),
                    now=moment,
                )


def test_a_key_of_the_house_has_one_certificate_under_the_root_for_documents(town: Town) -> None:
    key = town.house.keys.signer(Purpose.LICENCE).public
    first, second = (town.act(lambda call: house_certificate.certificate_of(call, key)).der for _ in range(2))
    assert first == second
    read, root = (cryptography.x509.load_der_x509_certificate(der) for der in (first, root_certificate(town)))
    read.verify_directly_issued_by(root)
    usage = read.extensions.get_extension_for_class(cryptography.x509.ExtendedKeyUsage).value
    assert [one.dotted_string for one in usage] == ["1.0.18013.5.1.2"]
    assert copy_forms.point_of(first) is not None
    assert copy_forms.point_of(b"\x30\x00") is None


def test_texts_that_are_no_copies_are_left_to_others() -> None:
    others = [
        "",
        "om",
        "omppc3N1",
        "eyJ.",
        "eyJhbGciOiJFUzI1NiJ9.e30.x~",
        "eyJ.é.x",
        "LC1:" + "A" * 200,
        "1.2.156.3005.2",
    ]
    assert [copy_check.form_of_text(text) for text in others] == [None] * len(others)
    assert copy_check.form_of_text("eyJ.e30.x") == (Form.JWT, b"eyJ.e30.x")
    assert copy_check.form_of_bytes(b"%PDF-") is None


def test_the_pages_offer_what_fits_and_hand_it_out(town: Town, card: str) -> None:
    mine = town.browser(ALICE).client
    page = mine.get(f"/me/licences/{card}").text
    for form in FORMS:
        address = f"/me/licences/{card}/{form}"
        assert address in page
        found = mine.get(address)
        assert (found.status_code, found.data) == (200, content(town, card, form))
        assert found.headers["Content-Disposition"] == f'attachment; filename="{form}"'
    officer = town.browser(OFFICER).client
    assert f"/admin/licences/{card}/document.pdf" in officer.get(f"/admin/licences/{card}").text
    assert officer.get(f"/admin/licences/{card}/document.ofd").data == content(town, card, Form.OFD)
    assert town.looks(ALICE)[1]["fields"] == ["document.ofd"]
    assert mine.get(f"/admin/licences/{card}/document.pdf").status_code in {403, 404}
    assert town.browser(BOB).client.get(f"/me/licences/{card}/document.pdf").status_code == 404
    other = town.issue("marriage_certificate").identifier
    assert officer.get(f"/admin/licences/{other}/document.pdf").status_code == 404, "of another department"
    town.change(other, "suspend", reason="演示", headers=town.machine("civil-issuer"))
    assert "document.pdf" not in mine.get(f"/me/licences/{other}").text
    assert mine.get(f"/me/licences/{other}/document.pdf").status_code == 409
