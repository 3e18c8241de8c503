"""The demonstration's FILE (演示说明文件): every account, client and licence, for people's programs to start from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idservice.oauth import tokens
from idservice.oauth.grant_policy import CIBA_GRANT
from idservice.register import people
from keys.keyfile import replace_file
from licences import change, enrol, paper
from licences.counter.matter_definition import shipped_matters
from licences.demo import administrators, credentials, decoys, owned_seals
from licences.demo.clients import CLIENTS
from licences.models import Licence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from idservice.call import Call
    from licences.demo.charter import Charter
    from licences.demo.city import DemoCity
    from licences.demo.clients import DemoClient


_PAPER_CODES = 3  # licences whose paper code FILE gives


def content(
    call: Call,
    charter: Charter,
    town: DemoCity,
    environment: Mapping[str, str],
    sealed: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return what stands in FILE.

    `environment` is what an operator's command needs to work on this city, `sealed` what `documents.make` returned.
    """
    wanted: dict[str, list[str]] = {}
    for licence in town.licences:
        wanted.setdefault(licence.holder_number, []).append(licence.type_code)
    return {
        "issuer": call.settings.issuer,
        "demonstration": True,
        "people": [
            {
                "id_number": person.number,
                "name": person.name,
                "password": credentials.password(charter, person.number),
                "totp_secret": credentials.totp_secret(charter, person.number),
                "level": person.level,
                "licences": _licences(call, person.number, wanted.get(person.number, [])),
            }
            for person in town.people
        ],
        "organisations": [
            {
                "credit_code": organisation.credit_code,
                "name": organisation.name,
                "agent_id_number": organisation.agent.number,
                "licences": _licences(call, organisation.credit_code, wanted.get(organisation.credit_code, [])),
            }
            for organisation in town.organisations
        ],
        "departments": [
            {
                "credit_code": department.credit_code,
                "name": department.name,
                "issues": list(department.issues),
                "officer_id_number": department.officer.number,
                **({"second_officer_id_number": second.number} if (second := department.second_officer) else {}),
                "seal_id": enrol.seal_of(call, department.credit_code),
            }
            for department in town.departments
        ],
        "clerks": [
            {
                "id_number": clerk.person.number,
                "password": credentials.password(charter, clerk.person.number),
                "totp_secret": credentials.totp_secret(charter, clerk.person.number),
                "department": clerk.department,
                "counter": clerk.counter,
            }
            for clerk in town.clerks
        ],
        "administrators": [
            {"id_number": person.number, "role": str(role)} for person, role in administrators.administrators(town)
        ],
        "clients": [_client(charter, client) for client in CLIENTS],
        "initial_access_token": credentials.initial_access_token(charter),
        "resources": [tokens.resource(call.settings)],
        "environment": dict(environment),
        "approvals_url": f"{call.settings.issuer}/me/approvals",
        "matters": [
            {"code": matter.code, "name": matter.name, "proofs": [proof.proof for proof in matter.needed]}
            for matter in shipped_matters()
        ],
        "seals": owned_seals.listed(call, town),
        "documents": [one["path"] for one in sealed if one["ok"] and "document" not in one],
        "document_verdicts": list(sealed),
        "honey_numbers": list(decoys.numbers()),
        "paper_qr": _paper_codes(call, town.people[0].number, wanted.get(town.people[0].number, [])),
    }


def write(path: Path, members: Mapping[str, Any]) -> None:
    """Put FILE at `path` whole or not at all, readable by this account alone; OSError where that cannot be done."""
    replace_file(path, json.dumps(members, ensure_ascii=False, indent=1).encode())


def _licences(call: Call, number: str, type_codes: list[str]) -> list[str]:
    """Return the holder's licences of these types in that order, the newest version of the oldest of each."""
    subject = people.find(call, number)
    current = select(Licence.type_code, Licence.identifier).where(
        Licence.subject == subject, Licence.next_identifier.is_(None)
    )
    found: dict[str, str] = {}
    for type_code, identifier in call.session.execute(current.order_by(Licence.issued_at, Licence.identifier)):
        found.setdefault(type_code, identifier)
    return [found[code] for code in type_codes if code in found]


def _paper_codes(call: Call, number: str, type_codes: list[str]) -> list[str]:
    """Return what stands on the paper of a holder's licences, in both forms."""
    held = [change.find(call, code) for code in _licences(call, number, type_codes)[:_PAPER_CODES]]
    return [form(call, licence) for licence in held for form in (paper.address, paper.compact)]


def _client(charter: Charter, client: DemoClient) -> dict[str, Any]:
    members: dict[str, Any] = {
        "name": client.client_id,
        "client_id": client.client_id,
        "auth_method": client.auth_method,
        "grant_types": list(client.grant_types),
        "scope": client.scope,
        "profile": client.profile,
    }
    if client.auth_method.startswith("client_secret"):
        members["client_secret"] = credentials.client_secret(charter, client.client_id)
    elif client.auth_method == "private_key_jwt":
        members["private_jwk"] = credentials.private_jwk(charter, client.client_id)
    if client.redirect_uris:
        members["redirect_uris"] = list(client.redirect_uris)
        members["post_logout_redirect_uris"] = list(client.post_logout_redirect_uris)
    return members | _policy(client)


def _policy(client: DemoClient) -> dict[str, Any]:
    """Return how a client hears of a CIBA answer, for whom it may exchange tokens, and who may act with its own."""
    policy, members = client.policy, dict[str, Any]()
    if client.authorization_details_types:
        members["authorization_details_types"] = list(client.authorization_details_types)
    if CIBA_GRANT in client.grant_types:
        members["backchannel_token_delivery_mode"] = policy.delivery
    if policy.notification_endpoint is not None:
        members["backchannel_client_notification_endpoint"] = policy.notification_endpoint
    if policy.audiences:
        members["exchange_audiences"] = list(policy.audiences)
    if policy.actor is not None:
        members["may_act"] = policy.actor
    return members
