"""A department whose seal cannot be used issues nothing, and is told why: its seal's state, never a fault of ours."""

import pytest

from licences.models import Licence
from seals import revoking, verify
from seals.change import change
from seals.lifecycle import Change
from tests.town import CIVIL, SECURITY, Town, order_for


def refusal(town: Town, slug: str, client: str) -> tuple[int, str]:
    answer = town.post("/v1/licences", order_for(slug), town.machine(client))
    return answer.status_code, answer.json.get("code", "")


def test_a_seal_that_is_not_in_force_issues_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate of the first seal is revoked last: nothing mends that."""
    monkeypatch.setattr(verify, "_KEEP", -1.0)  # otherwise a revocation list takes effect two seconds later
    seal_id, stored = town.seals[SECURITY], town.count(Licence)

    def move(deed: Change, seal: str = seal_id) -> None:
        town.act(lambda call: change(call, seal, deed, reason="演示"))

    move(Change.SUSPEND)
    assert refusal(town, "real_estate_title", "issuer") == (409, "seal_not_in_force")
    move(Change.RESUME)
    assert town.order()["state"] == "valid"
    move(Change.DESTROY, town.seals[CIVIL])
    assert refusal(town, "marriage_certificate", "civil-issuer") == (409, "seal_not_in_force")
    town.act(lambda call: revoking.revoke(call, seal_id, reason="keyCompromise"))
    assert refusal(town, "real_estate_title", "issuer") == (409, "seal_certificate_revoked")
    assert town.count(Licence) == stored + 1
