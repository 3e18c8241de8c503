"""A person's name is nowhere in the clear in the register of seals, and his seal holds for every verifier."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from idservice.call import Call
from idservice.models import Base
from keys.certificates import parse
from keys.fields import FieldError
from seals import contents, document_certificate, register
from seals.check import check_file
from seals.decoding import read_seal
from seals.models import DocumentCertificate
from seals.picture_kinds import Kind
from seals.revoking import revoke
from seals.signature import PERSONAL, UNIT
from seals.uses import listed_uses
from seals.verify import read_anchors
from tests.builders import act, migrate
from tests.databases import Databases
from tests.unit.seals.parties import COMPANY, COMPANY_NAME, NAMES, NOW, NUMBERS, Parties, settle

NAME = NAMES["leader"]


@pytest.fixture(scope="module")
def parties(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    url = databases.fresh(migrate)
    settled = settle(Path(tmp_path_factory.mktemp("house")), url)
    yield settled
    settled.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture(scope="module")
def name_seal(parties: Parties) -> str:
    return parties.make(Kind.REPRESENTATIVE)


def test_the_seal_is_whole_and_says_what_it_is(parties: Parties, name_seal: str) -> None:
    der = act(parties.house, lambda call: contents.structure(call, parties.seal(name_seal)))
    assert check_file(der, anchors=act(parties.house, read_anchors), now=NOW).ok
    info = read_seal(der).info
    assert (info.kind, info.name) == (PERSONAL, f"{NAME}法定代表人名章")
    assert (info.picture.width, info.picture.height) == (20, 20)
    certificate = parse(act(parties.house, lambda call: contents.certificate(call, parties.seal(name_seal))))
    assert certificate.common_name == NAME
    assert NUMBERS["leader"].encode() not in certificate.der
    assert certificate.extensions.identities == {}


def test_an_organisations_is_public(parties: Parties) -> None:
    seal = parties.seal(parties.make(Kind.CONTRACT))
    info = read_seal(seal.seal_der).info
    assert (info.kind, info.name, seal.name) == (UNIT, *[f"{COMPANY_NAME}合同专用章"] * 2)
    assert parse(seal.signer_certificate).extensions.organization_code == COMPANY


def test_nothing_in_the_database_names_the_person(parties: Parties, name_seal: str) -> None:
    use_id = parties.announce(name_seal, parties.acting("leader"))
    act(parties.house, lambda call: document_certificate.ensure(call, parties.seal(name_seal)), now=NOW)
    party = act(parties.house, lambda call: document_certificate.signer_of(call, parties.seal(name_seal)), now=NOW)
    assert party.certificate.common_name == NAME
    assert use_id

    def rows(call: Call) -> bytes:
        tables = Base.metadata.sorted_tables
        return b"\n".join(repr(tuple(row)).encode() + b"".join(v for v in row if isinstance(v, bytes))
                          for table in tables for row in call.session.execute(sa.select(table)))  # fmt: skip

    stored = act(parties.house, rows)
    for secret in (NAME, NUMBERS["leader"]):
        assert secret.encode() not in stored
        assert repr(secret.encode())[2:-1].encode() not in stored
    assert parties.seal(name_seal).name == "王**法定代表人名章"


def test_bytes_of_another_row_do_not_open(parties: Parties, name_seal: str) -> None:
    other = parties.seal(parties.make(Kind.PERSONAL, by="stranger", company=False))
    other.seal_der = parties.seal(name_seal).seal_der
    with pytest.raises(FieldError):
        act(parties.house, lambda call: contents.structure(call, other))


def test_the_name_is_shown_to_its_bearer_and_masked_to_others(parties: Parties, name_seal: str) -> None:
    def shown(who: str) -> str:
        found = act(
            parties.house, lambda call: register.shown(call, register.look_up(call, name_seal)),
            caller=parties.page(who), now=NOW,
        )  # fmt: skip
        return str(found["name"])

    assert shown("leader") == f"{NAME}法定代表人名章"
    assert shown("officer") == "王**法定代表人名章"
    uses = act(
        parties.house, lambda call: listed_uses(call, name_seal, limit=5), caller=parties.page("leader"), now=NOW
    )
    assert all(NAME not in str(line) for line in uses["items"])


def test_its_certificates_can_be_revoked_by_its_number(parties: Parties) -> None:
    seal_id = parties.make(Kind.PERSONAL, by="clerk", company=False)
    act(parties.house, lambda call: document_certificate.ensure(call, parties.seal(seal_id)), now=NOW)
    assert act(parties.house, lambda call: call.session.get(DocumentCertificate, seal_id)) is not None
    assert len(act(parties.house, lambda call: revoke(call, seal_id, reason="keyCompromise"))) == 2
