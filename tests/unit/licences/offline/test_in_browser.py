"""The pages' offline verifier and Python's give one report on every code: genuine, ended, old, forged or mutilated."""

import random
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from keys import cbor, cose
from keys.signer import Algorithm, generate_private, load_private
from licences.definition_file import shipped_types
from licences.formats import device_code, key_binding, lc1, lc1_text, sdjwt
from licences.offline.verify import Relied
from licences.status.edition import Edition
from licences.trust import bundle as trust
from tests.unit.licences.formats.papers import ISSUED_AT, SIGNER, paper_of
from tests.unit.licences.offline.browser import Case, Page, by_python
from tests.unit.licences.status.lists import ISSUER, SIGNED_AT
from tests.unit.licences.trust import bundles
from tests.unit.licences.trust.bundles import PINS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NOW = datetime.fromtimestamp(SIGNED_AT + 60, UTC)
KINDS = shipped_types()
SM2 = load_private(Algorithm.SM2, generate_private(Algorithm.SM2))
STRANGER, REVOKED_KEY = (load_private(Algorithm.ES256, generate_private(Algorithm.ES256)) for _ in range(2))
PLACES = (100, 200, 300, 400, None, 5 * 2**20 + 1, 2**20 - 1)
ENTRIES = [(200, 2), (300, 1), (400, 3)]
TIMES = [timedelta(0), timedelta(days=1, minutes=1), timedelta(days=3), timedelta(days=7), -timedelta(minutes=7)]
MUTANTS = 1_200
DEVICE = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
FACE = device_code.Minimal(lc1.template(KINDS[4]).identifier, "赵*", "1237", None)


def token(moment: int = SIGNED_AT) -> str:
    return Edition(ISSUER, 0, ENTRIES, moment, chain=(bytes(500),)).tokens(SIGNER)["0/jwt"].decode()


def template(kind: Any) -> dict[str, Any]:
    layout = lc1.template(kind)
    fields = [{"name": f.name, "title": f.title, "title_en": f.title_en, "type": str(f.type)} for f in layout.fields]
    return {"id": layout.identifier.hex(), "type": kind.code, "name": kind.name, "name_en": "", "fields": fields}


# One template is left out: its codes are read all the same.
BODY = bundles.body(
    token(),
    templates=[template(kind) for kind in KINDS[1:]],
    keys=[
        bundles.key(SIGNER, trust.LICENCE),
        {**bundles.key(SM2, trust.LICENCE_SM2), "jwk": {**SM2.public.jwk(), "alg": "SM2"}},
        bundles.key(bundles.TRUST_SIGNER, trust.TRUST),
    ],
    revoked_keys=[{"kid": REVOKED_KEY.kid, "use": trust.LICENCE}],
)
BUNDLE = bundles.text(BODY)
RELIED = Relied.on(trust.read(BUNDLE, pins=PINS))


@pytest.fixture(scope="module")
def page(chromium: "Browser") -> Iterator[Page]:
    opened = Page(chromium)
    yield opened
    opened.close()


def assert_one_verdict(page: Page, cases: list[Case]) -> list[dict[str, Any]]:
    expected = by_python(RELIED, cases)
    found = page.judge(BUNDLE, sorted(PINS), [], cases)
    for case, ours, theirs in zip(cases, expected, found, strict=True):
        assert theirs == ours, case
    return expected


def content(
    kind: Any, place: int | None = 100, signer: Any = SIGNER, issued_at: datetime = ISSUED_AT, **more: Any
) -> bytes:
    return lc1.make(paper_of(kind, **more), lc1.template(kind), issued_at=issued_at, signer=signer, status=place)


def credential(
    place: int | None = 100, signer: Any = SIGNER, until: str = "", ends: datetime | None = None, **more: Any
) -> str:
    status = {} if place is None else {"status": {"status_list": {"idx": place, "uri": f"{ISSUER}/status/0"}}}
    face = {"face_x": "内容", "face_n": 3, "face_l": ["一", {"b": None}]}
    claims = {"licence_name": "证", "valid_from": "2026-01-05", "valid_until": until} | face | status | more
    named = {"issuer": ISSUER, "vct": f"{ISSUER}/credentials/x", "kid": signer.kid, "issued_at": ISSUED_AT}
    return sdjwt.sign(sdjwt.build(claims, list(face), seed=bytes(32), expires_at=ends, **named), signer)


