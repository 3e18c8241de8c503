"""What this issuer offers to wallets (签发方元数据): OpenID4VCI 1.0 section 12.2. Only what is true.

It follows from settings and catalogue alone, is made once for each state of the catalogue, and is the same for all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from keys import jws
from keys.cose import ALGORITHMS
from keys.ring import Purpose
from keys.signer import Algorithm
from licences import artefacts, catalogue
from licences.definition import HolderKind
from licences.formats import jwt_vc, mdoc_elements
from licences.predicates import AGE_OVER
from licences.wallets.issuance import configurations, encryption, proofs
from licences.wallets.issuance.configurations import Format
from licences.wallets.issuance.detail_type import SCOPE

if TYPE_CHECKING:
    from idservice.call import Call
    from idservice.db import Database
    from idservice.settings import Settings
    from licences.definition import LicenceType
    from licences.wallets.issuance.configurations import Configuration

PATH: Final = "/.well-known/openid-credential-issuer"
FOLDER: Final = "/openid4vci"
OFFERS: Final = f"{FOLDER}/offers"
SIGNED: Final = "application/jwt"
_TYPE: Final = "openidvci-issuer-metadata+jwt"
_NAME: Final = ("一号通行", "One Number Access")
_COMMON: Final = {
    "holder_name": ("持证主体", "Holder"),
    "holder_number": ("持证主体代码", "Holder's number"),
    "licence_number": ("证照编号", "Number"),
    "licence_identifier": ("电子证照标识", "Identifier"),
    "valid_from": ("有效期起", "Valid from"),
    "valid_until": ("有效期止", "Valid until"),
}
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_made: WeakKeyDictionary[Database, tuple[object, bytes]] = WeakKeyDictionary()


def document(call: Call) -> bytes:
    """Return the metadata as JSON."""
    database = call.house.database
    state = tuple((code, entry.version) for code, entry in catalogue.entries(call).items())
    kept = _made.get(database)
    if kept is None or kept[0] != state:
        kept = _made[database] = (state, _to_json(_members(call)).encode())
    return kept[1]


def signed(call: Call) -> str:
    """Return the metadata as a JWT (section 12.2.3): whoever forwards it cannot alter it."""
    issuer = call.settings.issuer
    said = {"iss": call.settings.signs_as, "sub": issuer, "iat": int(call.now.timestamp())}
    claims = json.loads(document(call)) | said
    return jws.encode(claims, signer=call.keys.signer(Purpose.LICENCE), typ=_TYPE)


def _members(call: Call) -> dict[str, Any]:
    issuer = call.settings.issuer
    return {
        "credential_issuer": issuer,
        "credential_endpoint": f"{issuer}{FOLDER}/credential",
        "nonce_endpoint": f"{issuer}{FOLDER}/nonce",
        "deferred_credential_endpoint": f"{issuer}{FOLDER}/deferred_credential",
        "notification_endpoint": f"{issuer}{FOLDER}/notification",
        "batch_credential_issuance": {"batch_size": proofs.BATCH},
        "credential_response_encryption": encryption.METADATA,
        "display": _display(_NAME),
        "credential_configurations_supported": {
            found.name: _configuration(call.settings, found) for found in configurations.listed(call)
        },
    }


def _configuration(settings: Settings, found: Configuration) -> dict[str, Any]:
    algorithms: list[str | int] = [str(Algorithm.ES256)]
    if found.format is Format.MDOC:
        algorithms = [ALGORITHMS[Algorithm.ES256]]
    return {
        "format": str(found.format),
        "scope": SCOPE,
        "cryptographic_binding_methods_supported": ["cose_key" if found.format is Format.MDOC else "jwk"],
        "credential_signing_alg_values_supported": algorithms,
        "proof_types_supported": proof_types(settings, found),
        **_of_format(settings, found),
        "credential_metadata": {"display": _display(configurations.title(found))},
    }


def proof_types(settings: Settings, found: Configuration) -> dict[str, Any]:
    """Return how keys are proven; by a maker's word alone only where makers are believed."""
    algorithms = {"proof_signing_alg_values_supported": [str(key) for key in configurations.KEYS[found.format]]}
    by_maker = {"attestation": {**algorithms, "key_attestations_required": {}}}
    are_believed = settings.wallet_makers is not None or settings.wallet_maker_anchors is not None
    return {"jwt": algorithms, **(by_maker if are_believed else {})}


def of_type(call: Call, type_code: str) -> dict[str, Any] | None:
    """Return what the `vct` of a type says of itself (SD-JWT VC draft 19, section 4): names of its own and its claims.

    They stand here and not among the configurations, which every wallet reads whole: with them that would be four times
    as long.
    """
    entry = catalogue.entries(call).get(type_code)
    if entry is None:
        return None
    kind = entry.type
    return {
        "vct": f"{call.settings.signs_as}{artefacts.VCT_PATH}/{kind.code}",
        "name": kind.name,
        "display": _display((kind.name, kind.name_en)),
        "claims": [
            {"path": [name], "display": _display(words), "sd": "always"} for name, words in _claims(kind).items()
        ],
    }


def _of_format(settings: Settings, found: Configuration) -> dict[str, Any]:
    if found.format is Format.SD_JWT:
        return {"vct": f"{settings.signs_as}{artefacts.VCT_PATH}/{found.type.code}"}
    if found.format is Format.MDOC:
        return {"doctype": mdoc_elements.doc_type(found.type.slug, found.type.code)}
    return {"credential_definition": {"type": list(jwt_vc.TYPES)}}


def _claims(kind: LicenceType) -> dict[str, tuple[str, str]]:
    """Return the claims that a holder can disclose one by one, with their names."""
    names = dict(_COMMON)
    if kind.accepts(HolderKind.PERSON):
        names |= {name: (f"已满 {age} 周岁", f"Over {age}") for name, age in AGE_OVER.items()}
    names |= {f"face_{field.name}": (field.title, field.title_en) for field in kind.fields}
    return names | {f"face_{field.name}": (field.title, field.title_en) for field in kind.derived}


def _display(words: tuple[str, str]) -> list[dict[str, str]]:
    return [{"name": words[0], "locale": "zh-CN"}, {"name": words[1], "locale": "en"}]
