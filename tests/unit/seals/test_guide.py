"""The department's guide names what the code answers: every check, every refusal, every option it shows."""

import re
from pathlib import Path

from idservice.errors import KINDS
from seals.routes import BLUEPRINTS
from seals.schemas import UseBody
from seals.told import STEPS

GUIDE = (Path(__file__).parents[3] / "docs" / "seals.md").read_text("utf-8")
CHINESE, ENGLISH = GUIDE.split("# Electronic seals", 1)


def test_every_check_is_explained_in_both_languages() -> None:
    for half in (CHINESE, ENGLISH):
        assert [name for name in STEPS if f"| `{name}` |" not in half] == []


def test_every_refusal_it_names_exists() -> None:
    named = set(re.findall(r"`((?:document|seal|format)_[a-z_]+)`", GUIDE)) - STEPS.keys() - {"format_unknown"}
    assert named >= {"document_refused", "document_locked", "seal_not_in_force"}
    assert BLUEPRINTS  # the routes are loaded, so their refusals are registered
    assert named - KINDS.keys() == set()


def test_the_form_it_shows_is_the_one_that_is_read() -> None:
    shown = set(re.findall(r"-F ([a-z_]+)=", GUIDE))
    assert shown == UseBody().fields.keys()
