"""Owner kind by seal kind by person: who applies, approves, makes, uses, changes and sees, and nobody else."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from idservice.call import Caller
from idservice.errors import Problem
from idservice.login.step_up import StepUpNeeded
from seals import custody, register, standing
from seals.lifecycle import Change
from seals.owner_kinds import KINDS, OwnerKind
from seals.picture_kinds import NAME_SEALS, Kind
from tests.builders import act, migrate
from tests.databases import Databases
from tests.unit.seals.parties import ELSEWHERE, NOW, OFFICE, Parties, settle, weaker

OK = "ok"
EVERYBODY = (
    "leader", "administrator", "narrow", "keyholder", "agent", "sealer", "limited", "stranger", "officer", "torn",
    "clerk", "outsider", "program", "everywhere", "operator",
)  # fmt: skip
AGENTS = {"agent", "sealer", "torn"}
MANAGERS = {"leader", "administrator", "keyholder", "agent", "sealer"}
UNIT_KINDS = sorted(KINDS[OwnerKind.ORGANISATION])


@pytest.fixture(scope="module")
def parties(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parties]:
    url = databases.fresh(migrate)
    settled = settle(Path(tmp_path_factory.mktemp("house")), url)
    yield settled
    settled.house.database.engine.dispose()
    databases.drop(url)


@pytest.fixture(scope="module")
def contract_seal(parties: Parties) -> str:
    return parties.make(Kind.CONTRACT, by="agent")


@pytest.fixture(scope="module")
def name_seal(parties: Parties) -> str:
    return parties.make(Kind.PERSONAL, by="stranger", company=False)


@pytest.fixture(scope="module")
def representatives_seal(parties: Parties) -> str:
    return parties.make(Kind.REPRESENTATIVE)


def outcome(deed: object, *arguments: object, **more: object) -> str:
    try:
        deed(*arguments, **more)  # type: ignore[operator]
    except Problem as problem:
        return problem.code
    except StepUpNeeded:
        return "step_up"
    return OK


# --- who applies ----------------------------------------------------------------------------------------------------


def applies(kind: Kind, owner: OwnerKind, who: str) -> str:
    """Return what becomes of an application in a token's name, or of an officer's on his page."""
    machine = who in {"program", "everywhere", "operator"}
    if owner is OwnerKind.DEPARTMENT:
        found = OK if who in {"officer", "torn"} or machine else "forbidden"
        return "invalid" if kind in NAME_SEALS else found
    if owner is OwnerKind.PERSON and kind is Kind.PERSONAL:
        return "invalid" if machine else OK
    if owner is OwnerKind.ORGANISATION and kind in NAME_SEALS:
        return OK if (kind, who) == (Kind.REPRESENTATIVE, "leader") else "refused"
    reached = {"leader"} if owner is OwnerKind.PERSON else MANAGERS | {"torn"}
    return "invalid" if machine else OK if who in reached else "forbidden"


@pytest.mark.parametrize("owner", list(OwnerKind))
def test_who_applies_for_which_kind_of_whom(parties: Parties, owner: OwnerKind) -> None:
    for kind, who in itertools.product(Kind, EVERYBODY):
        human = who not in {"program", "everywhere", "operator"}
        if owner is OwnerKind.DEPARTMENT:
            caller, department = (parties.page(who) if human else parties.caller(who)), OFFICE
        elif owner is OwnerKind.PERSON and kind is Kind.PERSONAL:
            caller, department = (parties.page(who) if human else parties.caller(who)), None
        else:
            caller, department = (parties.acting(who) if human else parties.caller(who)), None
        expected = applies(kind, owner, who)
        if owner is OwnerKind.PERSON and kind not in NAME_SEALS:  # a unit's seal asked for in one's own name alone
            caller, expected = replace(caller, principal=None, channel="api"), "invalid"
        found = outcome(parties.apply, kind, caller, department=department)
        assert (found != OK) if expected == "refused" else (found == expected), (kind, who, found)


def test_a_level_below_three_and_a_name_that_fits_no_seal_are_refused(parties: Parties) -> None:
    weak = parties.page("stranger", level=2)
    assert outcome(parties.apply, Kind.PERSONAL, weak) == "level_too_low"
    assert outcome(parties.apply, Kind.CONTRACT, parties.acting("leader", level=2)) == "level_too_low"
    assert outcome(parties.apply, Kind.PERSONAL, parties.page("stranger"), custodian="x") == "invalid"


def test_without_an_office_nobody_but_a_department_gets_a_seal(parties: Parties) -> None:
    closed = replace(parties, house=replace(parties.house, settings=replace(parties.house.settings, seal_office=None)))
    for kind, caller in ((Kind.CONTRACT, closed.acting("leader")), (Kind.PERSONAL, closed.page("leader"))):
        assert outcome(closed.apply, kind, caller) == "unavailable"
    assert outcome(closed.apply, Kind.CONTRACT, closed.page("outsider"), department=ELSEWHERE) == OK


# --- who approves and makes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*UNIT_KINDS, Kind.REPRESENTATIVE])
def test_who_approves_what_a_company_applied_for(parties: Parties, kind: Kind) -> None:
    approves = {"officer": OK, "operator": OK, "torn": "second_person_needed"}
    makes = {"officer": OK, "operator": OK, "torn": "seal_change_not_allowed"}
    for who in EVERYBODY:
        seal_id = parties.apply(kind, parties.acting("leader"))
        for deed, expected in ((Change.APPROVE, approves), (Change.MAKE, makes)):
            found = outcome(parties.change, seal_id, deed, parties.caller(who))
            assert found == expected.get(who, "forbidden"), (who, deed, found)


def test_nobody_approves_his_own_seal(parties: Parties) -> None:
    seal_id = parties.apply(Kind.PERSONAL, parties.page("officer"))
    assert outcome(parties.change, seal_id, Change.APPROVE, parties.page("officer")) == "second_person_needed"
    assert outcome(parties.change, seal_id, Change.APPROVE, parties.page("stranger")) == "forbidden"
    assert outcome(parties.change, seal_id, Change.APPROVE, parties.page("torn")) == OK


# --- who uses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_uses_a_companys_seal_that_names_nobody(parties: Parties, contract_seal: str, who: str) -> None:
    by_role = {"leader": OK, "administrator": OK, "keyholder": OK} | dict.fromkeys(AGENTS, "seal_use_not_permitted")
    assert outcome(parties.announce, contract_seal, parties.caller(who)) == by_role.get(who, "forbidden")


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_uses_a_companys_seal_that_names_somebody(parties: Parties, who: str) -> None:
    seal_id = parties.make(Kind.FINANCE, users=(numbers("limited"),))
    expected = {"limited": OK} | dict.fromkeys(MANAGERS | AGENTS, "seal_use_not_permitted")
    assert outcome(parties.announce, seal_id, parties.caller(who)) == expected.get(who, "forbidden")


@pytest.mark.parametrize("who", EVERYBODY)
def test_a_name_seal_is_its_persons_alone(parties: Parties, name_seal: str, who: str) -> None:
    human = who not in {"program", "everywhere", "operator"}
    caller = parties.page(who) if human else parties.caller(who)
    assert outcome(parties.announce, name_seal, caller) == (OK if who == "stranger" else "forbidden")


@pytest.mark.parametrize("who", EVERYBODY)
def test_a_representatives_seal_is_the_representatives_alone(
    parties: Parties, representatives_seal: str, who: str
) -> None:
    expected = OK if who == "leader" else "forbidden"
    assert outcome(parties.announce, representatives_seal, parties.caller(who)) == expected
    if who == "leader":
        assert outcome(parties.announce, representatives_seal, parties.page(who)) == OK


@pytest.mark.parametrize("seal", ["contract_seal", "name_seal", "representatives_seal"])
def test_a_password_alone_uses_no_such_seal(parties: Parties, request: pytest.FixtureRequest, seal: str) -> None:
    seal_id = request.getfixturevalue(seal)
    owner = "stranger" if seal == "name_seal" else "leader"
    page = parties.page(owner)
    assert outcome(parties.announce, seal_id, page) == OK
    assert outcome(parties.announce, seal_id, weaker(page)) == "step_up"
    token = weaker(replace(page, channel="api", client_id="erp"))
    if seal == "contract_seal":
        token = weaker(parties.acting(owner))
    assert outcome(parties.announce, seal_id, token) == "insufficient_user_authentication"


def test_a_token_for_another_principal_reaches_nothing(parties: Parties, contract_seal: str, name_seal: str) -> None:
    alone = parties.acting("leader", principal=None, mandate=None)
    assert outcome(parties.announce, contract_seal, alone) == "forbidden"
    for_somebody = parties.page("stranger", channel="api", principal=parties.company, mandate=parties.mandates["agent"])
    assert outcome(parties.announce, name_seal, for_somebody) == "forbidden"
    forged = parties.acting("stranger", mandate=parties.mandates["leader"])
    assert outcome(parties.announce, contract_seal, forged) == "forbidden"


# --- who changes and sees -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_takes_a_companys_seal_out_of_use_and_back(parties: Parties, who: str) -> None:
    seal_id = parties.make(Kind.CONTRACT)
    office, owners = {"officer", "torn", "operator"}, MANAGERS
    expected = OK if who in office | owners else "forbidden"
    assert outcome(parties.change, seal_id, Change.SUSPEND, parties.caller(who)) == expected
    if expected == OK:
        back = OK if who in office else "forbidden"
        assert outcome(parties.change, seal_id, Change.RESUME, parties.caller(who)) == back


@pytest.mark.parametrize("deed", sorted(standing.OF_OWNERS))
def test_a_person_ends_his_own_seal(parties: Parties, deed: Change) -> None:
    seal_id = parties.make(Kind.PERSONAL, by="stranger", company=False)
    assert outcome(parties.change, seal_id, deed, parties.page("leader")) == "forbidden"
    assert outcome(parties.change, seal_id, deed, weaker(parties.page("stranger"))) == OK, "a thief has the telephone"
    assert outcome(parties.change, seal_id, Change.RESUME, parties.page("stranger")) == "forbidden"


@pytest.mark.parametrize("who", EVERYBODY)
def test_who_sees_and_whose_ledger_it_is(parties: Parties, contract_seal: str, who: str) -> None:
    caller = parties.caller(who)
    sees = who in MANAGERS | {"officer", "torn", "operator"}
    owns = who in MANAGERS or who == "torn"

    def look(verb: object) -> str:
        return outcome(act, parties.house, lambda call: verb(call, contract_seal), caller=caller, now=NOW)  # type: ignore[operator]

    assert look(register.look_up) == (OK if sees else "forbidden")
    assert look(register.find) == (OK if owns else "forbidden")


def test_lists_show_each_what_is_his(parties: Parties, contract_seal: str, name_seal: str) -> None:
    def ids(caller: Caller, state: str | None = None) -> set[str]:
        page = act(parties.house, lambda call: register.listed(call, limit=200, state=state), caller=caller, now=NOW)
        return {item["id"] for item in page["items"]}

    assert contract_seal in ids(parties.acting("agent"))
    assert contract_seal in ids(parties.page("leader"))
    assert name_seal in ids(parties.page("stranger"))
    for caller in (parties.acting("limited"), parties.page("officer"), parties.caller("everywhere")):
        assert not {contract_seal, name_seal} & ids(caller)
    assert {contract_seal, name_seal} <= ids(parties.caller("operator"))
    waiting = parties.apply(Kind.OFFICIAL, parties.acting("agent"))
    assert waiting in ids(parties.page("officer"), "applied")
    assert waiting not in ids(parties.page("outsider"), "applied")
    assert waiting not in ids(parties.caller("program"), "applied")


# --- naming users ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "named", "expected"),
    [
        ("leader", "agent", OK),
        ("agent", "agent", "seal_use_not_permitted"),  # or his mandate would grow
        ("limited", "agent", "forbidden"),
        ("leader", "stranger", "invalid"),
        ("officer", "agent", "forbidden"),
    ],
)
def test_who_names_whom(parties: Parties, by: str, named: str, expected: str) -> None:
    seal_id = parties.make(Kind.CONTRACT)

    def permit(call: object) -> None:
        custody.permit(call, register.find(call, seal_id), numbers(named), until=None)  # type: ignore[arg-type]

    assert outcome(act, parties.house, permit, caller=parties.caller(by), now=NOW) == expected


def test_a_name_seal_names_nobody(parties: Parties, name_seal: str) -> None:
    def permit(call: object) -> None:
        custody.permit(call, register.find(call, name_seal), numbers("leader"), until=None)  # type: ignore[arg-type]

    assert outcome(act, parties.house, permit, caller=parties.page("stranger"), now=NOW) == "seal_use_not_permitted"


def numbers(who: str) -> str:
    from tests.unit.seals.parties import NUMBERS

    return NUMBERS[who]


@pytest.mark.parametrize("facts", [{"users": ("agent",)}, {"custodian": "agent"}])
def test_an_agent_who_applies_names_nobody(parties: Parties, facts: dict[str, Any]) -> None:
    given = {name: tuple(map(numbers, one)) if isinstance(one, tuple) else numbers(one) for name, one in facts.items()}
    assert outcome(parties.apply, Kind.CONTRACT, parties.acting("agent"), **given) == "forbidden"
    assert outcome(parties.apply, Kind.CONTRACT, parties.acting("administrator"), **given) == OK
