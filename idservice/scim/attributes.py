"""Attributes, schemas and resource types of SCIM: RFC 7643 sections 2, 6 and 7. Pure.

A resource is a dict with the names of the schema; an extension's attributes stand below its URN. `ResourceType.find`
is the one place where a name that somebody wrote becomes an attribute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

READ_ONLY, READ_WRITE, IMMUTABLE, WRITE_ONLY = "readOnly", "readWrite", "immutable", "writeOnly"
ALWAYS, DEFAULT, NEVER = "always", "default", "never"
STRING, BOOLEAN, MOMENT, REFERENCE, COMPLEX = "string", "boolean", "dateTime", "reference", "complex"

SCHEMA: Final = "urn:ietf:params:scim:schemas:core:2.0:Schema"
RESOURCE_TYPE: Final = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute and its characteristics (RFC 7643 section 2.2); `longest` is a bound of ours."""

    name: str
    description: str
    kind: str = STRING
    multi: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: str = READ_WRITE
    returned: str = DEFAULT
    uniqueness: str = "none"
    canonical: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    subs: tuple[Attribute, ...] = ()
    longest: int = 256

    def sub(self, name: str) -> Attribute | None:
        """Return the sub-attribute of that name, in any case."""
        return _named(self.subs, name)

    def described(self) -> dict[str, Any]:
        """Return the attribute as a schema tells it (RFC 7643 section 7)."""
        told: dict[str, Any] = {
            "name": self.name,
            "type": self.kind,
            "multiValued": self.multi,
            "description": self.description,
            "required": self.required,
            "mutability": self.mutability,
            "returned": self.returned,
        }
        if self.kind == COMPLEX:
            return told | {"subAttributes": [sub.described() for sub in self.subs]}
        told |= {"caseExact": self.case_exact, "uniqueness": self.uniqueness}
        if self.canonical:
            told["canonicalValues"] = list(self.canonical)
        return told | ({"referenceTypes": list(self.references)} if self.references else {})


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema: a URN and its attributes."""

    urn: str
    name: str
    description: str
    attributes: tuple[Attribute, ...]

    def described(self, base: str) -> dict[str, Any]:
        """Return the schema's own resource."""
        return {
            "schemas": [SCHEMA],
            "id": self.urn,
            "name": self.name,
            "description": self.description,
            "attributes": [attribute.described() for attribute in self.attributes],
            "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{self.urn}"},
        }


@dataclass(frozen=True, slots=True)
class Located:
    """Where in a resource an attribute stands: below an extension's URN, or not; `sub` is one of its parts."""

    extension: str | None
    attribute: Attribute
    sub: Attribute | None = None

    @property
    def leaf(self) -> Attribute:
        """Return what is meant in the end."""
        return self.sub or self.attribute

    def holder(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Return the dict in which the attribute stands; of an extension that is not there, an empty one."""
        if self.extension is None:
            return resource
        found: dict[str, Any] = resource.get(self.extension, {})
        return found


# RFC 7643 section 3.1: what every resource has, and no schema tells.
COMMON: Final = (
    Attribute("schemas", "", REFERENCE, multi=True, case_exact=True, mutability=READ_ONLY, returned=ALWAYS),
    Attribute("id", "", case_exact=True, mutability=READ_ONLY, returned=ALWAYS),
    Attribute("externalId", "", case_exact=True),
    Attribute(
        "meta",
        "",
        COMPLEX,
        mutability=READ_ONLY,
        subs=(
            Attribute("resourceType", "", case_exact=True, mutability=READ_ONLY),
            Attribute("created", "", MOMENT, mutability=READ_ONLY),
            Attribute("lastModified", "", MOMENT, mutability=READ_ONLY),
            Attribute("location", "", REFERENCE, case_exact=True, mutability=READ_ONLY),
            Attribute("version", "", case_exact=True, mutability=READ_ONLY),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A kind of resource: where it is, its schema, and the schemas that extend it."""

    name: str
    endpoint: str
    description: str
    schema: Schema
    extensions: tuple[Schema, ...] = ()

    @property
    def schemas(self) -> tuple[Schema, ...]:
        """Return its schema and the extensions."""
        return (self.schema, *self.extensions)

    def attributes(self, extension: str | None = None) -> tuple[Attribute, ...]:
        """Return the attributes of the resource itself, or those below an extension's URN."""
        if extension is None:
            return (*COMMON, *self.schema.attributes)
        return next(schema.attributes for schema in self.extensions if schema.urn == extension)

    def extension(self, text: str) -> str | None:
        """Return the URN of the extension that `text` names, in any case."""
        return next((schema.urn for schema in self.extensions if schema.urn.lower() == text.lower()), None)

    def find(self, text: str) -> Located | None:
        """Return the attribute that `text` names: `name`, `name.sub`, or either with its schema's URN before it."""
        extension, rest = None, text
        for schema in self.schemas:
            if text.lower().startswith(f"{schema.urn.lower()}:"):
                extension = schema.urn if schema is not self.schema else None
                rest = text[len(schema.urn) + 1 :]
        name, dot, part = rest.partition(".")
        attribute = _named(self.attributes(extension), name)
        if attribute is None:
            return None
        sub = attribute.sub(part) if dot else None
        return None if dot and sub is None else Located(extension, attribute, sub)

    def described(self, base: str) -> dict[str, Any]:
        """Return the resource type's own resource (RFC 7643 section 6)."""
        return {
            "schemas": [RESOURCE_TYPE],
            "id": self.name,
            "name": self.name,
            "endpoint": self.endpoint,
            "description": self.description,
            "schema": self.schema.urn,
            "schemaExtensions": [{"schema": schema.urn, "required": False} for schema in self.extensions],
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{self.name}"},
        }


def _named(attributes: tuple[Attribute, ...], name: str) -> Attribute | None:
    return next((attribute for attribute in attributes if attribute.name.lower() == name.lower()), None)
