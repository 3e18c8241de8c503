"""`flask wallets`: what apps may ask of wallets without naming a matter, and issuers elsewhere that are believed.

Exit status: 0 done, 1 there is no such thing or the bundle does not hold, 2 it could not be done.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from idservice.call import Call, Caller
from idservice.oauth import clients
from licences.trust import bundle
from licences.wallets.presentation import issuers, rights

if TYPE_CHECKING:
    from collections.abc import Callable

    from idservice.call import House

T = TypeVar("T")

NO, CANNOT = 1, 2
OPERATOR = Caller(channel="cli", client_id="operator")

wallets = AppGroup("wallets", help="电子钱包 Wallets.")


@wallets.group("rights")
def right_commands() -> None:
    """用证范围 What apps may ask of wallets without naming a matter."""


@right_commands.command("put")
@click.argument("client_id")
@click.argument("kind")
@click.argument("fields", nargs=-1, required=True)
def put_right(client_id: str, kind: str, fields: tuple[str, ...]) -> None:
    """登记 Let CLIENT_ID ask for FIELDS (or '*') of KIND: a licence type's code, a foreign type, or jwt_vc_json."""

    def enter(call: Call) -> None:
        if clients.find(call, client_id) is None:
            raise click.UsageError(f"没有这个应用 no such app: {client_id}")
        rights.put(call, client_id, kind, fields)

    _run(enter)
    click.echo(f"已登记 entered: {client_id} {kind}: {', '.join(sorted(set(fields)))}")


@right_commands.command("remove")
@click.argument("client_id")
@click.argument("kind")
def remove_right(client_id: str, kind: str) -> None:
    """取消 Take a right away."""
    if not _run(lambda call: rights.remove(call, client_id, kind)):
        click.echo("没有这个登记 There is no such right.", err=True)
        sys.exit(NO)
    click.echo(f"已取消 removed: {client_id} {kind}")


@right_commands.command("list")
@click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
def list_rights(as_json: bool) -> None:
    """列出 List all rights."""
    rows = _run(_listed)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['client_id']}\t{row['type']}\t{', '.join(row['fields'])}")


@wallets.group("issuers")
def issuer_commands() -> None:
    """外部签发方 Issuers elsewhere whose credentials are believed."""


@issuer_commands.command("put")
@click.argument("file", type=click.File("r", encoding="ascii"))
@click.option("--pin", required=True, metavar="THUMBPRINT", help="其签名公钥的指纹 The key that signs its bundles.")
def put_issuer(file: IO[str], pin: str) -> None:
    """登记 Believe an issuer by its trust bundle in FILE (its /trust/bundle); again with a newer one."""
    try:
        text = file.read(bundle.MAX_BUNDLE + 1)
        found = _run(lambda call: issuers.put(call, text, pin=pin))
    except (UnicodeDecodeError, bundle.BundleError) as error:
        click.echo(f"信任包无效 The bundle does not hold: {getattr(error, 'code', 'not_a_bundle')}", err=True)
        sys.exit(NO)
    click.echo(f"已登记 entered: {found.issuer} {found.sequence}")


@issuer_commands.command("remove")
@click.argument("issuer")
def remove_issuer(issuer: str) -> None:
    """取消 Believe an issuer no more."""
    if not _run(lambda call: issuers.remove(call, issuer)):
        click.echo("没有这个签发方 There is no such issuer.", err=True)
        sys.exit(NO)
    click.echo(f"已取消 removed: {issuer}")


@issuer_commands.command("list")
def list_issuers() -> None:
    """列出 List the issuers that are believed, and since when."""
    for row in _run(lambda call: [(one.issuer, one.pin, one.entered_at.isoformat()) for one in issuers.every(call)]):
        click.echo("\t".join(row))


def _listed(call: Call) -> list[dict[str, Any]]:
    return [{"client_id": one.client_id, "type": one.type, "fields": one.fields} for one in rights.every(call)]


def _run(deed: Callable[[Call], T]) -> T:
    house: House = current_app.extensions["ona"]
    try:
        return house.database.run(lambda session: deed(Call(house, session, OPERATOR, datetime.now(UTC))), write=True)
    except SQLAlchemyError as error:
        click.echo(f"数据库出错 the database failed: {type(error).__name__}", err=True)
        sys.exit(CANNOT)
