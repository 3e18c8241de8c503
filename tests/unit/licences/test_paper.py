"""The code of a paper licence: signed once, kept, found again, and not to be forged."""

import io
import random
import re
from datetime import UTC, datetime

import pytest
import zxingcpp
from PIL import Image
from sqlalchemy import func, select

from idservice.call import Call
from idservice.errors import Problem
from idservice.models import AuditEntry
from keys.ring import Purpose
from keys.verdict import Reason
from licences import paper, verify
from licences.asker import ANYBODY, Asker
from licences.change import find
from licences.deeds import Deed
from licences.formats import lc1, lc1_text
from licences.models import PaperCode
from licences.scan import Scan
from tests.sealing import post_form
from tests.town import ALICE, BOB, Town, type_of
from tests.unit.licences.formats.papers import message_of, paper_of

MUTANTS = 10_000
ASKER = Asker("孙**", "演示窗口", None, None, None, "演示")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(scope="module")
def title(town: Town) -> str:
    return town.issue().identifier


def forms(town: Town, code: str) -> tuple[str, str]:
    def deed(call: Call) -> tuple[str, str]:
        licence = find(call, code)
        return paper.compact(call, licence), paper.address(call, licence)

    return town.act(deed)


def judge(town: Town, texts: list[str], asker: Asker = ASKER) -> list[verify.Report]:
    return town.act(lambda call: [verify.verify(call, Scan(text=text), asker) for text in texts])


def picture_text(data: bytes) -> str:
    with Image.open(io.BytesIO(data)) as opened:
        return str(zxingcpp.read_barcodes(opened.convert("L"))[0].text)


def signed(town: Town) -> int:
    count = select(func.count()).where(AuditEntry.deed == Deed.PAPER_SIGNED)
    return town.act(lambda call: call.session.scalar(count)) or 0


def test_a_code_is_signed_once_recorded_and_kept_encrypted(town: Town) -> None:
    code = town.issue().identifier
    before = signed(town)
    compact, address = forms(town, code)
    assert forms(town, code) == (compact, address)
    assert lc1_text.read(compact).content == lc1_text.read(address).content
    assert signed(town) == before + 1
    row = town.act(lambda call: call.session.get(PaperCode, lc1.licence_id(code)))
    assert row is not None
    assert lc1_text.read(compact).content not in row.content_sealed


def test_both_forms_are_read_again_and_again_and_masked(town: Town, title: str) -> None:
    for report in judge(town, [*forms(town, title)] * 2):
        assert (report.ok, report.scanned, str(report.state)) == (True, "paper", "valid")
        assert [check.name for check in report.checks] == ["credential", "state", "seal"]
        assert report.licences[0]["identifier"] == title
        assert report.licences[0]["holder"] == {"name": "王**", "number": ALICE[:3] + "*" * 11 + ALICE[-4:]}
        assert report.licences[0]["fields"]["location"].endswith("***")
    assert town.looks(ALICE)[0]["basis"] == "paper"


def test_the_public_sees_no_field(town: Town, title: str) -> None:
    (report,) = judge(town, [forms(town, title)[0]], ANYBODY)
    assert (report.ok, report.licences[0]["fields"]) == (True, {})


def test_the_register_says_what_holds_now(town: Town) -> None:
    code = town.order()["identifier"]
    texts = [*forms(town, code)]
    town.change(code, "suspend", reason="演示")
    assert {(r.ok, *r.reasons) for r in judge(town, texts)} == {(False, "suspended")}
    town.change(code, "resume", reason="演示")
    assert all(report.ok for report in judge(town, texts))
    town.change(code, "revoke", reason="演示")
    assert {(r.ok, *r.reasons) for r in judge(town, texts)} == {(False, "revoked")}


def test_an_address_of_another_site_is_noticed(town: Town, title: str) -> None:
    _compact, address = forms(town, title)
    elsewhere = "HTTPS://EVIL.EXAMPLE/V#" + address.partition("#")[2]
    (report,) = judge(town, [elsewhere])
    assert (report.ok, report.checks[0].result) == (True, "notice")


def test_the_api_draws_both_forms_and_reads_its_own_pictures(town: Town, title: str) -> None:
    path, mine = f"/v1/licences/{title}", town.person(ALICE)
    compact, address = forms(town, title)
    assert picture_text(town.web.get(f"{path}/qr.png", headers=mine).data) == address
    drawn = town.web.get(f"{path}/qr.png?form=lc1", headers=mine)
    assert picture_text(drawn.data) == compact
    assert drawn.mimetype == "image/png"
    assert town.web.get(f"{path}/qr.svg?form=lc1", headers=mine).data.startswith(b"<svg")
    assert town.web.get(f"{path}/qr.svg?form=pdf", headers=mine).status_code == 422
    assert town.web.get(f"{path}/qr.svg", headers=town.person(BOB)).status_code == 404
    answer = post_form(town.web, "/v1/verifications", {"file": drawn.data}, headers=town.machine("counter"))
    assert (answer.json["ok"], answer.json["scanned"]) == (True, "paper")
    assert town.verify(address)["licence"]["identifier"] == title
    assert ["paper_qr"] in [look["fields"] for look in town.looks(ALICE)]


def test_the_pages_lead_there_and_hand_it_to_its_holder(town: Town, title: str) -> None:
    _compact, address = forms(town, title)
    opened = town.web.get("/V")
    assert (opened.status_code, opened.location) == (303, "/verify")
    found = town.browser(ALICE).client.get(f"/me/licences/{title}/qr.png")
    assert picture_text(found.data) == address
    assert "js/offline/page.js" in town.web.get("/verify").text


