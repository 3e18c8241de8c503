from datetime import timedelta

from keys.certificates.crl import issue_list, read_lists
from seals import pdf_material
from seals.check import check_file
from seals.pdf_material import Material
from seals.pdf_read import open_pdf
from tests.unit.seals.made import NOW, SIGNED_AT
from tests.unit.seals.pdfs import Office, document

OFFICE = Office()


def revocation_list(*revoked: tuple[int, object, str]) -> object:
    der = issue_list(
        issuer=OFFICE.root.certificate,
        sign=OFFICE.root.sign,
        number=1,
        this_update=SIGNED_AT + timedelta(days=1),
        next_update=SIGNED_AT + timedelta(days=400),
        revoked=list(revoked),  # type: ignore[arg-type]
    )
    (made,) = read_lists(der)
    return made


def checked(sealed: bytes) -> dict[str, str]:
    report = check_file(sealed, anchors=OFFICE.anchors, now=NOW)
    return {"ok": str(report.ok)} | {check.name: str(check.result) for check in report.signatures[0].checks}


def test_what_was_added_is_read_again_and_counts() -> None:
    sealed = OFFICE.seal(document())
    material = Material((OFFICE.department.certificate, OFFICE.root.certificate), (revocation_list(),))  # type: ignore[arg-type]
    more = pdf_material.add(sealed, material)
    assert more.startswith(sealed)
    found = pdf_material.read(open_pdf(more))
    assert found.certificates == material.certificates
    assert [one.der for one in found.lists] == [one.der for one in material.lists]
    assert checked(sealed)["revocation"] == "not_checked"
    assert checked(more) | {"ok": "True", "revocation": "ok", "coverage": "notice", "integrity": "ok"} == checked(more)


def test_a_list_inside_that_revokes_is_believed() -> None:
    revoked = revocation_list((2, SIGNED_AT - timedelta(days=3), "keyCompromise"))
    more = pdf_material.add(OFFICE.seal(document()), Material((), (revoked,)))  # type: ignore[arg-type]
    assert checked(more) | {"ok": "False", "revocation": "fail"} == checked(more)


def test_a_list_by_somebody_else_says_nothing() -> None:
    other = Office()
    der = issue_list(
        issuer=other.root.certificate,
        sign=other.root.sign,
        number=1,
        this_update=SIGNED_AT + timedelta(days=1),
        next_update=SIGNED_AT + timedelta(days=400),
        revoked=[(2, SIGNED_AT - timedelta(days=3), "keyCompromise")],
    )
    more = pdf_material.add(OFFICE.seal(document()), Material((), read_lists(der)))
    assert checked(more)["revocation"] == "not_checked"


def test_a_document_without_any() -> None:
    assert pdf_material.read(open_pdf(document())) == Material()
