"""Status lists and trust bundle from outside: what a verifier fetches, what a command prints, what no network needs."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest
from sqlalchemy import select

from idservice.call import Call
from keys.ring import Purpose
from licences.lifecycle import State
from licences.models import Licence
from licences.status import entries, publisher
from licences.status.models import StatusEntry
from licences.status.token_list import Signed, Status, read_jwt
from tests.town import ALICE, Town, now

EXAMPLE = Path(__file__).parents[2] / "examples" / "verify_licence_offline.py"
JWT, CWT = "application/statuslist+jwt", "application/statuslist+cwt"


@pytest.fixture(scope="module")
def published(town: Town) -> Iterator[Town]:
    """Keep a publisher at work beside the town, as its own process does in a city."""
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run_forever, args=(town.house, stop, 0.05))
    thread.start()
    yield town
    stop.set()
    thread.join()


def read(town: Town, **query: Any) -> Signed:
    answer = town.web.get("/status/0", query_string=query)
    assert (answer.status_code, answer.content_type) == (200, JWT), answer.text
    return read_jwt(answer.text, keys=town.house.keys.public(Purpose.LICENCE))


def wait_for(town: Town, place: int, status: Status) -> None:
    """Wait until the published list says that; a minute is far more than it takes."""
    for _ in range(1200):
        answer = town.web.get("/status/0")
        if answer.status_code == 200 and read(town).status(place) == status:
            return
        threading.Event().wait(0.05)
    pytest.fail(f"the list never said {status!r}")


def place_of(town: Town, code: str) -> int:
    place = town.row(code).status_place
    assert place is not None
    return place


def run(town: Town, *arguments: str) -> Any:
    return town.app.test_cli_runner().invoke(args=list(arguments))


def test_a_change_is_in_the_published_list_and_verification_knows_it_at_once(published: Town) -> None:
    code = published.order()["identifier"]
    for deed, status, reasons in (
        ("suspend", Status.SUSPENDED, ["suspended"]),
        ("resume", Status.VALID, []),
        ("revoke", Status.INVALID, ["revoked"]),
    ):
        assert published.change(code, deed, reason="演示").status_code == 201
        assert published.verify(code)["reasons"] == reasons
        wait_for(published, place_of(published, code), status)


def test_the_files_are_cacheable_and_come_in_every_form(published: Town) -> None:
    wait_for(published, place_of(published, published.order()["identifier"]), Status.VALID)
    forms = {
        "/status/0": JWT,
        "/status/0/revocation": "application/vc+jwt",
        "/status/0/suspension": "application/vc+jwt",
        "/status/lists": "application/json",
    }
    for path, media_type in forms.items():
        answer = published.web.get(path)
        assert (answer.status_code, answer.content_type) == (200, media_type), path
        assert answer.headers["Cache-Control"] == "public, max-age=30"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Set-Cookie" not in answer.headers
        again = published.web.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b""), path
    cwt = published.web.get("/status/0", headers={"Accept": CWT})
    assert (cwt.content_type, cbor2.loads(cwt.data).tag) == (CWT, 18)
    assert "Accept" in cwt.headers["Vary"]
    issuer = published.house.settings.signs_as
    assert published.web.get("/status/lists").json == {"status_lists": [f"{issuer}/status/0"]}


def test_a_list_is_asked_for_as_it_was(published: Town) -> None:
    code, before = published.order()["identifier"], int(now().timestamp())
    place = place_of(published, code)
    while int(now().timestamp()) <= before:  # the list's clock counts seconds
        threading.Event().wait(0.01)
    assert published.change(code, "revoke", reason="演示").status_code == 201
    after = int(now().timestamp()) + 1
    while now().timestamp() < after:
        threading.Event().wait(0.01)
    assert read(published, time=before).status(place) == Status.VALID
    assert (then := read(published, time=after)).status(place) == Status.INVALID
    assert then.issued_at == after
    refused = {"soon": 400, "-1": 400, "9" * 40: 400, "²": 400, "": 400, "1": 406, str(after + 10_000): 406}
    for time, status in refused.items():
        answer = published.web.get("/status/0", query_string={"time": time})
        assert answer.status_code == status, time
        assert answer.json["code"] in {"bad_request", "not_acceptable"}


def test_a_list_that_is_not_there_is_not_found(published: Town) -> None:
    for path in ("/status/7", "/status/7?time=1790000000", "/status/0/refresh", "/status/999999999999999999999"):
        assert published.web.get(path).status_code == 404, path


def test_a_copy_made_while_the_licence_is_changed_follows_it(town: Town) -> None:
    """Either the copy waits for the change and starts as it left it, or the change waits for the copy and finds it."""
    code = town.order()["identifier"]
    licence, results = town.row(code), []
    begin = threading.Barrier(2)

    def copy() -> None:
        begin.wait()
        results.append(town.act(lambda call: entries.allocate_place(call, licence, form="mdoc")))

    def end(call: Call) -> None:
        call.session.execute(
            Licence.__table__.update().where(Licence.identifier == code).values(state=State.REVOKED)  # type: ignore[attr-defined]
        )
        begin.wait()
        threading.Event().wait(0.1)  # the copy is being made meanwhile
        entries.follow(call, code, State.REVOKED)

    thread = threading.Thread(target=copy)
    thread.start()
    town.act(end)
    thread.join()
    stood = select(StatusEntry.value).where(StatusEntry.place.in_([*results, licence.status_place]))
    assert set(town.act(lambda call: list(call.session.scalars(stood)))) == {Status.INVALID}


def test_bundle_pins_and_the_offline_program(town: Town, tmp_path: Path) -> None:
    """Export the bundle, check it by its pin, and verify paper and credential in a program of its own."""
    code = town.order()["identifier"]
    credential = town.web.get(f"/v1/licences/{code}/credential.sd-jwt", headers=town.machine("issuer")).text
    file, pin = tmp_path / "bundle.jws", run(town, "trust", "pin").output.strip()
    assert run(town, "trust", "export", str(file)).exit_code == 0
    assert town.web.get("/trust/bundle").content_type == "application/trust-bundle+jwt"
    said = json.loads(run(town, "trust", "show", "--json", str(file)).output)
    assert said["issuer"] == town.house.settings.signs_as
    assert run(town, "trust", "show", str(file)).exit_code == 0
    assert run(town, "trust", "verify", str(file), "--pin", pin).exit_code == 0
    assert run(town, "trust", "verify", str(file), "--former", str(file)).exit_code == 0
    assert run(town, "trust", "verify", str(file), "--pin", "strange").exit_code == 1
    assert run(town, "trust", "verify", str(file)).exit_code == 2
    assert run(town, "trust", "verify", str(tmp_path / "none"), "--pin", pin).exit_code == 2

    def offline(text: str, *more: str) -> tuple[int, dict[str, Any]]:
        command = [sys.executable, str(EXAMPLE), str(file), text, "--json", *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    status, report = offline(credential, "--pin", pin)
    assert (status, report["ok"], report["reasons"]) == (0, True, []), report
    assert set(report["ages"]) == {"bundle", f"{town.house.settings.signs_as}/status/0"}
    assert town.change(code, "revoke", reason="演示").status_code == 201
    assert run(town, "status", "publish", "--once").exit_code == 0
    wait_for(town, place_of(town, code), Status.INVALID)  # another publisher may have been at it
    newer = tmp_path / "list.jwt"
    newer.write_text(town.web.get("/status/0").text)
    status, report = offline(credential, "--pin", pin, "--list", str(newer))
    assert (status, report["reasons"]) == (1, ["revoked"]), report
    hyphen = [sys.executable, str(EXAMPLE), str(file), credential, "--pin", "-" + pin[1:]]  # as one in 64 begins
    refused = subprocess.run(hyphen, capture_output=True, text=True, check=False, timeout=60)
    assert (refused.returncode, "not_pinned" in refused.stderr) == (2, True), refused.stderr
    broken = [sys.executable, str(EXAMPLE), str(file), credential[:-9]]
    plain = subprocess.run(broken, capture_output=True, text=True, check=False, timeout=60)
    assert plain.returncode == 1
    assert plain.stdout.startswith("无效 It does not hold")


def test_paper_and_credential_of_one_licence_have_places_of_their_own(town: Town) -> None:
    code = town.order("real_estate_title", ALICE)["identifier"]
    town.web.get(f"/v1/licences/{code}/qr.svg", query_string={"form": "lc1"}, headers=town.machine("issuer"))
    rows = select(StatusEntry.place, StatusEntry.form).where(StatusEntry.licence_key == entries.key_of(code))
    places = {form: place for place, form in town.act(lambda call: call.session.execute(rows).all())}
    assert set(places) == {"credential", "paper"}
    assert places["credential"] != places["paper"]
