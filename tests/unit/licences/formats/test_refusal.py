"""Each form refuses in codes of its own; what a report says of them is one list, and never a bare no."""

import pytest

from keys.verdict import Reason
from licences.formats import claim169, device_code, disclosures, jwt_vc, lc1, mdoc
from licences.formats.refusal import FormatError

KINDS = [
    claim169.Claim169Error,
    device_code.DeviceCodeError,
    disclosures.SDJWTError,
    jwt_vc.CredentialError,
    lc1.LC1Error,
    mdoc.MdocError,
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_has_its_code_and_one_reason(kind: type[FormatError]) -> None:
    refused = kind("signature")
    assert (str(refused), refused.code, refused.reason) == ("signature", "signature", Reason.SIGNATURE_INVALID)
    assert kind("a code without a reason of its own").reason is Reason.UNREADABLE


def test_no_form_has_the_reasons_of_another() -> None:
    assert FormatError("signature").reason is Reason.UNREADABLE
    assert disclosures.SDJWTError("key_binding_nonce").reason is Reason.REPLAYED
    assert lc1.LC1Error("key_binding_nonce").reason is Reason.UNREADABLE
