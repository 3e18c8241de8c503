"""`flask oauth`: what an operator does for apps."""

from __future__ import annotations

import json
import secrets
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup
from marshmallow import ValidationError

from idservice import audit
from idservice.call import Call, Caller
from idservice.models import Client
from idservice.oauth import client_settings, clients, initial_tokens, resource_servers
from idservice.oauth.client_schema import load_settings
from idservice.oauth.clients import RegistrationRefused
from idservice.oauth.resource_servers import ServerRefused
from keys.strict_json import StrictJSONError, strict_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from idservice.call import House

NO, CANNOT = 1, 2
OPERATOR = Caller(channel="cli", client_id="operator")

oauth = AppGroup("oauth", help="应用接入 What apps need from an operator.")
initial_token = AppGroup("initial-token", help="初始访问令牌 Tokens with which apps register themselves (RFC 7591).")
resource = AppGroup("resource", help="资源服务器 APIs of others that tokens are made for (RFC 8707).")
client = AppGroup("client", help="应用登记 What is registered of an app.")
oauth.add_command(client)
oauth.add_command(initial_token)
oauth.add_command(resource)

T = TypeVar("T")


def _run(deed: Callable[[Call], T], *, write: bool = True) -> T:
    """Run a deed of the operator's in a transaction."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        click.echo("没有设置或密钥 the application has no settings or keys yet: flask keys new", err=True)
        sys.exit(CANNOT)
    home, now = house, datetime.now(UTC)

    def act(session: Session) -> T:
        return deed(Call(home, session, OPERATOR, now, "cli"))

    try:
        return home.database.run(act, write=write)
    except (ServerRefused, RegistrationRefused, ValueError) as error:
        click.echo(f"无法办理 Not done: {error}", err=True)
        sys.exit(CANNOT)


@initial_token.command("new")
@click.option("--name", required=True, help="持有单位 The organisation that gets it: people read it at consent.")
@click.option("--scope", default="openid profile", show_default=True, help="权限上限 All its apps may ask for.")
@click.option("--uses", type=click.IntRange(1, 100_000), default=1, show_default=True, help="可用次数 How many apps.")
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="有效天数 For how long.")
@click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
def new(name: str, scope: str, uses: int, days: int, as_json: bool) -> None:
    """签发初始访问令牌 Make an initial access token and print it, this once."""
    until = datetime.now(UTC) + timedelta(days=days)
    token = _run(lambda call: initial_tokens.make(call, name=name, scope=scope, uses=uses, expires_at=until))
    click.echo(json.dumps({"token": token, "expires_at": until.isoformat(), "uses": uses}) if as_json else token)


@resource.command("new")
@click.argument("identifier")
@click.option("--name", required=True, help="中文名称 Its name: people read it at consent.")
@click.option("--name-en", required=True, help="英文名称 The same in English.")
@click.option("--client", "client_id", help="查询令牌时使用的客户端 The client as which it asks about tokens.")
@click.option("--scope", default="", help="它认得的权限 The scopes that mean something to it.")
@click.option("--opaque", "is_opaque", is_flag=True, help="发给它的令牌不透明 Its tokens tell nothing by themselves.")
def new_resource(identifier: str, name: str, name_en: str, client_id: str | None, scope: str, is_opaque: bool) -> None:
    """登记资源服务器 Register the API with this identifier (an https URI)."""
    facts: dict[str, Any] = {"name": name, "name_en": name_en, "scope": scope}
    _run(lambda call: resource_servers.register(call, identifier, is_opaque=is_opaque, client_id=client_id, **facts))
    click.echo(identifier)


@resource.command("list")
@click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
def list_resources(as_json: bool) -> None:
    """列出资源服务器 List the APIs that tokens are made for."""
    for row in _run(resource_servers.listed, write=False):
        form = "opaque" if row.is_opaque else "jwt"
        shown = {"resource": row.identifier, "name": row.name, "client_id": row.client_id, "tokens": form}
        shown |= {"scope": row.scope, "disabled_at": row.disabled_at.isoformat() if row.disabled_at else None}
        state = "停用 disabled" if row.disabled_at else form
        click.echo(json.dumps(shown, ensure_ascii=False) if as_json else f"{row.identifier}  {row.name}  {state}")


@resource.command("disable")
@click.argument("identifier")
def disable_resource(identifier: str) -> None:
    """停用资源服务器 Make no more tokens for it."""
    if not _run(lambda call: resource_servers.disable(call, identifier)):
        click.echo("没有这个资源服务器，或已停用 There is none in force with this identifier.", err=True)
        sys.exit(NO)


@client.command("show")
@click.argument("client_id")
def show_client(client_id: str) -> None:
    """显示应用设置 Print the settings of an app as JSON, as `change` takes them."""
    found = _run(lambda call: client_settings.read(call, _client(call, client_id)), write=False)
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


@client.command("change")
@click.argument("client_id")
@click.argument("file", type=click.File("rb"), default="-")
def change_client(client_id: str, file: BinaryIO) -> None:
    """修改应用设置 Change the settings of an app that stand in FILE (JSON); print its secret if it needs a new one."""

    def change(call: Call) -> str | None:
        row = _client(call, client_id)
        changed = client_settings.changes(call, row, stated)
        secret = secrets.token_urlsafe(32) if client_settings.needs_secret(row, changed) else None
        client_settings.change(call, row, changed, secret=secret)
        return secret

    try:
        stated = load_settings(strict_json(file.read()))
    except (StrictJSONError, ValidationError) as error:
        click.echo(f"无法办理 Not done: {error}", err=True)
        sys.exit(CANNOT)
    if (secret := _run(change)) is not None:
        click.echo(secret)


def _client(call: Call, client_id: str) -> Client:
    row = call.session.get(Client, client_id)
    if row is None:
        raise RegistrationRefused("there is no such client")
    return row


@oauth.command("allow")
@click.argument("client_id")
@click.option("--resource", "resources", multiple=True, help="可为其索取令牌的接口 APIs it may ask tokens for.")
@click.option("--details", "types", multiple=True, help="可索取的细粒度授权类型 Types of authorization details.")
def allow(client_id: str, resources: tuple[str, ...], types: tuple[str, ...]) -> None:
    """设定应用的授权上限 Say for which APIs and types of details an app may ask; what is left out is taken away."""

    def change(call: Call) -> None:
        row = _client(call, client_id)
        clients.refuse_beyond(call, row.scope.split(), types, resources)
        row.resources, row.authorization_details_types = list(resources) or None, list(types) or None
        clients.forget(call.house, client_id)
        audit.record(call, audit.Deed.CLIENT_CHANGED, client=client_id, resources=list(resources), details=list(types))

    _run(change)
