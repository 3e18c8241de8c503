"""Stored copies of a licence: made once, kept encrypted, handed out as they were, recognised when they come back."""

import base64
import io
import random
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import cbor2
import pytest
from sqlalchemy import func, select

from idservice.models import AuditEntry
from keys.ring import Purpose
from keys.verdict import Reason
from licences import copy_check, copy_forms, sealed
from licences.asker import ANYBODY
from licences.copies import Form
from licences.copies_models import ArtefactCopy, ArtefactRoute
from licences.deeds import Deed
from tests.databases import Databases
from tests.sealing import post_form
from tests.town import ALICE, BOB, COMPANY, Town, copy_town, found, type_of
from tests.unit.licences.copying import FORMS, P256_ORDER, content, fetch, judged

MUTANTS, AT_ONCE = 300, 50
forms = pytest.mark.parametrize("form", FORMS)


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue("driving_licence").identifier


@forms
def test_a_copy_is_made_once_kept_encrypted_and_handed_out_as_it_was(town: Town, card: str, form: Form) -> None:
    first = fetch(town, card, form)
    assert (first.status_code, first.mimetype) == (200, copy_forms.MEDIA_TYPES[form])
    made = select(func.count()).where(AuditEntry.deed == Deed.COPY_MADE)
    before = town.act(lambda call: call.session.scalar(made))
    again = fetch(town, card, form)
    assert (again.data, again.headers["ETag"]) == (first.data, first.headers["ETag"])
    assert town.act(lambda call: call.session.scalar(made)) == before
    known = fetch(town, card, form, **{"If-None-Match": first.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")
    row = town.act(lambda call: call.session.get(ArtefactCopy, (town.subjects[ALICE], card, str(form))))
    assert row is not None
    assert first.data[:64] not in row.content_sealed
    assert [str(form)] in [look["fields"] for look in town.looks(ALICE)]


@forms
def test_what_comes_back_is_recognised_and_judged_now(town: Town, card: str, form: Form) -> None:
    data = content(town, card, form)
    answer = post_form(town.web, "/v1/verifications", {"file": data}, headers=town.machine("counter"))
    assert (answer.status_code, answer.json["ok"], answer.json["state"]) == (200, True, "valid"), answer.text
    assert answer.json["licence"]["identifier"] == card
    assert answer.json["licence"]["fields"]["vehicle_class"] == "C1"
    public = judged(town, data, asker=ANYBODY)[0]
    assert (public.ok, public.licences[0]["fields"]) == (True, {})
    if form is Form.MDOC:
        assert town.verify(base64.urlsafe_b64encode(data).rstrip(b"=").decode())["ok"]


@forms
def test_a_licence_that_does_not_hold_is_not_handed_out_and_its_copies_say_so(town: Town, form: Form) -> None:
    code = town.issue("resident_card").identifier if form is Form.CLAIM169 else town.issue().identifier
    data = content(town, code, form)
    town.change(code, "suspend", reason="演示")
    refused = fetch(town, code, form)
    assert (refused.status_code, refused.json["code"]) == (409, "licence_not_in_force")
    assert fetch(town, code, form, town.machine("issuer")).data == data
    (report,) = judged(town, data)
    assert (report.ok, report.reasons) == (False, ["suspended"])
    assert fetch(town, code, "record.json").status_code == 200
    town.change(code, "resume", reason="演示")
    assert judged(town, data)[0].ok
    town.change(code, "revoke", reason="演示")
    assert judged(town, data)[0].reasons == ["revoked"]


def test_no_new_copy_is_made_of_a_licence_that_has_ended(town: Town) -> None:
    code = town.issue().identifier
    town.change(code, "revoke", reason="演示")
    refused = fetch(town, code, Form.PDF, town.machine("issuer"))
    assert (refused.status_code, refused.json["code"]) == (409, "licence_not_in_force")


def test_a_stranger_gets_none_and_an_organisation_has_no_claim_169(town: Town, card: str) -> None:
    assert fetch(town, card, Form.PDF, town.person(BOB)).status_code == 404
    code = town.issue("business_licence", COMPANY).identifier
    answer = fetch(town, code, Form.CLAIM169, town.machine("issuer"))
    assert (answer.status_code, answer.json["code"]) == (404, "form_not_for_holder")


# --- refused -----------------------------------------------------------------------------------------------------


def mutant(rng: random.Random, data: bytes) -> bytes:
    """Return `data` with one small change: a byte altered, left out, put in, doubled, or the end cut off."""
    at, change = rng.randrange(len(data)), rng.randrange(5)
    if change == 0:
        return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]
    if change == 1:
        return data[:at] + data[at + 1 :]
    if change == 2:
        return data[:at] + bytes([rng.randrange(256)]) + data[at:]
    if change == 3:
        return data[: at + 1] + data[at:]
    return data[:at]


def content_of(data: bytes) -> dict[str, bytes]:
    """Return what stands in an OFD (the list of seals need not be covered), of anything else its bytes."""
    if not data.startswith(b"PK"):
        return {"": data}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("Signatures.xml")}


