"""Codes of devices in a real Chromium: made there and read by Python; read there with Python's verdict; drawn small."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from keys import cbor, cose, cose_holder
from keys.base64url import b64u, unb64u
from keys.signer import Algorithm, es256_public, generate_private, load_private
from licences.formats import device_code, lc1, lc1_text
from licences.offline.verify import verify
from licences.qr_symbol import symbol
from tests.unit.licences.formats.papers import SIGNER
from tests.unit.licences.formats.test_device_code import DEVICE, KIND, NONCE, PLACE, credential, face_of, text_of
from tests.unit.licences.offline.browser import Page
from tests.unit.licences.offline.test_in_browser import (
    BUNDLE,
    NOW,
    RELIED,
    REVOKED_KEY,
    STRANGER,
    assert_one_verdict,
)
from tests.unit.licences.trust.bundles import PINS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

UNIT = "11379900DM0001024F"
MUTANTS = 600
#: A key of the browser's own signs, with and without an audience; the answer is its public half and the texts.
SIGN = """async ([seconds, unit]) => {
  const code = await import("/js/offline/device_code.js");
  const text = await import("/js/offline/base64url.js");
  const keys = await crypto.subtle.generateKey(code.ES256, false, ["sign", "verify"]);
  const { x, y } = await crypto.subtle.exportKey("jwk", keys.publicKey);
  window.device = { code, text, keys, seconds, unit };
  return [x, y, keys.privateKey.extractable];
}"""
CODES = """async ([credential]) => {
  const { code, text, keys, seconds, unit } = window.device;
  const content = text.unb64u(credential);
  const bound = await code.sign(content, keys.privateKey, seconds, await code.audienceOf(unit));
  return [await code.sign(content, keys.privateKey, seconds), bound];
}"""
DRAW = """async (texts) => {
  const { draw } = await import("/js/showing/symbol.js");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  return texts.map((text) => { draw(svg, text); return Number(svg.dataset.version); });
}"""


@pytest.fixture(scope="module")
def page(chromium: "Browser") -> Iterator[Page]:
    opened = Page(chromium)
    yield opened
    opened.close()


def code(seconds: float = 0, *, now: datetime = NOW, **more: Any) -> str:
    until = now + timedelta(days=7)
    return text_of(credential(place=more.pop("place", 100), until=until), at=now + timedelta(seconds=seconds), **more)


def issued_by(signer: Any) -> str:
    content = device_code.issue(
        face_of(KIND), key=DEVICE.public, place=100, expires_at=NOW + timedelta(days=7), signer=signer
    )
    return text_of(content, at=NOW)


def test_a_browser_s_code_is_read_here(page: Page) -> None:
    seconds = int(NOW.timestamp())
    x, y, is_extractable = page.run(SIGN, seconds, UNIT)
    assert is_extractable is False
    key = es256_public(unb64u(x), unb64u(y))
    content = device_code.issue(face_of(KIND), key=key, place=PLACE, expires_at=NOW + timedelta(days=7), signer=SIGNER)
    free, bound = page.run(CODES, b64u(content))
    read = [device_code.authenticate(text, [SIGNER.public]) for text in (free, bound)]
    assert {int(one.made_at.timestamp()) for one in read} == {seconds}
    assert [one.audience for one in read] == [None, device_code.audience_of(UNIT)]
    assert len({one.nonce for one in read}) == 2


def test_a_browser_draws_it_no_larger_than_we_do(page: Page) -> None:
    texts = [code(), code(audience=device_code.audience_of(UNIT)), code(place=2**50)]
    assert page.run(DRAW, *texts) == [symbol(text).version for text in texts] == [12, 12, 12]


def test_one_verdict_on_genuine_old_bound_and_foreign_codes(page: Page) -> None:
    texts = [code(seconds) for seconds in (0, -60, -61, -400, 300, 301, 86_400)]
    texts += [code(place=place) for place in (200, 300, 400, 5 * 2**20 + 1, 2**20 - 1)]
    texts += [code(audience=device_code.audience_of(UNIT)), issued_by(STRANGER), issued_by(REVOKED_KEY)]
    texts += [device_code.sign(credential(), at=NOW, nonce=NONCE, signer=STRANGER)]
    texts += [f"]Q3{texts[0].lower()}", "LD2:00", "LD1:", "LD1:0", "ld1:é", "LD1:" + "0" * 5_000]
    for _ in range(8):  # keys of even and of odd y
        key = load_private(Algorithm.ES256, generate_private(Algorithm.ES256))
        content = device_code.issue(
            face_of(KIND), key=key.public, place=100, expires_at=NOW + timedelta(days=7), signer=SIGNER
        )
        texts.append(device_code.sign(content, at=NOW, nonce=NONCE, signer=key))
    found = assert_one_verdict(page, [(text, NOW) for text in texts])
    assert {reason for report in found for reason in report["reasons"]} >= {
        "code_expired", "clock_wrong", "suspended", "revoked", "status_stale", "wrong_audience", "issuer_unknown",
        "key_revoked", "signature_invalid", "format_unknown", "unreadable",
    }  # fmt: skip
    assert_one_verdict(page, [(code(now=NOW), NOW + timedelta(days=days)) for days in (1, 7, 8)])


def test_one_verdict_on_what_was_signed_in_another_form(page: Page) -> None:
    claims: dict[object, object] = {
        4: 1_900_000_000,
        8: {1: cose_holder.cose_key(DEVICE.public)},
        -1: b"\x00\x00\x64",
        "f": [lc1.template(KIND).identifier, "王**", "123X", 24_000],
    }
    key = cose_holder.cose_key(DEVICE.public)
    changes: list[dict[object, object]] = [
        {}, {4: "x"}, {4: -1}, {4: 2**60}, {5: 1}, {8: {}}, {8: {1: {}}}, {8: {1: {**key, -2: bytes(32)}}},
        {8: {1: {**key, -2: b"\xff" * 32}}}, {8: {1: {**key, -2: bytes(31) + b"\x04"}}}, {8: {1: {**key, -3: 1}}},
        {-1: b"\x01"}, {-1: b"\x00\x01\x02\x03"}, {"f": [1]}, {"f": [bytes(8), "王", "1", 10**9]},
        {"f": [bytes(8), "王", "1", -1]}, {"f": [bytes(8), "王", "1", True]}, {"f": [bytes(7), "王", "1", None]},
    ]  # fmt: skip
    texts = [text_of(cose.sign(cbor.encode({**claims, **change}), signer=SIGNER), at=NOW) for change in changes]
    content = credential(until=NOW + timedelta(days=7))
    for stated in (
        {6: 1},
        {6: "x", 7: NONCE},
        {6: -1, 7: NONCE},
        {6: 1, 7: bytes(7)},
        {6: 1, 7: NONCE, 3: b"x"},
        7,
        [],
    ):
        message = cose_holder.sign(cbor.encode(stated), signer=DEVICE, credential=content)
        texts.append(device_code.PREFIX + lc1_text.base45(cbor.encode([content, message])))
    for place, value in ((0, b"\xa0"), (1, {1: -7}), (2, "x"), (3, bytes(63)), (3, bytes(64))):
        message = cose_holder.sign(cbor.encode({6: 1, 7: NONCE}), signer=DEVICE, credential=content)
        message[place] = value
        texts.append(device_code.PREFIX + lc1_text.base45(cbor.encode([content, message])))
    assert_one_verdict(page, [(text, NOW) for text in texts])


def test_one_verdict_on_mutants(page: Page) -> None:
    chance, cases = random.Random(7), []
    whole = code()
    content = lc1_text.from_base45(whole.removeprefix(device_code.PREFIX))
    for _ in range(MUTANTS // 2):
        flipped = bytearray(content)
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        cases.append((device_code.PREFIX + lc1_text.base45(bytes(flipped)), NOW))
        at = chance.randrange(len(whole))
        cases.append((whole[:at] + chance.choice("0AZ $é:") + whole[at + chance.randrange(3) :], NOW))
    found = assert_one_verdict(page, cases)
    assert sum(report["ok"] for report in found) <= sum(text == whole for text, _ in cases)


def test_the_unit_is_asked_of_whoever_knows_it(page: Page) -> None:
    bound = code(audience=device_code.audience_of(UNIT))
    judged = """async ([bundle, pins, text, now, unit]) => {
      const [trust, verifier] = await Promise.all(["trust", "verify"].map((name) => import(`/js/offline/${name}.js`)));
      return (await verifier.verify(text, await verifier.rely(await trust.read(bundle, pins)), now, unit)).reasons;
    }"""
    for unit, reasons in ((UNIT, []), ("11379900DM0001025F", ["wrong_audience"])):
        assert verify(bound, RELIED, now=NOW.astimezone(UTC), unit=unit).reasons == reasons
        assert page.run(judged, BUNDLE, sorted(PINS), bound, NOW.timestamp(), unit) == reasons
