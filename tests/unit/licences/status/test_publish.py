"""Publishing: the lists say what the register says, and what it said then; nothing is signed for nothing."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from idservice.errors import Problem
from keys.base64url import unb64u
from keys.certificates import parse
from keys.ring import Purpose
from licences import catalogue, enrol
from licences.copy_forms import point_of
from licences.formats import lc1
from licences.status import edition, files, publish, publisher
from licences.status.edition import name_of
from licences.status.token_list import SIZE, Signed, Status, read_jwt
from licences.trust import bundle, gather
from tests.identity import header_of
from tests.town import Town, now, type_of


def read(town: Town, number: int = 0) -> Signed:
    found = town.house.database.run(lambda session: files.find(session, name_of(number, "jwt")), write=False)
    assert found is not None
    return read_jwt(found.content.decode(), keys=town.house.keys.public(Purpose.LICENCE))


def names(town: Town, number: int = 0) -> set[str]:
    forms = ("jwt", "cwt", "revocation", "suspension")
    wanted = {name_of(number, form) for form in forms}
    return {n for n in wanted if town.act(lambda call, n=n: files.find(call.session, n)) is not None}


def place_of(town: Town, identifier: str) -> int:
    place = town.row(identifier).status_place
    assert place is not None
    assert place < SIZE, "the tests of this module fill no list"
    return place


def bundle_of(town: Town) -> bundle.Bundle:
    found = town.act(lambda call: files.find(call.session, gather.NAME))
    pins = {bundle.pin(key) for key in town.house.keys.public(Purpose.TRUST).values()}
    return bundle.read(found.content.decode(), pins=pins)


def test_a_change_is_published_and_nothing_is_signed_twice(town: Town) -> None:
    place, code = -1, town.order()["identifier"]
    place = place_of(town, code)
    begin = now()
    assert publish.publish(town.house, begin) == 1
    assert names(town) == {"0/jwt", "0/cwt", "0/revocation", "0/suspension"}
    assert read(town).status(place) == Status.VALID
    assert publish.publish(town.house, begin + timedelta(minutes=1)) == 0
    for deed, status in (("suspend", Status.SUSPENDED), ("resume", Status.VALID), ("revoke", Status.INVALID)):
        assert town.change(code, deed, reason="演示").status_code == 201
        assert publish.publish(town.house, now()) == 1, deed
        assert read(town).status(place) == status
    assert publish.publish(town.house, now()) == 0


def test_a_list_brings_its_signers_certificate(town: Town) -> None:
    signer = town.house.keys.signer(Purpose.LICENCE)
    publish.publish(town.house, now())
    (stated,) = header_of(town.act(lambda call: files.find(call.session, name_of(0, "jwt"))).content.decode())["x5c"]
    certificate = parse(base64.b64decode(stated))
    assert point_of(certificate.der) == b"\x04" + unb64u(signer.public.jwk()["x"]) + unb64u(signer.public.jwk()["y"])
    assert certificate.issuer != certificate.subject, "the anchor is left out"
    before = town.house.database.run(
        lambda session: publish.as_of(town.house, session, 0, now() + timedelta(minutes=1)), write=False
    )
    assert header_of(before[name_of(0, "jwt")].decode())["x5c"] == [stated]


def test_a_list_is_signed_anew_every_hour(town: Town) -> None:
    publish.publish(town.house, now())
    assert publish.publish(town.house, now() + timedelta(minutes=59)) == 0
    later = now() + timedelta(minutes=61)
    assert publish.publish(town.house, later) == 1
    assert read(town).issued_at == int(later.timestamp())
    publish.publish(town.house, later + publish.RENEW)


def test_as_of_says_what_stood_then(town: Town) -> None:
    code = town.order()["identifier"]
    place, before = place_of(town, code), now()
    town.change(code, "revoke", reason="演示")

    def stood(moment: object) -> int:
        made = town.act(lambda call: publish.as_of(town.house, call.session, 0, moment))
        signed = read_jwt(made["0/jwt"].decode(), keys=town.house.keys.public(Purpose.LICENCE))
        assert signed.issued_at == int(moment.timestamp())  # type: ignore[attr-defined]
        return signed.status(place)

    assert (stood(before), stood(now())) == (Status.VALID, Status.INVALID)
    with pytest.raises(Problem, match="not_acceptable"):
        stood(before - timedelta(days=400))


def test_the_bundle_holds_keys_templates_and_the_newest_lists(town: Town) -> None:
    code = town.order()["identifier"]
    publisher.publish_all(town.house, now())
    first = bundle_of(town)
    assert set(first.keys["licence"]) == set(town.house.keys.public(Purpose.LICENCE))
    assert len(first.templates) > 10
    assert first.lists[edition.uri_of(town.house.settings.signs_as, 0)].status(place_of(town, code)) == Status.VALID
    assert gather.publish(town.house, now()) is False
    town.change(code, "suspend", reason="演示")
    assert publisher.publish_all(town.house, now()) == 2
    second = bundle_of(town)
    assert second.sequence > first.sequence
    assert second.lists[edition.uri_of(town.house.settings.signs_as, 0)].status(place_of(town, code)) == 2


def test_a_bundle_without_room_leaves_the_tokens_out(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher.publish_all(town.house, now())
    monkeypatch.setattr(bundle, "MAX_PAYLOAD", 1_000)
    said = town.act(lambda call: gather.body(town.house, call.session, now()))
    assert said["status_lists"] == [{"number": 0, "uri": edition.uri_of(town.house.settings.signs_as, 0)}]


def test_a_template_of_an_older_version_stays_in_the_bundle(town: Town) -> None:
    kind = type_of("vocational_qualification")
    old, changed = lc1.template(kind).identifier, replace(kind, fields=kind.fields[:-1])
    town.act(lambda call: enrol.put_type(call, changed))
    town.act(catalogue.forget)
    assert gather.publish(town.house, now()) is True
    assert {old, lc1.template(changed).identifier} <= bundle_of(town).templates.keys()


def test_a_new_key_signs_everything_anew_and_a_revoked_one_is_named(town: Town) -> None:
    publisher.publish_all(town.house, now())
    old = town.house.keys.signer(Purpose.LICENCE).kid
    town.house.keys.rotate(Purpose.LICENCE, now=now())
    assert publisher.publish_all(town.house, now()) == 2
    town.house.keys.revoke(old)
    assert publisher.publish_all(town.house, now()) == 1
    found = bundle_of(town)
    assert old in found.revoked
    assert old not in found.keys["licence"]
    town.house.keys.rotate(Purpose.TRUST, now=now())
    assert gather.publish(town.house, now()) is True
