"""`flask receipts`: whether a consent receipt that somebody brings is one of ours."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import AppGroup

from idservice.oauth import consent_receipt
from keys.ring import Purpose

if TYPE_CHECKING:
    from idservice.call import House

NO, CANNOT = 1, 2

receipts = AppGroup("receipts", help="同意凭证 Receipts of consents and withdrawals.")


@receipts.command("verify")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="机器可读 For machines: one report a line.")
def verify(files: tuple[Path, ...], as_json: bool) -> None:
    """核验凭证 Verify receipts by the keys of this house; exit status 1 where one does not hold."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        click.echo("没有设置或密钥 the application has no settings or keys yet: flask keys new", err=True)
        sys.exit(CANNOT)
    holds = True
    for file in files:
        text = file.read_text("utf-8", errors="replace")
        report = consent_receipt.verify(
            text,
            keys=house.keys.public(Purpose.RECEIPT),
            issuer=house.settings.issuer,
            is_revoked=house.keys.is_revoked,
        )
        holds = holds and report.ok
        if as_json:
            click.echo(json.dumps({"file": str(file), **report.as_json()}, ensure_ascii=False))
        else:
            word = "有效 holds" if report.ok else "无效 does not hold: " + ", ".join(report.as_json()["reasons"])
            click.echo(f"{file.name}: {word}")
    sys.exit(0 if holds else NO)
