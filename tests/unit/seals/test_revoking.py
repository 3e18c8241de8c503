"""Which certificates go by a name, and which are revoked once and for all."""

import pytest

from idservice.call import House
from idservice.errors import Problem
from keys.certificates import parse
from seals.authority import MAKER, ROOT, TIME_STAMPER, party_of
from seals.models import CertificateRevocation, Seal
from seals.register import make
from seals.revoking import issue_lists, revoke
from seals.verify import read_revocation_lists
from tests.builders import act
from tests.unit.seals.conftest import DEPARTMENT


def test_by_name_by_seal_and_by_serial(house: House) -> None:
    seal_id = act(house, lambda call: make(call, department=DEPARTMENT))
    signer = parse(act(house, lambda call: call.session.get_one(Seal, seal_id).signer_certificate))
    stamper = act(house, lambda call: party_of(call, TIME_STAMPER)).certificate
    assert act(house, lambda call: revoke(call, seal_id, reason="superseded")) == (f"{signer.serial:x}",)
    assert act(house, lambda call: revoke(call, f"{stamper.serial:X}", reason="superseded")) == (f"{stamper.serial:x}",)
    lists = act(house, read_revocation_lists)
    newest = {one.issuer: one for one in sorted(lists, key=lambda one: (one.this_update, len(one.revoked)))}
    assert signer.serial in newest[signer.issuer].revoked
    assert stamper.serial in newest[stamper.issuer].revoked


def test_a_second_time_changes_nothing(house: House) -> None:
    first = act(house, lambda call: revoke(call, MAKER, reason="keyCompromise"))
    again = act(house, lambda call: revoke(call, MAKER, reason="superseded"))
    assert first == again
    row = act(house, lambda call: call.session.get_one(CertificateRevocation, (ROOT, first[0])))
    assert row.reason == "keyCompromise"


@pytest.mark.parametrize(("name", "reason", "code"), [(ROOT, "superseded", "not_found"), (MAKER, "because", "invalid")])
def test_what_is_not_revoked(house: House, name: str, reason: str, code: str) -> None:
    with pytest.raises(Problem, match=code):
        act(house, lambda call: revoke(call, name, reason=reason))


def test_lists_are_read_once(house: House) -> None:
    act(house, issue_lists)
    first, second = (act(house, read_revocation_lists) for _ in range(2))
    assert len(first) == len(second)
    assert all(one is other for one, other in zip(first, second, strict=True))
