"""Collected licences in the state their source says, with several holders; later rows change them by the one table."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from licences import artefacts, catalogue, enrol
from licences.catalogue_models import LicenceCoHolder
from licences.collection import batches
from licences.collection.models import CollectedLicence
from licences.grounds import GROUNDS
from licences.models import Licence, LicenceChange
from licences.status import entries
from licences.status.models import StatusEntry
from licences.status.token_list import Status
from tests.functional.test_collection import CODE, FIELDS, bring_in, collected, counts, row, seal
from tests.town import ALICE, BOB, COMPANY, OFFICER, SECURITY, STRANGER, Town, type_of

SUSPENDED = {"state": "暂扣", "state_on": "2025-02-03", "state_reason": "执法检查", "state_ground": "penalty_9"}
REVOKED = {"state": "revoked", "state_on": "20250301"}


@pytest.fixture(autouse=True)
def nothing_was_sent(town: Town) -> None:
    town.act(lambda call: call.session.execute(delete(CollectedLicence)))


def sent(town: Town, folder: Path, *given: dict[str, Any], failed: int = 0) -> Licence:
    """Bring rows in one after the other and seal each; return the licence of the last."""
    for one in given:
        assert counts(bring_in(town, folder, [one], name="states"))[3] == 0
        done = seal(town, status=1 if failed and one is given[-1] else 0)
    assert done["failed"] == failed
    return town.row(collected(town, given[-1]["number"])["identifier"])


def life(town: Town, licence: Licence) -> list[tuple[str, str, str | None, date | None]]:
    asked = (
        select(LicenceChange).where(LicenceChange.identifier == licence.identifier).order_by(LicenceChange.change_id)
    )
    found = town.act(lambda call: list(call.session.scalars(asked)))
    return [(one.change, one.state, one.ground, one.effective_on) for one in found]


def reason(town: Town, number: str) -> tuple[str, str | None]:
    found = collected(town, number)
    return found["state"], found["reason"]


def listed(town: Town, licence: Licence) -> set[int]:
    key = entries.key_of(licence.identifier)
    asked = select(StatusEntry.value).where(StatusEntry.licence_key == key)
    return set(town.act(lambda call: list(call.session.scalars(asked))))


@pytest.mark.parametrize(
    ("said", "state", "deed", "status"),
    [
        (SUSPENDED, "suspended", "suspend", Status.SUSPENDED),
        (
            {"state": "frozen", "state_on": "2025-02-03", "state_ground": "court"},
            "suspended",
            "freeze",
            Status.SUSPENDED,
        ),
        (REVOKED, "revoked", "revoke", Status.INVALID),
        ({"state": "吊销", "state_on": "2025-02-03"}, "withdrawn", "withdraw", Status.INVALID),
        ({"state": "注销", "state_on": "2025-02-03"}, "cancelled", "cancel", Status.INVALID),
        ({"state": "转出", "state_on": "2025-02-03"}, "transferred", "transfer", Status.INVALID),
    ],
)
def test_a_licence_is_issued_in_the_state_of_its_source(
    town: Town, tmp_path: Path, said: dict[str, str], state: str, deed: str, status: Status
) -> None:
    licence = sent(town, tmp_path, row(f"ZT-{deed}", **said))
    assert licence.state == state
    ((done, stored, ground, effective),) = life(town, licence)
    assert (done, stored) == (deed, state)
    assert f"{effective:%Y%m%d}" == said["state_on"].replace("-", "")
    assert ground == said.get("state_ground", ground)
    assert deed in GROUNDS[str(ground)].changes
    assert listed(town, licence) == {status}, "its copy never said that it holds"
    assert not town.verify(licence.identifier)["ok"]


def test_what_holds_goes_with_all_others(town: Town, tmp_path: Path) -> None:
    licence = sent(town, tmp_path, row("ZT-1", state="有效", state_on="2024-01-05"))
    assert (licence.state, life(town, licence)) == ("valid", [])
    assert licence.portion_id is not None


def test_suspended_and_resumed_at_the_source(town: Town, tmp_path: Path) -> None:
    first = row("ZT-2", state="valid")
    licence = sent(town, tmp_path, first, first | SUSPENDED)
    assert (licence.state, town.count(CollectedLicence)) == ("suspended", 1)
    assert sent(town, tmp_path, first | SUSPENDED).state == "suspended", "the same again changes nothing"
    licence = sent(town, tmp_path, first | {"state": "valid", "state_on": "2025-06-01"})
    assert licence.state == "valid"
    assert life(town, licence) == [
        ("suspend", "suspended", "penalty_9", date(2025, 2, 3)),
        ("resume", "valid", "measure_ended", date(2025, 6, 1)),
    ]
    assert licence.identifier.split(".")[-2] == "001", "no new version where it says the same"


def test_what_is_resumed_and_says_something_else_is_a_next_version(town: Town, tmp_path: Path) -> None:
    first = row("ZT-3", state="valid")
    newer = {"valid_until": "2039-01-04"}
    held = sent(town, tmp_path, first, first | SUSPENDED | newer)
    assert (held.state, held.valid_until) == ("suspended", None), "what suspends it does just that"
    licence = sent(town, tmp_path, first | newer)
    assert (licence.state, str(licence.valid_until)) == ("valid", "2039-01-04")
    assert licence.identifier != held.identifier
    assert [one[0] for one in life(town, held)] == ["suspend", "resume", "change"]


def test_what_has_ended_never_opens_again(town: Town, tmp_path: Path) -> None:
    first = row("ZT-4", state="valid")
    licence = sent(town, tmp_path, first, first | REVOKED)
    assert licence.state == "revoked"
    for again in (first, first | SUSPENDED, first | REVOKED | {"state": "cancelled"}, row("ZT-4")):
        assert sent(town, tmp_path, again, failed=1).state == "revoked"
        assert reason(town, "ZT-4") == ("failed", "terminal")
    assert sent(town, tmp_path, first | REVOKED | {"state_reason": "以欺骗手段取得"}).state == "revoked"
    assert life(town, licence) == [("revoke", "revoked", "licensing_69", date(2025, 3, 1))], "it says so once"


def test_what_the_issuer_suspended_here_no_source_resumes(town: Town, tmp_path: Path) -> None:
    first = row("ZT-5", state="valid")
    licence = sent(town, tmp_path, first)
    body = {"change": "suspend", "reason": "调查"}
    assert town.post(f"/v1/licences/{licence.identifier}/changes", body).status_code == 201
    assert sent(town, tmp_path, first | {"state_on": "2025-07-01"}, failed=1).state == "suspended"
    assert reason(town, "ZT-5") == ("failed", "suspended_here")
    assert sent(town, tmp_path, first | REVOKED).state == "revoked", "but the source ends it"


def test_what_was_renewed_here_is_ended_in_its_newest_version(town: Town, tmp_path: Path) -> None:
    first = row("ZT-6", state="valid", valid_until="2039-01-04")
    licence = sent(town, tmp_path, first)
    done = town.post(f"/v1/licences/{licence.identifier}/changes", {"change": "renew"})
    assert done.status_code == 201, done.text
    ended = sent(town, tmp_path, first | REVOKED)
    assert (ended.state, ended.identifier == licence.identifier) == ("revoked", False)
    assert town.row(licence.identifier).state == "replaced"


def test_an_ended_licence_is_no_second_one_in_force(town: Town, tmp_path: Path) -> None:
    single = type_of("resident_card")
    town.issue("resident_card", ALICE)
    given = {f"field.{name}": value for name, value in single.examples().items()}
    ended = {"type": single.code, "holder": ALICE, "number": "SFZ-9", **given, **REVOKED}
    assert sent(town, tmp_path, ended).state == "revoked"
    suspended = ended | {"number": "SFZ-8"} | SUSPENDED
    bring_in(town, tmp_path, [suspended], name="states")
    assert seal(town, status=1) == {"signed": 0, "failed": 1}
    assert reason(town, "SFZ-8") == ("failed", "already_held"), "one that may come to hold again is"


@pytest.mark.parametrize(
    ("said", "reasons"),
    [
        ({"state": "过期", "state_on": "2025-01-01"}, ["state"]),
        ({"state": "revoked"}, ["state_on"]),
        ({"state": "revoked", "state_on": "2999-01-01"}, ["state_on"]),
        ({"state": "revoked", "state_on": "2025-02-30"}, ["state_on"]),
        ({"state_on": "2025-01-01"}, ["state"]),
        (REVOKED | {"state_ground": "penalty_9"}, ["state_ground"]),
        (REVOKED | {"state_reason": "x" * 201}, ["state_reason"]),
        ({"co_holders": ALICE}, ["holders_one"]),
    ],
)
def test_what_is_no_state_is_refused(town: Town, tmp_path: Path, said: dict[str, str], reasons: list[str]) -> None:
    given = {"type": CODE, "holder": BOB, "number": "ZT-7", "fields": FIELDS, **said}
    answer = town.post("/v1/licence-batches", {"department": SECURITY, "rows": [given]}).json
    assert answer["results"][0]["reasons"] == reasons
    assert counts(bring_in(town, tmp_path, [row("ZT-7", **said)], status=1, name="bad")) == [0, 0, 0, 1]


# --- several holders ------------------------------------------------------------------------------------------------

TITLE = type_of("real_estate_title")


def title(number: str, **more: Any) -> dict[str, Any]:
    return {"type": TITLE.code, "holder": ALICE, "number": number, "fields": TITLE.examples(), **more}


def give(town: Town, *rows: dict[str, Any]) -> list[list[str]]:
    issuer = town.act(lambda call: catalogue.find(call, TITLE.code).authorities[0].department)
    results = town.act(lambda call: batches.bring_in(call, {"department": issuer, "rows": list(rows)}))["results"]
    return [one["reasons"] for one in results]


def row_of(town: Town) -> CollectedLicence:
    found: CollectedLicence = town.act(lambda call: call.session.scalars(select(CollectedLicence)).one())
    return found


def holders(town: Town, licence: Licence) -> list[str]:
    stated = town.act(lambda call: artefacts.open_record(call, licence)).metadata
    return [holder.code for holder in stated.holders]


def test_several_holders_stand_in_their_order(town: Town) -> None:
    assert give(town, title("BDC-1", co_holders=f"{BOB}^{COMPANY}")) == [[]]
    assert seal(town) == {"signed": 1, "failed": 0}
    licence = town.row(str(row_of(town).identifier))
    assert holders(town, licence) == [ALICE, BOB, COMPANY]
    ways = select(LicenceCoHolder.place).where(LicenceCoHolder.identifier == licence.identifier)
    assert sorted(town.act(lambda call: list(call.session.scalars(ways)))) == [1, 2]

    assert give(town, title("BDC-1", co_holders=[BOB, COMPANY])) == [[]], "a list says the same"
    assert row_of(town).state == "signed"
    assert give(town, title("BDC-1", co_holders=[BOB, COMPANY], **REVOKED)) == [[]]
    assert seal(town) == {"signed": 1, "failed": 0}
    assert town.row(licence.identifier).state == "revoked"


def test_other_holders_are_for_a_new_licence(town: Town) -> None:
    give(town, title("BDC-2", co_holders=BOB))
    seal(town)
    licence = town.row(str(row_of(town).identifier))
    for others in ({}, {"co_holders": COMPANY}, {"co_holders": f"{COMPANY} {BOB}"}):
        give(town, title("BDC-2", valid_until="2099-01-01", **others))
        assert seal(town, status=1) == {"signed": 0, "failed": 1}
        assert row_of(town).reason == "holders_differ"
    give(town, title("BDC-2", valid_until="2099-01-01", **SUSPENDED))
    assert seal(town) == {"signed": 1, "failed": 0}, "which keeps it from no one to suspend it"
    assert town.row(licence.identifier).state == "suspended"
    give(town, title("BDC-2", co_holders=BOB, valid_until="2099-01-01", state="valid"))
    assert seal(town) == {"signed": 1, "failed": 0}
    newest = town.row(str(row_of(town).identifier))
    assert (newest.state, holders(town, newest), str(newest.valid_until)) == ("valid", [ALICE, BOB], "2099-01-01")


@pytest.mark.parametrize(
    ("others", "reasons"),
    [
        (BOB[:-1] + ("0" if BOB[-1] != "0" else "1"), ["co_holders_check_digit"]),
        (f"{BOB};{ALICE}", ["co_holders_repeated"]),
        (f"{BOB}、{BOB}", ["co_holders_repeated"]),
        (";", ["co_holders_length"]),
        (" ".join([BOB] * 20), ["co_holders_length"]),
    ],
)
def test_holders_that_cannot_stand_together_are_refused(town: Town, others: str, reasons: list[str]) -> None:
    assert give(town, title("BDC-3", co_holders=others)) == [reasons]


def test_a_holder_whom_the_register_does_not_know_is_waited_for(town: Town) -> None:
    give(town, title("BDC-4", co_holders=STRANGER))
    assert seal(town, status=1) == {"signed": 0, "failed": 1}
    assert row_of(town).reason == "holder_unknown"


# --- sensitive types, and what an officer sees ------------------------------------------------------------------------


def test_to_suspend_a_sensitive_licence_takes_one(town: Town, tmp_path: Path) -> None:
    first = row("ZT-8", state="valid")
    licence = sent(town, tmp_path, first)
    kind = replace(type_of("vocational_qualification"), sensitive=True)
    town.act(lambda call: enrol.put_type(call, kind))
    assert sent(town, tmp_path, first | SUSPENDED).state == "suspended"
    for again in (first, first | REVOKED):
        assert sent(town, tmp_path, again, failed=1).state == "suspended"
        assert reason(town, "ZT-8") == ("failed", "second_person_required")
    page = town.browser(OFFICER).open(f"/admin/licences/{licence.identifier}").text
    assert "来源登记日期" in page
    assert "2025-02-03" in page
