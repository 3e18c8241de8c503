import pytest

from idservice.oauth import resource_servers
from idservice.oauth.resource_servers import Server


def test_folding_and_unfolding_are_each_others_inverse() -> None:
    sent = [("a", "1"), ("resource", "https://x.example"), ("resource", "https://y.example")]
    folded = resource_servers.folded(sent)
    assert folded == [("a", "1"), ("resource", "https://x.example https://y.example")]
    assert resource_servers.unfolded(dict(folded)) == sent
    assert resource_servers.named(dict(folded)) == ("https://x.example", "https://y.example")


def test_the_same_resource_twice_is_one() -> None:
    folded = dict(resource_servers.folded([("resource", "u:x")] * 3))
    assert resource_servers.named(folded) == ("u:x",)


def test_without_a_resource_nothing_changes() -> None:
    for sent in ([], [("a", "1")], [("a", "1"), ("resource", "")]):
        assert resource_servers.folded(sent) == [pair for pair in sent if pair[1]]
        assert resource_servers.named(dict(resource_servers.folded(sent))) == ()


def test_a_space_never_makes_two_of_one() -> None:
    with pytest.raises(ValueError, match="URI"):
        resource_servers.folded([("resource", "https://x.example https://y.example")])


def test_every_other_parameter_still_shows_that_it_was_sent_twice() -> None:
    assert len(resource_servers.folded([("a", "1"), ("a", "1"), ("resource", "u:x")])) == 3


def test_a_server_understands_its_own_scopes_and_those_of_the_login() -> None:
    asked = ("openid", "licences.read", "licences.show")
    assert Server("u", ("x", "x"), is_opaque=False).understood(asked) == asked
    some = Server("u", ("x", "x"), is_opaque=False, scope=frozenset({"licences.read"}))
    assert some.understood(asked) == ("openid", "licences.read")
