"""`flask keys` and `flask db`: the key ring and the database schema, for operators.

Exit status: 0 done, 1 the answer is no, 2 it could not be done. `--json` for machines; what is only for people goes to
standard error. A change of the key ring is written to the audit log where there is one yet; it never waits for the
database, because a key must be revocable while the database is down.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from idservice import audit, schema, settings
from idservice.call import Call, Caller, House
from idservice.db import Database
from idservice.key_ring import open_ring
from keys.ring import NAMED, KeyInfo, KeyRing, Purpose, RingError

OPERATOR = Caller(channel="cli", client_id="operator")
CANNOT = 2

keys = AppGroup("keys", help="密钥环 The key ring.")
db = AppGroup("db", help="数据库结构 The database schema.")
machine = click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")


class Deed(StrEnum):
    """The deeds of operators on the key ring."""

    KEY_MADE = "idservice:key:make"
    KEY_ROTATED = "idservice:key:rotate"
    KEY_RETIRED = "idservice:key:retire"
    KEY_REVOKED = "idservice:key:revoke"


# --- keys ----------------------------------------------------------------------------------------------------------


@keys.command()
@click.argument("purpose", required=False, type=click.Choice([str(p) for p in Purpose if p not in NAMED]))
@machine
def new(purpose: str | None, as_json: bool) -> None:
    """生成密钥 Make a key for PURPOSE (published ahead if it has an active one); without it, all that are missing."""

    def make(ring: KeyRing) -> None:
        now = datetime.now(UTC)
        if purpose is None:
            ring.ensure_all(now)
        else:
            ring.new(Purpose(purpose), now=now)

    _change(Deed.KEY_MADE, make, as_json, create=True)


@keys.command()
@click.argument("purpose", type=click.Choice([str(p) for p in Purpose if p not in NAMED]))
@machine
def rotate(purpose: str, as_json: bool) -> None:
    """轮换密钥 Sign with the pending key of PURPOSE (or a new one) from now on; the old one stays trusted."""
    if purpose == Purpose.SUBJECT:
        raise click.UsageError("轮换会改变应用所见的 sub Apps would see new subjects: this secret is kept for good.")
    _change(Deed.KEY_ROTATED, lambda ring: ring.rotate(Purpose(purpose), now=datetime.now(UTC)), as_json)


@keys.command()
@click.argument("kid")
@machine
def retire(kid: str, as_json: bool) -> None:
    """停用密钥 Stop signing with the key KID and go on trusting what it signed."""
    _change(Deed.KEY_RETIRED, lambda ring: ring.retire(kid), as_json)


@keys.command()
@click.argument("kid")
@click.option("--yes", is_flag=True, help="不再询问 Do not ask.")
@machine
def revoke(kid: str, yes: bool, as_json: bool) -> None:
    """吊销密钥 Stop trusting the key KID and everything it signed, at once. It cannot be undone."""
    if not yes and not click.confirm(f"吊销后不可恢复 Revoke {kid} for ever?", err=True):
        sys.exit(1)
    _change(Deed.KEY_REVOKED, lambda ring: ring.revoke(kid), as_json)


@keys.command()
@machine
def wrap(as_json: bool) -> None:
    """重新加密保管 Wrap every private key by the key-encryption key that the settings name, or the ring's own."""
    try:
        count = _ring().wrap_all()
    except RingError as error:
        _give_up(str(error))
    click.echo(json.dumps({"wrapped": count}) if as_json else str(count))


@keys.command("list")
@machine
def list_keys(as_json: bool) -> None:
    """列出密钥 List every key: purpose, kid, state. Nothing secret is shown."""
    try:
        _show(_ring().list(), as_json)
    except RingError as error:
        _give_up(str(error))


def _change(deed: Deed, change: Callable[[KeyRing], object], as_json: bool, *, create: bool = False) -> None:
    """Change the ring, show and record the keys that are now different."""
    try:
        ring = _ring(create=create)
        before = set(ring.list())
        change(ring)
        changed = [info for info in ring.list() if info not in before]
    except RingError as error:
        _give_up(str(error))
    _record(deed, changed)
    _show(tuple(changed), as_json)


