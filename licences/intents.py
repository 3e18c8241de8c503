"""The end of an intent (签发意图): what was sealed is what was announced, or nothing is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete

from idservice.db import table_of
from idservice.errors import Problem
from licences.models import IssueIntent

if TYPE_CHECKING:
    from idservice.call import Call
    from licences.issue import Intent

_intents = table_of(IssueIntent).c
_FULFIL = delete(table_of(IssueIntent)).where(
    _intents.subject == bindparam("holder"),
    _intents.intent_id == bindparam("intent"),
    _intents.record_digest == bindparam("digest"),
)


def fulfil(call: Call, intent: Intent, digest: bytes) -> None:
    """End an intent by the SM3 digest of what was sealed: the licence keeps it, and the audit log both steps.

    Raises:
        Problem: conflict, where it was never recorded, or recorded other bytes; nothing may be stored then.
    """
    ended = {"holder": intent.subject, "intent": intent.intent_id, "digest": digest}
    if call.connection.execute(_FULFIL, ended).rowcount != 1:
        raise Problem("conflict", "What was signed is not what was announced.")
