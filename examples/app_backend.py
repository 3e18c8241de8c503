"""单位登录的应用后端。An app that organisations log in to (docs/quickstart-app.md): app_backend.py APP.json ISSUER."""

import json
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, Response, abort, redirect, render_template_string, request, session

PAGE = """<!doctype html><html lang="zh-CN"><title>我的办事应用</title><link rel="icon" href="data:,">
<h1>我的办事应用</h1><p>{{ said }}</p><form method="post">{% if facts %}
<p>单位 {{ facts.name }}<br>sub {{ facts.sub }}<br>act.sub {{ facts.act.sub }}</p>
<button formaction="/licences">单位证照 Licences</button> <button formaction="/refresh">刷新 Refresh</button>
<button formaction="/logout">退出 Log out</button> <button formaction="/withdraw">撤回授权 Withdraw</button>
{% else %}<button formaction="/login">登录 Log in</button>{% endif %}</form>"""

KNOWN, ISSUER = json.loads(Path(sys.argv[1]).read_text("utf-8")), sys.argv[2]
LOGINS: dict[str, dict] = {}  # tokens stay on the server, in a table of yours: never in the browser's cookie

app = Flask(__name__)
app.config.update(SECRET_KEY=secrets.token_bytes(32), SESSION_COOKIE_SAMESITE="Lax")
city = OAuth(app).register(
    "city",
    **{name: KNOWN[name] for name in ("client_id", "client_secret")},
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": KNOWN["scope"], "code_challenge_method": "S256"},
)


@app.get("/")
def home() -> str:
    facts = LOGINS.get(session.get("login"), {}).get("facts")
    return render_template_string(PAGE, facts=facts, said=session.pop("said", ""))


@app.post("/login")
def log_in() -> Response:
    return city.authorize_redirect(KNOWN["redirect_uris"][0])  # makes and keeps state, nonce and PKCE verifier


@app.get("/cb")
def callback() -> Response:
    if request.args.get("iss") != ISSUER:  # RFC 9207: whose answer is this?
        abort(400)
    token = city.authorize_access_token()  # checks state, redeems the code, checks the ID token and its nonce
    session["login"] = secrets.token_urlsafe()
    LOGINS[session["login"]] = token | {"facts": token["userinfo"] | city.userinfo(token=token)}
    return redirect("/")


@app.post("/<what>")
def act(what: str) -> Response:
    login = LOGINS.get(session.get("login")) or abort(401)
    if what == "licences":
        held = city.get(f"{ISSUER}/v1/licences", token=login).json()["items"]
        session["said"] = "、".join(licence["name"] for licence in held)
    if what == "refresh":  # the new refresh token counts from now on, the old one is used up
        login |= city.fetch_access_token(grant_type="refresh_token", refresh_token=login["refresh_token"])
    if what == "withdraw":  # every token of this consent ends at once
        city.post(f"{ISSUER}/v1/consents/{KNOWN['client_id']}/withdrawals", token=login).raise_for_status()
    if what in {"logout", "withdraw"}:
        LOGINS.pop(session.pop("login"))
    if what == "logout":
        return city.logout_redirect(KNOWN["post_logout_redirect_uris"][0], id_token_hint=login["id_token"])
    return redirect("/")


@app.errorhandler(OAuthError)
def refused(error: OAuthError) -> Response:
    session["said"] = str(error)
    return redirect("/")


if __name__ == "__main__":
    app.run(port=urlsplit(KNOWN["redirect_uris"][0]).port)
