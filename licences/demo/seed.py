"""Build the demonstration city (建立示范市): enrol, make seals, fill the catalogue, and issue every licence in earnest.

Nothing is written past the verbs that everybody uses, and every step looks first what is there: a set-up that was
killed is completed by running it again. One transaction for one person, organisation, department or holder.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import exists, select

from idservice.call import Call, Caller
from idservice.login import totp
from idservice.login.password import set_password
from idservice.models import Client, Department, Password, Person, Staff
from idservice.oauth import clients, initial_tokens
from idservice.register import mandates, organisations, people
from licences import catalogue, change, enrol, issue
from licences.counter.matter_definition import shipped_matters
from licences.definition_file import shipped_types
from licences.demo import administrators, credentials, decoys, owned_seals, sharing
from licences.demo.clients import CLIENTS
from licences.models import Licence
from seals import register
from seals.authority import make_authority
from seals.revoking import keep_fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from idservice.call import House
    from licences.demo.charter import Charter
    from licences.demo.city import DemoCity
    from licences.demo.clients import DemoClient
    from licences.demo.departments import DemoDepartment
    from licences.demo.organisations import DemoOrganisation
    from licences.demo.people import DemoPerson
    from licences.demo.wallets import DemoLicence

T = TypeVar("T")
P = ParamSpec("P")

BUILDER: Final = Caller(channel="cli", client_id="demo", all_departments=True)
REGISTRABLE: Final = (
    "openid profile phone offline_access licences.read licences.show accesses.read consents.manage sessions.manage "
    "matters.read ssf.manage"
)  # what apps that register themselves may ask for
SEAL_PURPOSE: Final = "电子证照专用章"


class ForeignDatabaseError(Exception):
    """The database holds people, but not those of this city."""


def act(house: House, verb: Callable[Concatenate[Call, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run one verb of the builder in a transaction of its own."""
    return house.database.run(
        lambda session: verb(Call(house, session, BUILDER, datetime.now(UTC), "demo"), *args, **kwargs),
        write=True,
    )


def is_inhabited(house: House, town: DemoCity) -> bool:
    """Return whether people of this city live in the database; False where nobody does.

    Raises:
        ForeignDatabaseError: others do, or these are not recognised because their keys are lost.
    """

    def look(call: Call) -> tuple[bool, bool]:
        known = people.find(call, town.people[0].number) is not None
        return bool(call.session.scalar(select(exists().select_from(Person)))), known

    inhabited, known = act(house, look)
    if inhabited and not known:
        raise ForeignDatabaseError
    return inhabited


def effort(town: DemoCity) -> int:
    """Return of how many steps `build` tells."""
    return sum(map(len, (town.departments, town.people, town.organisations, town.licences)))


def build(house: House, charter: Charter, town: DemoCity, *, tick: Callable[[int], object]) -> None:
    """Bring everything of the city into the register that is not there yet; `tick` is told each number of steps done.

    Raises:
        Problem: something of the city was refused: a fault of the program, or of how it is installed.
    """
    act(house, make_authority)
    act(house, keep_fresh)
    for department in town.departments:
        act(house, _enter_department, department)
        tick(1)
    act(house, _enter_catalogue, town)
    act(house, decoys.set_up)
    _register_apps(house, charter)
    act(house, sharing.permit, town)
    for person in town.people:
        act(house, _enrol_person, charter, person)
        tick(1)
    act(house, _post_staff, town)
    act(house, administrators.appoint, town)
    for organisation in town.organisations:
        act(house, _enrol_organisation, organisation)
        tick(1)
    owned_seals.make(house, town)
    for _holder, wallet in groupby(town.licences, attrgetter("holder_number")):
        licences = tuple(wallet)
        _issue(house, licences)
        tick(len(licences))


def keep_up(house: House, charter: Charter, town: DemoCity) -> None:
    """Enter what this version of the program enters and a city built by an earlier one may lack."""
    if act(house, _lacks_types):
        for department in town.departments:
            act(house, _enter_department, department)
        act(house, _enter_catalogue, town)
        act(house, _post_staff, town)
    _register_apps(house, charter)
    act(house, sharing.permit, town)
    act(house, decoys.set_up)
    owned_seals.make(house, town)
    _holder, first_wallet = next(groupby(town.licences, attrgetter("holder_number")))
    _issue(house, tuple(first_wallet))  # the account that shows everything


def _enter_department(call: Call, department: DemoDepartment) -> None:
    code = department.credit_code
    if call.session.get(Department, code) is None:
        call.session.add(
            Department(credit_code=code, name=department.name, name_en=department.name_en, region=department.area)
        )
        call.session.flush()
    if enrol.seal_of(call, code) is None:
        register.make(call, department=code, special=SEAL_PURPOSE)


