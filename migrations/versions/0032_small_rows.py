"""Rows of licences in fewer bytes: identifiers and subjects as bytes, instants as numbers, nothing that is said twice.

The tables are made anew, portion by portion in the order of their keys. A licence says itself by whom it was issued and
which record was announced; the change and the intent that said so go, and so does the index of issuers, in whose order
the routes are now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import sqlalchemy as sa
from alembic import op

from idservice import bulk
from idservice.column_types import HexId, Instant
from idservice.db import UTCDateTime
from idservice.ids import timed_id
from licences.identifier_column import IdentifierType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    Rows = list[dict[str, Any]]

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_PORTION = 5_000
_TELL = 500_000
_SMALL = {"issue_intent", "licence_change", "licence_route"}
_IDS = {"subject", "owner", "intent_id", "change_id"}
_IDENTIFIERS = {"identifier", "next_identifier"}
_INSTANTS = {"issued_at", "changed_at", "collected_at", "at", "done_at"}
_WAITING = "ix_collected_licence_waiting"
_ISSUERS = "ix_licence_issuer_code_identifier"
_USUAL_GROUND = "decree_716_10"  # of an issue; where none was kept, none is implied


def upgrade() -> None:
    """Make the tables anew; what changes and intents say of issues goes to the licences."""
    op.drop_index(_ISSUERS, "licence")
    op.add_column("licence", sa.Column("record_digest", sa.LargeBinary(length=32), nullable=True))
    op.add_column("licence", sa.Column("issued_by", sa.String(length=96), nullable=True))
    _make_anew("licence", _short, _with_their_issues)
    for name in ("licence_route", "licence_co_holder", "collected_licence"):
        _make_anew(name, _short, _as_they_are)
    _make_anew("licence_change", _short, lambda rows: [row for row in rows if not _is_implied(row)])
    _make_anew("issue_intent", _short, lambda rows: [row for row in rows if row["done_at"] is None], without={"done_at"})


def downgrade() -> None:
    """Texts again, a change and an intent for each issue, and the index of issuers."""
    op.add_column("issue_intent", sa.Column("done_at", Instant(), nullable=True))
    _make_anew("issue_intent", _long, _as_they_are)
    _make_anew("licence_change", _long, _as_they_are)
    _say_issues_again()
    for name in ("collected_licence", "licence_co_holder", "licence_route"):
        _make_anew(name, _long, _as_they_are)
    _make_anew("licence", _long, _as_they_are, without={"record_digest", "issued_by"})
    op.create_index(_ISSUERS, "licence", ["issuer_code", "identifier"])


def _short(name: str) -> Any:
    if name in _IDS:
        return HexId()
    return IdentifierType() if name in _IDENTIFIERS else Instant() if name in _INSTANTS else None


def _long(name: str) -> Any:
    if name in _IDS:
        return sa.String(length=32)
    if name in _IDENTIFIERS:
        return sa.String(length=128)
    return UTCDateTime(timezone=True) if name in _INSTANTS else None


def _make_anew(
    name: str,
    becomes: Callable[[str], Any],
    rows_of: Callable[[Rows], Rows],
    *,
    without: Collection[str] = (),
) -> None:
    """Copy a table into one whose columns have other types, which takes its name."""
    old = _put_aside(name, _long if becomes is _short else _short)
    columns = [
        sa.Column(one.name, becomes(one.name) or one.type, nullable=one.nullable)
        for one in old.columns
        if one.name not in without
    ]
    key = sa.PrimaryKeyConstraint(*(one.name for one in old.primary_key.columns), name=op.f(f"pk_{name}"))
    options: dict[str, Any] = {"sqlite_with_rowid": False} if name in _SMALL else {}
    new = op.create_table(name, *columns, key, **options)
    for portion in _read(old):
        _enter(new, rows_of(portion))
    op.drop_table(old.name)
    for index in sorted(old.indexes, key=lambda one: str(one.name)):
        where = sa.text("state = 'waiting'") if index.name == _WAITING else None
        named = [one.name for one in index.columns]
        op.create_index(index.name, name, named, sqlite_where=where, postgresql_where=where)


def _put_aside(name: str, types: Callable[[str], Any]) -> sa.Table:
    """Give a table another name, and return it."""
    op.rename_table(name, f"{name}_before")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER INDEX pk_{name} RENAME TO pk_{name}_before")
    return _table(f"{name}_before", types)


def _table(name: str, types: Callable[[str], Any]) -> sa.Table:
    """Return a table as it is, with the types by which its values are read."""
    table = sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())
    for column in table.columns:
        column.type = types(column.name) or column.type
    return table


def _read(table: sa.Table) -> Iterator[Rows]:
    """Return the rows of a table in the order of its key, in portions."""
    key = list(table.primary_key.columns)
    asked = sa.select(table).order_by(*key).limit(_PORTION)
    part, done = asked, 0
    while rows := [dict(row) for row in op.get_bind().execute(part).mappings()]:
        yield rows
        part = asked.where(sa.tuple_(*key) > tuple(rows[-1][one.name] for one in key))
        done += len(rows)
        if done % _TELL == 0:
            click.echo(f"{table.name}: {done}", err=True)


def _enter(table: sa.Table, rows: Rows) -> None:
    names = [one.name for one in table.columns]
    bulk.insert(op.get_bind(), table, names, [tuple(row[name] for name in names) for row in rows])


def _as_they_are(rows: Rows) -> Rows:
    return rows


def _is_implied(change: dict[str, Any]) -> bool:
    """Return whether a change says no more than that the licence was issued."""
    return (change["change"], change["ground"], change["reason_sealed"]) == ("issue", _USUAL_GROUND, None)


def _with_their_issues(rows: Rows) -> Rows:
    """Return licences with what their changes and intents say of their issue."""
    changes, intents = _table("licence_change", _long), _table("issue_intent", _long)
    first, last = rows[0]["subject"], rows[-1]["subject"]

    def told(table: sa.Table, what: str, which: sa.ColumnElement[bool]) -> dict[str, Any]:
        asked = sa.select(table.c.identifier, table.c[what]).where(table.c.subject.between(first, last), which)
        return {code: value for code, value in op.get_bind().execute(asked)}

    actors = told(changes, "actor", changes.c.change == "issue")
    digests = told(intents, "record_digest", intents.c.done_at.is_not(None))
    return [
        row | {"record_digest": digests.get(row["identifier"]), "issued_by": actors.get(row["identifier"])}
        for row in rows
    ]


def _say_issues_again() -> None:
    changes, intents = _table("licence_change", _long), _table("issue_intent", _long)
    for rows in _read(_table("licence", _short)):
        first, last = rows[0]["subject"], rows[-1]["subject"]
        said = sa.select(changes.c.identifier).where(
            changes.c.subject.between(first, last), changes.c.change == "issue"
        )
        told = set(op.get_bind().scalars(said))
        _enter(intents, [_intent(row) for row in rows if row["record_digest"] is not None])
        _enter(changes, [_change(row) for row in rows if row["issued_by"] and row["identifier"] not in told])


def _intent(licence: dict[str, Any]) -> dict[str, Any]:
    at = licence["issued_at"]
    kept = {name: licence[name] for name in ("subject", "identifier", "record_digest")}
    return kept | {"intent_id": timed_id(at), "at": at, "done_at": at}


def _change(licence: dict[str, Any]) -> dict[str, Any]:
    at = licence["issued_at"]
    return {
        "subject": licence["subject"],
        "identifier": licence["identifier"],
        "change_id": timed_id(at),
        "change": "issue",
        "state": "valid",
        "reason_sealed": None,
        "ground": _USUAL_GROUND,
        "actor": licence["issued_by"],
        "at": at,
    }
