"""The trust bundle: what it says is read back, an old or strange one is noticed, no mutant is believed."""

import random
from typing import Any

import pytest

from keys import jws
from keys.signer import Algorithm, generate_private, load_private
from licences.formats import lc1
from licences.trust import bundle
from licences.trust.bundle import BundleError
from tests.unit.licences.formats.papers import SIGNER as LICENCE_SIGNER
from tests.unit.licences.status import lists
from tests.unit.licences.status.lists import ISSUER, SIGNED_AT
from tests.unit.licences.trust.bundles import DAY, PINS, REVOKED, TRUST_SIGNER, body, key, read, text

STRANGER = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
OWN_LIST = lists.Edition(ISSUER, 0, [(3, 1)], SIGNED_AT).tokens(LICENCE_SIGNER)["0/jwt"].decode()


def refused(given: str, **more: Any) -> str:
    with pytest.raises(BundleError) as error:
        bundle.read(given, **{"pins": PINS, **more})
    return error.value.code


def test_what_is_read_is_what_was_written() -> None:
    template = {"id": "00" * 8, "type": "T", "name": "证", "name_en": "L", "fields": []}
    found = read(body(OWN_LIST, templates=[template]))
    assert (found.issuer, found.sequence, found.issued_at) == (ISSUER, 1, SIGNED_AT)
    assert found.expires_at == SIGNED_AT + 7 * DAY
    assert set(found.keys["licence"]) == {LICENCE_SIGNER.kid}
    assert found.revoked == {REVOKED}
    assert found.dictionaries == {"D1": lc1.DICTIONARY_SHA256}
    assert found.templates[bytes(8)].type_code == "T"
    assert found.lists[f"{ISSUER}/status/0"].status(3) == 1
    assert (found.is_pinned, found.signed_by) == (True, bundle.pin(TRUST_SIGNER.public))


def test_a_key_that_is_also_named_as_revoked_is_not_believed() -> None:
    named = [{"kid": LICENCE_SIGNER.kid, "use": "licence"}]
    assert read(body(revoked_keys=named)).keys["licence"] == {}
    assert refused(text(body(OWN_LIST, revoked_keys=named))) == "not_a_bundle"  # its list rests on that key


def test_a_key_is_believed_by_its_pin_alone_or_by_the_bundle_held_before() -> None:
    assert refused(text(), pins=["x"]) == "not_pinned"
    assert bundle.read(text(), pins=None).is_pinned is False
    keys = [key(LICENCE_SIGNER, "licence"), key(TRUST_SIGNER, "trust"), key(STRANGER, "trust")]
    announced = read(body(keys=keys))
    rotated = text(body(keys=keys), sequence=2, signer=STRANGER)
    assert bundle.read(rotated, pins=(), former=announced).sequence == 2
    assert refused(rotated, former=read()) == "not_pinned"


def test_an_older_edition_and_another_issuer_are_not_taken() -> None:
    held = bundle.read(text(sequence=5), pins=PINS)
    assert refused(text(sequence=4), former=held) == "older"
    assert refused(text(body(issuer="https://other.example"), sequence=6), former=held) == "older"
    assert bundle.read(text(sequence=5), pins=PINS, former=held).sequence == 5


def test_what_is_no_bundle_is_refused() -> None:
    foreign_list = lists.token()  # signed with a key that is not in the bundle
    cases: dict[str, list[str]] = {
        "not_a_bundle": [
            "",
            "a.b.c",
            text(body(keys=[key(LICENCE_SIGNER, "licence")])),
            *(text(body(**{name: None})) for name in body() if name != "issuers"),
            text(body(templates=[{"id": "zz"}])),
            text(body(issuer=7)),
            bundle.write(body(), sequence=1, issued_at=1, expires_at=2**53 - 1, signer=TRUST_SIGNER),
            text(body(foreign_list)),
            text(body("x.y.z")),
        ],
        "wrong_type": [jws.encode({**body(), "sequence": 1, "iat": 1, "exp": 2}, signer=TRUST_SIGNER, typ="JWT")],
        "too_large": ["x" * (bundle.MAX_BUNDLE + 1)],
        "signature": [text()[:-4] + "AAAA"],
    }
    for code, given in cases.items():
        for number, each in enumerate(given):
            assert refused(each) == code, (code, number)


def test_a_key_that_names_itself_the_bundle_s_is_not_its_key() -> None:
    """The signer's key is one the bundle states as `trust`; a licence key that signs one is refused, pinned or not."""
    keys = [{**key(LICENCE_SIGNER, "licence")}, key(TRUST_SIGNER, "trust")]
    forged = text(body(keys=keys), signer=LICENCE_SIGNER)
    assert refused(forged, pins=[bundle.pin(LICENCE_SIGNER.public)]) == "not_a_bundle"


def no_mutant_is_believed(count: int) -> None:
    chance, genuine = random.Random(8), text(body(OWN_LIST))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=~"
    for number in range(count):
        place = chance.randrange(len(genuine))
        piece = chance.choice(alphabet) * chance.choice((0, 1, 1, 1, 2))
        mutant = genuine[:place] + piece + genuine[place + 1 :]
        if mutant == genuine:
            continue
        try:
            bundle.read(mutant, pins=PINS)
        except BundleError:
            continue
        pytest.fail(f"mutant {number} at {place} was believed")


def test_no_mutant_of_a_bundle_is_believed() -> None:
    no_mutant_is_believed(500)


@pytest.mark.soak
def test_no_mutant_of_a_bundle_is_believed_ever() -> None:
    no_mutant_is_believed(100_000)


def test_a_bundle_of_a_city_is_read_in_one_piece() -> None:
    """546 templates and 300 issuers, as large as a city's."""
    fields = [{"name": f"f{n}", "title": "名称" * 4, "title_en": "Name of it", "type": "string"} for n in range(8)]
    named = {"type": "1" * 21, "name": "证照", "name_en": "Licence", "fields": fields}
    templates = [{"id": number.to_bytes(8, "big").hex(), **named} for number in range(546)]
    made = text(body(OWN_LIST, templates=templates, issuers=[{"code": "9" * 18, "name": "局" * 12}] * 300))
    assert len(bundle.read(made, pins=PINS).templates) == 546
    assert len(made) < bundle.MAX_BUNDLE
