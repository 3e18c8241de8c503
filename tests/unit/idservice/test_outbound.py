"""No address but a public one is ever asked, for no longer and no more than was agreed."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from idservice import outbound
from idservice.outbound import OutboundRefused

PUBLIC = "93.184.215.14"


class _Handler(BaseHTTPRequestHandler):
    """Answers by path, and remembers what it was asked."""

    asked: list[tuple[str, str, dict[str, str], bytes]]

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append((self.command, self.path, dict(self.headers), body))
        if self.path == "/redirect":
            self._answer(302, b"", {"Location": "http://169.254.169.254/latest"})
        elif self.path == "/large":
            self._answer(200, b'"' + b"a" * 100_000 + b'"')
        elif self.path == "/html":
            self._answer(200, b"<p>", {"Content-Type": "text/html"})
        elif self.path == "/twice":
            self._answer(200, b'{"a": 1, "a": 2}')
        elif self.path == "/gone":
            self._answer(404, b"{}")
        else:
            self._answer(200, b'{"ok": true}')

    do_GET = do_POST = _serve  # noqa: N815 - http.server's names

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    _Handler.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def here(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def _code(deed: Callable[[], object]) -> str:
    with pytest.raises(OutboundRefused) as refused:
        deed()
    return refused.value.code


def test_a_post_arrives_as_json_with_its_headers(here: str) -> None:
    answer = outbound.post(
        f"{here}/notify?x=1", body={"auth_req_id": "试"}, headers={"Authorization": "Bearer t"}, loopback=True
    )
    ((method, path, headers, body),) = _Handler.asked
    assert (answer.status, answer.media_type, answer.body) == (200, "application/json", b'{"ok": true}')
    assert (method, path, json.loads(body)) == ("POST", "/notify?x=1", {"auth_req_id": "试"})
    assert (headers["Authorization"], headers["Content-Type"]) == ("Bearer t", "application/json")


def test_a_form_is_posted_as_a_form(here: str) -> None:
    outbound.post(f"{here}/logout", form={"logout_token": "a.b&c"}, loopback=True)
    assert _Handler.asked[0][3] == b"logout_token=a.b%26c"


def test_json_is_fetched(here: str) -> None:
    assert outbound.get_json(f"{here}/jwks", loopback=True) == {"ok": True}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/redirect", "status"),
        ("/gone", "status"),
        ("/large", "too_large"),
        ("/html", "unreadable"),
        ("/twice", "unreadable"),
    ],
)
def test_what_is_no_json_document_of_bounded_size_is_refused(here: str, path: str, code: str) -> None:
    assert _code(lambda: outbound.get_json(here + path, loopback=True)) == code


def test_a_redirect_is_not_followed(here: str) -> None:
    assert outbound.post(f"{here}/redirect", loopback=True).status == 302
    assert len(_Handler.asked) == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://a.example/",
        "http://a.example/",
        "//a.example/",
        "https://",
        "https:///x",
        "https://user@a.example/",
        "https://a.example:0/",
        "https://a.example:99999/",
        "https://a.example/#f",
        "https://a.example/ x",
        "https://a.example\\@b.example/",
        "https://a.example/\r\nX: y",
        "https://例子.example/",
        "https://[::1/",
        "file:///etc/passwd",
        "JaVaScRiPt:alert(1)",
        "https://a.example/" + "a" * 2048,
        "http://127.0.0.1/",
        "http://localhost/",
    ],
)
def test_only_plain_https_urls_are_asked(url: str) -> None:
    assert _code(lambda: outbound.check_url(url)) == "url"


@pytest.mark.parametrize("url", ["http://127.0.0.1:4001/cb", "http://[::1]:4001/", "http://localhost:1/"])
def test_this_machine_itself_is_asked_where_it_is_allowed(url: str) -> None:
    assert outbound.check_url(url, loopback=True) == url
    assert _code(lambda: outbound.check_url("http://a.example/", loopback=True)) == "url"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fc00::1",
        "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
        "2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "no address", "",
    ],
)  # fmt: skip
def test_addresses_nobody_owns_in_public_are_refused(address: str) -> None:
    assert not outbound.is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:21f::1", "::ffff:8.8.8.8"])
def test_public_addresses_are_known(address: str) -> None:
    assert outbound.is_public(address)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let every name have these addresses, and nobody connect to any."""
    addresses: list[str] = []

    def resolve(_host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    def connect(*_: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    return addresses


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("rebound.example", ["127.0.0.1"]),
        ("metadata.example", ["169.254.169.254"]),
        ("half.example", [PUBLIC, "10.0.0.1"]),
        ("v6.example", ["::1"]),
        ("mapped.example", ["::ffff:192.168.0.1"]),
        ("2130706433", ["127.0.0.1"]),
    ],
)
@pytest.mark.parametrize("loopback", [False, True])
def test_a_name_that_leads_inside_is_never_connected_to(
    names: list[str], host: str, found: list[str], loopback: bool
) -> None:
    names += found
    assert _code(lambda: outbound.post(f"https://{host}/", loopback=loopback)) == "address"


def test_localhost_that_leads_elsewhere_is_never_connected_to(names: list[str]) -> None:
    names += ["10.0.0.1"]
    assert _code(lambda: outbound.post("http://localhost/", loopback=True)) == "address"


def test_a_name_without_an_address_is_unreachable(names: list[str]) -> None:
    assert _code(lambda: outbound.post("https://nowhere.example/")) == "unreachable"


def test_a_resolver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        release.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    assert _code(lambda: outbound.post("https://slow.example/", seconds=0.05)) == "timeout"
    release.set()


def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        assert _code(lambda: outbound.post(url, loopback=True)) == "unreachable"


@pytest.mark.parametrize(
    "beginning", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"]
)
def test_an_answer_that_drips_ends_at_the_deadline(beginning: bytes) -> None:
    """Each byte would renew an ordinary timeout."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(beginning)
                while not over.wait(0.02):
                    try:
                        peer.sendall(b"a")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        assert _code(lambda: outbound.post(url, loopback=True, seconds=0.3)) == "timeout"
        over.set()
        thread.join()


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_does_not_speak_http_is_unreachable(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def speak() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(said)

        thread = threading.Thread(target=speak)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        assert _code(lambda: outbound.post(url, loopback=True)) == "unreachable"
        thread.join()


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_the_judged_address_is_the_one_connected_to_and_the_certificate_is_the_names(
    server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolver is asked once: its second answer, the one a rebinding server would change, is never heard."""
    pem = _certificate(tmp_path, "app.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    monkeypatch.setattr(outbound, "_tls", lambda: ssl.create_default_context(cafile=str(pem)))
    looked_up: list[str] = []
    connected: list[str] = []
    really_connect = socket.create_connection

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        looked_up.append(host)
        return [(0, 0, 0, "", (PUBLIC if len(looked_up) == 1 else "127.0.0.1", port))]

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address[0])
        peer = socket.socket(socket.AF_INET)
        peer.settimeout(timeout)
        peer.connect(("127.0.0.1", server.server_port))
        return peer

    assert ipaddress.ip_address(PUBLIC).is_global
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    assert outbound.get_json("https://app.example/jwks") == {"ok": True}
    assert (looked_up, connected) == (["app.example"], [PUBLIC])
    assert _Handler.asked[0][2]["Host"] == "app.example"

    looked_up.clear()
    assert _code(lambda: outbound.get_json("https://other.example/jwks")) == "unreachable"
    assert really_connect is not socket.create_connection
