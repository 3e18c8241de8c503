import pytest

from idservice.oauth.registration_uris import is_public, may_be_told

PRIVATE = (
    "JaVaScRiPt:alert(1)", "data:text/html,x", "http://app.example/", "https://127.0.0.1/", "https://[::1]/",
    "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://169.254.169.254/", "https://0.0.0.0/",
    "https://[::ffff:127.0.0.1]/", "https://[fd00::1]/", "https://localhost/", "https://LOCALHOST./",
    "https://a.localhost/", "https://printer.local/", "https://db.internal/", "https://intranet/",
    "https://2130706433/", "https://0x7f000001/", "https://127.1/", "https://0177.0.0.1/", "https://a@app.example/",
    "https://app.example#x", "https://app.example\\@evil.example/", "https://app.example:0/", "https://", "",
)  # fmt: skip


@pytest.mark.parametrize("uri", PRIVATE)
def test_what_is_not_public(uri: str) -> None:
    assert not is_public(uri)
    assert not may_be_told(uri, loopback=False)


@pytest.mark.parametrize("uri", ["https://app.example/", "https://a.b.example:8443/x?y=1", "https://93.184.215.14/"])
def test_what_is_public(uri: str) -> None:
    assert is_public(uri)


def test_this_machine_may_be_told_in_a_first_look_alone() -> None:
    for uri in ("http://127.0.0.1:4001/bye", "http://localhost:4001/bye", "http://[::1]:4001/bye"):
        assert may_be_told(uri, loopback=True)
        assert not may_be_told(uri, loopback=False)
    assert not may_be_told("http://10.0.0.1/", loopback=True)
    assert not may_be_told("http://127.0.0.1.evil.example/", loopback=True)
