from typing import Any

from idservice.oauth import consent_words, resource_servers
from idservice.oauth.detail_types import DetailType, Field, Shape
from idservice.oauth.resource_servers import Server

CALL: Any = None
FIELDS = {
    "codes": Field(("代码", "Codes"), among=lambda _call: {"a": ("甲", "First")}),
    "actions": Field(("操作", "What"), words={"use": ("使用", "Use")}),
    "size": Field(("大小", "Size"), Shape.TEXT),
}
KIND = DetailType("thing", None, ("某事", "Something"), ("仅此", "No more"), FIELDS)


def told(monkeypatch: Any, **fields: Any) -> Any:
    monkeypatch.setattr("idservice.oauth.detail_types._known", {"thing": KIND})
    return consent_words.details(CALL, [{"type": "thing", **fields}])[0]


def facts(shown: Any) -> dict[str, list[str]]:
    return {fact["title"]: fact["values"] for fact in shown["facts"]}


def test_codes_and_actions_are_told_by_their_names(monkeypatch: Any) -> None:
    found = told(monkeypatch, codes=["a"], actions=["use"], size="9")
    assert facts(found.shown("zh")) == {"代码": ["甲"], "操作": ["使用"], "大小": ["9"]}
    assert facts(found.shown("en")) == {"Codes": ["First"], "What": ["Use"], "Size": ["9"]}
    assert found.shown("en")["title"] == "Something"


def test_a_moment_is_told_in_beijings_time(monkeypatch: Any) -> None:
    found = told(monkeypatch, not_after="2026-12-31T16:00:00Z")
    assert facts(found.shown("zh")) == {"截止时间": ["2027-01-01 00:00（北京时间）"]}


def test_locations_are_told_by_the_names_of_the_apis(monkeypatch: Any) -> None:
    known = Server("https://a.example", ("数据平台", "Data"), is_opaque=False)
    monkeypatch.setattr(resource_servers, "find", lambda _call, name: known if name == known.identifier else None)
    found = told(monkeypatch, locations=["https://a.example", "https://b.example"])
    assert facts(found.shown("zh")) == {"用于接口": ["数据平台", "https://b.example"]}
    assert consent_words.resources(CALL, ["https://a.example", "https://b.example"]) == [
        (("数据平台", "Data"), "https://a.example")
    ]


def test_a_type_that_is_not_known_any_more_is_not_shown(monkeypatch: Any) -> None:
    monkeypatch.setattr("idservice.oauth.detail_types._known", {})
    assert consent_words.details(CALL, [{"type": "thing"}]) == []
