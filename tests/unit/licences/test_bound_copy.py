"""Wallets' copies that come without their holder's proof: none holds, and each says what else became of it."""

from datetime import UTC, datetime, timedelta

from licences.scan import Scan
from licences.verify import verify
from licences.wallets.issuance import making
from tests.town import BOB, Town
from tests.unit.licences.copying import ASKER
from tests.wallet_issuance import Pocket, enter_wallets, new_key, offered


def test_a_copy_without_its_holders_proof_is_refused_with_the_reason(town: Town) -> None:
    """Whoever has seen a copy could show it; what became of copy and licence is said by its place in the lists."""
    town.act(enter_wallets)
    licence = town.issue("driving_licence", BOB)
    offer, made = offered(town, licence, "sd-jwt", "mdoc", "jwt", number=BOB)
    pocket = Pocket(town)
    assert pocket.redeem(offer, made.second).status_code == 200
    answers = [pocket.want(f"{licence.type_code}.{form}", new_key()) for form in ("sd-jwt", "mdoc", "jwt")]
    texts = [answer.json["credentials"][0]["credential"] for answer in answers]
    texts.append(texts[0].split("~")[0] + "~")  # nothing disclosed

    def assert_all(*reasons: str, away: timedelta = timedelta()) -> None:
        for text in texts:
            scan = Scan(text=text)
            report = town.act(lambda call, scan=scan: verify(call, scan, ASKER), now=datetime.now(UTC) + away)
            assert (report.ok, report.reasons, report.licences) == (False, [*reasons, "holder_unproven"], []), text

    assert_all()
    assert_all("expired", away=making.LIFE + timedelta(days=1))
    assert town.change(licence.identifier, "suspend", reason="核查").status_code == 201
    assert_all("suspended")
    assert town.change(licence.identifier, "revoke", reason="核查").status_code == 201
    assert_all("revoked")
    assert "赵大海" not in str(town.verify(texts[0]))
