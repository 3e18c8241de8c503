"""What comes from outside about seals: bombs, mutants, forged requests. Never a 500, never a seal that holds."""

import base64
import io
import random
import zipfile
import zlib
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from idservice.http.endpoint import MAX_UPLOAD
from idservice.models import AuditEntry
from tests.builders import act, migrate
from tests.databases import Databases
from tests.sealing import DEPARTMENT, LETTER, OTHER, Office, build_office, post_form, post_page
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import pack, plain_files, unpack


@pytest.fixture(scope="module")
def office(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    url = databases.fresh(migrate)
    built = build_office(tmp_path_factory.mktemp("office"), url)
    yield built
    built.house.database.engine.dispose()
    databases.drop(url)


def zip_bomb() -> bytes:
    """The content of a page that unpacks to 64 MB."""
    return pack(plain_files() | {"Doc_0/Pages/Page_0/Content.xml": bytes(64 << 20)})


def crowd() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for index in range(5_000):
            archive.writestr(f"{index}.xml", b"")
    return buffer.getvalue()


def xml_bomb() -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 100}">' for n in range(9))
    return pack(plain_files() | {"OFD.xml": f"<!DOCTYPE o [{entities}]><o>&e8;</o>".encode()})


HOSTILE = {
    "zip bomb": zip_bomb,
    "crowd": crowd,
    "XML bomb": xml_bomb,
    "deep XML": lambda: pack(plain_files() | {"OFD.xml": b"<a>" * 100_000}),
    "deep ASN.1": lambda: b"0\x82\x7f\xff" * 200_000,
    "indefinite ASN.1": lambda: b"0\x80" * 200_000,
    "deflate of nothing": lambda: zlib.compress(bytes(1 << 20)),
    "zip that ends early": lambda: pack(plain_files())[:-30],
    "NUL": lambda: b"\0",
    "one tag": lambda: b"0",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_judged_not_suffered(office: Office, kind: str) -> None:
    data = HOSTILE[kind]()
    report = office.by_api(data)
    assert report["ok"] is False
    assert report["reasons"]
    assert office.by_command(data)[0] in {1, 2}
    assert "印章有效</h" not in office.by_page(data)


@pytest.mark.parametrize("make", [Office.sealed_letter, Office.sealed_ofd], ids=["letter", "ofd"])
def test_no_mutant_holds(office: Office, make: object) -> None:
    sealed: bytes = make(office)  # type: ignore[operator]
    document = LETTER if make is Office.sealed_letter else None
    assert office.by_api(sealed, document)["ok"] is True
    dice = random.Random(20260601)
    for _ in range(60):
        mutant = bytearray(sealed)
        position = dice.randrange(len(mutant))
        action = dice.randrange(3)
        if action == 0:
            mutant[position] ^= 1 << dice.randrange(8)
        elif action == 1:
            del mutant[position : position + dice.randrange(1, 40)]
        else:
            mutant[position:position] = dice.randbytes(dice.randrange(1, 40))
        report = office.by_api(bytes(mutant), document)
        # Dates and attributes of a ZIP entry are outside every seal and mean nothing; content is not.
        assert report["ok"] is False or (document is None and same_content(bytes(mutant), sealed))


def same_content(one: bytes, other: bytes) -> bool:
    first, second = (zipfile.ZipFile(io.BytesIO(data)) for data in (one, other))
    return {n: first.read(n) for n in first.namelist()} == {n: second.read(n) for n in second.namelist()}


def test_a_file_over_the_limit_is_refused(office: Office) -> None:
    data = bytes(MAX_UPLOAD + 1)
    answer = post_form(office.app.test_client(), "/v1/seal-verifications", {"file": data})
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")
    assert post_page(office.app, file=[data], document=[]).status_code == 413


def test_a_file_just_under_the_limit_is_read(office: Office) -> None:
    data = bytes(MAX_UPLOAD - 4096)
    assert office.by_api(data)["reasons"] == ["not_sealed"]
    assert "没有找到电子印章" in office.by_page(data)


FORMS: dict[str, tuple[dict[str, object], int, str]] = {
    "no file": ({}, 422, "invalid"),
    "a document alone": ({"document": b"d"}, 422, "invalid"),
    "text for a file": ({"file": "text"}, 422, "invalid"),
    "a field too many": ({"file": b"f", "trust": "me"}, 422, "invalid"),
}


@pytest.mark.parametrize("case", FORMS)
def test_forms_that_are_refused(office: Office, case: str) -> None:
    form, status, code = FORMS[case]
    answer = post_form(office.app.test_client(), "/v1/seal-verifications", form)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"


def test_two_files_of_one_name_are_refused(office: Office) -> None:
    answer = post_form(office.app.test_client(), "/v1/seal-verifications", {"file": [b"a", b"b"]})
    assert (answer.status_code, answer.json["code"]) == (400, "parameter_repeated")
    assert post_page(office.app, file=[b"a", b"b"], document=[]).status_code == 400


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/octet-stream", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/mixed; boundary=x", 415),
        ("multipart/form-data", 422),  # no boundary: nothing can be read
        ("multipart/form-data; boundary=other", 422),
        ("application/json", 400),
    ],
)
def test_other_content_types(office: Office, content_type: str, status: int) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nabc\r\n--x--\r\n'
    answer = office.app.test_client().post("/v1/seal-verifications", data=body, content_type=content_type)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"


