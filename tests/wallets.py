"""A wallet for tests: it holds copies bound to its key, and answers requests as OpenID4VP 1.0 says."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import cbor2
from joserfc import jwe
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from keys.base64url import b64u, unb64u
from keys.ring import Purpose
from keys.signer import Algorithm, generate_private, load_private
from licences import artefacts
from licences.artefacts import VCT_PATH
from licences.formats import key_binding, sdjwt
from licences.models import Licence
from licences.status.entries import allocate
from licences.wallets.issuance import copies, making
from licences.wallets.issuance.configurations import Format
from tests.town import CLERK, Town, now

OPERATOR = {"id_number": CLERK, "counter": "综合窗口3号"}
FORM = "application/x-www-form-urlencoded"


@dataclass
class Wallet:
    """The key of a wallet, and what it can do with it."""

    town: Town
    private: str = field(default_factory=lambda: generate_private(Algorithm.ES256))

    @property
    def signer(self) -> Any:
        return load_private(Algorithm.ES256, self.private)

    @property
    def jwk(self) -> dict[str, Any]:
        """The private JWK, for programs of others."""
        return dict(ECKey.import_key(self.private).as_dict(private=True))

    def sd_jwt(self, licence: Licence) -> str:
        return self._issue(licence, Format.SD_JWT)

    def mdoc(self, licence: Licence) -> bytes:
        return unb64u(self._issue(licence, Format.MDOC))

    def jwt_vc(self, licence: Licence) -> str:
        return self._issue(licence, Format.JWT_VC)

    def _issue(self, licence: Licence, form: Format) -> str:
        """Issue a copy into this wallet, as the credential endpoint does."""

        def issue(call: Any) -> str:
            made = making.make(call, licence, form, (self.signer.public,))
            copies.enter(call, licence.subject, licence, form, made, notification=secrets.token_hex(8))
            return made[0].content

        return self.town.act(issue)

    def handmade(self, licence: Licence, *, bound: bool = True, ends: datetime | None = None) -> str:
        """Issue an SD-JWT VC as no wallet of today gets it: without a holder's key, or for a moment."""

        def issue(call: Any) -> str:
            record = artefacts.open_record(call, licence)
            metadata, signer = record.metadata, call.keys.signer(Purpose.LICENCE)
            hidden = {
                "licence_number": metadata.number,
                "holder_name": [one.name for one in metadata.holders],
                "holder_number": [one.code for one in metadata.holders],
                **{f"face_{name}": value for name, value in metadata.surface.items()},
            }
            claims = {
                "licence_identifier": metadata.identifier,
                "licence_type": metadata.type_code,
                "licence_name": metadata.type_name,
                "status": allocate(call, licence, form="sd_jwt").claim(),
                **({"cnf": key_binding.confirmation(self.signer.public.jwk())} if bound else {}),
                **hidden,
            }
            unsigned = sdjwt.build(
                claims,
                hidden,
                issuer=call.settings.signs_as,
                vct=f"{call.settings.signs_as}{VCT_PATH}/{metadata.type_code}",
                kid=signer.kid,
                seed=secrets.token_bytes(32),
                issued_at=call.now,
                expires_at=ends,
            )
            return sdjwt.sign(unsigned, signer)

        return self.town.act(issue)


