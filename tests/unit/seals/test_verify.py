from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete

from idservice.call import Call, House
from keys.certificates import CertificateError, to_pem
from seals.models import TrustAnchor
from seals.verify import anchors, from_file, read_anchors, trust
from tests.builders import act, build_house, migrate
from tests.databases import Databases
from tests.unit.seals.made import City

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def empty(databases: Databases, tmp_path: Path) -> House:
    """A house that trusts nobody yet."""
    house = build_house(tmp_path, databases.fresh(migrate))
    yield house  # type: ignore[misc]
    house.database.engine.dispose()


def test_nothing_is_trusted_that_is_not_listed(empty: House) -> None:
    assert act(empty, anchors) == ()


def test_the_first_root_is_trusted_at_once(empty: House, city: City) -> None:
    assert act(empty, anchors) == ()
    act(empty, lambda call: trust(call, city.root.certificate))
    assert act(empty, anchors) == (city.root.certificate,)


def test_a_root_is_listed_once_and_recorded_once(empty: House, city: City) -> None:
    for _ in range(2):
        act(empty, lambda call: trust(call, city.root.certificate))
    assert act(empty, read_anchors) == (city.root.certificate,)


def test_a_root_taken_off_the_list_ends_within_two_seconds(
    empty: House, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("seals.verify.time.monotonic", lambda: clock[0])
    act(empty, lambda call: trust(call, city.root.certificate))
    assert act(empty, anchors)

    def take_off(call: Call) -> None:
        call.session.execute(delete(TrustAnchor))

    act(empty, take_off)
    assert act(empty, read_anchors) == ()
    clock[0] += 2.1
    assert act(empty, anchors) == ()


def test_two_houses_do_not_share_their_trust(empty: House, databases: Databases, tmp_path: Path, city: City) -> None:
    other = build_house(tmp_path / "other", databases.fresh(migrate))
    act(other, lambda call: trust(call, city.root.certificate))
    assert act(other, anchors)
    assert act(empty, anchors) == ()
    other.database.engine.dispose()


def test_the_settings_file_adds_roots(databases: Databases, tmp_path: Path, city: City) -> None:
    file = tmp_path / "roots.pem"
    file.write_text(to_pem(city.root.der) + to_pem(city.maker.der))
    house = build_house(tmp_path, databases.fresh(migrate), trust_anchors=file)
    assert act(house, anchors) == (city.root.certificate, city.maker.certificate)
    house.database.engine.dispose()


def test_a_file_that_is_no_pem_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"no certificate")
    with pytest.raises(CertificateError):
        from_file(tmp_path / "f")
    assert from_file(None) == ()
