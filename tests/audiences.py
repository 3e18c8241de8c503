"""APIs of others for the small city of `identity` (RFC 8707), apps that want tokens for them, and words for asking."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import ec

from idservice.oauth import clients, resource_servers
from idservice.oauth.grant_policy import DEVICE_GRANT, EXCHANGE_GRANT, GrantPolicy
from tests.builders import act
from tests.identity import (
    CALLBACK,
    HOLDER_SCOPE,
    ISSUER,
    SECRET,
    City,
    Flow,
    answer_of,
    basic,
    public_jwk,
    redeem,
)

OWN = f"{ISSUER}/v1"
DATA, MAPS, DARK = "https://data.example/v1", "https://maps.example", "https://dark.example/v1"
KEY = ec.generate_private_key(ec.SECP256R1())
HEADERS = {"kid": "k1", "typ": "oauth-authz-req+jwt"}


def register_apis(city: City) -> None:
    """Register the APIs, the clients as which they ask, and apps that want tokens for them."""

    def register(call: Any) -> None:
        one: dict[str, Any] = {"unit": "滨州市示范单位", "auth_method": "client_secret_basic", "secret": SECRET}
        for name in ("data-api", "maps-api", "dark-api"):
            clients.register(
                call, client_id=name, name=name, scope="licences.read", **one,
                grant_types=["client_credentials", EXCHANGE_GRANT],
            )  # fmt: skip
        for identifier, client_id, scope, is_opaque in (
            (DATA, "data-api", "licences.read", False),
            (MAPS, "maps-api", "", False),
            (DARK, "dark-api", "licences.read accesses.read", True),
        ):
            resource_servers.register(
                call, identifier, name="数据平台", name_en="Data", scope=scope, is_opaque=is_opaque, client_id=client_id
            )
        login = {"grant_types": ["authorization_code", "refresh_token"], "redirect_uris": [CALLBACK]}
        many = {"scope": HOLDER_SCOPE, "resources": [DATA, MAPS, DARK]}
        clients.register(call, client_id="shop", name="应用", **one, **login, **many)
        clients.register(call, client_id="few", name="应用", **one, **login, **(many | {"resources": [MAPS]}))
        signs = {"unit": "x", "auth_method": "private_key_jwt", "jwks": {"keys": [public_jwk(KEY)]}}
        clients.register(call, client_id="signs", name="应用", **signs, **login, **many)
        clients.register(call, client_id="screen", name="屏幕", **one, grant_types=[DEVICE_GRANT], **many)
        clients.register(
            call, client_id="system", name="系统", **one, **(many | {"scope": "licences.read matters.read"}),
            grant_types=["client_credentials", EXCHANGE_GRANT], policy=GrantPolicy(audiences=("shop",)),
        )  # fmt: skip

    act(city.house, register)


def several(*resources: str, **form: str) -> list[tuple[str, str]]:
    return [*form.items(), *(("resource", one) for one in resources)]


def post(city: City, pairs: list[tuple[str, str]], client_id: str, path: str = "/oauth/token") -> Any:
    kind = "application/x-www-form-urlencoded"
    return city.app.test_client().post(path, data=urlencode(pairs), content_type=kind, headers=basic(client_id))


def walk(city: City, flow: Flow, *resources: str, **changes: str | None) -> str:
    """Return the code of a request for these resources."""
    browser = city.browser()
    url = flow.url(**changes) + "&" + urlencode(several(*resources))
    page = browser.log_in(browser.open(url))
    return answer_of(browser.submit(page, decision="allow") if page.status == 200 else page)["code"]


def got_for(city: City, *resources: str, scope: str = "openid offline_access licences.read accesses.read") -> Any:
    flow = Flow("shop", scope)
    answer = redeem(city.app, flow, walk(city, flow, *resources))
    assert answer.status_code == 200, answer.text
    return answer.json


def refreshed(city: City, got: Any, *resources: str, client_id: str = "shop", **more: str) -> Any:
    pairs = several(*resources, grant_type="refresh_token", refresh_token=got["refresh_token"], **more)
    return post(city, pairs, client_id)


def machine(city: City, *resources: str, client_id: str = "system", **more: str) -> Any:
    return post(city, several(*resources, grant_type="client_credentials", **more), client_id)


def error_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, (answer.json or {}).get("error", "")
