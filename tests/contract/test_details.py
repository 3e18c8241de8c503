"""Authorization details (RFC 9396): where they are as good as a scope, they confine that very scope."""

from __future__ import annotations

import licences.routes.licences
import licences.routes.showing
import seals.routes
from idservice.http.endpoint import CONTRACTS
from idservice.oauth import detail_types, scopes
from idservice.oauth.mandate_detail import MANDATE

assert licences.routes.licences, licences.routes.showing
assert seals.routes
DETAILED = [contract for contract in CONTRACTS if contract.detail is not None]
TYPES = [kind for name in detail_types.names() if (kind := detail_types.find(name)) is not None]


def test_an_operation_takes_details_of_the_type_that_confines_its_scope() -> None:
    for contract in DETAILED:
        kind = detail_types.find(contract.detail)
        assert kind is not None, contract.name
        assert kind.scope == contract.scope, contract.name


def test_every_type_with_a_scope_is_good_for_something() -> None:
    carrying = {kind.name for kind in TYPES if kind.scope is not None}
    good_for = {contract.detail for contract in DETAILED}
    assert carrying == good_for == {"licence-issue", "licence-show", "seal-use", "openid_credential"}
    assert {kind.name for kind in TYPES} - carrying == {MANDATE.name}


def test_every_type_confines_a_scope_that_exists_and_says_so_in_two_languages() -> None:
    for kind in TYPES:
        assert kind.scope is None or kind.scope in scopes.CATALOGUE
        words = [kind.title, kind.explanation, *(field.title for field in kind.fields.values())]
        assert all(chinese and english and chinese != english for chinese, english in words), kind.name


def test_a_type_for_clients_alone_confines_a_scope_that_they_may_hold() -> None:
    for kind in TYPES:
        if kind.scope is not None and not kind.needs_person:
            assert scopes.CATALOGUE[kind.scope].machine
