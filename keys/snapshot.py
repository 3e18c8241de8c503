"""The key ring at one moment, sorted for reading: which key is active, which may be met, which are gone."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from keys.errors import RingError
from keys.keyfile import NAMED, KeyFile, Purpose, State
from keys.safe import Safe
from keys.signer import KeyMaterialError, PublicKey, Signer

if TYPE_CHECKING:
    from collections.abc import Mapping

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_PLAIN = Safe()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole ring at one moment; readers take one reference and never see half a rotation."""

    files: Mapping[str, KeyFile]
    active: Mapping[Purpose, str]
    seals: Mapping[tuple[Purpose, str], str]
    signers: Mapping[str, Signer]
    public: Mapping[Purpose, Mapping[str, PublicKey]]
    secrets: Mapping[Purpose, Mapping[str, bytes]] = field(repr=False)


def build(keys: list[KeyFile], known: Mapping[str, Signer], safe: Safe = _PLAIN) -> Snapshot:
    """Sort keys into a snapshot; `known` signers are taken over, for parsing a private key is slow."""
    files = {key.info.kid: key for key in keys}
    if len(files) != len(keys):
        raise RingError("two keys share one id")
    active: dict[Purpose, str] = {}
    seals: dict[tuple[Purpose, str], str] = {}
    signers: dict[str, Signer] = {}
    public: dict[Purpose, dict[str, PublicKey]] = {purpose: {} for purpose in Purpose}
    secrets: dict[Purpose, dict[str, bytes]] = {purpose: {} for purpose in Purpose}
    # Oldest activation first: should a crash have left two active keys, the newer one wins.
    for key in sorted(keys, key=lambda key: (key.info.activated_at or _BEGINNING, key.info.kid)):
        info = key.info
        if info.state in {State.REVOKED, State.ERASED}:
            continue
        if info.purpose.algorithm is None:
            secrets[info.purpose][info.kid] = _secret(key)
        else:
            signers[info.kid] = known.get(info.kid) or _signer(key, safe)
            public[info.purpose][info.kid] = signers[info.kid].public
        if info.state is State.ACTIVE:
            if info.purpose in NAMED:
                seals[info.purpose, info.name or ""] = info.kid
            else:
                active[info.purpose] = info.kid
    return Snapshot(
        files,
        active,
        seals,
        signers,
        {purpose: MappingProxyType(found) for purpose, found in public.items()},
        {purpose: MappingProxyType(found) for purpose, found in secrets.items()},
    )


def _signer(key: KeyFile, safe: Safe) -> Signer:
    algorithm = key.info.purpose.algorithm
    try:
        signer = safe.signer(algorithm, key.private) if algorithm else None
    except KeyMaterialError:
        signer = None
    if signer is None or signer.kid != key.info.kid:
        raise RingError(f"the private key of {key.info.purpose}/{key.info.kid} is damaged")
    return signer


def _secret(key: KeyFile) -> bytes:
    try:
        secret = base64.b64decode(key.private, validate=True)
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise RingError(f"the secret of {key.info.purpose}/{key.info.kid} is damaged")
    return secret
