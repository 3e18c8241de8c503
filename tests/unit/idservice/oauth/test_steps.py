import random
from datetime import UTC, datetime, timedelta

from idservice.oauth.steps import Step, seal, unseal

SECRET = b"k" * 32
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
STEP = Step("d" * 64, "b" * 32, int(NOW.timestamp() * 1000))


def read(
    text: str | None, *, digest: str = STEP.digest, browser: str = STEP.browser, now: datetime = NOW
) -> Step | None:
    return unseal([SECRET], text, digest=digest, browser=browser, now=now)


def test_what_was_sealed_is_read() -> None:
    chosen = STEP.acting_as("self", "s" * 64)
    assert read(seal(SECRET, STEP)) == STEP
    assert read(seal(SECRET, chosen)) == chosen


def test_it_is_good_for_one_request_and_browser_and_hour() -> None:
    text = seal(SECRET, STEP)
    assert read(text, digest="e" * 64) is None
    assert read(text, browser="c" * 32) is None
    assert read(text, now=NOW + timedelta(minutes=59)) == STEP
    assert read(text, now=NOW + timedelta(minutes=61)) is None
    assert read(seal(b"x" * 32, STEP)) is None


def test_a_choice_holds_in_the_session_it_was_made_in() -> None:
    chosen = STEP.acting_as("mandate", "s" * 64)
    assert chosen.choice("s" * 64) == "mandate"
    assert chosen.choice("t" * 64) is None
    assert chosen.choice(None) is None
    assert STEP.choice(None) is None


def test_mutants_are_nothing() -> None:
    chance, good = random.Random(3), seal(SECRET, STEP)
    for _ in range(500):
        place = chance.randrange(len(good))
        mutant = good[:place] + chance.choice("AZ.-_é\0") + good[place + chance.randint(0, 2) :]
        assert mutant == good or read(mutant) is None
    for odd in (None, "", ".", "a.b", "A" * 2000):
        assert read(odd) is None
