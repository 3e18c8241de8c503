"""The OFD copy of a licence in a reader that nobody here wrote: easyofd, in a virtual environment of its own.

It takes a hundred megabytes of libraries, so it is asked in `make soak` alone.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.town import ALICE, PERSON_NAMES, Town

PEERS = Path(__file__).parents[1] / "peers"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("easyofd")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, timeout=120)
    python = str(place / "bin" / "python")
    wanted = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(PEERS / "easyofd.txt")]
    subprocess.run([python, *wanted], check=True, timeout=600)
    return python


@pytest.mark.soak
def test_easyofd_reads_the_face_and_finds_the_seal(town: Town, reader: str, tmp_path: Path) -> None:
    card = town.issue("resident_card").identifier
    answer = town.web.get(f"/v1/licences/{card}/document.ofd", headers=town.person(ALICE))
    assert answer.status_code == 200, answer.text
    file = tmp_path / "card.ofd"
    file.write_bytes(answer.data)
    read = subprocess.run(
        [reader, str(PEERS / "easyofd_read.py"), str(file)], capture_output=True, text=True, check=False, timeout=120
    )
    assert read.returncode == 0, read.stderr[-2000:]
    found: dict[str, Any] = json.loads(read.stdout)
    text = "".join(found["texts"]).replace(" ", "")
    assert ALICE in text
    assert PERSON_NAMES[ALICE] in text
    assert card in text.replace("\u3000", "")
    assert (len(found["seals"]), found["fonts"], len(found["pages"])) == (1, 2, 1)
    assert base64.b64decode(found["seals"][0]["signed"]).startswith(b"\x30"), "the SES_Signature as it was written"
