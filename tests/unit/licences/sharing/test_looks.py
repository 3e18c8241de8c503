"""For whom an app looks: for the matter the holder chose, and for the department its permission for the type names."""

from typing import Any

import pytest

from idservice.models import AccessRecord
from tests.sharing import ask, permit, register, status
from tests.town import CIVIL, CLERK, MATTER, NAMES, SECURITY, Town, type_of

CARD, TITLE = "resident_card", "real_estate_title"
CARD_MATTER, TITLE_MATTER = MATTER, "DM-M-027"


@pytest.fixture(scope="module")
def card(town: Town) -> str:
    return town.issue(CARD).identifier


def test_a_code_that_was_shown_for_another_matter_opens_nothing(town: Town, card: str) -> None:
    other = next(
        item["code"]
        for item in town.web.get("/v1/matters").json["items"]
        if item["code"] != CARD_MATTER and type_of(CARD).code in {proof.get("type") for proof in item["proofs"]}
    )
    code, records = town.show(matter=other), town.count(AccessRecord)
    refused = ask(town, "queryCertInfoByQRcode", {"qrcode": code})
    assert (status(refused), refused.json["data"]) == (100, None)
    assert town.count(AccessRecord) == records
    assert town.verify(code, operator={"id_number": CLERK})["licences"], "refused, so not used up"


def test_an_app_of_two_departments_looks_for_the_one_that_its_permission_for_the_type_names(
    town: Town, card: str
) -> None:
    """The other type's permission comes first in the list, and names the other department."""
    title = town.issue(TITLE).identifier
    register(town, "two", department=SECURITY, also=CIVIL)
    permit(town, CARD, client_id="two", department=CIVIL, unattended=True)
    permit(town, TITLE, client_id="two", matter=TITLE_MATTER, unattended=True)
    alone: dict[str, Any] = {"operator": ...}
    shown = ask(town, "queryCertInfoByQRcode", {"qrcode": town.show(title, audience=SECURITY), **alone}, "two")
    assert status(shown) == 0
    elsewhere = ask(town, "queryCertInfoByQRcode", {"qrcode": town.show(title, audience=CIVIL), **alone}, "two")
    assert status(elsewhere) == 10
    file = ask(town, "downloadFile", {"certificateIdentifier": title, **alone}, "two").json["data"]["fileData"]
    checked = ask(town, "verifyFile", {"fileData": file, **alone}, "two")
    assert checked.json["data"]["result"] is True
    assert NAMES[SECURITY] in town.looks()[0]["unit"]
