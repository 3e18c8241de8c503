"""The migrations make exactly the schema that the models describe, on both databases, and take it down again."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import idservice.admin.models
import idservice.events.models
import idservice.login.models
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
import licences.showing.models
import licences.status.models
import licences.wallets.issuance.models
import licences.wallets.presentation.models
import seals.models
from idservice import schema
from idservice.db import Database
from idservice.models import Base, Client
from licences import identifier
from licences.catalogue_models import LicenceCoHolder
from licences.collection.models import CollectedLicence
from licences.models import IssueIntent, Licence, LicenceChange, LicenceRoute
from tests.builders import migrate
from tests.databases import Databases, PostgresDatabases

ROOT = Path(__file__).parents[2]
ROOMS = (
    idservice.admin.models,
    idservice.events.models,
    idservice.login.models,
    idservice.oauth.models,
    idservice.register.models,
    idservice.scim.models,
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
    licences.showing.models,
    licences.status.models,
    licences.wallets.issuance.models,
    licences.wallets.presentation.models,
    seals.models,
)  # imported so that their tables are in the one metadata
HISTORY = [revision.revision for revision in ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()][::-1]


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    url = databases.fresh()
    opened = Database(url)
    yield opened
    opened.engine.dispose()
    databases.drop(url)


@pytest.fixture(scope="module")
def stairs(databases: Databases) -> Iterator[Database]:
    """A database that is walked up one step after the other, in the order of the history."""
    url = databases.fresh()
    opened = Database(url)
    yield opened
    opened.engine.dispose()
    databases.drop(url)


@pytest.fixture
def newest(databases: Databases) -> Iterator[Database]:
    """A database that the newest schema was brought to."""
    url = databases.fresh(migrate)
    opened = Database(url)
    yield opened
    opened.engine.dispose()
    databases.drop(url)


def differences(database: Database) -> list[object]:
    with database.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)


def tables(database: Database) -> set[str]:
    return set(sa.inspect(database.engine).get_table_names())


def parts(database: Database) -> set[str]:
    """Return the names of tables, columns and indexes."""
    with database.engine.connect() as connection:
        inspector = sa.inspect(connection)
        members = [*inspector.get_multi_columns().items(), *inspector.get_multi_indexes().items()]
    named = {f"{table}.{member['name']}" for (_schema, table), found in members for member in found}
    return named | {table for (_schema, table), _found in members}


def test_the_newest_schema_is_what_the_models_say(database: Database) -> None:
    schema.upgrade(database)
    assert differences(database) == []
    assert tables(database) == {*Base.metadata.tables, "alembic_version"}
    with database.engine.connect() as connection:
        assert schema.at_head(connection)


def test_down_to_nothing_and_up_again(newest: Database) -> None:
    schema.downgrade(newest, "base")
    assert tables(newest) == {"alembic_version"}
    with newest.engine.connect() as connection:
        assert not schema.at_head(connection)
    schema.upgrade(newest)
    assert differences(newest) == []


IN_PLACE = {"0030"}  # steps that keep the same in another way: they add nothing
EXCHANGED = {"0032", "0034"}  # steps that take something away, too


@pytest.mark.parametrize("revision", HISTORY)
def test_each_step_can_be_undone(stairs: Database, revision: str) -> None:
    schema.upgrade(stairs, revision)
    with stairs.engine.connect() as connection:
        assert schema.revisions(connection) == {revision}
    before = parts(stairs)
    schema.downgrade(stairs, "-1")
    undone = parts(stairs)
    assert undone == before if revision in IN_PLACE else before - undone
    assert undone <= before or revision in EXCHANGED
    schema.upgrade(stairs, revision)
    assert parts(stairs) == before


def test_rows_outlast_the_making_anew_of_their_tables(database: Database) -> None:
    schema.upgrade(database, "0029")
    with database.engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO licence_route (identifier, subject) VALUES ('a', 'b')"))
    made = "SELECT count(*) FROM sqlite_master WHERE name = 'licence_route' AND sql LIKE '%WITHOUT ROWID%'"
    for step, expected in (
        (lambda: schema.upgrade(database, "0030"), 1),
        (lambda: schema.downgrade(database, "-1"), 0),
    ):
        step()
        with database.engine.connect() as connection:
            assert connection.execute(sa.text("SELECT identifier, subject FROM licence_route")).all() == [("a", "b")]
            assert not database.is_sqlite or connection.scalar(sa.text(made)) == expected


def test_a_second_upgrade_changes_nothing(newest: Database) -> None:
    with newest.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO revoked_token VALUES (:hash, :at)"), {"hash": b"h", "at": "2026-03-01 12:00:00"}
        )
    schema.upgrade(newest)
    with newest.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM revoked_token")) == 1


def test_what_registered_itself_undoes_no_demand_of_before(database: Database) -> None:
    schema.upgrade(database, "0037")
    lists = "redirect_uris, post_logout_redirect_uris, grant_types, departments"
    columns = f"client_id, name, unit, auth_method, scope, profile, registration_hash, created_at, {lists}"
    rows = {"by-hand": ("fapi2", None), "own": ("standard", b"h"), "own-fapi": ("fapi2", b"h")}
    with database.engine.begin() as connection:
        for client, (profile, token) in rows.items():
            values = "VALUES (:c, 'n', 'u', 'none', '', :p, :t, '2026-03-01 12:00:00', '[]', '[]', '[]', '[]')"
            entered = sa.text(f"INSERT INTO client ({columns}) {values}")
            connection.execute(entered, {"c": client, "p": profile, "t": token})
    schema.upgrade(database)
    found = sa.select(Client.client_id, Client.settled)
    with database.engine.connect() as connection:
        settled = dict(connection.execute(found).all())
    assert settled == {"by-hand": None, "own": ["demands"], "own-fapi": ["demands", "profile"]}


def test_a_failed_upgrade_leaves_nothing_half_done(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE staff (unexpected INTEGER)"))  # the last table of the first revision
    with pytest.raises(sa.exc.DBAPIError):
        schema.upgrade(database)
    assert tables(database) == {"staff"}


@pytest.mark.postgres
def test_two_upgrades_at_once_take_turns(postgres: PostgresDatabases) -> None:
    url = postgres.fresh()
    program = f"from idservice import schema; from idservice.db import Database; schema.upgrade(Database({url!r}))"
    running = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    errors = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], errors
    database = Database(url)
    assert differences(database) == []
    database.engine.dispose()
    postgres.drop(url)


def test_the_history_is_one_line_without_holes() -> None:
    assert [f"{number:04}" for number in range(1, len(HISTORY) + 1)] == HISTORY
    names = sorted(path.name for path in Path(schema.MIGRATIONS / "versions").glob("*.py"))
    assert [name[:4] for name in names] == HISTORY


OURS = identifier.build("11379900DM0001075P001", "113716001000300047", "65HISCE3R1IIGPUZ11QA", 1)
NEXT = identifier.build("11379900DM0001075P001", "113716001000300047", "65HISCE3R1IIGPUZ11QA", 2)
OLD = "1.2.156.3005.2.of another form"
ALICE, BOB, AT = "0a" * 16, "b0" * 16, datetime(2026, 3, 1, 12, 30, 0, 250_000, UTC)
LATER = datetime(2026, 3, 2, tzinfo=UTC)


def licence_row(subject: str, code: str, **more: object) -> dict[str, object]:
    sealed = {"record_sealed": b"r", "seal_id": "1", "seal_signature": b"s", "credential_signature": b"c"}
    row = {"subject": subject, "identifier": code, "type_code": "t", "issuer_code": "i", "state": "valid"}
    return row | sealed | {"valid_from": AT.date(), "issued_at": AT, "changed_at": LATER, "credential_kid": "k"} | more


def change_row(subject: str, code: str, place: int, deed: str, ground: str | None) -> dict[str, object]:
    row = {"subject": subject, "identifier": code, "change_id": f"{place:032x}", "change": deed, "state": "valid"}
    return row | {"actor": f"client:{deed}", "at": AT, "ground": ground}


def intent_row(subject: str, code: str, place: int, done_at: datetime | None) -> dict[str, object]:
    row = {"subject": subject, "intent_id": f"{place:032x}", "identifier": code, "record_digest": bytes([place]) * 32}
    return row | {"at": AT, "done_at": done_at}


FILLED: dict[str, list[dict[str, object]]] = {
    "licence": [licence_row(ALICE, OURS, next_identifier=NEXT), licence_row(ALICE, NEXT), licence_row(BOB, OLD)],
    "licence_route": [{"identifier": code, "subject": who} for code, who in ((OURS, ALICE), (NEXT, ALICE), (OLD, BOB))],
    "licence_change": [
        change_row(ALICE, OURS, 1, "issue", "decree_716_10"),
        change_row(ALICE, OURS, 2, "renew", "licensing_50"),
        change_row(ALICE, NEXT, 3, "issue", "decree_716_10"),
        change_row(BOB, OLD, 4, "issue", None),
    ],
    "issue_intent": [
        intent_row(ALICE, OURS, 1, LATER),
        intent_row(ALICE, NEXT, 2, LATER),
        intent_row(BOB, OLD, 3, LATER),
        intent_row(BOB, NEXT, 4, None),
    ],
    "licence_co_holder": [{"subject": BOB, "identifier": OURS, "owner": ALICE, "place": 1}],
    "collected_licence": [
        {"subject": ALICE, "source": b"s", "type_code": "t", "department": "d", "state": "waiting", "missing": 0}
        | {"record_sealed": b"r", "digest": b"d", "identifier": OURS, "collected_at": AT}
    ],
}


def rows_of(database: Database, name: str) -> list[dict[str, object]]:
    """Return the rows of a table as they are stored, but for what is empty; instants without their zone."""
    with database.engine.connect() as connection:
        table = sa.Table(name, sa.MetaData(), autoload_with=connection)
        found = connection.execute(sa.select(table).order_by(*table.primary_key.columns)).mappings()
        return [{key: plain(value) for key, value in row.items() if value is not None} for row in found]


def plain(value: object) -> object:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value


NEW = (
    *(Licence.subject, Licence.identifier, Licence.next_identifier),
    *(Licence.issued_at, Licence.issued_by, Licence.record_digest),
)


def test_licences_become_small_and_are_again_as_they_were(database: Database) -> None:
    schema.upgrade(database, "0031")
    with database.engine.begin() as connection:
        for name, rows in FILLED.items():
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            for row in rows:
                connection.execute(sa.insert(table), {key: plain(value) for key, value in row.items()})
    before = {name: rows_of(database, name) for name in FILLED}
    for _ in range(2):
        schema.upgrade(database, "0032")
        with database.engine.connect() as connection:
            said = connection.execute(sa.select(*NEW).order_by(Licence.subject, Licence.identifier)).mappings().all()
            assert [(row["subject"], row["identifier"], row["issued_by"], row["record_digest"]) for row in said] == [
                (ALICE, OURS, "client:issue", bytes([1]) * 32),
                (ALICE, NEXT, "client:issue", bytes([2]) * 32),
                (BOB, OLD, "client:issue", bytes([3]) * 32),
            ]
            assert {row["issued_at"] for row in said} == {AT}
            assert [row["next_identifier"] for row in said] == [NEXT, None, None]
            changes = connection.execute(sa.select(LicenceChange.identifier, LicenceChange.change)).all()
            assert sorted(changes) == sorted([(OURS, "renew"), (OLD, "issue")])
            assert connection.scalars(sa.select(IssueIntent.record_digest)).all() == [bytes([4]) * 32]
            assert connection.execute(sa.select(LicenceCoHolder.owner, LicenceCoHolder.identifier)).all() == [
                (ALICE, OURS)
            ]
            kept = connection.execute(sa.select(CollectedLicence.identifier, CollectedLicence.collected_at)).all()
            assert kept == [(OURS, AT)]
            routes = connection.execute(sa.select(LicenceRoute.identifier, LicenceRoute.subject)).all()
            assert set(routes) == {(OURS, ALICE), (NEXT, ALICE), (OLD, BOB)}
        schema.downgrade(database, "0031")
        after = {name: rows_of(database, name) for name in FILLED}
        for name in ("licence", "licence_route", "licence_co_holder", "collected_licence"):
            assert after[name] == before[name]
        for name in ("licence_change", "issue_intent"):  # those of issues are told again, at the time of the seal
            key = "change" if name == "licence_change" else "record_digest"
            told = [{(row["subject"], row["identifier"], row[key]) for row in rows[name]} for rows in (before, after)]
            assert told[0] == told[1]
            assert len(after[name]) == len(before[name])


def test_licences_outlast_the_step_to_portions_and_cannot_go_back_from_it(database: Database) -> None:
    schema.upgrade(database, "0032")
    table = sa.Table("licence", sa.MetaData(), autoload_with=database.engine)
    with database.engine.begin() as connection:
        connection.execute(sa.insert(Licence.__table__), licence_row(ALICE, OURS))

    def kept() -> list[tuple[object, ...]]:
        with database.engine.connect() as connection:
            asked = sa.select(table.c.seal_signature, table.c.credential_kid, table.c.valid_from)
            return [tuple(row) for row in connection.execute(asked)]

    for step in (schema.upgrade, lambda opened: schema.downgrade(opened, "0032"), schema.upgrade):
        step(database)
        assert kept() == [(b"s", "k", AT.date())]
    with database.engine.begin() as connection:
        connection.execute(table.update().values(seal_signature=None))
    with pytest.raises(RuntimeError, match="portions"):
        schema.downgrade(database, "0032")
    assert kept() == [(None, "k", AT.date())]