def test_a_json_string_is_no_file(office: Office) -> None:
    answer = office.app.test_client().post("/v1/seal-verifications", json={"file": base64.b64encode(b"x").decode()})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/file")


def test_the_page_asks_again_without_a_file_and_refuses_a_foreign_form(office: Office) -> None:
    again = post_page(office.app, file=[], document=[b"d"])
    assert again.status_code == 200
    assert "尚未选择文件" in again.text
    assert post_page(office.app, file=[b"x"], document=[], csrf=False).status_code == 403


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["make", "change", "use"])
@pytest.mark.parametrize(
    ("client", "status"),
    [(None, 401), ("no-seals", 403), ("other-office", 403)],
    ids=["nobody", "no scope", "stranger"],
)
def test_only_the_department_acts(office: Office, what: str, client: str | None, status: int) -> None:
    web, headers = office.app.test_client(), office.token(client) if client else {}
    if what == "make":
        answer = web.post("/v1/seals", json={"department": DEPARTMENT}, headers=headers)
    elif what == "change":
        where = f"/v1/seals/{office.seal_id}/changes"
        answer = web.post(where, json={"change": "destroy", "reason": "演示"}, headers=headers)
    else:
        body = {"file": LETTER, "purpose": "演示"}
        answer = post_form(web, f"/v1/seals/{office.seal_id}/uses", body, headers=headers)
    assert answer.status_code == status
    assert office.use().status_code == 201  # unharmed


def test_a_refusal_is_on_record(office: Office) -> None:
    def refusals() -> int:
        return len(act(office.house, lambda call: call.session.query(AuditEntry).filter_by(outcome="refused").all()))

    before = refusals()
    office.app.test_client().post("/v1/seals", json={"department": DEPARTMENT}, headers=office.token("other-office"))
    assert refusals() == before + 1


def test_a_stranger_lists_nothing(office: Office) -> None:
    answer = office.app.test_client().get("/v1/seals", headers=office.token("other-office"))
    assert answer.json == {"items": [], "next_cursor": None}


SEALS: dict[str, tuple[dict[str, object], int]] = {
    "nothing": ({}, 422),
    "department of another form": ({"department": "x"}, 422),
    "department unknown": ({"department": OTHER[:-1] + "9"}, 403),
    "line with NUL": ({"department": DEPARTMENT, "special": "专\x00用章"}, 400),
    "line too long": ({"department": DEPARTMENT, "special": "长" * 10 + "专用章"}, 422),
    "line of spaces": ({"department": DEPARTMENT, "special": "  　专用章"}, 422),
    "line without glyphs": ({"department": DEPARTMENT, "special": "\U0001f600专用章"}, 422),
    "markup": ({"department": DEPARTMENT, "special": "</text>专用章"}, 201),
    "line that is another unit": ({"department": DEPARTMENT, "special": "公安局"}, 422),
    "naive time": ({"department": DEPARTMENT, "valid_until": "2030-01-01T00:00:00"}, 422),
    "year 9999": ({"department": DEPARTMENT, "valid_until": "9999-12-31T23:59:59-12:00"}, 422),
    "year 1": ({"department": DEPARTMENT, "valid_from": "0001-01-01T00:00:00+12:00"}, 422),
    "a name of one's own": ({"department": DEPARTMENT, "name": "示范市公安局"}, 422),
}


