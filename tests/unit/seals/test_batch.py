"""Files sealed one after another, by what their names end with."""

from datetime import UTC, datetime

import pytest

from idservice.call import House
from idservice.errors import Problem
from seals import batch
from seals.batch import Document, announce, plain_name, result_name, seal
from seals.check import check_file
from seals.register import make
from seals.use import Made
from seals.use_document import Form
from seals.verify import read_anchors
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT
from tests.unit.seals.documents import document_files
from tests.unit.seals.made import pack

NOW = datetime(2026, 6, 1, 8, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "form", "result"),
    [
        ("函.ofd", Form.OFD, "函.sealed.ofd"),
        ("LETTER.PDF", Form.PDF, "LETTER.sealed.PDF"),
        ("a.tar.gz", Form.DETACHED, "a.tar.gz.ses"),
        ("ofd", Form.DETACHED, "ofd.ses"),
    ],
)
def test_a_name_says_how_it_is_sealed_and_what_comes_back(name: str, form: Form, result: str) -> None:
    assert Document(name, b"", "").form is form
    assert result_name(name, form) == result


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("函.ofd", "函.ofd"),
        ("C:\\folder\\a.txt", "a.txt"),
        ("../../etc/a.txt", "a.txt"),
        ("a\r\nb\x00.txt", "ab.txt"),
        ("..", "file"),
        ("", "file"),
        (None, "file"),
        ("长" * 300 + ".ofd", "长" * 196 + ".ofd"),
    ],
)
def test_names_from_outside_are_made_plain(given: str | None, kept: str) -> None:
    assert plain_name(given) == kept


@pytest.mark.parametrize("name", ["a.txt", "b.ofd"])
def test_what_is_announced_is_sealed(house: House, name: str) -> None:
    seal_id = act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)
    document = Document(name, pack(document_files()), "函件", "演示企业")
    announced = act(house, lambda call: announce(call, seal_id, document), now=NOW)
    sealed = act(house, lambda call: seal(call, seal_id, document, announced), now=NOW)
    beside = document.data if name == "a.txt" else None
    assert check_file(sealed.data, document=beside, anchors=act(house, read_anchors), now=NOW).ok
    assert sealed.use_id == announced.use_id


def test_what_was_sealed_ahead_is_recorded_later(house: House) -> None:
    """Where an authority is waited for, sealing and recording are two steps; a refusal waits for the second."""
    seal_id = act(house, lambda call: make(call, department=DEPARTMENT), now=NOW)
    letter = Document("函.txt", b"letter", "函件")
    announced = act(house, lambda call: announce(call, seal_id, letter), now=NOW)
    ahead = act(house, lambda call: batch.make(call, seal_id, letter, announced), now=NOW)
    assert isinstance(ahead.ready, Made)
    assert act(house, lambda call: batch.make(call, seal_id, letter, ahead), now=NOW) is ahead
    sealed = act(house, lambda call: seal(call, seal_id, letter, ahead), now=NOW)
    assert (sealed.use_id, sealed.data) == (announced.use_id, ahead.ready.result)
    late = NOW.replace(year=2046)
    refused = act(house, lambda call: batch.make(call, seal_id, letter, announced), now=late)
    with pytest.raises(Problem, match="seal_not_in_force"):
        act(house, lambda call: seal(call, seal_id, letter, refused), now=late)
