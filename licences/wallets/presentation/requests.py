"""Requests to wallets (向钱包请求出示): asked by a counter or an app, fetched, answered and read once each.

OpenID4VP 1.0 section 13.3 and 13.4: across devices the answer brings a number to the holder's telephone and to the
counter's screen, so that a clerk sees whether it came from the person in front of him; on one device the answer can be
read only with the code that the wallet's redirect brought back, so that nobody reads an answer into another session.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sqlalchemy import insert, update

from idservice import audit, expiry
from idservice.db import table_of
from idservice.errors import FieldProblem, Kind, Problem, register
from idservice.ids import secret_hash
from idservice.oauth import clients
from licences import asker
from licences.asker import Asker
from licences.deeds import Deed
from licences.wallets.presentation import answers, asked, dcql, identity, request, response, sealing
from licences.wallets.presentation.models import WalletRequest
from licences.wallets.presentation.request import DIRECT_POST, Prefix, Profile
from licences.wallets.presentation.sealing import Secret, new_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from licences.verify import Report

LIFE: Final = timedelta(seconds=180)
REQUESTS, RESPONSES, ANSWERED = "/wallet/requests/", "/wallet/responses/", "/wallet/answered/"
MOST_NONCE: Final = 256  # characters of a wallet's own nonce

_CODE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_ID: Final = re.compile(r"[0-9a-f]{64}")
_rows = table_of(WalletRequest)

expiry.sweep_also(WalletRequest.code_hash, WalletRequest.expires_at, expiry.CLOCKS)
register(
    {
        "wallet_request_over": Kind(
            404, "没有这个请求，或它已过期、已取走、已答复", "There is no such request, or it is over"
        ),
        "wallet_request_unanswered": Kind(
            409, "钱包还没有答复，或答复已被读取", "The wallet has not answered, or the answer was read before"
        ),
        "wallet_response_code": Kind(
            403, "答复不属于这个会话：返回码不符", "The answer is not this session's: the response code does not match"
        ),
    }
)


class Flow(StrEnum):
    """Where the wallet is: on another device, which scans, or on the same, which follows a link."""

    CROSS_DEVICE = "cross_device"
    SAME_DEVICE = "same_device"


class Outcome(StrEnum):
    """What became of a request."""

    GIVEN = "given"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its maker gets it, once. `link` opens a wallet on this device, `qr_text` one on another."""

    id: str
    link: str
    request_uri: str | None
    qr_text: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """What was read: the number that the holder's telephone shows, the report, and credentials from elsewhere."""

    check_number: str
    report: Report
    credentials: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Weighed:
    """An answer that was judged and not yet taken: what is kept of it, None where the holder refused."""

    kept: dict[str, Any] | None
    matter: str | None
    return_uri: str | None


def ask(call: Call, body: Mapping[str, Any]) -> Asked:
    """Make a request in the name of whoever asks; it can be answered for three minutes.

    Raises:
        Problem: what `asker.of_call` and `asked.read` refuse; invalid, for a way of asking that the profile does not
            know or an address to return to that is not the app's; unavailable.
    """
    who = asker.of_call(call, dict(body))
    query, _ = asked.read(call, body)
    profile, flow, prefix = _manner(call, body)
    code = secrets.token_urlsafe(32)
    us, code_hash, response_uri = identity.of_house(call), secret_hash(code), _response_uri(call, code)
    secret = Secret(
        client_name=who.unit or who.who,
        query=query,
        client_id=us.client_id(prefix, response_uri),
        nonce=secrets.token_urlsafe(32),
        state=secrets.token_urlsafe(16),
        jwk=None if body.get("response_mode") == DIRECT_POST else new_key(),
        return_uri=body.get("return_uri"),
    )
    expires_at, by_value = call.now + LIFE, prefix is Prefix.REDIRECT_URI
    call.session.execute(
        insert(WalletRequest),
        {
            "code_hash": code_hash,
            "asked_by": call.caller.name_for_log,
            "asker_sealed": sealing.seal(call, asdict(who), "asker_sealed", code_hash),
            "flow": flow,
            "profile": profile,
            "matter": body.get("matter"),
            "stated_sealed": sealing.seal(call, asdict(secret), "stated_sealed", code_hash),
            "created_at": call.now,
            "expires_at": expires_at,
            "fetched_at": call.now if by_value else None,
        },
    )
    facts: dict[str, Any] = {"flow": flow, "profile": profile, "matter": body.get("matter"), "operator": who.operator}
    audit.record(call, Deed.WALLET_ASKED, department=who.department, **facts)
    request_uri = None if by_value else f"{call.settings.issuer}{REQUESTS}{code}"
    link = (
        secret.stated(response_uri).link(profile)
        if request_uri is None
        else request.reference(profile, client_id=secret.client_id, request_uri=request_uri)
    )
    return Asked(code_hash.hex(), link, request_uri, link if flow is Flow.CROSS_DEVICE else None, expires_at)


