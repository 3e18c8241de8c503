"""mdoc: what is refused although a key of ours signed it, what elements a type has. Foreign: test_copies."""

import secrets
from datetime import UTC, datetime, timedelta

import pytest

from keys import cbor, cose
from keys.cbor import Tagged
from keys.signer import Algorithm, generate_private, load_private
from keys.verdict import Reason
from licences.definition_file import shipped_types
from licences.formats import mdoc, mdoc_elements
from tests.unit.licences.formats.papers import SIGNER, paper_of

NOW = datetime(2026, 1, 5, tzinfo=UTC)
DEVICE = load_private(Algorithm.ES256, generate_private(Algorithm.ES256)).public
TAGS = frozenset({0, 24, 1004})
CERTIFICATE = b"a certificate"


def point_of(der: bytes) -> bytes | None:
    """Stand in for a certificate: its bytes name the signer's key."""
    members = SIGNER.public.jwk()
    return mdoc._point(SIGNER.public) if der == CERTIFICATE and members else None


def made(spaces: dict[str, dict[str, object]] | None = None) -> bytes:
    return mdoc.build(
        "urn:example",
        spaces or {"space": {"a": 1, "b": "二"}},
        validity=mdoc.Validity(NOW, NOW, NOW + timedelta(days=1)),
        device_key=DEVICE,
        chain=[CERTIFICATE],
        signer=SIGNER,
        salt=lambda: secrets.token_bytes(mdoc.SALT_BYTES),
    )


def code_of(data: bytes, *, keys: tuple[object, ...] = (SIGNER.public,)) -> str:
    with pytest.raises(mdoc.MdocError) as caught:
        mdoc.authenticate(data, keys, point_of)  # type: ignore[arg-type]
    return caught.value.code


def changed(**parts: object) -> bytes:
    """Return a good document with parts of IssuerSigned or of its COSE_Sign1 replaced."""
    top = cbor.decode(made(), tags=TAGS)
    assert isinstance(top, dict)
    assert isinstance(top["issuerAuth"], list)
    for number, name in enumerate(("protected", "unprotected", "payload", "signature")):
        top["issuerAuth"][number] = parts.pop(name, top["issuerAuth"][number])  # type: ignore[assignment]
    return cbor.encode({**top, **parts})


def resigned(mso: dict[str, object]) -> bytes:
    """Return a document whose signed object is `mso`, by our own key."""
    payload = cbor.encode(Tagged(24, cbor.encode(mso)))
    protected = cbor.encode({1: -7})
    return changed(payload=payload, signature=SIGNER.sign(cose.to_be_signed(protected, payload)))


def test_what_was_built_is_read_back_and_a_part_of_it_too() -> None:
    data = made({"space": {"a": 1, "b": "二", "c": [{"d": True}]}, "other": {"a": mdoc.full_date(NOW.date())}})
    found = mdoc.authenticate(data, [SIGNER.public], point_of)
    assert (found.doc_type, found.kid, found.status) == ("urn:example", SIGNER.kid, None)
    assert found.elements == {
        "space": {"a": 1, "b": "二", "c": [{"d": True}]},
        "other": {"a": Tagged(1004, "2026-01-05")},
    }
    top = cbor.decode(data, tags=TAGS)
    assert isinstance(top, dict)
    part = cbor.encode({**top, "nameSpaces": {"space": top["nameSpaces"]["space"][1:2]}})  # type: ignore[index,call-overload]
    assert mdoc.authenticate(part, [SIGNER.public], point_of).elements == {"space": {"b": "二"}}


def test_each_refusal_has_its_code() -> None:
    other = load_private(Algorithm.ES256, generate_private(Algorithm.ES256)).public
    item = Tagged(24, cbor.encode({"digestID": 0, "random": b"", "elementIdentifier": "a", "elementValue": 2}))
    top = cbor.decode(made(), tags=TAGS)
    assert isinstance(top, dict)
    twice = top["nameSpaces"]["space"] * 2  # type: ignore[index,call-overload,operator]
    expected = {
        "malformed": [b"", b"\xa0", made()[:-1], made() + b"\0", changed(signature=b"x"), changed(payload=1)],
        "header_refused": [
            changed(protected=cbor.encode({1: -8})),
            changed(protected=cbor.encode({1: -7, 2: [1]})),
            changed(unprotected={}),
            changed(unprotected={33: CERTIFICATE, 35: "https://evil.example"}),
        ],
        "unknown_key": [changed(unprotected={33: b"another"}), changed(unprotected={33: []})],
        "signature": [changed(signature=bytes(64)), changed(payload=cbor.encode(Tagged(24, b"\xa0")))],
        "digest": [changed(nameSpaces={"space": [item]}), changed(nameSpaces={"else": []})],
        "bad_payload": [resigned({"version": "1.0"}), resigned({})],
        "too_large": [bytes(mdoc.MAX_MDOC + 1)],
    }
    for code, documents in expected.items():
        assert [code_of(one) for one in documents] == [code] * len(documents)
    assert code_of(cbor.encode({**top, "nameSpaces": {"space": twice}})) == "digest"
    assert code_of(made(), keys=(other,)) == "unknown_key"
    assert {mdoc.MdocError(code).reason for code in expected} == {
        Reason.UNREADABLE,
        Reason.SIGNATURE_INVALID,
        Reason.ISSUER_UNKNOWN,
        Reason.DOCUMENT_ALTERED,
        Reason.FORMAT_UNKNOWN,
    }


def test_only_p256_signs() -> None:
    sm2 = load_private(Algorithm.SM2, generate_private(Algorithm.SM2))
    with pytest.raises(ValueError, match="ES256"):
        mdoc.build(
            "x", {}, validity=mdoc.Validity(NOW, NOW, NOW), device_key=DEVICE, chain=[b""], signer=sm2, salt=bytes
        )


def test_every_shipped_type_has_a_document_type_and_elements_that_can_be_written() -> None:
    for kind in shipped_types():
        found = mdoc_elements.elements(kind.slug, paper_of(kind))
        name = mdoc_elements.doc_type(kind.slug, kind.code)
        assert (name == mdoc_elements.MDL) is (kind.slug == "driving_licence"), kind.slug
        own = found[mdoc_elements.SPACE]
        assert {f"face_{field.name}" for field in kind.fields if field.required} <= own.keys(), kind.slug
        assert cbor.decode(cbor.encode(found), tags=TAGS) == found, kind.slug
