"""PATCH: RFC 7644 section 3.5.2. Pure: the resource as it is and a list of operations make the resource as it is to be.

An operation on an attribute that is not the client's to write is refused, wherever it stands: nothing is half done.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from idservice.errors import Problem
from idservice.scim import filters, reading
from idservice.scim.attributes import COMPLEX, IMMUTABLE, READ_ONLY, Attribute, Located, ResourceType
from idservice.scim.filters import Path

PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST_OPERATIONS: Final = 100
_ADD, _REPLACE, _REMOVE = "add", "replace", "remove"


def patched(kind: ResourceType, resource: dict[str, Any], body: Any) -> dict[str, Any]:
    """Return the resource after all operations.

    Raises:
        Problem: scim_syntax, scim_path, scim_filter, scim_no_target, scim_value or scim_mutability.
    """
    changed = deepcopy(resource)
    for operation in _operations(body):
        op, path = operation.get("op"), operation.get("path")
        op = op.lower() if isinstance(op, str) else ""
        if op not in {_ADD, _REPLACE, _REMOVE} or not (path is None or isinstance(path, str)):
            raise Problem("scim_syntax", "An operation has op add, replace or remove, and a path that is a text.")
        if op != _REMOVE and "value" not in operation:
            raise Problem("scim_value", "add and replace need a value.")
        if path is None:
            _without_path(kind, changed, op, operation.get("value"))
        else:
            _apply(kind, changed, op, filters.path_of(path, kind), operation.get("value"))
    return reading.required(kind, changed)


def _operations(body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, dict) or body.get("schemas") != [PATCH_OP]:
        raise Problem("scim_syntax", f"schemas must be [{PATCH_OP}].")
    found = next((value for name, value in body.items() if name.lower() == "operations"), None)
    if not isinstance(found, list) or not 0 < len(found) <= MOST_OPERATIONS:
        raise Problem("scim_syntax", f"Operations is an array of 1 to {MOST_OPERATIONS} operations.")
    if not all(isinstance(one, dict) for one in found):
        raise Problem("scim_syntax", "An operation is an object.")
    return found


def _without_path(kind: ResourceType, changed: dict[str, Any], op: str, value: Any) -> None:
    if op == _REMOVE:
        raise Problem("scim_no_target", "remove needs a path.")
    if not isinstance(value, dict):
        raise Problem("scim_value", "Without a path the value is an object.")
    for name, given in value.items():
        if name.lower() != "schemas":
            _apply(kind, changed, op, filters.path_of(name, kind), given)


def _apply(kind: ResourceType, changed: dict[str, Any], op: str, path: Path, value: Any) -> None:
    if path.extension is not None:
        _extension(kind, changed, op, path.extension, value)
    elif path.located is not None:
        located = path.located
        _refuse_fixed(located)
        holder = changed if located.extension is None else changed.setdefault(located.extension, {})
        if path.selects is not None:
            _selected(holder, op, path, value)
        elif located.sub is not None:
            _part(holder, op, located, value)
        else:
            _whole(holder, op, located.attribute, value)


def _refuse_fixed(located: Located) -> None:
    if READ_ONLY in {located.attribute.mutability, located.leaf.mutability}:
        raise Problem("scim_mutability", f"{located.attribute.name} is not the client's to write.")
    if located.sub is not None and located.sub.mutability == IMMUTABLE:
        raise Problem("scim_mutability", f"{located.sub.name} stays as it is: remove the value and add another.")


def _extension(kind: ResourceType, changed: dict[str, Any], op: str, urn: str, value: Any) -> None:
    if op == _REMOVE:
        changed.pop(urn, None)
        return
    if not isinstance(value, dict):
        raise Problem("scim_value", "The value of an extension is an object.")
    for name, given in value.items():
        if name.lower() == "schemas":
            continue
        located = kind.find(f"{urn}:{name}")
        if located is None:
            raise Problem("scim_path", "The extension has no such attribute.")
        _apply(kind, changed, op, Path(located), given)


def _whole(holder: dict[str, Any], op: str, attribute: Attribute, value: Any) -> None:
    """Add to, replace or remove a whole attribute."""
    name = attribute.name
    if op == _REMOVE:
        if attribute.required or attribute.mutability == IMMUTABLE:
            raise Problem("scim_mutability", f"{name} always has a value.")
        if attribute.multi and value is not None:  # not in the standard, and sent by many: remove exactly these
            gone = reading.value(attribute, value if isinstance(value, list) else [value]) or []
            _put(holder, name, [held for held in holder.get(name, []) if not any(_same(held, one) for one in gone)])
        else:
            holder.pop(name, None)
        return
    given = reading.value(attribute, [value] if attribute.multi and isinstance(value, dict) else value)
    if attribute.multi and op == _ADD:
        held = holder.get(name, [])
        new = [one for one in given or [] if not any(_same(one, other) for other in held)]
        _put(holder, name, _one_primary([*held, *new], new))
    elif attribute.kind == COMPLEX and not attribute.multi and given is not None:
        holder[name] = {**holder.get(name, {}), **given}
    else:
        _put(holder, name, given)


def _part(holder: dict[str, Any], op: str, located: Located, value: Any) -> None:
    """Set or remove one part: of a complex attribute, or of each of its values."""
    name = located.attribute.name
    if not located.attribute.multi:
        _set(holder.setdefault(name, {}), op, located.leaf, value)
        _put(holder, name, holder[name])
        return
    if not (held := holder.get(name)):
        raise Problem("scim_no_target", f"{name} has no values.")
    for one in held:
        _set(one, op, located.leaf, value)
    _put(holder, name, _one_primary([one for one in held if one], []))


def _selected(holder: dict[str, Any], op: str, path: Path, value: Any) -> None:
    """Change the values that a filter selects, or one part of each."""
    if path.located is None or path.selects is None:
        raise AssertionError("unreachable")
    attribute, part = path.located.attribute, path.located.sub
    held = holder.get(attribute.name, [])
    chosen = [one for one in held if path.selects(one)]
    if not chosen:
        raise Problem("scim_no_target", "The filter selects no value.")
    if part is not None:
        for one in chosen:
            _set(one, op, part, value)
    elif op == _REMOVE:
        held = [one for one in held if not any(one is other for other in chosen)]
    else:
        _refuse_immutable_parts(attribute)
        given = reading.value(attribute, [value])
        for one in chosen:
            if op == _REPLACE:
                one.clear()
            one.update(deepcopy(given[0]))
    _put(holder, attribute.name, _one_primary([one for one in held if one], [] if op == _REMOVE else chosen))


def _refuse_immutable_parts(attribute: Attribute) -> None:
    if any(sub.mutability == IMMUTABLE for sub in attribute.subs):
        raise Problem("scim_mutability", f"A value of {attribute.name} stays as it is: remove it and add another.")


def _set(target: dict[str, Any], op: str, leaf: Attribute, value: Any) -> None:
    given = None if op == _REMOVE else reading.value(leaf, value)
    _put(target, leaf.name, given)


def _put(target: dict[str, Any], name: str, given: Any) -> None:
    """Set a member, or take it away where no value is left: null, empty and absent are the same (RFC 7643 2.5)."""
    if given is None or given in ([], {}):
        target.pop(name, None)
    else:
        target[name] = given


def _same(one: Any, other: Any) -> bool:
    """Return whether two values of an attribute are one: members by `value` alone, whatever else they show."""
    if isinstance(one, dict) and isinstance(other, dict) and "display" in {*one, *other}:
        return bool(one.get("value") == other.get("value"))
    return bool(one == other)


def _one_primary(values: list[Any], new: list[Any]) -> list[Any]:
    """Let a new primary value take the place of an old one (RFC 7644 section 3.5.2)."""
    if any(isinstance(one, dict) and one.get("primary") for one in new):
        for one in values:
            if one.get("primary") and not any(one is other for other in new):
                one["primary"] = False
    if sum(1 for one in values if isinstance(one, dict) and one.get("primary")) > 1:
        raise Problem("scim_value", "At most one value is primary.")
    return values
