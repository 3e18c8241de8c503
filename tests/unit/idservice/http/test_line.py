import pytest
from marshmallow import Schema, ValidationError

from idservice.http.bodies import loader
from idservice.http.line import Line


class Body(Schema):
    name = Line(4, required=True)
    note = Line(4, least=0, load_default=None, allow_none=True)


def refusals(**given: object) -> dict[str, list[str]]:
    found = []
    for load in (Body().load, loader(Body())):
        with pytest.raises(ValidationError) as refused:
            load(given)
        found.append(refused.value.normalized_messages())
    assert found[0] == found[1], "the same by either way of reading"
    return found[0]


def test_a_line_of_what_people_see() -> None:
    assert loader(Body())({"name": "市民之家"}) == {"name": "市民之家", "note": None}
    assert Body().load({"name": "a b", "note": ""}) == {"name": "a b", "note": ""}


@pytest.mark.parametrize("text", ["a\u202eb", "\ufeffa", "a\nb", "a\u2066b", "\u200b"])
def test_what_nobody_sees_is_refused_in_plain_words(text: str) -> None:
    assert refusals(name=text) == {"name": ["Holds a control, direction or other invisible character."]}


@pytest.mark.parametrize("text", ["", "12345", 7, None])
def test_its_length_is_bounded_and_it_is_a_text(text: object) -> None:
    assert set(refusals(name=text)) == {"name"}