def _ring(*, create: bool = False) -> KeyRing:
    """Return the application's own ring, as it is on disk now; before there is one, open (or `create`) it."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        return open_ring(_settings(), create=create)
    house.keys.reload_if_changed(at_once=True)
    return house.keys


def _show(infos: tuple[KeyInfo, ...], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"keys": [_members(info) for info in infos]}, ensure_ascii=False))
        return
    for info in infos:
        name = f" {info.name}" if info.name else ""
        click.echo(
            f"{info.purpose:<13} {info.kid:<17} {info.state:<8} {info.algorithm:<7} {info.created_at:%Y-%m-%d}{name}"
        )


def _members(info: KeyInfo) -> dict[str, Any]:
    return {
        "purpose": str(info.purpose),
        "kid": info.kid,
        "algorithm": info.algorithm,
        "state": str(info.state),
        "created_at": info.created_at.isoformat(),
        "activated_at": info.activated_at.isoformat() if info.activated_at else None,
        "name": info.name,
    }


def _record(deed: Deed, changed: list[KeyInfo]) -> None:
    house: House | None = current_app.extensions.get("ona")
    facts = [f"{info.purpose}:{info.kid}:{info.state}" for info in changed]

    def write(session: Session) -> bool:
        if house is None or not schema.at_head(session.connection()):
            return False
        audit.record(Call(house, session, OPERATOR, datetime.now(UTC)), deed, keys=facts)
        return True

    try:
        recorded = house is not None and house.database.run(write, write=True)
    except SQLAlchemyError:
        recorded = False
    if not recorded:
        click.echo("未写入审计日志 Not in the audit log: the database does not answer or has no schema yet.", err=True)


# --- db ------------------------------------------------------------------------------------------------------------


@db.command()
@click.argument("revision", default="head")
@machine
def upgrade(revision: str, as_json: bool) -> None:
    """升级数据库结构 Bring the schema up to REVISION (default: the newest)."""
    _migrate(schema.upgrade, revision, as_json)


@db.command()
@click.argument("revision")
@machine
def downgrade(revision: str, as_json: bool) -> None:
    """降级数据库结构 Take the schema down to REVISION ("base" deletes every table with its data)."""
    _migrate(schema.downgrade, revision, as_json)


@db.command()
@machine
def current(as_json: bool) -> None:
    """显示数据库结构版本 Show the schema's revision: exit 0 it is the newest, 1 it is not."""
    try:
        at_head = _show_revision(_database(), as_json)
    except SQLAlchemyError as error:
        _give_up(str(error).splitlines()[0])
    sys.exit(0 if at_head else 1)


def _migrate(step: Callable[[Database, str], None], revision: str, as_json: bool) -> None:
    from alembic.util.exc import CommandError

    database = _database()
    try:
        step(database, revision)
        _show_revision(database, as_json)
    except (SQLAlchemyError, CommandError) as error:
        _give_up(str(error).splitlines()[0])


def _show_revision(database: Database, as_json: bool) -> bool:
    with database.engine.connect() as connection:
        revisions = sorted(schema.revisions(connection))
        at_head = schema.at_head(connection)
    if as_json:
        click.echo(json.dumps({"revisions": revisions, "at_head": at_head}))
    else:
        note = "最新 the newest" if at_head else "不是最新 not the newest: flask db upgrade"
        click.echo(f"{' '.join(revisions) or 'base'} ({note})")
    return at_head


def _database() -> Database:
    house: House | None = current_app.extensions.get("ona")
    database = house.database if house is not None else Database(_settings().database_url)
    file = database.engine.url.database
    if database.is_sqlite and file:
        Path(file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return database


def _settings() -> settings.Settings:
    """Return the application's settings; before there is a key ring there is no application, only its environment."""
    house: House | None = current_app.extensions.get("ona")
    try:
        return house.settings if house is not None else settings.from_environment()
    except settings.SettingsError as error:
        _give_up(str(error))


def _give_up(reason: str) -> NoReturn:
    click.echo(f"未能完成 Could not be done: {reason}", err=True)
    sys.exit(CANNOT)
