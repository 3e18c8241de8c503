"""What a look-up asks of each proof, and that it asks for no more than the matter needs (最小必要).

Personal Information Protection Law article 6. A request may ask for less: some of the fields, or another of the ways
that the matter allows. A way that sets somebody else to work is gone by itself only for a proof the matter cannot do
without.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from idservice.errors import FieldProblem, Problem
from licences.counter.matter_definition import Way

if TYPE_CHECKING:
    from collections.abc import Mapping

    from licences.counter.matter_definition import Matter, Proof
    from licences.surface import Value

_MEMBERS: Final = ("fields", "claims", "ways")
_SETS_OTHERS_TO_WORK: Final = frozenset({Way.DEPARTMENT_CHECK, Way.COMMITMENT})
#: Not gone where the holder chose what to show: a department answers in its own words, which no choice bounds.
BEYOND_CHOICE: Final = frozenset({Way.DEPARTMENT_CHECK})


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of one proof: `fields` to be read, `claims` to be compared, `ways` to be gone, in that order."""

    fields: tuple[str, ...]
    claims: Mapping[str, Value]
    ways: tuple[Way, ...]

    def within(self, chosen: frozenset[str] | None) -> tuple[Asked, tuple[str, ...]]:
        """Return what may be asked within the fields that the holder chose to show, and what he left out.

        None: he chose none and left it to the matter. Claims are compared all together or not at all, so that a yes is
        one to everything that was claimed. What he left out is not had from a department instead.
        """
        if chosen is None:
            return self, ()
        fields = tuple(name for name in self.fields if name in chosen)
        left_out = tuple(name for name in dict.fromkeys((*self.fields, *self.claims)) if name not in chosen)
        claims = self.claims if self.claims.keys() <= chosen else {}
        ways = tuple(way for way in self.ways if way not in BEYOND_CHOICE)
        return replace(self, fields=fields, claims=claims, ways=ways), left_out


def read(matter: Matter, body: Mapping[str, Any]) -> dict[str, Asked]:
    """Return what is asked of each proof of the matter, by proof; cancelled ones are asked for by nobody.

    Raises:
        Problem: fields_exceeded, naming everything the matter does not need; invalid, for a way it does not allow.
    """
    needed = {proof.proof: proof for proof in matter.needed}
    given: dict[str, Mapping[str, Any]] = {member: body.get(member) or {} for member in _MEMBERS}
    if excess := [place for member in _MEMBERS for place in _excess(member, given[member], needed)]:
        errors = [FieldProblem(place, "exceeded", "the matter does not need it") for place in excess[:50]]
        raise Problem("fields_exceeded", "Ask for what the matter lists, or for less.", errors=errors)
    return {name: _asked(proof, given) for name, proof in needed.items()}


def _excess(member: str, given: Mapping[str, Any], needed: Mapping[str, Proof]) -> list[str]:
    places = []
    for name, wanted in given.items():
        proof = needed.get(name)
        if proof is None:
            places.append(_pointer(member, name))
        elif member != "ways":
            places += [_pointer(member, name, field) for field in wanted if field not in proof.fields]
    return places


def _pointer(*steps: str) -> str:
    return "".join("/" + step[:40].replace("~", "~0").replace("/", "~1") for step in steps)


def _asked(proof: Proof, given: Mapping[str, Mapping[str, Any]]) -> Asked:
    wanted = given["fields"].get(proof.proof)
    fields = proof.fields if wanted is None else tuple(name for name in proof.fields if name in wanted)
    return Asked(fields, given["claims"].get(proof.proof) or {}, _ways(proof, given["ways"].get(proof.proof)))


def _ways(proof: Proof, chosen: str | None) -> tuple[Way, ...]:
    if chosen is None:
        return tuple(way for way in proof.ways if proof.required or way not in _SETS_OTHERS_TO_WORK)
    if chosen not in proof.ways:
        place = _pointer("ways", proof.proof)
        raise Problem("invalid", "", errors=[FieldProblem(place, "choice", "one of the matter's ways")])
    return (Way(chosen),)