@dataclass
class Request:
    """A request as a wallet that followed its link knows it."""

    town: Town
    id: str
    code: str
    parameters: dict[str, Any]

    @property
    def jwk(self) -> dict[str, Any] | None:
        keys = self.parameters["client_metadata"].get("jwks")
        return keys["keys"][0] if keys else None

    def asked(self) -> key_binding.Asked:
        return key_binding.Asked(self.parameters["client_id"], self.parameters["nonce"])

    def query(self, kind: str) -> dict[str, Any]:
        found: dict[str, Any] = next(q for q in self.parameters["dcql_query"]["credentials"] if q["format"] == kind)
        return found

    def show(self, wallet: Wallet, credential: str, *names: str) -> str:
        """Present some disclosures of an SD-JWT, with the holder's proof."""
        return key_binding.bind(sdjwt.present(credential, names), wallet.signer, self.asked(), now=now())

    def show_mdoc(self, wallet: Wallet, issued: bytes, *names: str, **changed: Any) -> str:
        """Present some elements of an mdoc as a device does, its maps in the order of the standard's text."""
        parts = cbor2.loads(issued)
        spaces = {
            space: [item for item in items if cbor2.loads(item.value)["elementIdentifier"] in names]
            for space, items in parts["nameSpaces"].items()
        }
        mso = cbor2.loads(cbor2.loads(parts["issuerAuth"][2]).value)
        thumbprint = None if self.jwk is None else unb64u(ECKey.import_key(self.jwk).thumbprint())
        stated = {
            "client_id": self.parameters["client_id"],
            "nonce": self.parameters["nonce"],
            "thumbprint": thumbprint,
            "response_uri": self.parameters["response_uri"],
            **changed,
        }
        info = cbor2.dumps(list(stated.values()))
        transcript = [None, None, ["OpenID4VPHandover", hashlib.sha256(info).digest()]]
        nothing = cbor2.CBORTag(24, cbor2.dumps({}))
        signed = cbor2.dumps(
            cbor2.CBORTag(24, cbor2.dumps(["DeviceAuthentication", transcript, mso["docType"], nothing]))
        )
        protected = cbor2.dumps({1: -7})
        value = wallet.signer.sign(cbor2.dumps(["Signature1", protected, b"", signed]))
        document = {
            "docType": mso["docType"],
            "issuerSigned": {"nameSpaces": {s: i for s, i in spaces.items() if i}, "issuerAuth": parts["issuerAuth"]},
            "deviceSigned": {
                "nameSpaces": nothing,
                "deviceAuth": {"deviceSignature": [protected, {}, None, value]},
            },
        }
        return b64u(cbor2.dumps({"version": "1.0", "documents": [document], "status": 0}))

    def form(self, presentations: dict[str, list[str]], **changed: Any) -> dict[str, str]:
        """Return the form of an answer, encrypted where the request asks for that."""
        answer = {"vp_token": presentations, "state": self.parameters["state"], **changed}
        if self.jwk is None:
            return {n: v if isinstance(v, str) else json.dumps(v) for n, v in answer.items()}
        return {"response": encrypt(answer, self.jwk)}

    def post(self, form: dict[str, str]) -> TestResponse:
        return self.town.web.post(f"/wallet/responses/{self.code}", data=form)

    def answer(self, presentations: dict[str, list[str]], **changed: Any) -> TestResponse:
        return self.post(self.form(presentations, **changed))

    def state(self) -> str:
        headers = self.town.machine("counter")
        return str(self.town.web.get(f"/v1/wallet-requests/{self.id}", headers=headers).json["state"])

    def read(self, client: str = "counter", **body: Any) -> TestResponse:
        return self.town.post(f"/v1/wallet-requests/{self.id}/verifications", body, self.town.machine(client))


def encrypt(answer: Any, jwk: dict[str, Any], **header: Any) -> str:
    protected = {"alg": "ECDH-ES", "enc": "A128GCM", "kid": jwk["kid"], **header}
    algorithms = [protected["alg"], protected["enc"]]
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return jwe.encrypt_compact(protected, text, ECKey.import_key(jwk), algorithms=algorithms)


def ask(town: Town, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
    """Ask as a counter's system does and return the answer."""
    stated = {"purpose": "受理用电报装", "operator": OPERATOR, **body}
    answer = town.post("/v1/wallet-requests", stated, headers or town.machine("counter"))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json
    return found


def follow(town: Town, asked: dict[str, Any]) -> Request:
    """Do what a wallet does with a link: fetch the request object, or read the request out of the link."""
    parts = dict(parse_qsl(urlsplit(asked["link"]).query))
    if "request_uri" in parts:
        path = urlsplit(parts["request_uri"]).path
        answer = town.web.post(path, data={"wallet_nonce": "n"})
        assert answer.status_code == 200, answer.text
        parameters = json.loads(unb64u(answer.text.split(".")[1]))
    else:
        parameters = {n: json.loads(v) if n in {"dcql_query", "client_metadata"} else v for n, v in parts.items()}
    code = parameters["response_uri"].rpartition("/")[2]
    return Request(town, asked["id"], code, parameters)


def request(town: Town, **body: Any) -> Request:
    """Ask, and follow the link."""
    return follow(town, ask(town, **body))
