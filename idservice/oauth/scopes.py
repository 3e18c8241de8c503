"""Scopes (权限范围) and the claims that stand behind them: the closed list, with the words a person reads at consent.

RFC 6749 section 3.3 and OpenID Connect Core 1.0 section 5.4. A scope outside the list is refused, never dropped.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope: who can hold it, and its words in both languages (title, explanation)."""

    name: str
    zh: tuple[str, str]
    en: tuple[str, str]
    machine: bool = True  # may be held by a client on its own, without a logged-in person
    secret: bool = True  # only for a client that can keep a secret: what staff and systems do


def _holder(name: str, zh: tuple[str, str], en: tuple[str, str], *, secret: bool = False) -> Scope:
    return Scope(name, zh, en, machine=False, secret=secret)


CATALOGUE = {
    scope.name: scope
    for scope in (
        _holder(
            "openid", ("登录", "确认是您本人，应用只得到它专用的编号"), ("Log in", "The app learns a number of its own")
        ),
        _holder("profile", ("姓名和实名等级", ""), ("Name and real-name level", "")),
        _holder("phone", ("手机号码", ""), ("Phone number", "")),
        _holder(
            "verified",
            ("经核实的身份信息", "姓名或单位名称，以及核实的等级和时间"),
            ("Verified identity", "The name, how surely it was verified, and when"),
        ),
        _holder(
            "offline_access",
            ("保持登录", "您离开后仍可继续使用，直到您收回授权"),
            ("Stay logged in", "Also while you are away, until you withdraw it"),
        ),
        _holder("licences.show", ("出示您的证照", "生成一次性出示码"), ("Show your licences", "By one-time codes")),
        _holder(
            "licences.wallet",
            ("把证照放入您的钱包", "得到绑定钱包密钥的证照副本，您可以随时停用"),
            ("Put your licences into your wallet", "As copies bound to its keys, which you can end at any time"),
        ),
        _holder(
            "licences.object",
            ("对您的证照提出异议", "请签发机关更正有误的内容"),
            ("Object to what your licences say", "And ask the issuer to correct it"),
        ),
        _holder("accesses.read", ("查看谁看过您的信息", ""), ("See who looked at your data", "")),
        _holder(
            "consents.manage",
            ("管理您的授权", "查看并收回给其他应用的授权"),
            ("Manage your consents", "List and withdraw them"),
        ),
        _holder(
            "sessions.manage",
            ("管理您的登录", "查看并结束您在各设备上的登录"),
            ("Manage your logins", "See and end them on each device"),
        ),
        _holder(
            "admin.manage",
            ("平台管理", "仅限管理员，按您的管理角色"),
            ("Administer this service", "For administrators, as far as their role goes"),
            secret=True,
        ),
        _holder(
            "mandates.manage",
            ("管理授权委托", "以您或您代表的单位的名义授权、接受、撤销"),
            ("Manage mandates", "Grant, accept and withdraw them, for you or whom you act for"),
        ),
        _holder(
            "commitments.sign",
            ("签署告知承诺", "查看您的协查和承诺，签署或提出异议"),
            ("Sign commitments", "See your cases, sign commitments or object"),
        ),
        Scope(
            "licences.share",
            ("读取共享证照", "仅限获准的证照类型"),
            ("Read shared licences", "Of permitted types alone"),
        ),
        Scope("licences.read", ("查看您的证照", ""), ("Read your licences", ""), secret=False),
        Scope("licences.issue", ("签发证照", "仅限您任职的部门"), ("Issue licences", "For the departments you serve")),
        Scope(
            "licences.change",
            ("变更证照状态", "仅限您任职的部门"),
            ("Change licences", "For the departments you serve"),
        ),
        Scope(
            "catalogue.manage",
            ("编制证照目录", "仅限您任职的部门签发的种类"),
            ("Change licence types", "Of those your departments issue"),
        ),
        Scope(
            "licences.collect",
            ("归集证照数据", "仅限您任职的部门"),
            ("Bring licences in from elsewhere", "For the departments you serve"),
        ),
        Scope(
            "seals.use", ("使用电子印章", "仅限您任职的部门"), ("Use electronic seals", "For the departments you serve")
        ),
        Scope("verifications.create", ("核验证照", ""), ("Verify licences", ""), secret=False),
        Scope(
            "checks.create",
            ("请求部门协查", "查看、催办、办结本部门提出的协查"),
            ("Ask other departments", "Follow, remind and close the checks of the department"),
        ),
        Scope("checks.answer", ("答复部门协查", "仅限您任职的部门"), ("Answer checks", "For your own departments")),
        Scope(
            "commitments.check",
            ("核查告知承诺", "仅限您任职的部门"),
            ("Check commitments", "For the departments you serve"),
        ),
        Scope("lookups.create", ("无证明查询", "按事项查询所需证明"), ("Look proofs up", "As a matter requires")),
        Scope("ssf.manage", ("接收安全事件", "仅限该应用的用户"), ("Receive security events", "Of people who use it")),
        Scope(
            "scim.read",
            ("查看工作人员账号", "仅限所属部门"),
            ("Read staff accounts", "Of the client's own departments"),
        ),
        Scope(
            "scim.write",
            ("管理工作人员账号和岗位", "仅限所属部门"),
            ("Manage staff accounts and posts", "Of the client's own departments"),
        ),
        Scope("matters.read", ("查看事项清单", ""), ("Read the list of matters", ""), secret=False),
    )
}

PERSON_CLAIMS = {"profile": ("name", "real_name_level"), "phone": ("phone_number",)}
ORGANISATION_CLAIMS = {"profile": ("name", "credit_code")}

CLAIM_TITLES = {
    "sub": ("本应用专用编号", "Number of its own for this app"),
    "name": ("姓名", "Name"),
    "real_name_level": ("实名等级", "Real-name level"),
    "phone_number": ("手机号码", "Phone number"),
    "credit_code": ("统一社会信用代码", "Unified social credit code"),
}


def split(text: str | None) -> tuple[str, ...] | None:
    """Return the scope tokens of a request in their order, each once; None where the text is no scope at all."""
    if not text or len(text) > 1024:
        return None
    names = text.split(" ")
    return tuple(dict.fromkeys(names)) if all(names) else None


def claims_of(scope: frozenset[str], *, organisation: bool) -> tuple[str, ...]:
    """Return the names of the claims that `scope` releases, of a person or of an organisation."""
    table = ORGANISATION_CLAIMS if organisation else PERSON_CLAIMS
    return tuple(claim for name, claims in table.items() if name in scope for claim in claims)


def releasing(claim: str, *, organisation: bool) -> str:
    """Return the scope that releases a claim."""
    table = ORGANISATION_CLAIMS if organisation else PERSON_CLAIMS
    return next(name for name, claims in table.items() if claim in claims)
