"""`flask oauth`: what an operator does for apps."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import AppGroup

from idservice.call import Call, Caller
from idservice.oauth import initial_tokens

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idservice.call import House

CANNOT = 2
OPERATOR = Caller(channel="cli", client_id="operator")

oauth = AppGroup("oauth", help="应用接入 What apps need from an operator.")
initial_token = AppGroup("initial-token", help="初始访问令牌 Tokens with which apps register themselves (RFC 7591).")
oauth.add_command(initial_token)


@initial_token.command("new")
@click.option("--name", required=True, help="持有单位 The organisation that gets it: people read it at consent.")
@click.option("--scope", default="openid profile", show_default=True, help="权限上限 All its apps may ask for.")
@click.option("--uses", type=click.IntRange(1, 100_000), default=1, show_default=True, help="可用次数 How many apps.")
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="有效天数 For how long.")
@click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
def new(name: str, scope: str, uses: int, days: int, as_json: bool) -> None:
    """签发初始访问令牌 Make an initial access token and print it, this once."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        click.echo("没有设置或密钥 the application has no settings or keys yet: flask keys new", err=True)
        sys.exit(CANNOT)
    home, now = house, datetime.now(UTC)
    until = now + timedelta(days=days)

    def make(session: Session) -> str:
        call = Call(home, session, OPERATOR, now, "cli")
        return initial_tokens.make(call, name=name, scope=scope, uses=uses, expires_at=until)

    try:
        token = home.database.run(make, write=True)
    except ValueError as error:
        click.echo(f"无法签发 Not made: {error}", err=True)
        sys.exit(CANNOT)
    click.echo(json.dumps({"token": token, "expires_at": until.isoformat(), "uses": uses}) if as_json else token)