def refuse_mutants(town: Town, data: bytes, count: int, seed: int) -> None:
    """Judge `count` mutants: none that says anything else is accepted, and each refusal has a code of the closed list.

    The same is said by a text with other white space around it, and by a ZIP container whose files are the same.
    """
    rng = random.Random(seed)
    original = said_by(data)
    for _ in range(0, count, AT_ONCE):
        changed = [mutant(rng, data) for _ in range(AT_ONCE)]
        for one, report in zip(changed, judged(town, *changed), strict=True):
            if report.ok:
                assert said_by(one) == original, one[:200]
                continue
            assert not report.licences, one[:200]
            assert report.reasons, one[:200]
            assert set(report.reasons) <= set(Reason), one[:200]


def said_by(data: bytes) -> object:
    """Return what a copy says, whatever its container: the files of an OFD in their order, a text, or all bytes."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as files:
            return [(name, files.read(name)) for name in files.namelist()]
    return data.strip() if data.isascii() else data


@pytest.mark.parametrize("form", [Form.MDOC, Form.JWT, Form.CLAIM169])
def test_no_mutant_is_accepted(town: Town, card: str, form: Form) -> None:
    refuse_mutants(town, content(town, card, form), MUTANTS, 169)


@pytest.mark.parametrize("form", [Form.PDF, Form.OFD])
def test_no_mutant_of_a_document_is_taken_for_the_licence(town: Town, card: str, form: Form) -> None:
    refuse_mutants(town, content(town, card, form), MUTANTS // 6, 33_190)


@pytest.mark.soak
@pytest.mark.parametrize(("form", "count"), [(f, 100_000) for f in (Form.MDOC, Form.JWT, Form.CLAIM169)])
def test_no_mutant_of_many_is_accepted(town: Town, card: str, form: Form, count: int) -> None:
    refuse_mutants(town, content(town, card, form), count, 1)


@pytest.mark.soak
@pytest.mark.parametrize("form", [Form.PDF, Form.OFD])
def test_no_mutant_of_many_documents_is_accepted(town: Town, card: str, form: Form) -> None:
    refuse_mutants(town, content(town, card, form), 100_000, 2)


def test_the_other_form_of_a_signature_is_no_copy_of_ours(town: Town, card: str) -> None:
    """Of every ECDSA signature (r, s) a second one (r, n - s) verifies; what bears it was not made here."""
    mdoc = content(town, card, Form.MDOC)
    parts = cbor2.loads(mdoc)["issuerAuth"]
    old = parts[3]
    changed = mdoc.replace(old, old[:32] + (P256_ORDER - int.from_bytes(old[32:], "big")).to_bytes(32, "big"))
    head, _, value = content(town, card, Form.JWT).decode().rpartition(".")
    raw = base64.urlsafe_b64decode(value + "==")
    other = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    token = f"{head}.{base64.urlsafe_b64encode(other).rstrip(b'=').decode()}"
    for data in (changed, token.encode()):
        assert judged(town, data)[0].reasons == ["signature_invalid"]
        assert "made" in judged(town, data)[0].checks[0].detail


def test_a_character_that_the_typeface_lacks_is_named(town: Town) -> None:
    kind = {"location": "演示省示范市𠮷祥路1号"}
    code = town.issue(fields=town_fields("real_estate_title") | kind).identifier
    for form in (Form.PDF, Form.OFD):
        answer = fetch(town, code, form)
        assert (answer.status_code, answer.json["code"]) == (422, "glyph_missing")
        assert "U+20BB7" in answer.json["detail"]
    rare = town.issue(fields=town_fields("real_estate_title") | {"location": "示范市𬭩䶮路·㵘𫖯苑1号"}).identifier
    assert fetch(town, rare, Form.PDF).status_code == 200
    assert fetch(town, rare, Form.OFD).status_code == 200


def town_fields(slug: str) -> dict[str, object]:
    return dict(type_of(slug).examples())


def test_the_reconciliation_counts_the_seals_on_copies(town: Town) -> None:
    code = town.issue().identifier
    before = town.act(lambda call: sealed.tally(call, town.row(code).seal_id)).done
    content(town, code, Form.PDF)
    content(town, code, Form.OFD)
    content(town, code, Form.PDF)
    assert town.act(lambda call: sealed.tally(call, town.row(code).seal_id)).done == before + 2


def test_a_copy_is_made_anew_when_its_key_is_revoked_or_its_layout_is_another(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = town.issue().identifier
    old = {form: content(town, code, form) for form in (Form.JWT, Form.MDOC, Form.PDF)}
    monkeypatch.setattr(copy_forms, "_EDITION", 2)
    newer = content(town, code, Form.JWT)
    assert newer != old[Form.JWT]
    assert judged(town, old[Form.JWT])[0].ok, "what was handed out before is as good as ever"
    monkeypatch.undo()
    ring = town.house.keys
    kid = ring.signer(Purpose.LICENCE).kid
    ring.rotate(Purpose.LICENCE, now=datetime.now(UTC))
    if ring.signer(Purpose.LICENCE).kid == kid:
        ring.rotate(Purpose.LICENCE, now=datetime.now(UTC))
    assert content(town, code, Form.MDOC) == old[Form.MDOC], "a retired key is trusted for what it signed"
    ring.revoke(kid)
    for form in (Form.JWT, Form.MDOC):
        assert judged(town, old[form])[0].reasons == ["key_revoked"]
        assert judged(town, content(town, code, form))[0].ok
    assert content(town, code, Form.PDF) != old[Form.PDF], "the QR on it was signed by that key"


def test_a_document_that_was_packed_anew_or_added_to_is_judged_by_what_it_names(town: Town) -> None:
    code = town.issue().identifier
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content(town, code, Form.OFD))) as old, zipfile.ZipFile(packed, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, old.read(entry), zipfile.ZIP_STORED)
    altered = packed.getvalue()
    (report,) = judged(town, altered)
    assert (report.ok, report.licences[0]["identifier"], report.licences[0]["fields"]) == (True, code, {})
    assert "王小明" not in str(report.licences), "naming a licence opens no more than its identifier does"
    town.change(code, "revoke", reason="演示")
    (report,) = judged(town, altered)
    assert (report.ok, report.reasons) == (False, ["revoked"])
    assert copy_check.identifier_in(b"%PDF-1.7 <pdf:Keywords>" + code.encode() + b"</pdf:Keywords>") == code
    assert copy_check.identifier_in(content(town, town.issue().identifier, Form.PDF)) is not None
    assert copy_check.identifier_in(b"PK\3\4") is None


def test_of_several_first_requests_one_makes_the_copy(databases: Databases, tmp_path: Path) -> None:
    url = databases.fresh(found)
    town = copy_town(tmp_path, url)
    code = town.issue("resident_card").identifier
    town.person(ALICE)
    for form in FORMS:
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _, form=form: fetch(town, code, form), range(4)))
        assert {answer.status_code for answer in answers} <= {200, 409}, form
        assert len({answer.data for answer in answers if answer.status_code == 200}) == 1, form
        assert {answer.json["code"] for answer in answers if answer.status_code == 409} <= {"request_running"}, form
    assert town.count(ArtefactRoute) == len(FORMS)
    town.house.database.engine.dispose()
    databases.drop(url)
