"""The operator commands of this room."""

from __future__ import annotations

from idservice import schema_cli
from idservice.log import cli as log_cli

GROUPS = (schema_cli.keys, schema_cli.db, log_cli.audit)
