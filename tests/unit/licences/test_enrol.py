"""What an administrator enters is read back the same, and is in use at once."""

from dataclasses import replace

import pytest

from idservice.numbers import InvalidNumber
from licences import catalogue, enrol
from licences.counter import matters
from licences.counter.matter_definition import shipped_matters
from licences.definition_file import shipped_types
from licences.record_reader import DefinitionError
from tests.town import CIVIL, SECURITY, Town, type_of


def test_every_shipped_type_and_matter_reads_back_from_the_database(town: Town) -> None:
    catalogue_read = town.act(catalogue._read)
    assert {code: entry.type for code, entry in catalogue_read.items()} == {kind.code: kind for kind in shipped_types()}
    town.act(matters.forget)
    read = [matter.entered_as(0) for matter in town.act(matters.entries).values()]
    assert tuple(read) == shipped_matters()


def test_entering_again_replaces_and_is_seen_at_once(town: Town) -> None:
    kind, matter = type_of("vocational_qualification"), shipped_matters()[0]
    town.act(lambda call: enrol.put_type(call, replace(kind, name="职业资格证书")))
    town.act(lambda call: enrol.put_matter(call, replace(matter, name="另一事项")))
    assert town.act(lambda call: catalogue.find(call, kind.code)).type.name == "职业资格证书"
    assert town.act(lambda call: matters.find(call, matter.code)).name == "另一事项"
    town.act(lambda call: enrol.put_type(call, kind))
    town.act(lambda call: enrol.put_matter(call, matter))
    assert town.act(lambda call: catalogue.find(call, kind.code)).type == kind


def test_the_lowest_rank_issues_by_default(town: Town) -> None:
    code = type_of("vocational_qualification").code
    town.act(lambda call: enrol.put_authority(call, code, CIVIL, town.seals[CIVIL], 0))
    entry = town.act(lambda call: catalogue.find(call, code))
    assert [authority.department for authority in entry.authorities] == [CIVIL, SECURITY]
    assert town.act(lambda call: catalogue.authority(call, entry, None)).department == CIVIL
    assert town.act(lambda call: catalogue.authority(call, entry, SECURITY)).department == SECURITY


def test_what_could_never_be_used_is_refused(town: Town) -> None:
    kind, matter = type_of("vocational_qualification"), shipped_matters()[0]
    with pytest.raises(DefinitionError):
        town.act(lambda call: enrol.put_type(call, replace(kind, code="1" * 21)))
    with pytest.raises(DefinitionError):
        town.act(lambda call: enrol.put_type(call, replace(kind, fields=())))
    with pytest.raises(DefinitionError):
        town.act(lambda call: enrol.put_matter(call, replace(matter, proofs=())))
    with pytest.raises(InvalidNumber):
        town.act(lambda call: enrol.put_authority(call, kind.code, "1" * 18, town.seals[CIVIL], 5))
