"""The apps and systems that are registered in the demonstration city (接入应用). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from idservice.oauth import grant_policy
from idservice.oauth.grant_policy import (
    CIBA_GRANT,
    DEVICE_GRANT,
    EXCHANGE_GRANT,
    PING,
    PRE_AUTHORIZED_GRANT,
    GrantPolicy,
)
from idservice.oauth.mandate_detail import MANDATE
from licences.detail_types import LICENCE_ISSUE, LICENCE_SHOW
from licences.wallets.issuance.detail_type import OPENID_CREDENTIAL
from licences.wallets.issuance.detail_type import SCOPE as WALLET_SCOPE
from seals.detail_types import SEAL_USE

_HOLDER: Final = (
    "openid profile phone offline_access licences.read licences.show accesses.read consents.manage mandates.manage"
    " sessions.manage matters.read commitments.sign licences.wallet licences.object"
)
#: What officers and clerks do goes through the same API as what citizens do.
_STAFF: Final = (
    "verifications.create lookups.create licences.issue licences.change seals.use"
    " checks.create checks.answer commitments.check catalogue.manage"
)
_SYSTEM_DETAILS: Final = (LICENCE_ISSUE.name, SEAL_USE.name)
_DETAILS: Final = (*_SYSTEM_DETAILS, LICENCE_SHOW.name, MANDATE.name)
_LOGIN: Final = ("authorization_code", "refresh_token")
_SERVICE_CENTRE: Final = "示范市政务服务中心（演示）"


@dataclass(frozen=True, slots=True)
class DemoClient:
    """One client; `title` and `unit` are what a person reads at consent, `departments` whom it acts for by itself."""

    client_id: str
    title: str
    unit: str
    auth_method: str
    grant_types: tuple[str, ...]
    scope: str
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    profile: str = "standard"
    policy: GrantPolicy = grant_policy.ORDINARY
    authorization_details_types: tuple[str, ...] = ()


def _app(
    client_id: str,
    title: str,
    unit: str,
    auth_method: str,
    *,
    port: int,
    scope: str,
    profile: str = "standard",
    policy: GrantPolicy = grant_policy.ORDINARY,
    details: tuple[str, ...] = (),
) -> DemoClient:
    """Return an app that logs people in and listens on a loopback port of its own."""
    base = f"http://127.0.0.1:{port}"
    return DemoClient(
        client_id,
        title,
        unit,
        auth_method,
        _LOGIN,
        scope,
        (f"{base}/cb",),
        (f"{base}/", f"{base}/logged-out"),
        profile=profile,
        policy=policy,
        authorization_details_types=details,
    )


def _decoupled(
    client_id: str, title: str, grant: str, auth_method: str, policy: GrantPolicy = grant_policy.ORDINARY
) -> DemoClient:
    """Return an app that asks on one screen and is answered on another."""
    grants = (grant, "refresh_token")
    return DemoClient(client_id, title, _SERVICE_CENTRE, auth_method, grants, _HOLDER, policy=policy)


def _wallet(client_id: str, title: str, auth_method: str, *, port: int, profile: str) -> DemoClient:
    """Return a wallet: an app that asks its holder for copies of his licences, or is offered them."""
    return DemoClient(
        client_id,
        title,
        "示范钱包软件有限公司（演示）",
        auth_method,
        (*_LOGIN, PRE_AUTHORIZED_GRANT),
        f"openid offline_access {WALLET_SCOPE}",
        (f"http://127.0.0.1:{port}/cb",),
        profile=profile,
        authorization_details_types=(OPENID_CREDENTIAL.name,),
    )


def _system(client_id: str, title: str, scope: str, details: tuple[str, ...] = ()) -> DemoClient:
    """Return a system that acts by itself, in the demonstration for any department."""
    grants = ("client_credentials",)
    return DemoClient(
        client_id,
        title,
        _SERVICE_CENTRE,
        "client_secret_basic",
        grants,
        scope,
        departments=("*",),
        authorization_details_types=details,
    )


CLIENTS: Final = (
    _app(
        "app-basic",
        "市民之家（演示）",
        _SERVICE_CENTRE,
        "client_secret_basic",
        port=4001,
        scope=f"{_HOLDER} verified {_STAFF} admin.manage scim.read scim.write",
        policy=GrantPolicy(actor="gateway"),
        details=_DETAILS,
    ),
    _app(
        "app-jwt",
        "办事大厅（演示）",
        "示范市数据资源管理局（演示）",
        "private_key_jwt",
        port=4002,
        scope=f"{_HOLDER} verified {_STAFF}",
    ),
    _app(
        "app-public", "随身办手机应用（演示）", "示范市启明软件科技有限公司（演示）", "none", port=4003, scope=_HOLDER
    ),
    _app(
        "app-fapi",
        "示范银行开户（演示）",
        "示范市银行股份有限公司（演示）",
        "private_key_jwt",
        port=4004,
        scope=f"{_HOLDER} verified {_STAFF}",
        profile="fapi2",
        details=_DETAILS,
    ),
    _decoupled("app-device", "大厅自助屏（演示）", DEVICE_GRANT, "none"),
    _decoupled("app-ciba", "窗口叫号机（演示）", CIBA_GRANT, "client_secret_basic"),
    _decoupled(
        "app-ciba-ping",
        "电话客服（演示）",
        CIBA_GRANT,
        "client_secret_basic",
        GrantPolicy(PING, "http://127.0.0.1:4006/ciba"),
    ),
    _wallet("app-wallet", "随身钱包（演示）", "none", port=4007, profile="standard"),
    _wallet("app-wallet-haip", "高保障钱包（演示）", "private_key_jwt", port=4008, profile="haip"),
    DemoClient(
        "gateway",
        "接口网关（演示）",
        _SERVICE_CENTRE,
        "client_secret_basic",
        ("client_credentials", EXCHANGE_GRANT),
        _HOLDER,
        policy=GrantPolicy(audiences=("app-basic", "app-jwt")),
    ),
    _system("counter", "综合窗口系统（演示）", "verifications.create lookups.create matters.read checks.create"),
    _system(
        "issuer",
        "证照签发系统（演示）",
        "licences.issue licences.change licences.read licences.collect seals.use checks.answer commitments.check"
        " catalogue.manage",
        _SYSTEM_DETAILS,
    ),
    _system("share", "不动产登记系统（演示）", "licences.share"),
    _system("directory", "人事目录系统（演示）", "scim.read scim.write"),
)
