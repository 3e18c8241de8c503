"""`flask seals`: verify the seals on files, make and list seals, for operators.

Exit status: 0 done or all holds, 1 the answer is no, 2 it could not be done or told. `verify` needs neither database
nor key ring: without them it knows the roots that `--trust` or the settings name, and no others.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from idservice import settings
from keys.certificates import CertificateError, parse_pem
from keys.certificates.certificate import parse
from keys.certificates.crl import read_lists
from keys.verdict import Reason
from seals import ca_cli, register_cli
from seals.authority import make_authority
from seals.check import check_file
from seals.operator import act, give_up, run
from seals.register import listed, make, make_ahead
from seals.report import Format, SealReport, exit_status
from seals.told import printable, told
from seals.verify import Known, from_file, read_known

if TYPE_CHECKING:
    from idservice.call import House
    from keys.certificates import Certificate

PAGE = 200

seals = AppGroup("seals", help="电子印章 Electronic seals.")
GROUPS = (seals,)
for group in (*ca_cli.GROUPS, *register_cli.COMMANDS):
    seals.add_command(group)
_BESIDE = {Format.SIGNATURE, Format.SIGNED_DATA, Format.PLAIN}
machine = click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
a_file = click.Path(path_type=Path)


@seals.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=a_file)
@click.option("--document", type=a_file, help="签章对应的原文 The document that a detached signature lies beside.")
@click.option(
    "--certificate", type=a_file, metavar="FILE", help="裸签名的签名者证书 The signer's, for a signature value alone."
)
@click.option(
    "--trust",
    type=a_file,
    metavar="PEM",
    multiple=True,
    help="只信任这些根，可重复 Trust these roots alone; repeatable.",
)
@click.option(
    "--maker",
    type=a_file,
    metavar="PEM",
    multiple=True,
    help="只准许这些制章者，可重复 Permit these makers of seals alone; repeatable.",
)
@click.option(
    "--crl", type=a_file, metavar="FILE", multiple=True, help="撤销列表，可重复 Revocation lists; repeatable."
)
@machine
def verify(files: tuple[Path, ...], as_json: bool, **given: Any) -> None:
    """验章 Tell whose seals are on each FILE: exit 0 all hold, 1 some do not, 2 it could not be told."""
    try:
        original = given["document"].read_bytes() if given["document"] is not None else None
        signer = _certificate(given["certificate"]) if given["certificate"] is not None else None
        relied = _relied_on(given["trust"], given["maker"], given["crl"])
    except OSError as error:
        give_up(f"{error.filename}: {error.strerror}")
    except CertificateError as error:
        give_up(str(error))
    reports = []
    for path in files:
        report = _judge(path, original, signer, relied)
        if original is not None and report.format not in _BESIDE:
            click.echo(f"{printable(str(path))}: --document 未使用 was not used", err=True)
        click.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else _headed(path, report))
        reports.append(report)
    sys.exit(exit_status(reports))


@seals.command("list")
@machine
def list_seals(as_json: bool) -> None:
    """列出印章 List every seal: number, state, period, name; with --json one a line."""
    cursor = None
    while True:
        page = act(partial(listed, limit=PAGE, cursor=cursor), write=False)
        for seal in page["items"]:
            click.echo(_line(seal, as_json))
        if (cursor := page["next_cursor"]) is None:
            return


@seals.command("make")
@click.argument("department")
@click.option("--special", metavar="TEXT", help="专用章字样 The line of a seal for a special purpose.")
@machine
def make_seal(department: str, special: str | None, as_json: bool) -> None:
    """制章 Make a seal for the department with that credit code, in force from now for five years."""
    made = act(partial(make_ahead, department=department, special=special), write=False)
    seal_id = act(partial(make, department=department, special=special, made=made), write=True)
    click.echo(json.dumps({"id": seal_id}) if as_json else seal_id)


@seals.command("authority")
def set_up_authority() -> None:
    """设立演示证书机构 Set up the demonstration's root and seal maker, and trust that root."""
    authority = act(make_authority, write=True)
    click.echo(f"{authority.root.certificate.subject}\n{authority.maker.certificate.subject}")


def _relied_on(roots: tuple[Path, ...], makers: tuple[Path, ...], lists: tuple[Path, ...]) -> dict[str, Any]:
    """Return what to rely on, as arguments of `check_file`: what the command names, else what this service does."""
    named = tuple(one for path in makers for one in from_file(path)) if makers else None
    more = tuple(one for path in lists for one in read_lists(path.read_bytes()))
    if roots:
        return {"anchors": tuple(one for path in roots for one in from_file(path)), "makers": named, "lists": more}
    own = _own()
    return {"anchors": own.anchors, "makers": own.makers if named is None else named, "lists": (*own.lists, *more)}


def _own() -> Known:
    """Return what this service relies on, as far as it can be read."""
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        return _known_by_settings()
    file = house.database.engine.url.database
    if not house.database.is_sqlite or (file and Path(file).exists()):  # opening a file that is not there would make it
        try:
            return run(house, read_known, write=False)
        except SQLAlchemyError:
            pass
    click.echo("信任名单不可用 The register of trusted roots cannot be read; go on without it.", err=True)
    return Known(from_file(house.settings.trust_anchors), from_file(house.settings.seal_makers), ())


def _known_by_settings() -> Known:
    try:
        chosen = settings.from_environment()
        return Known(from_file(chosen.trust_anchors), from_file(chosen.seal_makers), ())
    except settings.SettingsError:
        click.echo("没有可用的配置和信任根 No usable settings, so no trusted roots: name them with --trust.", err=True)
        return Known((), (), ())


def _certificate(path: Path) -> Certificate:
    data = path.read_bytes()
    return parse_pem(data)[0] if data.startswith(b"-----") else parse(data)


def _judge(path: Path, document: bytes | None, signer: Certificate | None, relied: dict[str, Any]) -> SealReport:
    try:
        data = path.read_bytes()
    except OSError as error:
        click.echo(f"无法读取 cannot read {printable(str(path))}: {error.strerror}", err=True)
        return SealReport(Format.UNKNOWN, problems=(Reason.UNREADABLE,))
    return check_file(data, document=document, certificate=signer, now=datetime.now(UTC), **relied)


def _headed(path: Path, report: SealReport) -> str:
    return f"{printable(str(path))}: {told(report)}"


def _line(seal: dict[str, object], as_json: bool) -> str:
    if as_json:
        return json.dumps(seal, ensure_ascii=False, default=lambda moment: moment.isoformat())
    period = f"{seal['valid_from']:%Y-%m-%d} {seal['valid_until']:%Y-%m-%d}"
    return f"{seal['id']} {seal['state']:<13} {period} {seal['department']} {seal['name']}"
