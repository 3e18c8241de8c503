"""The publisher runs until it is stopped; a failure is told and tried again, and holds up nothing else."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from unittest.mock import Mock

import pytest
from sqlalchemy import delete, insert, update

from idservice import audit, background
from idservice.db import table_of
from keys.ring import Purpose, RingError
from licences.status import files, publisher
from licences.status.edition import name_of
from licences.status.models import PublishedFile, StatusEntry, StatusList
from licences.status.publish import RENEW, NotPublishedError
from licences.status.token_list import SIZE, Status, read_jwt
from licences.trust import gather
from tests.town import Town, now

SECRET = "37160219900307123X"
UNREADABLE = 30_000  # no status: no list can hold it


def test_it_publishes_until_it_is_stopped_and_survives_failures(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, seen = threading.Event(), []
    some = NotPublishedError({"list 7": OSError(SECRET)})
    faults = {1: RingError("no active licence key"), 2: ValueError(SECRET), 3: some}

    def publish(*_: object) -> int:
        seen.append(1)
        if len(seen) == 5:
            stop.set()
        if (fault := faults.get(len(seen))) is not None:
            raise fault
        return 1

    log = Mock()
    monkeypatch.setattr(publisher, "publish", publish)
    monkeypatch.setattr(background, "log", log)
    publisher.run_forever(town.house, stop, 0.01)
    assert len(seen) == 5
    lines = [call.kwargs for call in log.error.call_args_list]
    told = [(line["what"], line["reason"]) for line in lines]
    assert told == [("lists", "RingError: no active licence key"), ("lists", "ValueError"), ("list 7", "OSError")]
    assert lines[1]["at"].startswith("test_publisher.py:")
    assert SECRET not in str(log.mock_calls)


@pytest.fixture
def one_bad_list(town: Town) -> Iterator[None]:
    """Of two lists the first cannot be made."""
    other = SIZE + 5

    def spoil(call: object) -> None:
        session = call.session  # type: ignore[attr-defined]
        session.execute(delete(table_of(PublishedFile)))
        session.execute(insert(table_of(StatusList)), {"list_number": 1, "opened_at": now()})
        places = ((5, UNREADABLE), (other, int(Status.INVALID)))
        rows = [{"place": place, "licence_key": bytes(16), "form": "x", "value": value} for place, value in places]
        session.execute(insert(table_of(StatusEntry)), rows)

    def mend(call: object) -> None:
        session = call.session  # type: ignore[attr-defined]
        session.execute(delete(table_of(StatusEntry)).where(table_of(StatusEntry).c.place.in_([5, other])))
        session.execute(delete(table_of(StatusList)).where(table_of(StatusList).c.list_number == 1))

    town.act(spoil)
    yield
    town.act(mend)


def published(town: Town, name: str) -> bytes | None:
    found = town.act(lambda call: files.find(call.session, name))
    return None if found is None else bytes(found.content)


@pytest.mark.usefixtures("one_bad_list")
def test_a_list_that_cannot_be_made_holds_up_no_other_and_is_tried_again(town: Town) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=publisher.run_forever, args=(town.house, stop, 0.05))
    thread.start()
    try:
        for _ in range(200):
            if published(town, gather.NAME) is not None:
                break
            stop.wait(0.05)
        assert thread.is_alive()
        other = published(town, name_of(1, "jwt"))
        assert other is not None
        keys = town.house.keys.public(Purpose.LICENCE)
        assert read_jwt(other.decode(), keys=keys).status(5) == Status.INVALID
        assert published(town, gather.NAME) is not None, "nor the bundle"
        assert published(town, name_of(0, "jwt")) is None
        mended = update(table_of(StatusEntry)).where(table_of(StatusEntry).c.place == 5).values(value=0)
        town.act(lambda call: call.session.execute(mended))
        for _ in range(200):
            if published(town, name_of(0, "jwt")) is not None:
                break
            stop.wait(0.05)
        assert published(town, name_of(0, "jwt")) is not None
    finally:
        stop.set()
        thread.join()


@pytest.mark.usefixtures("one_bad_list")
def test_one_pass_says_which_list_was_not_signed(town: Town) -> None:
    done = town.app.test_cli_runner().invoke(args=["status", "publish", "--once"])
    assert (done.exit_code, done.stderr) == (2, "未能完成 Could not be done: list 0: ValueError\n")
    assert published(town, name_of(1, "jwt")) is not None


def test_running_ends_with_what_it_stands_around(town: Town) -> None:
    with publisher.running(town.house):
        assert "publisher" in {thread.name for thread in threading.enumerate()}
    assert "publisher" not in {thread.name for thread in threading.enumerate()}


def waited(town: Town, moment: datetime) -> timedelta:
    return town.house.database.run(lambda session: publisher.waited(session, moment), write=False)


def test_it_is_told_for_how_long_what_is_due_has_waited(town: Town) -> None:
    code = town.order()["identifier"]
    town.act(lambda call: call.session.execute(delete(table_of(PublishedFile))))
    begin = now()
    publisher.publish_all(town.house, begin)
    assert waited(town, begin + RENEW) == timedelta()
    assert waited(town, begin + RENEW + timedelta(minutes=5)) == timedelta(minutes=5), "a list is to be signed anew"
    assert town.change(code, "suspend", reason="演示").status_code == 201
    half = timedelta(minutes=30)
    assert timedelta(minutes=29) < waited(town, begin + half) <= half, "a change is to be shown"
    publisher.publish_all(town.house, now())
    assert waited(town, begin + half) == timedelta()
    opened = {"list_number": 1, "opened_at": begin}
    town.act(lambda call: call.session.execute(insert(table_of(StatusList)), opened))
    assert waited(town, begin + timedelta(minutes=7)) == timedelta(minutes=7), "a list was never signed"
    town.act(lambda call: call.session.execute(delete(table_of(StatusList))))


@pytest.mark.parametrize("name", [gather.NAME, name_of(0, "jwt")], ids=["bundle", "list"])
def test_what_was_never_signed_waits_since_the_first_deed(town: Town, name: str) -> None:
    begun = town.act(lambda call: audit.begun_at(call.session))
    publisher.publish_all(town.house, now())
    assert waited(town, now()) == timedelta()
    town.act(lambda call: call.session.execute(delete(PublishedFile).where(PublishedFile.name == name)))
    assert waited(town, begun + publisher.LATE) == publisher.LATE, "the others are signed"
    publisher.publish_all(town.house, now())
    assert waited(town, now()) == timedelta()
