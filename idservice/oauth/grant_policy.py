"""What a client's registration says about CIBA and token exchange (授权方式登记): most clients need nothing of it.

OpenID CIBA Core 1.0 section 4 and RFC 8693 sections 2.1 and 4.4.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert

from idservice import outbound
from idservice.oauth.models import ClientGrant

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
CIBA_GRANT: Final = "urn:openid:params:grant-type:ciba"
EXCHANGE_GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
PRE_AUTHORIZED_GRANT: Final = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
FOR_CONFIDENTIAL: Final = frozenset({"client_credentials", CIBA_GRANT, EXCHANGE_GRANT})

POLL: Final = "poll"
PING: Final = "ping"


class PolicyRefused(ValueError):
    """The registration contradicts itself, or would let the service call somebody it must not."""


@dataclass(frozen=True, slots=True)
class GrantPolicy:
    """How a client hears of an answer, for whom it may exchange tokens, and who may act with tokens of its own."""

    delivery: str = POLL
    notification_endpoint: str | None = None
    audiences: tuple[str, ...] = ()
    actor: str | None = None


ORDINARY: Final = GrantPolicy()


def check(policy: GrantPolicy, grant_types: Collection[str], *, loopback: bool) -> None:
    """Refuse a policy that does not fit the client's grants.

    Raises:
        PolicyRefused: see the message.
    """
    is_ping = policy.delivery == PING
    if policy.delivery not in {POLL, PING} or is_ping is not (policy.notification_endpoint is not None):
        raise PolicyRefused("delivery is poll, or ping with a notification endpoint")
    if is_ping and CIBA_GRANT not in grant_types:
        raise PolicyRefused("a notification endpoint is for CIBA")
    if policy.audiences and EXCHANGE_GRANT not in grant_types:
        raise PolicyRefused("audiences are for token exchange")
    if policy.notification_endpoint is not None:
        try:
            outbound.check_url(policy.notification_endpoint, loopback=loopback)
        except outbound.OutboundRefused:
            raise PolicyRefused("the notification endpoint is not an https URL that may be called") from None


def add(session: Session, client_id: str, policy: GrantPolicy) -> None:
    """Enter the policy of a new client; an ordinary one leaves no row."""
    if policy == ORDINARY:
        return
    row = {
        "client_id": client_id,
        "delivery": policy.delivery,
        "notification_endpoint": policy.notification_endpoint,
        "audiences": list(policy.audiences),
        "actor": policy.actor,
    }
    session.execute(insert(ClientGrant), row)


def put(session: Session, client_id: str, policy: GrantPolicy) -> None:
    """Let this be the policy of a client from now."""
    row = session.get(ClientGrant, client_id)
    if row is not None:
        session.delete(row)
        session.flush()
    add(session, client_id, policy)


def find(session: Session, client_id: str) -> GrantPolicy:
    """Return the policy of a client."""
    row = session.get(ClientGrant, client_id)
    if row is None:
        return ORDINARY
    return GrantPolicy(row.delivery, row.notification_endpoint, tuple(row.audiences), row.actor)
