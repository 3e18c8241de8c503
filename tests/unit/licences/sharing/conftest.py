"""An app that logs people in and also works on its own, permitted to share in the town's licences."""

from collections.abc import Iterator

import pytest

from idservice.call import Call
from idservice.oauth import clients
from licences import enrol
from licences.counter.matter_definition import LegalGround, Matter, Proof, Way
from licences.definition import HolderKind
from tests.databases import SqliteDatabases
from tests.identity import CALLBACK, SECRET
from tests.sharing import RELIEF, permit
from tests.town import NAMES, SECURITY, Town, copy_town, found, type_of


def relief() -> Matter:
    """A matter of the security department's, by a provision of its own."""
    card, title = type_of("resident_card").code, type_of("real_estate_title").code
    proofs = (
        Proof("identity", "身份证明", "Identity", card, (Way.LICENCE,), ("holder_name", "state"), required=True),
        Proof("property", "房产证明", "Property", title, (Way.LICENCE,), ("location",), required=False),
    )
    law = "《社会救助暂行办法》"
    return Matter(
        RELIEF, "救助申请", "Relief", NAMES[SECURITY], law, HolderKind.PERSON, proofs, demonstration=True,
        unit_code=SECURITY, grounds=(LegalGround("JZ-58", law, "第五十八条"),),
    )  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    built = copy_town(folder, SqliteDatabases(folder).fresh(found))

    def enter(call: Call) -> None:
        enrol.put_matter(call, relief())
        for client_id in ("share-app", "other-app"):
            clients.register(
                call,
                client_id=client_id,
                name="救助系统",
                unit=NAMES[SECURITY],
                auth_method="client_secret_basic",
                secret=SECRET,
                grant_types=["authorization_code", "client_credentials"],
                redirect_uris=[CALLBACK],
                scope="openid consents.manage licences.share lookups.create",
                departments=[SECURITY],
            )

    built.act(enter)
    for client_id in ("share-app", "other-app"):
        permit(built, "resident_card", client_id=client_id)
    yield built
    built.house.database.engine.dispose()
