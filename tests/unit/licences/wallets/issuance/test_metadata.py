"""What the issuer says of itself: a maker's word stands there only where makers are believed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from licences.wallets.issuance import configurations, metadata
from tests.town import Town, type_of


def test_proofs_by_a_makers_word_are_offered_where_makers_are_believed(town: Town) -> None:
    kind = type_of("driving_licence")
    mdoc = configurations.Configuration("x", kind, configurations.Format.MDOC)
    settings = town.house.settings
    assert metadata.proof_types(settings, mdoc) == {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}
    with_makers = metadata.proof_types(replace(settings, wallet_makers=Path("makers.json")), mdoc)
    assert set(with_makers) == {"jwt", "attestation"}
    assert with_makers["attestation"]["key_attestations_required"] == {}


def test_it_is_short_enough_to_be_kept(town: Town) -> None:
    text = town.act(metadata.document)
    assert len(text) < 132_000  # 84 types in three forms
    assert town.act(metadata.document) is text  # made once for each state of the catalogue
