"""`flask trust`: export the trust bundle, show what one says, check it, and print the pins of its keys.

Exit status: 0 it holds, 1 it does not, 2 it could not be told.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from keys.keyfile import replace_file
from keys.ring import Purpose
from licences.status import files, publisher
from licences.status.publish import NotPublishedError
from licences.trust import bundle, gather

if TYPE_CHECKING:
    from idservice.call import House
    from licences.trust.bundle import Bundle

NO, COULD_NOT_TELL = 1, 2

trust = AppGroup("trust", help="信任包 The trust bundle.")
machine = click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
_file = click.argument("file", type=click.Path(path_type=Path))


@trust.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_appcontext
def export(file: Path) -> None:
    """导出信任包 Publish what is due and write the newest bundle to FILE, to be carried to where no network is."""
    house = _house()
    try:
        publisher.publish_all(house, datetime.now(UTC))
        found = house.database.run(lambda session: files.find(session, gather.NAME), write=False)
        if found is None:
            _give_up("another publisher is at work; repeat")
        replace_file(file, found.content)
        file.chmod(0o644)
    except (NotPublishedError, SQLAlchemyError, OSError) as error:
        _give_up(str(error).splitlines()[0])
    click.echo(f"{file}: {len(found.content)} 字节 bytes", err=True)


@trust.command()
@_file
@machine
def show(file: Path, as_json: bool) -> None:
    """查看信任包 Show what the bundle in FILE says, whoever signed it."""
    said = _told(_read(file, pins=None, former=None))
    click.echo(json.dumps(said, ensure_ascii=False) if as_json else "\n".join(f"{k}: {v}" for k, v in said.items()))


@trust.command()
@_file
@click.option("--pin", "pins", multiple=True, metavar="THUMBPRINT", help="信任的钥匙 A key that is trusted.")
@click.option("--former", type=click.Path(path_type=Path), help="上一个信任包 The bundle held until now.")
@machine
def verify(file: Path, pins: tuple[str, ...], former: Path | None, as_json: bool) -> None:
    """校验信任包 Check that the bundle in FILE holds today: exit 0 it does, 1 it does not, 2 it could not be told."""
    if not pins and former is None:
        _give_up("name a --pin (flask trust pin prints ours) or the --former bundle")
    held = None if former is None else _read(former, pins=pins or None, former=None)
    found = _read(file, pins=pins, former=held)
    ends = datetime.fromtimestamp(found.expires_at, UTC)
    is_old = ends <= datetime.now(UTC)
    said = {"ok": not is_old, **_told(found)}
    words = "已过期 has expired" if is_old else "有效 holds"
    click.echo(json.dumps(said, ensure_ascii=False) if as_json else f"信任包 bundle {found.sequence} {words}: {ends}")
    sys.exit(NO if is_old else 0)


@trust.command("pin")
@with_appcontext
def pin() -> None:
    """输出钥匙指纹 Print the thumbprints of the keys that sign our bundles, to be given to verifiers by another way."""
    house = _house()
    active = house.keys.signer(Purpose.TRUST).kid
    keys = sorted(house.keys.public(Purpose.TRUST).values(), key=lambda key: key.kid != active)
    click.echo("\n".join(bundle.pin(key) for key in keys))


def _told(found: Bundle) -> dict[str, object]:
    return {
        "issuer": found.issuer,
        "sequence": found.sequence,
        "issued_at": datetime.fromtimestamp(found.issued_at, UTC).isoformat(),
        "expires_at": datetime.fromtimestamp(found.expires_at, UTC).isoformat(),
        "signed_by": found.signed_by,
        "keys": {use: sorted(keys) for use, keys in found.keys.items()},
        "revoked_keys": sorted(found.revoked),
        "dictionaries": dict(found.dictionaries),
        "templates": len(found.templates),
        "status_lists": {
            uri: datetime.fromtimestamp(listed.issued_at, UTC).isoformat() for uri, listed in found.lists.items()
        },
    }


def _read(file: Path, *, pins: tuple[str, ...] | None, former: Bundle | None) -> Bundle:
    try:
        if file.stat().st_size > bundle.MAX_BUNDLE:
            _give_up(f"{file}: more than {bundle.MAX_BUNDLE} bytes")
        return bundle.read(file.read_text(encoding="ascii"), pins=pins, former=former)
    except OSError as error:
        _give_up(f"{file}: {error.strerror}")
    except UnicodeDecodeError:
        _give_up(f"{file}: not a bundle")
    except bundle.BundleError as error:
        click.echo(f"信任包无效 The bundle does not hold: {error.code}", err=True)
        sys.exit(NO)


def _house() -> House:
    house: House | None = current_app.extensions.get("ona")
    if house is None:
        _give_up("there are no usable settings or no key ring: flask keys new")
    return house


def _give_up(reason: str) -> NoReturn:
    click.echo(f"未能完成 Could not be done: {reason}", err=True)
    sys.exit(COULD_NOT_TELL)
