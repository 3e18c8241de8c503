"""The operator's commands are among those of `flask seals`, each with its help in both languages."""

import re

from seals.cli import seals
from seals.register_cli import COMMANDS


def test_every_command_is_offered_and_explained() -> None:
    assert {command.name for command in COMMANDS} == {"change", "rename", "reconcile", "batch"}
    for command in COMMANDS:
        assert seals.commands[command.name or ""] is command
        assert re.match(r"[一-龥]+ [A-Z]", command.help or "")
