"""SCIM 2.0 for staff accounts at `/scim/v2`: the endpoints of RFC 7644 section 3.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from idservice.errors import Problem
from idservice.scim import account_view, accounts, discovery, groups, querying
from idservice.scim.account_view import base
from idservice.scim.door import READ, WRITE, Answer, Sent, blueprint, scim
from idservice.scim.resource_types import GROUP, TYPES, USER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idservice.call import Call
    from idservice.scim.attributes import ResourceType
    from idservice.scim.groups import Changed
    from idservice.scim.querying import Query
    from idservice.scim.reach import Reach

__all__ = ["blueprint"]


@scim("GET", "/ServiceProviderConfig", scope=READ)
def read_config(call: Call, _reach: Reach, _sent: Sent) -> Answer:
    """Say what is offered."""
    return Answer(discovery.config(call.settings.issuer, base(call)))


@scim("GET", "/Schemas", scope=READ)
def list_schemas(call: Call, _reach: Reach, sent: Sent) -> Answer:
    """List the schemas."""
    discovery.refuse_filter(sent.query)
    return Answer(discovery.listed(discovery.schemas(base(call))))


@scim("GET", "/Schemas/<name>", scope=READ)
def read_schema(call: Call, _reach: Reach, _sent: Sent, name: str) -> Answer:
    """Return one schema."""
    return Answer(discovery.one(discovery.schemas(base(call)), name))


@scim("GET", "/ResourceTypes", scope=READ)
def list_resource_types(call: Call, _reach: Reach, sent: Sent) -> Answer:
    """List the resource types."""
    discovery.refuse_filter(sent.query)
    return Answer(discovery.listed(discovery.resource_types(base(call))))


@scim("GET", "/ResourceTypes/<name>", scope=READ)
def read_resource_type(call: Call, _reach: Reach, _sent: Sent, name: str) -> Answer:
    """Return one resource type."""
    return Answer(discovery.one(discovery.resource_types(base(call)), name))


@scim("GET", "/Users", scope=READ)
def list_users(call: Call, reach: Reach, sent: Sent) -> Answer:
    """List staff accounts."""
    return _listed(call, reach, querying.of_url(sent.query), USER)


@scim("POST", "/Users/.search", scope=READ, body=True)
def search_users(call: Call, reach: Reach, sent: Sent) -> Answer:
    """List staff accounts, asked for in a body."""
    return _listed(call, reach, querying.of_body(sent.body), USER)


@scim("GET", "/Groups", scope=READ)
def list_groups(call: Call, reach: Reach, sent: Sent) -> Answer:
    """List groups."""
    return _listed(call, reach, querying.of_url(sent.query), GROUP)


@scim("POST", "/Groups/.search", scope=READ, body=True)
def search_groups(call: Call, reach: Reach, sent: Sent) -> Answer:
    """List groups, asked for in a body."""
    return _listed(call, reach, querying.of_body(sent.body), GROUP)


@scim("POST", "/.search", scope=READ, body=True)
def search(call: Call, reach: Reach, sent: Sent) -> Answer:
    """List resources of every kind."""
    return _listed(call, reach, querying.of_body(sent.body), *TYPES)


@scim("POST", "/Users", scope=WRITE, body=True, write=True)
def create_user(call: Call, reach: Reach, sent: Sent) -> Answer:
    """Enter a staff account."""
    made = accounts.make(call, reach, sent.body)
    return _shown(sent, USER, made, 201, {"Location": made["meta"]["location"]})


@scim("GET", "/Users/<name>", scope=READ)
def read_user(call: Call, reach: Reach, sent: Sent, name: str) -> Answer:
    """Return a staff account."""
    return _shown(sent, USER, accounts.read(call, reach, name))


@scim("PUT", "/Users/<name>", scope=WRITE, body=True, write=True)
def replace_user(call: Call, reach: Reach, sent: Sent, name: str) -> Answer:
    """Replace a staff account."""
    return _shown(sent, USER, accounts.replace(call, reach, name, sent.body, if_match=sent.if_match))


@scim("PATCH", "/Users/<name>", scope=WRITE, body=True, write=True)
def patch_user(call: Call, reach: Reach, sent: Sent, name: str) -> Answer:
    """Change a staff account."""
    return _shown(sent, USER, accounts.patch(call, reach, name, sent.body, if_match=sent.if_match))


@scim("DELETE", "/Users/<name>", scope=WRITE, write=True)
def delete_user(call: Call, reach: Reach, sent: Sent, name: str) -> Answer:
    """End a staff account: posts, sessions and tokens at once."""
    accounts.remove(call, reach, name, if_match=sent.if_match)
    return Answer(None, 204)


@scim("GET", "/Groups/<name>", scope=READ)
def read_group(call: Call, reach: Reach, sent: Sent, name: str) -> Answer:
    """Return a group."""
    return _shown(sent, GROUP, groups.read(call, reach, name))


@scim("PUT", "/Groups/<name>", scope=WRITE, body=True, write=True)
def replace_group(call: Call, reach: Reach, sent: Sent, name: str) -> Answer:
    """Replace the members of a group."""
    return _changed(sent, groups.replace(call, reach, name, sent.body, if_match=sent.if_match))


@scim("PATCH", "/Groups/<name>", scope=WRITE, body=True, write=True)
def patch_group(call: Call, reach: Reach, sent: Sent, name: str) -> Answer:
    """Add and remove members of a group."""
    return _changed(sent, groups.patch(call, reach, name, sent.body, if_match=sent.if_match))


@scim("POST", "/Groups", scope=WRITE)
def create_group(_call: Call, _reach: Reach, _sent: Sent) -> NoReturn:
    """Refuse: groups follow from the departments."""
    raise Problem("not_implemented", "Groups follow from the departments.")


@scim("DELETE", "/Groups/<name>", scope=WRITE)
def delete_group(_call: Call, _reach: Reach, _sent: Sent, name: str) -> NoReturn:
    """Refuse: groups follow from the departments."""
    raise Problem("not_implemented", f"{name[:64]} follows from the departments.")


@scim("POST", "/Bulk", scope=WRITE)
def bulk(_call: Call, _reach: Reach, _sent: Sent) -> NoReturn:
    """Refuse: the configuration says that there is no bulk."""
    raise Problem("not_implemented", "There is no bulk here: send the operations one by one.")


def _me(method: str) -> None:
    def me(_call: Call, _reach: Reach, _sent: Sent) -> NoReturn:
        """Refuse: what a person may know of himself he is told by userinfo."""
        raise Problem("not_implemented", "Use the userinfo endpoint.")

    me.__name__ = f"{method.lower()}_me"
    scim(method, "/Me", scope=READ)(me)


for _method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    _me(_method)


def _listed(call: Call, reach: Reach, query: Query, *kinds: ResourceType) -> Answer:
    def found() -> Iterator[tuple[ResourceType, dict[str, Any]]]:
        if USER in kinds:
            name = querying.user_name(query) if kinds == (USER,) else None
            for account in account_view.listed(call, reach, user_name=name):
                yield USER, account
        if GROUP in kinds:
            for group in groups.listed(call, reach):
                yield GROUP, group

    return Answer(querying.answered(query, kinds, found()))


def _shown(
    sent: Sent, kind: ResourceType, resource: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Answer:
    """Return a resource as far as the parameters of the request ask for it; the version is told in any case."""
    shown = querying.of_url(sent.query).shown.of(kind, resource)
    return Answer(shown, status, {"ETag": resource["meta"]["version"], **(headers or {})})


def _changed(sent: Sent, changed: Changed) -> Answer:
    """Return a group: 202 where another administrator has yet to decide about some of its members."""
    return _shown(sent, GROUP, changed.resource, 202 if changed.is_waiting else 200)