def test_a_code_we_signed_and_never_made_is_refused(town: Town, title: str) -> None:
    def deed(call: Call) -> tuple[str, str]:
        signer, licence = call.keys.signer(Purpose.LICENCE), find(call, title)
        kept = lc1_text.read(paper.compact(call, licence)).content
        half = len(kept) - 32
        other = (P256_ORDER - int.from_bytes(kept[half:], "big")).to_bytes(32, "big")
        kind = type_of("resident_card")
        foreign = lc1.make(paper_of(kind), lc1.template(kind), issued_at=call.now, signer=signer)
        return lc1_text.to_base45(kept[:half] + other), lc1_text.to_base45(foreign)

    for report in judge(town, [*town.act(deed)]):
        assert (report.ok, report.reasons, report.licences) == (False, ["signature_invalid"], [])


def test_a_code_of_another_house_and_of_another_dictionary(town: Town) -> None:
    foreign = lc1_text.to_base45(message_of(type_of("resident_card")))
    reasons = [report.reasons for report in judge(town, [foreign, "LC2:" + foreign[4:], "LC1:BB8", foreign[:-1]])]
    assert reasons[:3] == [["issuer_unknown"], ["dictionary_unknown"], ["unreadable"]]
    assert reasons[3] == ["unreadable"]


def test_two_licences_of_one_short_identifier_share_no_code(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = town.issue().identifier, town.issue().identifier
    monkeypatch.setattr(lc1, "licence_id", lambda _identifier: b"8 bytes!")
    forms(town, first)
    with pytest.raises(Problem) as caught:
        forms(town, second)
    assert caught.value.code == "paper_code_impossible"


def mutant(rng: random.Random, text: str, alphabet: str) -> str:
    """Return `text` with one to three small changes."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at, change = rng.randrange(len(text)), rng.randrange(6)
        if change < 2:
            text = text[:at] + rng.choice(alphabet) + text[at + change :]
        elif change == 2:
            text = text[:at] + text[at + 1 :]
        elif change == 3:
            text = text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
        elif change == 4:
            text = text[:at] + text[at].swapcase() + text[at + 1 :]
        else:
            text = text[: at + 1] if at > 20 else text[at:]
    return text


def refuse_mutants(town: Town, title: str, form: int, count: int, seed: int) -> None:
    text = forms(town, title)[form]
    content = lc1_text.read(text).content
    alphabet = ("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:a\0", "0123456789#/:AV")[form]
    rng = random.Random(seed + form)
    accepted = 0
    for _ in range(0, count, MUTANTS):
        texts = [mutant(rng, text, alphabet) for _ in range(MUTANTS)]
        for changed, report in zip(texts, judge(town, texts), strict=True):
            if report.ok:
                accepted += 1
                same = changed.strip().upper() == text
                assert lc1_text.read(changed).content == content, changed
                assert same or re.sub("//.*#", "", changed.upper()) == re.sub("//.*#", "", text)
            else:
                assert set(report.reasons) <= set(Reason), changed
                assert report.reasons, changed
    assert accepted < count // 5


FORMS = pytest.mark.parametrize("form", [0, 1], ids=["base45", "address"])


@FORMS
def test_no_mutant_is_accepted_but_as_the_same_content(town: Town, title: str, form: int) -> None:
    refuse_mutants(town, title, form, MUTANTS, 10_000)


@pytest.mark.soak
@FORMS
def test_no_mutant_of_a_hundred_thousand_is_accepted(town: Town, title: str, form: int) -> None:
    refuse_mutants(town, title, form, 100_000, 1)


def test_a_code_in_sm2_is_another_code_of_the_same_licence(town: Town, title: str) -> None:
    path, mine = f"/v1/licences/{title}", town.person(ALICE)
    texts = [
        picture_text(town.web.get(f"{path}/qr.png?signature=sm2&form={form}", headers=mine).data)
        for form in ("lc1", "url")
    ]
    contents = {lc1_text.read(text).content for text in texts}
    assert len(contents) == 1
    assert not contents & {lc1_text.read(text).content for text in forms(town, title)}
    assert picture_text(town.web.get(f"{path}/qr.png?signature=sm2", headers=mine).data) == texts[1], "signed once"
    for report in judge(town, texts):
        assert (report.ok, report.scanned, report.licences[0]["identifier"]) == (True, "paper", title)
    rng = random.Random(32_918)
    changed = [mutant(rng, texts[0], "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:") for _ in range(300)]
    for text, report in zip(changed, judge(town, changed), strict=True):
        assert not report.ok or lc1_text.read(text).content in contents, text
    (public,) = town.house.keys.public(Purpose.LICENCE_SM2).values()
    town.house.keys.revoke(public.kid)
    assert [report.reasons for report in judge(town, texts)] == [["key_revoked"]] * 2
    refused = town.web.get(f"{path}/qr.png?signature=sm2", headers=mine)
    assert (refused.status_code, refused.json["code"]) == (503, "unavailable")


def test_a_revoked_key_ends_its_codes_and_the_next_code_is_made_anew(town: Town) -> None:
    code = town.issue().identifier
    old = forms(town, code)[0]
    ring = town.house.keys
    kid = ring.signer(Purpose.LICENCE).kid
    ring.rotate(Purpose.LICENCE, now=datetime.now(UTC))  # makes a next key
    if ring.signer(Purpose.LICENCE).kid == kid:
        ring.rotate(Purpose.LICENCE, now=datetime.now(UTC))
    assert judge(town, [old])[0].ok, "a retired key is trusted for what it signed"
    assert forms(town, code)[0] == old
    ring.revoke(kid)
    assert [report.reasons for report in judge(town, [old])] == [["key_revoked"]]
    new = forms(town, code)[0]
    assert new != old
    assert judge(town, [new])[0].ok