def _lacks_types(call: Call) -> bool:
    known = catalogue.entries(call)
    return any(entry.code not in known for entry in shipped_types())


def _enter_catalogue(call: Call, town: DemoCity) -> None:
    """Enter what is not there yet: what an officer has changed since stays as he entered it."""
    known = catalogue.entries(call)
    for entry in shipped_types():
        if entry.code not in known:
            enrol.put_type(call, entry)
    for department in town.departments:
        seal_id = enrol.seal_of(call, department.credit_code)
        for type_code in department.issues:
            enrol.put_authority(call, type_code, department.credit_code, str(seal_id), rank=1)
    for matter in shipped_matters():
        enrol.put_matter(call, matter)


def _register_apps(house: House, charter: Charter) -> None:
    for client in CLIENTS:
        act(house, _register, charter, client)
    act(house, _open_registration, charter)


def _register(call: Call, charter: Charter, client: DemoClient) -> None:
    if call.session.get(Client, client.client_id) is not None:
        return
    secret = jwks = None
    if client.auth_method.startswith("client_secret"):
        secret = credentials.client_secret(charter, client.client_id)
    elif client.auth_method == "private_key_jwt":
        jwks = {"keys": [credentials.public_jwk(credentials.private_jwk(charter, client.client_id))]}
    clients.register(
        call,
        client_id=client.client_id,
        name=client.title,
        unit=client.unit,
        auth_method=client.auth_method,
        grant_types=client.grant_types,
        scope=client.scope,
        secret=secret,
        jwks=jwks,
        redirect_uris=client.redirect_uris,
        post_logout_redirect_uris=client.post_logout_redirect_uris,
        profile=client.profile,
        departments=client.departments,
        policy=client.policy,
        authorization_details_types=client.authorization_details_types,
    )


def _open_registration(call: Call, charter: Charter) -> None:
    initial_tokens.make(
        call,
        name="自助接入单位（演示）",
        scope=REGISTRABLE,
        uses=100_000,
        expires_at=call.now + timedelta(days=3650),
        token=credentials.initial_access_token(charter),
    )


def _enrol_person(call: Call, charter: Charter, person: DemoPerson) -> None:
    subject = people.enrol(call, number=person.number, name=person.name, phone=person.phone, level=person.level)
    if call.session.get(Password, subject) is None:
        set_password(call, subject, credentials.password(charter, person.number))
        totp.put(call, subject, credentials.totp_secret(charter, person.number))


def _post_staff(call: Call, town: DemoCity) -> None:
    """Enter who works where: an officer (经办人员) issues and changes, a clerk (窗口人员) verifies and looks up."""

    def post(person: DemoPerson, department: str, role: str, counter: str | None = None) -> None:
        subject = people.find(call, person.number)
        call.session.merge(Staff(subject=subject, department=department, role=role, counter=counter))

    for department in town.departments:
        post(department.officer, department.credit_code, "officer")
        if department.second_officer is not None:
            post(department.second_officer, department.credit_code, "officer")
    for clerk in town.clerks:
        post(clerk.person, clerk.department, "clerk", clerk.counter)


def _enrol_organisation(call: Call, organisation: DemoOrganisation) -> None:
    principal = organisations.enrol(call, code=organisation.credit_code, name=organisation.name)
    _grant(call, organisation.representative, principal, "legal_representative")
    if organisation.agent != organisation.representative:
        _grant(call, organisation.agent, principal, "agent")


def _grant(call: Call, person: DemoPerson, principal: str, role: str) -> None:
    subject = people.find(call, person.number)
    if subject is not None and not any(live.principal == principal for live in mandates.live(call, subject)):
        mandates.grant(call, person=subject, principal=principal, role=role)


def _issue(house: House, wallet: Sequence[DemoLicence]) -> None:
    """Issue what one holder does not hold yet, as the API does it: on record first, then sealed and signed."""

    def intend(call: Call) -> list[tuple[DemoLicence, issue.Intent]]:
        subject = people.find(call, wallet[0].holder_number)
        held = set(call.session.scalars(select(Licence.type_code).where(Licence.subject == subject)))
        return [(licence, issue.intend(call, _request(licence))) for licence in wallet if licence.type_code not in held]

    def carry_out(call: Call) -> None:
        for licence, intent in intended:
            issued = issue.issue(call, intent)
            if licence.then is not None:
                call.session.flush()
                wanted = {"change": str(licence.then), "reason": licence.reason}
                change.change(call, issued.identifier, wanted, None)

    if intended := act(house, intend):
        act(house, carry_out)


def _request(licence: DemoLicence) -> dict[str, object]:
    return {
        "type": licence.type_code,
        "department": licence.department,
        "holder": {"number": licence.holder_number},
        "fields": licence.fields,
        "valid_from": licence.valid_from,
        "valid_until": licence.valid_until,
    }