def genuine() -> list[str]:
    """Every type in every form; every place, signer and date."""
    codes = [content(kind) for kind in KINDS]
    codes += [content(kind, signer=SM2) for kind in KINDS[::8]]
    codes += [content(KINDS[2], place) for place in PLACES]
    codes += [content(KINDS[2], signer=signer) for signer in (STRANGER, REVOKED_KEY)]
    codes += [content(KINDS[3], valid_from=date(2027, 1, 1)), content(KINDS[3], valid_until=date(2026, 9, 20))]
    codes += [content(KINDS[3], issued_at=NOW + timedelta(minutes=6))]
    texts = [lc1_text.to_base45(code) for code in codes]
    texts += [lc1_text.to_address(code, ISSUER) for code in codes[::5]]
    texts += [lc1_text.to_address(codes[0], "https://elsewhere.example:8443"), "]Q1" + texts[0].lower()]
    texts += [credential(place) for place in PLACES]
    texts += [credential(signer=signer) for signer in (STRANGER, REVOKED_KEY)]
    texts += [credential(until=day) for day in ("2026-09-21", "2026-09-20", "2026-02-30", "soon")]
    texts += [credential(valid_from=7), credential(None, status={"status_list": "0"}), credential(None, status={})]
    bound = {"cnf": key_binding.confirmation(DEVICE.public.jwk())}
    texts += [credential(ends=NOW + timedelta(seconds=seconds), **bound) for seconds in (-1, 0, 1)]
    texts += [credential(ends=NOW), credential(cnf=None), credential(300, **bound)]
    texts += [credential(nbf=int(NOW.timestamp()) + seconds) for seconds in (0, 300, 301)]
    whole = credential()
    texts += [
        sdjwt.present(whole, ["face_x"]),
        sdjwt.present(whole, []),
        whole + "eyJ",
        whole + whole.split("~")[1] + "~",
    ]
    return texts


def test_what_is_genuine_has_one_report(page: Page) -> None:
    texts = genuine()
    cases = [(text, NOW) for text in texts] + [(text, NOW + later) for text in texts[::7] for later in TIMES]
    expected = assert_one_verdict(page, cases)
    seen = {reason for report in expected for reason in report["reasons"]}
    assert seen >= {
        "revoked", "suspended", "expired", "not_yet_valid", "status_stale", "clock_wrong", "issuer_unknown",
        "key_revoked", "format_unknown", "document_altered", "holder_unproven",
    }  # fmt: skip
    assert sum(report["ok"] for report in expected) > len(KINDS)


def test_what_is_neither_has_one_report(page: Page) -> None:
    texts = [
        "", " ", "x" * 65_537, "1.2.156.3005.2.x", "eyJ~", "eyJ", "~", "LC1:", "LC2:00", "LC1:%%%", "LC1:é", "lc1:bb8",
        "LC1:BB8 ", "HTTPS://ID.EXAMPLE/V#12", "HTTPS://ID.EXAMPLE/V#999", "https://id.example/verify#" + "9" * 34, "HTTP:///V#1",
        "HTTPS://ID.EXAMPLE/V#" + "1" * 5000, "LC1:" + "0" * 5000, "7K3MQ9TZ4XWD0H2VRB8NJE5CPG", "\x85LC1:BB8\x1c",
    ]  # fmt: skip
    assert_one_verdict(page, [(text, NOW) for text in texts])


def signed(payload: bytes, signer: Any = SIGNER) -> str:
    return lc1_text.to_base45(cose.sign(payload, signer=signer))


def deflated(data: bytes) -> bytes:
    deflater = zlib.compressobj(9, wbits=-15, zdict=lc1.dictionary())
    return deflater.compress(data) + deflater.flush()


