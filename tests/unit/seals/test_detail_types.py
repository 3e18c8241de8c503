from types import SimpleNamespace
from typing import Any

import pytest

from idservice.oauth import authorization_details
from idservice.oauth.authorization_details import DetailsRefused
from seals.detail_types import SEAL_USE

CALL: Any = SimpleNamespace(now=None)
APP: Any = SimpleNamespace(authorization_details_types={"seal-use"}, scope=("seals.use",), resources=())
NUMBER, DIGEST = "37160010000001", "0" * 64


def read(fields: str) -> Any:
    text = f'[{{"type":"seal-use",{fields}}}]'
    return authorization_details.read(CALL, APP, text, own="https://id.example/v1", has_person=False)


def test_a_seal_is_named_and_forms_purposes_and_documents_may_be() -> None:
    found = read(f'"identifier":"{NUMBER}","datatypes":["ofd"],"purposes":["函件"],"digests":["{DIGEST}"]')
    assert found[0]["identifier"] == NUMBER
    assert SEAL_USE.scope == "seals.use"


@pytest.mark.parametrize(
    "fields",
    [
        '"datatypes":["ofd"]',
        '"identifier":"3716001000000"',
        f'"identifier":"{NUMBER}","datatypes":["docx"]',
        f'"identifier":"{NUMBER}","digests":["{DIGEST[:-1]}"]',
        f'"identifier":"{NUMBER}","digests":["{"A" * 64}"]',
        f'"identifier":"{NUMBER}","holder":"x"',
    ],
)
def test_what_names_no_seal_form_or_digest_is_refused(fields: str) -> None:
    with pytest.raises(DetailsRefused):
        read(fields)