def fetch(call: Call, code: str, *, wallet_nonce: str | None = None) -> str:
    """Return the signed request object to the first wallet that asks for it.

    Raises:
        Problem: wallet_request_over, alike for one that never was, is old, or was fetched; unavailable.
    """
    code_hash, row = _hash_of(code), _rows.c
    taken = call.connection.execute(
        update(_rows)
        .where(row.code_hash == code_hash, row.fetched_at.is_(None), row.answered_at.is_(None))
        .where(row.expires_at > call.now)
        .values(fetched_at=call.now)
        .returning(row.stated_sealed, row.expires_at)
    ).one_or_none()
    if taken is None:
        raise Problem("wallet_request_over", "Ask for a new one.")
    secret = Secret(**sealing.opened(call, taken.stated_sealed, "stated_sealed", code_hash))
    stated = secret.stated(_response_uri(call, code)).parameters()
    moments = {"iat": int(call.now.timestamp()), "exp": int(taken.expires_at.timestamp())}
    echoed = {} if wallet_nonce is None else {"wallet_nonce": wallet_nonce}
    return identity.of_house(call).sign({"aud": request.ANY_WALLET, **stated, **moments, **echoed})


def weigh(call: Call, code: str, form: Mapping[str, str]) -> Weighed:
    """Judge a wallet's answer without taking it: that takes longer than anybody should be kept from writing.

    Raises:
        Problem: wallet_request_over; wallet_response and wallet_presentation, with the code of what is wrong: the
            request then still waits for a better answer.
    """
    code_hash = _hash_of(code)
    found = call.session.get(WalletRequest, code_hash)
    if found is None or found.answered_at is not None or found.expires_at <= call.now:
        raise Problem("wallet_request_over", "Ask for a new one.")
    secret = Secret(**sealing.opened(call, found.stated_sealed, "stated_sealed", code_hash))
    try:
        given = response.read(form, key=secret.jwk, state=secret.state)
    except response.ResponseError as error:
        raise Problem("wallet_response", f"{error.code}.") from None
    if given.error is not None:
        return Weighed(None, found.matter, secret.return_uri)
    session = secret.session(_response_uri(call, code))
    kept = answers.judge(call, dcql.parse(secret.query), given.presentations, session)
    return Weighed(kept, found.matter, secret.return_uri)


def take(call: Call, code: str, weighed: Weighed) -> dict[str, str]:
    """Take an answer for good, and return what the wallet is told: where its holder goes on.

    Raises:
        Problem: wallet_request_over; of two answers at once one comes too late.
    """
    kept, code_hash, row = weighed.kept, _hash_of(code), _rows.c
    outcome = Outcome.REFUSED if kept is None else Outcome.GIVEN
    response_code = secrets.token_urlsafe(16)
    done = call.connection.execute(
        update(_rows)
        .where(row.code_hash == code_hash, row.answered_at.is_(None), row.expires_at > call.now)
        .values(
            outcome=outcome,
            answered_at=call.now,
            check_number=None if kept is None else f"{secrets.randbelow(10_000):04}",
            response_code_hash=secret_hash(response_code),
            answer_sealed=None if kept is None else sealing.seal(call, kept, "answer_sealed", code_hash),
        )
        .returning(row.code_hash)
    ).one_or_none()
    if done is None:
        raise Problem("wallet_request_over", "Ask for a new one.")
    facts: dict[str, Any] = {"answer": str(outcome), "matter": weighed.matter}
    audit.record(call, Deed.WALLET_ANSWERED, **facts)
    if weighed.return_uri is not None:
        joint = "&" if "?" in weighed.return_uri else "?"
        return {"redirect_uri": f"{weighed.return_uri}{joint}response_code={response_code}"}
    return {"redirect_uri": f"{call.settings.issuer}{ANSWERED}{code}/{response_code}"}


def own(call: Call, request_id: str) -> WalletRequest:
    """Return a request of the caller's own asking.

    Raises:
        Problem: not_found.
    """
    found = call.session.get(WalletRequest, bytes.fromhex(request_id)) if _ID.fullmatch(request_id) else None
    if found is None or found.asked_by != call.caller.name_for_log:
        raise Problem("not_found", "You have made no such request.")
    return found


