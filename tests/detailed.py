"""Apps that ask for authorization details (RFC 9396) in the small town of `town`, and short words for asking."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from idservice.oauth import clients
from idservice.oauth.grant_policy import CIBA_GRANT, DEVICE_GRANT, EXCHANGE_GRANT, GrantPolicy
from tests.identity import (
    CALLBACK,
    SECRET,
    Browser,
    Flow,
    answer_of,
    basic,
    public_jwk,
    redeem,
    token,
)
from tests.town import ALICE, COMPANY, Town, type_of

TITLE, IDENTITY, MARRIAGE = (type_of(n).code for n in ("real_estate_title", "resident_card", "marriage_certificate"))
ISSUE, SHOW, SEAL, MANDATE = "licence-issue", "licence-show", "seal-use", "mandate"
TYPES = [ISSUE, SHOW, SEAL, MANDATE]
SCOPE = "openid profile offline_access licences.read licences.show licences.issue seals.use mandates.manage"
KEY = ec.generate_private_key(ec.SECP256R1())
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


def register_apps(town: Town) -> None:
    """Register apps, a desk, a system and a gateway for each kind of request."""

    def register(call: Any) -> None:
        one: dict[str, Any] = {"unit": "滨州市示范单位", "scope": SCOPE, "authorization_details_types": TYPES}
        secret = {"auth_method": "client_secret_basic", "secret": SECRET}
        login = {"grant_types": ["authorization_code", "refresh_token"], "redirect_uris": [CALLBACK]}
        keys = {"auth_method": "private_key_jwt", "jwks": {"keys": [public_jwk(KEY)]}}
        clients.register(call, client_id="rar", name="细粒度应用", **one, **secret, **login)
        clients.register(call, client_id="signs", name="签名应用", **one, **keys, **login)
        few = one | {"authorization_details_types": [SHOW]}
        clients.register(call, client_id="few", name="只出示", **few, **secret, **login)
        screen = [DEVICE_GRANT, CIBA_GRANT, "refresh_token"]
        clients.register(call, client_id="screen", name="大厅屏幕", grant_types=screen, **one, **secret)
        system = one | {"scope": "licences.issue licences.read seals.use", "authorization_details_types": [ISSUE, SEAL]}
        grants = {"grant_types": ["client_credentials"], "departments": ["*"]}
        clients.register(call, client_id="system", name="签发系统", **system, **secret, **grants)
        policy = GrantPolicy(audiences=("rar",))
        clients.register(
            call, client_id="relay", name="网关", **one, **secret, grant_types=["client_credentials", EXCHANGE_GRANT],
            policy=policy,
        )  # fmt: skip
        clients.register(
            call, client_id="front", name="前台", **one, **secret, **login, policy=GrantPolicy(actor="relay")
        )

    town.act(register)


def issuing(*types: str, **more: Any) -> dict[str, Any]:
    return {"type": ISSUE, "licence_types": list(types), **more}


def showing(*types: str, **more: Any) -> dict[str, Any]:
    return {"type": SHOW, "licence_types": list(types), **more}


def acting_for(principal: str = COMPANY, **more: Any) -> dict[str, Any]:
    return {"type": MANDATE, "principal": principal, **more}


def details(*sent: Any) -> dict[str, str]:
    return {"authorization_details": json.dumps(list(sent), ensure_ascii=False)}


def log_in(
    town: Town, *sent: Any, scope: str | None = "openid offline_access", number: str = ALICE, **more: str
) -> Any:
    flow = Flow(more.pop("client_id", "rar"))
    code = town.visitor(number).code(flow, number=number, scope=scope, **details(*sent), **more)
    answer = redeem(town.app, flow, code)
    assert answer.status_code == 200, answer.text
    return answer.json


def refreshed(town: Town, got: Any, *, client_id: str = "rar", **form: str) -> Any:
    sent = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"], **form}
    return token(town.app, sent, basic(client_id))


def of_system(town: Town, *sent: Any, client_id: str = "system", **form: str) -> Any:
    return token(town.app, {"grant_type": "client_credentials", **details(*sent), **form}, basic(client_id))


def refusal(town: Town, *sent: Any, raw: str | None = None, client_id: str = "rar") -> tuple[str, bool]:
    """Return the error at the authorization endpoint, and whether the app was told it."""
    text = raw if raw is not None else details(*sent)["authorization_details"]
    flow = Flow(client_id)
    answer = answer_of(Browser(town.app).open(flow.url(authorization_details=text)))
    return answer["error"], answer["state"] == flow.state


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, (answer.json or {}).get("code", "")
