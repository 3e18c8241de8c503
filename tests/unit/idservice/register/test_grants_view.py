"""Both parties stand in every view of a mandate; people are masked."""

from datetime import UTC, date, datetime
from typing import Any

from idservice.call import House
from idservice.models import Mandate
from idservice.register import grants_view, guardians, mandates, organisations, people
from tests.builders import act
from tests.identity import AGENT, COMPANY, citizen_number

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CHILD = citizen_number("37160220150301001")


def seen(house: House, **facts: Any) -> dict[str, Any]:
    person = act(house, lambda call: people.enrol(call, number=AGENT, name="李晓华"))
    mandate_id = act(house, lambda call: mandates.grant(call, person=person, **facts), now=NOW)

    def view(call: Any) -> dict[str, Any]:
        return grants_view.seen(call, call.session.get_one(Mandate, (person, mandate_id)))

    return act(house, view, now=NOW)


def test_an_organisation_is_public_and_its_agent_masked(house: House) -> None:
    company = act(house, lambda call: organisations.enrol(call, code=COMPANY, name="滨州示范食品有限公司"))
    view = seen(house, principal=company, role="agent")
    assert view["principal"] == {"kind": "organisation", "name": "滨州示范食品有限公司", "number": COMPANY}
    assert view["person"] == {"kind": "person", "name": "李**", "number": AGENT[:3] + "***********" + AGENT[-4:]}
    assert (view["state"], view["valid_until"], view["last_day"]) == ("in_force", None, None)


def test_a_ward_is_masked_and_the_last_day_is_the_one_before_his_birthday(house: House) -> None:
    child = act(house, lambda call: people.enrol(call, number=CHILD, name="王小小"))
    until = guardians.guarded_until(CHILD)
    view = seen(house, principal=child, principal_kind=mandates.PERSON, role="guardian", valid_until=until)
    assert view["principal"] == {"kind": "person", "name": "王**", "number": CHILD[:3] + "***********" + CHILD[-4:]}
    assert view["last_day"] == date(2033, 2, 28)


def test_a_principal_that_is_gone_has_no_name(house: House) -> None:
    for kind in ("organisation", "person"):
        assert seen(house, principal="0" * 32, principal_kind=kind, role="agent")["principal"]["name"] == ""