def state(call: Call, found: WalletRequest) -> str:
    """Return waiting, fetched, given, refused, read or expired."""
    if found.read_at is not None:
        return "read"
    if found.outcome is not None:
        return found.outcome
    if found.expires_at <= call.now:
        return "expired"
    return "waiting" if found.fetched_at is None else "fetched"


def asker_of(call: Call, found: WalletRequest) -> Asker:
    """Return who asks."""
    return Asker(**sealing.opened(call, found.asker_sealed, "asker_sealed", found.code_hash))


def read(call: Call, request_id: str, *, response_code: str | None = None) -> Answered:
    """Read the answer, once: judge the licences now and write the look on their holders' records.

    Raises:
        Problem: not_found; wallet_response_code, where the flow is on one device and this is not the session's;
            wallet_request_unanswered, also where it was read before; quota_exceeded.
    """
    found = own(call, request_id)
    if found.flow == Flow.SAME_DEVICE and found.outcome is not None:
        expected = found.response_code_hash or b""
        if not hmac.compare_digest(secret_hash(response_code or ""), expected):
            raise Problem("wallet_response_code", "Read it in the session that began it.")
    row = _rows.c
    taken = call.connection.execute(
        update(_rows)
        .where(row.code_hash == found.code_hash, row.outcome == Outcome.GIVEN, row.read_at.is_(None))
        .values(read_at=call.now, answer_sealed=None)
        .returning(row.check_number)
    ).one_or_none()
    if taken is None or found.answer_sealed is None:
        raise Problem("wallet_request_unanswered", f"The request is {state(call, found)}.")
    kept = sealing.opened(call, found.answer_sealed, "answer_sealed", found.code_hash)
    report = answers.report(call, kept["presented"], asker_of(call, found), matter=found.matter)
    call.session.expire(found)
    return Answered(taken.check_number, report, answers.elsewhere(kept["presented"]))


def answered(call: Call, code: str, response_code: str) -> WalletRequest:
    """Return the request that a wallet has answered, for the page its holder is sent to.

    Raises:
        Problem: wallet_request_over, alike for a wrong code.
    """
    found = call.session.get(WalletRequest, _hash_of(code))
    expected = found.response_code_hash if found is not None else None
    if found is None or expected is None or not hmac.compare_digest(secret_hash(response_code), expected):
        raise Problem("wallet_request_over", "Ask for a new one.")
    return found


def _manner(call: Call, body: Mapping[str, Any]) -> tuple[Profile, Flow, Prefix]:
    """Return how a wallet is asked, where that is allowed."""
    profile, flow, prefix = Profile(body["profile"]), Flow(body["flow"]), Prefix(body["client_id_prefix"])
    faults = []
    if profile is Profile.HAIP and prefix is not Prefix.X509_HASH:
        faults.append(FieldProblem("/client_id_prefix", "profile", "haip: x509_hash"))
    if profile is Profile.HAIP and body.get("response_mode") == DIRECT_POST:
        faults.append(FieldProblem("/response_mode", "profile", "haip: direct_post.jwt"))
    if prefix in {Prefix.X509_SAN_DNS, Prefix.PRE_REGISTERED} and not identity.is_name(
        urlsplit(call.settings.issuer).hostname or ""
    ):
        faults.append(FieldProblem("/client_id_prefix", "choice", "this service has no host name"))
    if (flow is Flow.SAME_DEVICE) is not ("return_uri" in body):
        faults.append(FieldProblem("/return_uri", "required", "given on the same device, and there alone"))
    elif "return_uri" in body and body["return_uri"] not in _return_uris(call):
        faults.append(FieldProblem("/return_uri", "choice", "not a redirect URI of yours"))
    if faults:
        raise Problem("invalid", "", errors=faults)
    return profile, flow, prefix


def _return_uris(call: Call) -> tuple[str, ...]:
    app = clients.find(call, call.caller.client_id) if call.caller.client_id is not None else None
    return app.redirect_uris if app is not None else ()


def _hash_of(code: str) -> bytes:
    """Return the key of a code; raises `wallet_request_over` for what is no code of ours."""
    if not _CODE.fullmatch(code):
        raise Problem("wallet_request_over", "Ask for a new one.")
    return secret_hash(code)


def _response_uri(call: Call, code: str) -> str:
    return f"{call.settings.issuer}{RESPONSES}{code}"
