"""The demonstration city, as its FILE describes it: the requests that the measures send there."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from argon2 import PasswordHasher
from sqlalchemy import update

from benchmarks.flow import Site
from benchmarks.request import Request, form, post_json
from idservice.call import Call, Caller
from idservice.models import Password
from idservice.register import mandates, people
from licences import show
from licences.definition_file import shipped_types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.orm import Session

    from idservice.call import House

LOGGED_IN: Final = 50  # people
ISSUED: Final = "vocational_qualification"  # a person may hold many of this type


@dataclass(frozen=True, slots=True)
class City:
    """A demonstration city that is being served; `members` is its FILE."""

    members: Mapping[str, Any]

    @property
    def issuer(self) -> str:
        """Return its URL."""
        return str(self.members["issuer"])

    def token_request(self, client: str, scope: str) -> Request:
        """Return the request of a client for a token of its own."""
        members = {"grant_type": "client_credentials", "scope": scope}
        return form("/oauth/token", members, user=client, password=self.client(client)["client_secret"])

    def introspection_request(self, client: str, token: str) -> Request:
        """Return the request of a client that asks about its own token."""
        return form("/oauth/introspect", {"token": token}, user=client, password=self.client(client)["client_secret"])

    def client(self, client_id: str) -> Mapping[str, Any]:
        """Return what the FILE says of a client."""
        found: Mapping[str, Any] = next(one for one in self.members["clients"] if one["client_id"] == client_id)
        return found

    def site(self, house: House) -> Site:
        """Return the app and citizens for whole logins; their passwords cost next to nothing to check from now on.

        What the check costs otherwise is meant to be slow and is reported apart. None of them acts for anybody else.
        """
        agents = {organisation["agent_id_number"] for organisation in self.members["organisations"]}
        others = [person for person in self.members["people"] if person["id_number"] not in agents]
        alone: list[Mapping[str, Any]] = []
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

        def make_cheap(session: Session) -> None:
            register = Call(house, session, Caller(channel="cli"), datetime.now(UTC))
            alone.clear()
            for person in others:
                subject = people.find(register, person["id_number"])
                if subject is None or mandates.live(register, subject) or len(alone) == LOGGED_IN:
                    continue  # guardians and proxies act for others, too
                alone.append(person)
                values = {"hash": cheap.hash(person["password"])}
                session.execute(update(Password).where(Password.subject == subject).values(values))

        house.database.run(make_cheap, write=True)
        app = self.client("app-basic")
        return Site(
            self.issuer,
            "/oauth/authorize",
            "/oauth/token",
            app["client_id"],
            app["client_secret"],
            app["redirect_uris"][0],
            tuple((person["id_number"], person["password"]) for person in alone),
            more={"prompt": "consent"},  # consent is remembered here and asked for anew by others
            buttons={"decision": "allow"},
        )

    def issue_requests(self, token: str) -> list[Request]:
        """Return for each person the request that issues one more licence to him."""
        kind = next(entry for entry in shipped_types() if entry.slug == ISSUED)
        fields = {field.name: field.example for field in kind.fields if field.required}
        people_numbers = [person["id_number"] for person in self.members["people"]]
        bodies = ({"type": kind.code, "holder": {"number": number}, "fields": fields} for number in people_numbers)
        return [post_json("/v1/licences", body, token=token) for body in bodies]

    def verification_requests(self, house: House, token: str, count: int) -> list[Request]:
        """Return requests that each verify a show code of one licence, made just now: they are good for a minute."""
        codes = house.database.run(lambda session: list(self._codes(house, session, count)), write=True)
        bodies = ({"text": code, "purpose": "窗口核验"} for code in codes)
        return [post_json("/v1/verifications", body, token=token) for body in bodies]

    def _codes(self, house: House, session: Session, count: int) -> Iterator[str]:
        now = datetime.now(UTC)
        register = Call(house, session, Caller(channel="cli"), now)
        holders = {
            people.find(register, person["id_number"]): person["licences"][0]  # who he is: never suspended or expired
            for person in self.members["people"]
            if person["licences"]
        }
        for subject, licence in itertools.islice(itertools.cycle(holders.items()), count):
            holder = Caller(channel="cli", person=subject)
            yield show.show(Call(house, session, holder, now), {"licences": [licence]}).code
