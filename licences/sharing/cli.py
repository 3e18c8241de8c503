"""`flask sharing`: which app may read which type of licence, for whoever runs the service.

What an operator allows waits for an administrator's agreement at /admin/sharing. Exit status: 0 done, 1 the answer is
no, 2 it could not be done.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from flask.cli import AppGroup

from licences.guard.cli import run
from licences.sharing import permissions
from licences.sharing.permissions import Operation
from licences.sharing.schemas import SharingPermissionSchema

if TYPE_CHECKING:
    from idservice.call import Call

sharing = AppGroup("sharing", help="共享授权 Which app may read which type of licence.")


@sharing.command("allow")
@click.argument("client_id")
@click.argument("type_code")
@click.option(
    "--operation", "operations", multiple=True, required=True, type=click.Choice([str(one) for one in Operation])
)
@click.option("--department", required=True, help="单位代码 The credit code of the unit whose app it is.")
@click.option("--matter", required=True, help="事项编码 The matter that needs the type: its fields are what is read.")
@click.option("--ground", required=True, help="依据 The provision that the holder reads.")
@click.option("--unattended", is_flag=True, help="不提供经办人 The app names no operator.")
def allow(client_id: str, type_code: str, **more: Any) -> None:
    """提出授权 Ask that an app may read a type; a security administrator agrees."""
    wanted = {"client_id": client_id, "type": type_code, **more, "operations": list(more["operations"])}
    run(lambda call: permissions.ask(call, wanted), write=True)
    click.echo("已提出，等待安全管理员同意 asked: a security administrator must agree")


@sharing.command("revoke")
@click.argument("client_id")
@click.argument("type_code")
def revoke(client_id: str, type_code: str) -> None:
    """撤销授权 Take a permission out, at once."""
    run(lambda call: permissions.revoke(call, client_id, type_code), write=True)


@sharing.command("list")
@click.option("--json", "as_json", is_flag=True, help="机器可读 For machines.")
def list_permissions(as_json: bool) -> None:
    """列出 List the permissions, those that wait for agreement first."""

    def read(call: Call) -> list[dict[str, Any]]:
        return [SharingPermissionSchema().dump(row) for row in permissions.listed(call)]

    found = run(read, write=False)
    if as_json:
        click.echo(json.dumps({"items": found}, ensure_ascii=False))
        return
    for one in found:
        state = "已生效 in force" if one["agreed_at"] else "待同意 waits"
        click.echo(f"{one['client_id']}  {one['type']}  {' '.join(one['operations'])}  {one['matter']}  {state}")
