"""The operator commands of this room."""

from __future__ import annotations

from idservice import schema_cli
from idservice.admin import cli as admin_cli
from idservice.log import cli as log_cli
from idservice.oauth import cli as oauth_cli
from idservice.oauth import receipt_cli
from idservice.register import import_cli

GROUPS = (
    schema_cli.keys,
    schema_cli.db,
    log_cli.audit,
    oauth_cli.oauth,
    receipt_cli.receipts,
    import_cli.register,
    admin_cli.admin,
)