@pytest.mark.parametrize("case", SEALS)
def test_seals_asked_for(office: Office, case: str) -> None:
    body, status = SEALS[case]
    answer = office.app.test_client().post("/v1/seals", json=body, headers=office.token())
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"change": "suspend"},
        {"change": "forge", "reason": "x"},
        {"change": "suspend", "reason": ""},
        {"change": "suspend", "reason": "a\nb"},
        {"change": "suspend", "reason": "长" * 501},
        {"change": ["suspend"], "reason": "x"},
    ],
)
def test_changes_that_are_refused(office: Office, body: dict[str, object]) -> None:
    answer = office.app.test_client().post(f"/v1/seals/{office.seal_id}/changes", json=body, headers=office.token())
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")


def test_uses_that_are_refused(office: Office) -> None:
    assert office.use(b"").status_code == 422
    assert office.use(purpose="").status_code == 422
    assert office.use(purpose="a\x01b").status_code == 422
    assert office.use(purpose="a\x00b").status_code == 400
    assert office.use(format="xml").status_code == 422


@pytest.mark.parametrize("kind", [*HOSTILE, "letter", "PDF", "document without pages"])
def test_files_that_cannot_be_sealed_as_ofd(office: Office, kind: str) -> None:
    others = {"letter": LETTER, "PDF": b"%PDF-1.7", "document without pages": pack(plain_files(sealed=False))}
    data = others[kind] if kind in others else HOSTILE[kind]()
    before = uses(office)
    answer = office.use(data, format="ofd")
    assert (answer.status_code, answer.json["code"]) == (422, "document_refused")
    assert answer.mimetype == "application/problem+json"
    assert uses(office) == before  # not even an intent


def uses(office: Office) -> int:
    deeds = act(office.house, lambda call: call.session.scalars(select(AuditEntry.deed)).all())
    return sum(deed.startswith("seals:use:") for deed in deeds)


def test_a_document_whose_seal_does_not_hold_gets_no_other(office: Office) -> None:
    document = base64.b64decode(office.use(pack(document_files(pages=2)), format="ofd").json["result"]["data"])
    page_one, page_two = (f"Doc_0/Pages/Page_{number}/Content.xml" for number in range(2))
    for change in ({page_two: unpack(document)[page_one]}, {"Doc_0/Res/note.txt": b"added"}):
        answer = office.use(pack(unpack(document) | change), format="ofd")
        assert (answer.status_code, answer.json["code"]) == (422, "document_refused")


PLACES: dict[str, tuple[dict[str, str], str]] = {
    "no page 0": ({"format": "ofd", "page": "0"}, "/page"),
    "no page 2": ({"format": "ofd", "page": "2"}, "/page"),
    "a page that is no number": ({"format": "ofd", "page": "一"}, "/page"),
    "x without y": ({"format": "ofd", "x": "1"}, "/y"),
    "y without x": ({"format": "ofd", "y": "1"}, "/x"),
    "x outside": ({"format": "ofd", "x": "200", "y": "1"}, "/x"),
    "y outside": ({"format": "ofd", "x": "1", "y": "290"}, "/y"),
    "x negative": ({"format": "ofd", "x": "-1", "y": "1"}, "/x"),
    "x not a number": ({"format": "ofd", "x": "nan", "y": "1"}, "/x"),
    "y endless": ({"format": "ofd", "x": "1", "y": "inf"}, "/y"),
    "lock not told": ({"format": "ofd", "lock": "maybe"}, "/lock"),
    "a place beside the file": ({"format": "detached", "page": "1"}, "/page"),
    "a lock beside the file": ({"lock": "false"}, "/lock"),
}


@pytest.mark.parametrize("case", PLACES)
def test_places_that_are_refused(office: Office, case: str) -> None:
    form, pointer = PLACES[case]
    answer = office.use(pack(document_files()), **form)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


@pytest.mark.parametrize("number", ["0", "%01", "99010000000000", "9" * 300, "..%2f..", "%EF%BC%99" * 14])
def test_seals_that_are_not_there(office: Office, number: str) -> None:
    body = {"change": "suspend", "reason": "演示"}
    answer = office.app.test_client().post(f"/v1/seals/{number}/changes", json=body, headers=office.token())
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_a_seal_number_with_nul_is_refused(office: Office) -> None:
    body = {"change": "suspend", "reason": "演示"}
    answer = office.app.test_client().post("/v1/seals/%00/changes", json=body, headers=office.token())
    assert (answer.status_code, answer.json["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=%00", "state=all", "limit=1&limit=2"]
)
def test_lists_that_are_refused(office: Office, query: str) -> None:
    assert office.app.test_client().get(f"/v1/seals?{query}", headers=office.token()).status_code in {400, 422}