def test_what_an_issuer_signed_by_mistake_has_one_report(page: Page) -> None:
    face = [lc1.template(KINDS[1]).identifier, "甲", 1, 10**17 + 7, "乙", 20_000]
    whole = {6: 1_767_600_000, 7: bytes(8), -1: bytes([1, 2, 3]), "f": face}
    odd = [
        {**whole, 4: 253_402_300_799}, {**whole, 4: 253_402_300_800}, {**whole, 4: -62_135_596_800}, {**whole, 4: True},
        {**whole, 5: 1}, {**whole, 7: bytes(9)}, {**whole, -1: bytes(4)}, {**whole, -1: bytes([1, 0, 0, 0])},
        {**whole, -1: b"\xff" * 8}, {**whole, -1: bytes(2)}, {**whole, "f": face[:5]}, {**whole, "f": [*face, [1]]},
        {**whole, "f": [*face, {}]}, {**whole, "f": [*face, b"1"]}, {**whole, "f": [*face, None, True, 2**64 - 1, -5]},
        {**whole, "f": [*face[:5], 2_932_897]}, {**whole, "f": [*face[:5], 10**12]}, {**whole, "f": [*face[:5], "1"]},
        {**whole, "f": [face[0], True, *face[2:]]}, {**whole, "f": [bytes(7), *face[1:]]}, {6: 1, 7: bytes(8)},
        {**whole, "f": [*face, "长" * 1_300]}, {**whole, "f": [*face, "长" * 1_400]}, [], "f", 7,
        {**whole, "f": [*face, *range(64)]}, {**whole, "f": [*face, *range(65)]},
    ]  # fmt: skip
    payload = deflated(cbor.encode(whole))
    floats = cbor.encode(whole).replace(cbor.encode(20_000), b"\xfa\x46\x9c\x40\x00")
    texts = [signed(deflated(cbor.encode(claims))) for claims in (whole, *odd)]
    texts += [signed(part) for part in (payload[:-1], payload + b"\0", payload + payload, b"", cbor.encode(whole))]
    texts += [signed(deflated(data)) for data in (cbor.encode(whole) + b"\0", floats, b"", bytes(5_000))]
    message = cose.sign(payload, signer=SIGNER)
    protected = cbor.encode({1: -7, 4: cose.short_kid(SIGNER.public)})
    for header in (
        {1: -65_537, 4: message[6:10]},
        {1: -8, 4: bytes(4)},
        {1: -7},
        {1: -7, 4: bytes(3)},
        {1: -7, 3: 0, 4: bytes(4)},
    ):
        texts.append(lc1_text.to_base45(cbor.encode([cbor.encode(header), {}, payload, bytes(64)])))
    parts = [protected, {}, payload, bytes(64)]
    odd_parts = [parts[:3], [*parts, 1], [{}, *parts[1:]], [protected, {1: 1}, *parts[2:]], [protected, [], *parts[2:]]]
    odd_parts += [[*parts[:3], bytes(63)], [*parts[:3], "s" * 64], [b"\xff", *parts[1:]], [b"", *parts[1:]]]
    texts += [lc1_text.to_base45(cbor.encode(odd_part)) for odd_part in odd_parts]
    texts += [lc1_text.to_base45(b"\xd2" + message), lc1_text.to_base45(message + b"\0")]
    assert_one_verdict(page, [(text, NOW) for text in texts])


def mutants(count: int, seed: int) -> list[Case]:
    """Genuine codes with a character changed, dropped, doubled or moved, or with their end cut off."""
    chance = random.Random(seed)
    own = [
        lc1_text.to_base45(content(KINDS[5])),
        lc1_text.to_address(content(KINDS[5], signer=SM2), ISSUER),
        credential(),
    ]
    made = []
    for number in range(count):
        text = own[number % len(own)]
        alphabet = [*sorted(set(text)), "~", ".", "=", "é", "\0", " ", "#", "_", "-", "😀"]
        place = chance.randrange(text.find("#") + 1, len(text))  # another host before it is a notice
        piece = chance.choice(alphabet) * chance.choice((0, 1, 1, 1, 2))
        mutant = text[:place] + piece + text[place + 1 :]
        made.append(mutant[:place] if chance.random() < 0.1 else mutant)
    # What ends after a "~" is the credential itself, with less of it shown.
    whole = own[-1].split("~")
    own += ["~".join((*whole[:count], "")) for count in range(1, len(whole))]
    return [(mutant, NOW) for mutant in made if mutant.strip() not in own]


def test_a_mutant_has_one_report_and_never_holds(page: Page) -> None:
    cases = mutants(MUTANTS, 3)
    assert len(cases) > 1_000
    assert not any(report["ok"] for report in assert_one_verdict(page, cases))


@pytest.mark.soak
def test_no_mutant_of_a_hundred_thousand_holds(page: Page) -> None:
    for seed in range(20):
        assert not any(report["ok"] for report in assert_one_verdict(page, mutants(5_000, 100 + seed)))


def test_newer_lists_count_in_both(page: Page) -> None:
    newer, older = token(SIGNED_AT + 30), token(SIGNED_AT - 30)
    cases = [(credential(), NOW)]
    for tokens in ([newer], [older], [older, newer], [newer, older]):
        assert page.judge(BUNDLE, sorted(PINS), tokens, cases) == by_python(Relied.on(RELIED.bundle, tokens), cases)
