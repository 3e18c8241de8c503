"""The OpenAPI 3.1 document, made from the endpoints' own contracts, at `/openapi.json`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from flask_smorest import Api
from marshmallow import fields

if TYPE_CHECKING:
    from flask import Flask
    from flask_smorest import Blueprint

    from idservice.http.endpoint import Contract
    from idservice.settings import Settings

DESCRIPTION = """One number access (一号通行): log people and organisations in, issue and verify electronic licences,
seal and verify documents, look proofs up instead of asking for paper.

Tokens come from the OAuth 2.0 / OpenID Connect provider described at `/.well-known/openid-configuration`."""

_KEY_SCHEMA = {"type": "string", "maxLength": 255}
_KEY_HEADER = {"in": "header", "name": "Idempotency-Key", "schema": _KEY_SCHEMA, "required": False}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable: programs decide by it"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


class Upload(fields.Field[bytes]):
    """A file of a multipart form, as bytes; a JSON string in its place is refused."""

    default_error_messages = {"type": "Send this member as a file of a multipart/form-data body."}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:  # noqa: ARG002
        if not isinstance(value, bytes):
            raise self.make_error("type")
        return value


class _Api(Api):  # type: ignore[misc]
    """flask-smorest without its own error envelope: `idservice.http.problems` answers every error.

    The document is made when it is first asked for: to make it takes longer than all else at the start of a worker, and
    of a city's workers one may ever be asked.
    """

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, *given: Any, **options: Any) -> None:
        self._undescribed: list[Blueprint] = []
        self._describing = threading.RLock()
        super().__init__(*given, **options)

    @property
    def spec(self) -> Any:
        """Return the document with every operation in it, or raise again: never one in which some are missing."""
        with self._describing:
            while self._undescribed:
                blueprint = self._undescribed[0]
                name = blueprint.name
                blueprint.register_views_in_doc(self, self._app, self._spec, name=name, parameters=None)
                self._spec.tag({"name": name, "description": blueprint.description})
                del self._undescribed[0]
        return self._spec

    @spec.setter
    def spec(self, made: Any) -> None:
        self._spec = made

    def register_blueprint(self, blueprint: Blueprint) -> None:
        """Mount a blueprint, and have its operations described when the document is asked for."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        self._app.register_blueprint(blueprint)
        self._undescribed.append(blueprint)

    def _register_error_handlers(self) -> None:
        """Register none."""


def _schema_name(schema: Any) -> str:
    """Return `room.Name`, since two rooms may well call different things by the same word."""
    kind = resolve_schema_cls(schema)
    if isinstance(kind, list):
        raise TypeError(f"ambiguous schema {schema!r}")
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__.removesuffix('Schema')}"


def install(app: Flask, settings: Settings) -> Api:
    """Create the API of `app`; rooms register their blueprints on it."""
    app.config.update(
        API_TITLE="One Number Access 一号通行",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
    )
    plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
    api = _Api(app, spec_kwargs={"info": {"description": DESCRIPTION}, "marshmallow_plugin": plugin})
    api.register_field(Upload, "string", "binary")
    api.spec.components.schema("Problem", PROBLEM)
    api.spec.components.security_scheme(
        "oauth2",
        {"type": "openIdConnect", "openIdConnectUrl": f"{settings.issuer}/.well-known/openid-configuration"},
    )
    return api


def operation_of(contract: Contract) -> dict[str, Any]:
    """Return the OpenAPI operation of a contract."""
    problem = {"description": "Problem", "content": {"application/problem+json": {"schema": _PROBLEM}}}
    success: dict[str, Any] = {"description": "OK"}
    if contract.answer is not None:
        success["content"] = {"application/json": {"schema": contract.answer}}
    operation: dict[str, Any] = {
        "operationId": contract.name.replace(".", "_"),
        "responses": {str(contract.status): success, "default": problem},
        "security": [{"oauth2": [contract.scope]}] if contract.scope else [],
    }
    if contract.detail is not None:
        operation["x-authorization-details-type"] = contract.detail
    if contract.body is not None:
        content: dict[str, Any] = {"application/json": {"schema": contract.body}}
        if contract.upload:
            content["multipart/form-data"] = {"schema": contract.body}
        operation["requestBody"] = {"required": True, "content": content}
    parameters: list[dict[str, Any]] = []
    if contract.query is not None:
        parameters.append({"in": "query", "schema": contract.query})
    if contract.is_keyed:
        parameters.append(_KEY_HEADER)
    return operation | ({"parameters": parameters} if parameters else {})
