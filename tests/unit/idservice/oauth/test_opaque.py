from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from idservice.call import Call, House
from idservice.ids import secret_hash
from idservice.oauth import opaque
from idservice.oauth.models import OpaqueToken
from keys.fields import FieldError
from tests.builders import act, build_house, migrate
from tests.databases import SqliteDatabases

CLAIMS = {"sub": "x", "aud": ["a", "b"], "exp": 1}
STRANGE = ("", "ona_at_", "ona_at_" + "A" * 42, "ona_at_" + "A" * 44, "eyJ.eyJ.x", "ONA_AT_" + "A" * 43)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path, SqliteDatabases(tmp_path).fresh(migrate))
    yield built
    built.database.engine.dispose()


def keep(call: Call) -> str:
    return opaque.keep(call, CLAIMS, expires_at=datetime.now(UTC) + timedelta(minutes=10))


def test_a_token_stands_for_its_claims_and_no_other_does(house: House) -> None:
    first, second = act(house, keep), act(house, keep)
    assert first != second
    assert opaque.looks_like_one(first)
    assert act(house, lambda call: opaque.find(house, call.session, first)) == CLAIMS
    never_made = opaque.PREFIX + "A" * 43
    assert act(house, lambda call: opaque.find(house, call.session, never_made)) is None


def test_what_it_stands_for_cannot_be_moved_to_another(house: House) -> None:
    first, second = act(house, keep), act(house, keep)

    def move(call: Call) -> None:
        row = call.session.get_one(OpaqueToken, secret_hash(first))
        mine = OpaqueToken.token_hash == secret_hash(second)
        call.session.execute(update(OpaqueToken).where(mine).values(claims_sealed=row.claims_sealed))

    act(house, move)
    with pytest.raises(FieldError):
        act(house, lambda call: opaque.find(house, call.session, second))


@pytest.mark.parametrize("text", STRANGE)
def test_what_has_not_its_form_is_not_looked_up(text: str) -> None:
    assert not opaque.looks_like_one(text)
