"""Which licences everybody in the demonstration city holds, since when, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from licences.definition_file import shipped_types
from licences.demo import faces
from licences.demo.people import MARRIED
from licences.lifecycle import Change

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from licences.definition import LicenceType
    from licences.demo.departments import DemoDepartment
    from licences.demo.organisations import DemoOrganisation
    from licences.demo.people import DemoPerson

#: Everything that people and organisations before these places hold is valid; behind them some of it is not.
TROUBLE_FROM_PERSON: Final = 100
TROUBLE_FROM_ORGANISATION: Final = 20
#: These people hold nothing at all: the counter finds no licence for them.
EMPTY_HANDED: Final = range(175, 185)

#: Share of the people who hold a type, beside the resident card and the marriage certificate.
_SHARES: Final = {
    "driving_licence": 0.5,
    "household_register": 0.45,
    "real_estate_title": 0.3,
    "vocational_qualification": 0.2,
    "birth_certificate": 0.5,
    "disability_card": 0.06,
    "road_transport_permit": 0.05,
}
#: The field of the face that says since when a licence of that type holds.
_BEGINS_WITH: Final = {
    "business_licence": "established_on",
    "household_register": "registered_on",
    "marriage_certificate": "registered_on",
    "vocational_qualification": "assessed_on",
}
_BIRTH_CERTIFICATES_SINCE: Final = date(1996, 1, 1)


@dataclass(frozen=True, slots=True)
class DemoLicence:
    """One licence to be issued by `department` (credit code); `then` is the change that follows at once, if any."""

    type_code: str
    holder_number: str = field(repr=False)
    department: str
    fields: faces.Face = field(repr=False)
    valid_from: date
    valid_until: date | None
    then: Change | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Maker:
    """What it takes to make any licence: the dice, the day, the catalogue and who issues what."""

    rng: Random
    today: date
    types: dict[str, LicenceType]
    issuers: dict[str, str]

    def make(self, slug: str, number: str, fields: faces.Face, *, earliest: date) -> DemoLicence:
        """Return a licence in force today, begun on the day its face names, else on a random day from `earliest`."""
        of = self.types[slug]
        if slug in _BEGINS_WITH:
            since = date.fromisoformat(str(fields[_BEGINS_WITH[slug]]))
        elif slug == "birth_certificate":
            since = earliest
        else:
            most = min(4_000, 30 * (of.validity_months or 999))
            since = max(self.today - timedelta(days=self.rng.randrange(30, most)), earliest)
        return DemoLicence(of.code, number, self.issuers[of.code], fields, since, of.last_day(since))


def make_wallets(
    rng: Random,
    people: tuple[DemoPerson, ...],
    organisations: tuple[DemoOrganisation, ...],
    departments: tuple[DemoDepartment, ...],
    today: date,
) -> tuple[DemoLicence, ...]:
    """Return every licence of the city, holder by holder; the first of a holder is the one that says who he is."""
    types = {entry.slug: entry for entry in shipped_types()}
    maker = _Maker(rng, today, types, {code: entry.credit_code for entry in departments for code in entry.issues})
    made = [
        _trouble(maker, licence, place - TROUBLE_FROM_PERSON)
        for place in range(len(people))
        for licence in _of_person(maker, people, place)
    ]
    made += [
        _trouble(maker, licence, place - TROUBLE_FROM_ORGANISATION)
        for place, organisation in enumerate(organisations)
        for licence in _of_organisation(maker, organisation, place)
    ]
    return tuple(made)


def _of_person(maker: _Maker, people: tuple[DemoPerson, ...], place: int) -> Iterator[DemoLicence]:
    if place in EMPTY_HANDED:
        return
    person = people[place]
    spouse = people[place ^ 1] if place < MARRIED else None
    who = faces.Person(person, spouse, mother=_mother(people, person), today=maker.today)
    for slug in _slugs_of_person(maker.rng, person, place):
        fields = faces.FOR_PERSON[slug](maker.rng, who)
        earliest = date.fromisoformat(str(fields.get("first_issued_on", person.birth_date)))
        yield maker.make(slug, person.number, fields, earliest=earliest)


def _mother(people: tuple[DemoPerson, ...], child: DemoPerson) -> DemoPerson:
    """Return the woman of the city whose age comes nearest to being 27 years above the child's."""
    day = child.birth_date - timedelta(days=27 * 365)
    return min((woman for woman in people if not woman.male), key=lambda woman: abs(woman.birth_date - day))


def _slugs_of_person(rng: Random, person: DemoPerson, place: int) -> Iterator[str]:
    yield "resident_card"
    if place < MARRIED:
        yield "marriage_certificate"
    for slug, share in _SHARES.items():
        old = slug == "birth_certificate" and person.birth_date < _BIRTH_CERTIFICATES_SINCE
        # The first person holds one of each, so that one account shows everything.
        if (place == 0 or rng.random() < share) and not old:
            yield slug
    if place == 0:
        yield "social_security_card"


def _of_organisation(maker: _Maker, organisation: DemoOrganisation, place: int) -> Iterator[DemoLicence]:
    slugs = ["institution_certificate"] if organisation.is_institution else ["business_licence"]
    slugs += ["food_permit"] * (place % 2 == 0 and not organisation.is_institution)
    slugs += ["road_transport_permit"] * (place % 3 == 0) + ["real_estate_title"] * (place % 2 == 0)
    for slug in slugs:
        fields = faces.FOR_ORGANISATION[slug](maker.rng, organisation)
        yield maker.make(slug, organisation.credit_code, fields, earliest=organisation.established_on)


def _trouble(maker: _Maker, licence: DemoLicence, place: int) -> DemoLicence:
    """Let some licences be suspended, revoked, expired or not begun; never the one that says who the holder is."""
    slugs = ("driving_licence", "vocational_qualification", "food_permit", "road_transport_permit")
    slug = next((name for name in slugs if maker.types[name].code == licence.type_code), None)
    if place < 0 or slug is None:
        return licence
    of, turn = maker.types[slug], place % 5
    if turn == 0:
        return replace(licence, then=Change.SUSPEND, reason="演示：暂扣")
    if turn == 1:
        return replace(licence, then=Change.REVOKE, reason="演示：撤销")
    if turn == 2 and of.validity_months is not None:
        since = maker.today - timedelta(days=32 * of.validity_months)
        return replace(licence, valid_from=since, valid_until=of.last_day(since))
    if turn == 3:
        since = maker.today + timedelta(days=30)
        return replace(licence, valid_from=since, valid_until=of.last_day(since))
    return licence
