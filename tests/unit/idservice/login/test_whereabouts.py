import pytest

from idservice.login.whereabouts import device, network

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
AGENTS = {
    CHROME: "Chrome · Linux",
    f"{CHROME} Edg/140.0": "Edge · Linux",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) Version/18.0 Safari/605.1.15": "Safari · macOS",
    "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox · Windows",
    "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36 MicroMessenger/8.0": "微信 WeChat · Android",
    "Mozilla/5.0 (iPad; CPU OS 18_0) CriOS/140.0 Mobile Safari/604.1": "Chrome · iPad",
    "curl/8.0 (Linux)": "Linux",
    "curl/8.0": None,
    "": None,
    None: None,
}
ADDRESSES = {
    "203.0.113.77": "203.0.113.*",
    "2001:db8:aa:bb:1:2:3:4": "2001:db8:aa::*",
    "fe80::1%eth0": "fe80::*",
    "::ffff:203.0.113.77": "203.0.113.*",
    "unix": None,
    "": None,
    None: None,
}


@pytest.mark.parametrize(("agent", "words"), AGENTS.items(), ids=range(len(AGENTS)))
def test_a_device_is_told_in_words(agent: str | None, words: str | None) -> None:
    assert device(agent) == words


@pytest.mark.parametrize(("address", "shown"), ADDRESSES.items(), ids=range(len(ADDRESSES)))
def test_an_address_loses_its_end(address: str | None, shown: str | None) -> None:
    assert network(address) == shown


def test_what_is_kept_fits_its_column() -> None:
    assert all(len(words or "") <= 64 for words in AGENTS.values())
    assert len(device("MicroMessenger/ HarmonyOS") or "") <= 64
