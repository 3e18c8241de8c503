"""The demonstration's sealed documents: each has the verdict that FILE promises, and they are made once."""

from pathlib import Path
from typing import Any

import pytest

from idservice.call import House
from licences.demo import documents, seed
from seals.verify import verify
from tests.unit.licences.demo.test_seed import TOWN, house

__all__ = ["house"]


@pytest.fixture(scope="module")
def made(house: House, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return documents.make(house, TOWN, tmp_path_factory.mktemp("documents"))


def test_each_has_the_verdict_that_is_promised(house: House, made: list[dict[str, Any]]) -> None:
    for one in made:
        document = Path(one["document"]).read_bytes() if "document" in one else None
        data = Path(one["path"]).read_bytes()
        report = seed.act(house, lambda call, data=data, document=document: verify(call, data, document=document))
        assert (report.ok, list(report.reasons)) == (one["ok"], one["reasons"]), one["about"]
    assert sum(one["ok"] for one in made) == 4
    assert {reason for one in made for reason in one["reasons"]} == {"document_altered", "not_sealed"}


def test_the_contract_bears_two_seals(house: House, made: list[dict[str, Any]]) -> None:
    path = next(one["path"] for one in made if one["path"].endswith("/contract.ofd"))
    report = seed.act(house, lambda call: verify(call, Path(path).read_bytes()))
    names = [signature.seal.name for signature in report.signatures if signature.seal is not None]
    company = TOWN.organisations[0]
    assert names == [f"{company.name}合同专用章", f"{company.representative.name}法定代表人名章"]


def test_they_are_made_once(house: House, made: list[dict[str, Any]]) -> None:
    folder = Path(made[0]["path"]).parent
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert documents.make(house, TOWN, folder) == made
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
