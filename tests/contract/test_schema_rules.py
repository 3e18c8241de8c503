"""House rule 6, read off the metadata: what keeps it open to shard the database by subject later.

`idservice/models.py` says what the four kinds of tables are. A table that breaks a rule on purpose is named here with
its reason; a reason that is no longer needed fails.
"""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

import idservice.admin.models
import idservice.events.models
import idservice.login.models
import idservice.models
import idservice.oauth.models
import idservice.register.models
import idservice.scim.models
import licences.accesses.models
import licences.catalogue_models
import licences.collection.models
import licences.copies_models
import licences.counter.lookup_models
import licences.counter.models
import licences.guard.models
import licences.life.models
import licences.models
import licences.portion_models
import licences.sharing.models
import licences.showing.models
import licences.status.models
import licences.wallets.issuance.models
import licences.wallets.presentation.models
import seals.models
from idservice.column_types import Instant
from idservice.db import UTCDateTime
from idservice.models import Base

ROOMS = (
    idservice.models,
    idservice.admin.models,
    idservice.events.models,
    idservice.login.models,
    idservice.oauth.models,
    idservice.register.models,
    idservice.scim.models,
    seals.models,
    licences.accesses.models,
    licences.catalogue_models,
    licences.copies_models,
    licences.counter.models,
    licences.counter.lookup_models,
    licences.guard.models,
    licences.collection.models,
    licences.life.models,
    licences.models,
    licences.portion_models,
    licences.sharing.models,
    licences.showing.models,
    licences.status.models,
    licences.wallets.issuance.models,
    licences.wallets.presentation.models,
)
OWNERS = {"subject", "hashed", "reference", "log"}
TABLES = {table.name: table for table in Base.metadata.sorted_tables}

# Names of columns that would hold a person's own data in the clear.
PERSONAL = {"id_number", "number", "phone", "mobile", "address", "email", "birthday", "holder_name", "person_name"}
PUBLIC = {
    "log_tile.number": "the number of a tile",
}


def owned_by(*kinds: str) -> list[sa.Table]:
    return [table for table in TABLES.values() if table.info.get("owner") in kinds]


def unique_keys(table: sa.Table) -> Iterator[list[str]]:
    """The columns of every primary and unique key of a table."""
    yield [column.name for column in table.primary_key.columns]
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            yield [column.name for column in constraint.columns]
    for index in table.indexes:
        if index.unique:
            yield [getattr(part, "name", str(part)) for part in index.expressions]


def named(tables: list[sa.Table]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("table", tables, ids=lambda table: table.name)


def test_all_rooms_are_looked_at() -> None:
    assert {table.split(".")[0] for table in TABLES} >= {"person", "seal", "licence", "audit_entry"}
    assert {mapper.class_.__module__ for mapper in Base.registry.mappers} == {room.__name__ for room in ROOMS}


@named(list(TABLES.values()))
def test_a_table_says_whose_it_is(table: sa.Table) -> None:
    assert table.info.get("owner") in OWNERS


@named(owned_by("subject"))
def test_every_key_of_a_subject_begins_with_the_subject(table: sa.Table) -> None:
    for key in unique_keys(table):
        assert key[0] == "subject", key
    assert not table.c.subject.nullable


@named(owned_by("hashed"))
def test_a_hashed_table_has_a_single_key_and_no_other(table: sa.Table) -> None:
    assert [len(key) for key in unique_keys(table)] == [1]


@named(owned_by("log"))
def test_a_log_has_no_key_beside_its_primary_one(table: sa.Table) -> None:
    assert len(list(unique_keys(table))) == 1
    assert table.foreign_keys == set()


@named(list(TABLES.values()))
def test_no_number_is_counted_by_the_database(table: sa.Table) -> None:
    assert len(table.primary_key.columns) > 0
    for column in table.columns:
        assert column.identity is None, column
        assert column.server_default is None, column  # a default in one place only: the code
        assert not isinstance(column.default, sa.Sequence), column
        assert column.autoincrement in {"auto", False}, column
    assert table.autoincrement_column is None
    made = str(CreateTable(table).compile(dialect=postgresql.dialect())).upper()
    for word in ("SERIAL", "IDENTITY", "NEXTVAL"):
        assert word not in made
    assert "AUTOINCREMENT" not in str(CreateTable(table).compile(dialect=sqlite.dialect())).upper()


@named(list(TABLES.values()))
def test_foreign_keys_lead_to_reference_tables_alone(table: sa.Table) -> None:
    for key in table.foreign_keys:
        assert key.column.table.info["owner"] == "reference", key
        assert key.column.primary_key, key
        assert key.ondelete is None, key
        assert key.onupdate is None, key


@named(list(TABLES.values()))
def test_times_carry_their_zone(table: sa.Table) -> None:
    for column in table.columns:
        if isinstance(column.type, (sa.DateTime, UTCDateTime, Instant)):
            assert isinstance(column.type, (UTCDateTime, Instant)), column
            assert column.type.impl_instance.timezone, column


@named(list(TABLES.values()))
def test_what_is_sealed_is_bytes(table: sa.Table) -> None:
    for column in table.columns:
        if column.name.endswith(("_sealed", "_hash")):
            assert isinstance(column.type, sa.LargeBinary), column


@named(list(TABLES.values()))
def test_no_personal_data_in_the_clear(table: sa.Table) -> None:
    found = {f"{table.name}.{column.name}" for column in table.columns if column.name in PERSONAL}
    assert found <= set(PUBLIC)


def test_every_exception_is_still_needed() -> None:
    columns = {f"{table.name}.{column.name}" for table in TABLES.values() for column in table.columns}
    assert set(PUBLIC) <= columns
