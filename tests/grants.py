"""Apps with the further grants for the small city of `identity`: a screen, a desk, a gateway and those around it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from idservice.call import Call
from idservice.oauth import clients
from idservice.oauth.grant_policy import CIBA_GRANT, DEVICE_GRANT, EXCHANGE_GRANT, PING, GrantPolicy
from tests.builders import act
from tests.identity import ALICE, CALLBACK, HOLDER_SCOPE, SECRET, Browser, City, Page, basic, token

SCREEN_SCOPE = "openid profile offline_access"


DEAF = "http://127.0.0.1:9"  # nobody listens there


def register_apps(city: City, notified_at: str = DEAF) -> None:
    """Register the apps; `desk-ping` is notified at this origin, `desk-deaf` where nobody listens."""

    def register(call: Call) -> None:
        one: dict[str, Any] = {"unit": "滨州市示范单位", "scope": HOLDER_SCOPE}
        secret: dict[str, Any] = {"auth_method": "client_secret_basic", "secret": SECRET}
        both: dict[str, Any] = one | secret
        screen = [DEVICE_GRANT, "refresh_token"]
        clients.register(call, client_id="tv", name="大厅电视", auth_method="none", grant_types=screen, **one)
        clients.register(call, client_id="kiosk", name="自助终端", grant_types=screen, **both)
        clients.register(call, client_id="desk", name="综合窗口", grant_types=[CIBA_GRANT, "refresh_token"], **both)
        clients.register(call, client_id="desk2", name="另一窗口", grant_types=[CIBA_GRANT], **both)
        for name, origin in (("desk-ping", notified_at), ("desk-deaf", DEAF)):
            policy = GrantPolicy(PING, f"{origin}/notify")
            clients.register(call, client_id=name, name="通知窗口", grant_types=[CIBA_GRANT], policy=policy, **both)
        clients.register(
            call, client_id="front", name="前台", grant_types=["authorization_code", "refresh_token"],
            redirect_uris=[CALLBACK], policy=GrantPolicy(actor="gateway"), **both,
        )  # fmt: skip
        machine: dict[str, Any] = {**secret, "unit": "滨州市示范单位"}
        system = ["client_credentials", EXCHANGE_GRANT]
        clients.register(
            call, client_id="gateway", name="网关", grant_types=system, scope=f"{HOLDER_SCOPE} matters.read",
            policy=GrantPolicy(audiences=("archive", "basic")), **machine,
        )  # fmt: skip
        for name in ("archive", "vault", "cellar"):
            following = {"archive": "vault", "vault": "cellar", "cellar": "archive"}[name]
            clients.register(
                call, client_id=name, name=name, grant_types=system, scope=f"{HOLDER_SCOPE} matters.read",
                policy=GrantPolicy(audiences=(following,)), **machine,
            )  # fmt: skip

    act(city.house, register)


def start_device(city: City, client_id: str = "tv", scope: str = SCREEN_SCOPE, **more: str) -> Any:
    if client_id == "tv":
        return token(city.app, {"client_id": "tv", "scope": scope, **more}, path="/oauth/device_authorization")
    return token(city.app, {"scope": scope, **more}, basic(client_id), "/oauth/device_authorization")


def poll_device(city: City, device_code: str, client_id: str = "tv") -> Any:
    form = {"grant_type": DEVICE_GRANT, "device_code": device_code}
    if client_id == "tv":
        return token(city.app, {"client_id": "tv", **form})
    return token(city.app, form, basic(client_id))


def start_ciba(city: City, client_id: str = "desk", **changes: str | None) -> Any:
    form = {"scope": "openid profile", "login_hint": ALICE, "binding_message": "窗口 3 号", **changes}
    sent = {name: value for name, value in form.items() if value is not None}
    return token(city.app, sent, basic(client_id), "/oauth/backchannel_authentication")


def poll_ciba(city: City, auth_req_id: str, client_id: str = "desk") -> Any:
    return token(city.app, {"grant_type": CIBA_GRANT, "auth_req_id": auth_req_id}, basic(client_id))


def open_logged_in(browser: Browser, path: str, *, number: str = ALICE, acting: str = "self") -> Page:
    """Open a page that needs a login, and answer for whom the person acts where that is asked."""
    page = browser.open(path)
    if page.asks_to_log_in:
        page = browser.log_in(page, number=number)
    if 'name="acting"' in page.text:
        page = browser.submit(page, acting=acting)
    return page


def enter_code(browser: Browser, user_code: str, *, number: str = ALICE, acting: str = "self") -> Page:
    """Type a device's code, and come to the consent page."""
    page = browser.submit(open_logged_in(browser, "/device", number=number), user_code=user_code)
    return browser.submit(page, acting=acting) if 'name="acting"' in page.text else page


def open_approval(browser: Browser, started: dict[str, Any], **who: str) -> Page:
    """Open what the QR code on the desk's screen leads to."""
    return open_logged_in(browser, local(started["binding_qr_text"]), **who)


def local(url: str) -> str:
    """Return path and query of a URL of ours."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def exchange(city: City, subject_token: str, client_id: str = "gateway", **more: str) -> Any:
    form = {"grant_type": EXCHANGE_GRANT, "subject_token": subject_token, "subject_token_type": ACCESS, **more}
    return token(city.app, form, basic(client_id))


def actor_token(city: City, client_id: str = "gateway") -> dict[str, str]:
    """Return the parameters by which a client shows that it acts itself."""
    form = {"grant_type": "client_credentials", "scope": "matters.read"}
    got = token(city.app, form, basic(client_id)).json["access_token"]
    return {"actor_token": got, "actor_token_type": ACCESS}


ACCESS = "urn:ietf:params:oauth:token-type:access_token"


@dataclass
class Listener:
    """An app's notification endpoint: what it was sent, and what it answers."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    received: list[tuple[str, str | None, Any]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen on this machine as an app would."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.received.append((self.path, self.headers.get("Authorization"), json.loads(body)))
            self.send_response(listener.status)
            for name, value in listener.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(listener.body)))
            self.end_headers()
            self.wfile.write(listener.body)

        def log_message(self, *_arguments: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        listener.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield listener
        server.shutdown()
        thread.join()
