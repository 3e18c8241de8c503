"""`flask seals ca|crl|makers`: the demonstration's certificate authority, revocation lists, permitted makers.

Private keys are made in the key ring and never leave it; what is printed are certificates and lists.
"""

from __future__ import annotations

import base64
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask.cli import AppGroup
from sqlalchemy import select

from keys.certificates import CertificateError, parse, to_pem
from keys.certificates.crl import REASONS
from keys.sm2 import sm3
from seals.authority import DOCUMENT_ROOT, ROOT, certify_party, make_authority, party_of, take_in
from seals.models import CertificateRevocation, SealAuthority, StoredRevocationList
from seals.operator import act, give_up
from seals.revoking import add_lists, issue_lists, revoke
from seals.verify import forbid, from_file, permit, read_makers

if TYPE_CHECKING:
    from idservice.call import Call
    from keys.certificates import Certificate, RevocationList

ca = AppGroup("ca", help="演示证书机构 The demonstration's certificate authority.")
crl = AppGroup("crl", help="证书撤销列表 Revocation lists that verification consults.")
makers = AppGroup("makers", help="准许的制章者 Who may make seals.")
GROUPS = (ca, crl, makers)
machine = click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
a_file = click.Path(path_type=Path)
pdf = click.option("--pdf", is_flag=True, help="P-256，用于 PDF With a P-256 key, for PDF, instead of SM2.")


@ca.command("root")
def root() -> None:
    """设立根、制章者和时间戳服务 Set up the roots, the seal maker and the time stamper; print the roots in PEM."""
    act(make_authority, write=True)
    act(issue_lists, write=True)
    for name in (ROOT, DOCUMENT_ROOT):
        click.echo(to_pem(act(partial(party_of, name=name), write=False).certificate.der), nl=False)


@ca.command("maker")
@click.argument("name")
@click.option("--common-name", metavar="TEXT", help="证书中的名称 The name in the certificate.")
def maker(name: str, common_name: str | None) -> None:
    """再设一个制章者 Certify a further maker of seals under NAME, permit him, print his certificate."""

    def deed(call: Call) -> str:
        certificate = certify_party(call, name, common_name or name)
        permit(call, certificate)
        return to_pem(certificate.der)

    click.echo(act(deed, write=True), nl=False)


@ca.command("signer")
@click.argument("name")
@click.option("--common-name", metavar="TEXT", help="证书中的名称 The name in the certificate.")
@click.option(
    "--key", type=a_file, metavar="FILE", help="导入已有私钥 Take in this private key (PKCS #8), if not weak."
)
@pdf
def signer(name: str, common_name: str | None, key: Path | None, pdf: bool) -> None:
    """签发签章者证书 Certify a signer under NAME, with a key in the ring; print his certificate."""
    issuer, private = DOCUMENT_ROOT if pdf else ROOT, None if key is None else _content(key)

    def deed(call: Call) -> Certificate:
        if private is not None:
            take_in(call, name, private, issuer=issuer)
        return certify_party(call, name, common_name or name, issuer=issuer)

    done = act(deed, write=True)
    click.echo(to_pem(done.der), nl=False)


@ca.command("list")
@machine
def listed(as_json: bool) -> None:
    """列出证书 List the authority's own certificates; with --json one a line."""

    def deed(call: Call) -> list[dict[str, str]]:
        revoked = {row.certificate_number for row in call.session.scalars(select(CertificateRevocation))}
        rows = call.session.scalars(select(SealAuthority).order_by(SealAuthority.created_at, SealAuthority.name))
        return [_row(row.name, row.certificate, revoked) for row in rows]

    for row in act(deed, write=False):
        line = f"{row['name']:<20} {row['state']:<8} {row['not_after'][:10]} {row['serial']} {row['subject']}"
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else line)


@ca.command("show")
@click.argument("name")
def show(name: str) -> None:
    """输出证书 Print the certificate of NAME in PEM."""
    click.echo(to_pem(act(partial(party_of, name=name), write=False).certificate.der), nl=False)


@ca.command("revoke")
@click.argument("name")
@click.option(
    "--reason",
    type=click.Choice(list(REASONS.values())),
    default="unspecified",
    show_default=True,
    help="理由 The reason, as lists name it.",
)
def revoke_certificate(name: str, reason: str) -> None:
    """吊销证书 Revoke what NAME (a party, a seal's number, or a serial number) is certified for; issue new lists."""
    for serial in act(lambda call: revoke(call, name, reason=reason), write=True):
        click.echo(serial)


@ca.command("crl")
def issue() -> None:
    """签发撤销列表 Issue a list of this moment for each root, take them into use, and print them in PEM."""
    for one in act(issue_lists, write=True):
        click.echo(_pem(one), nl=False)


@crl.command("add")
@click.argument("file", type=a_file)
def add(file: Path) -> None:
    """加入撤销列表 Add the lists of a DER or PEM FILE to those that verification consults."""
    data = _content(file)
    for one in act(lambda call: add_lists(call, data), write=True):
        click.echo(f"{one.this_update:%Y-%m-%d} {len(one.revoked)} {one.issuer}")


@crl.command("list")
@machine
def list_lists(as_json: bool) -> None:
    """列出撤销列表 List the revocation lists at hand; with --json one a line."""

    def deed(call: Call) -> list[dict[str, str | None]]:
        rows = call.session.scalars(select(StoredRevocationList).order_by(StoredRevocationList.this_update))
        return [
            {
                "fingerprint": row.fingerprint,
                "issuer": row.issuer,
                "this_update": row.this_update.isoformat(),
                "next_update": row.next_update.isoformat() if row.next_update else None,
            }
            for row in rows
        ]

    for row in act(deed, write=False):
        line = f"{row['this_update']} {row['next_update'] or '-'} {row['issuer']}"
        click.echo(json.dumps(row, ensure_ascii=False) if as_json else line)


@makers.command("add")
@click.argument("file", type=a_file)
def add_makers(file: Path) -> None:
    """准许制章者 Permit the makers whose certificates (PEM) FILE holds."""
    try:
        found = from_file(file)
    except OSError as error:
        give_up(f"{file}: {error.strerror}")
    except CertificateError as error:
        give_up(str(error))
    for certificate in found:
        act(partial(permit, certificate=certificate), write=True)
        click.echo(f"{sm3(certificate.der).hex()} {certificate.subject}")


@makers.command("remove")
@click.argument("fingerprint")
def remove_maker(fingerprint: str) -> None:
    """不再准许 Take the maker with this fingerprint off the list: seals of his making hold no longer."""
    act(partial(forbid, fingerprint=fingerprint), write=True)


@makers.command("list")
def list_makers() -> None:
    """列出制章者 List who may make seals: fingerprint and name."""
    for certificate in act(read_makers, write=False):
        click.echo(f"{sm3(certificate.der).hex()} {certificate.subject}")


def _row(name: str, der: bytes, revoked: set[str]) -> dict[str, str]:
    certificate = parse(der)
    serial = f"{certificate.serial:x}"
    return {
        "name": name,
        "serial": serial,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "key": certificate.key_algorithm,
        "not_after": certificate.not_after.isoformat(),
        "state": "revoked" if serial in revoked else "good",
    }


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        give_up(f"{file}: {error.strerror}")


def _pem(one: RevocationList) -> str:
    text = base64.b64encode(one.der).decode("ascii")
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN X509 CRL-----", *lines, "-----END X509 CRL-----", ""])
