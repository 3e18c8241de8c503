"""django-oauth-toolkit as its tutorial sets it up, in one file: `python django_toolkit.py` makes its tables.

It runs in an environment of its own (`django_toolkit.txt`), so it imports nothing of ours. Its tokens are kept as
durably as ours: SQLite with a write-ahead log, forced to the disk at every commit. What would only make it slower is
left out: client secrets are kept in plain (PBKDF2 at every request is the default), and passwords are hashed cheaply,
because the password hash is reported apart.
"""

from __future__ import annotations

import os
import sys

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

CLIENT, APP, SECRET = "bench", "bench-app", "a-secret-for-benchmarks-of-48-characters-in-all."
CALLBACK, SCOPE = "http://127.0.0.1:9/cb", "api"
USER, PASSWORD = "user", "a-password-for-benchmarks"

_LOGIN = """<!doctype html><title>Log in</title><form method="post">{% csrf_token %}{{ form.as_p }}
<button>Log in</button></form>"""

if not settings.configured:  # a server may load this file by its path, and Django then by its name
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": os.environ["SAMPLE_DATABASE"],
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    "timeout": 30,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
                },
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        LOGGING_CONFIG=None,
        LOGIN_URL="/login/",
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        OAUTH2_PROVIDER={
            "ALLOWED_REDIRECT_URI_SCHEMES": ["http"],
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": os.environ["SAMPLE_KEY"],
            "PKCE_REQUIRED": True,
            "SCOPES": {"openid": "Who you are", SCOPE: "The API", "introspection": "Introspection"},
        },
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        ROOT_URLCONF="django_toolkit",
        SECRET_KEY="a-key-for-benchmarks-" * 3,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.request"],
                    "loaders": [
                        ("django.template.loaders.locmem.Loader", {"login.html": _LOGIN}),
                        "django.template.loaders.app_directories.Loader",
                    ],
                },
            }
        ],
        USE_TZ=True,
    )
    django.setup()

from django.contrib.auth.views import LoginView  # noqa: E402 - Django wants its settings first


def _ready(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ready")


urlpatterns = [
    path("", _ready),
    path("login/", LoginView.as_view(template_name="login.html")),
    path("o/", include("oauth2_provider.urls")),
]
app = get_wsgi_application()


def prepare() -> None:
    """Create the tables, the two clients and the user."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    common = {"client_secret": SECRET, "hash_client_secret": False, "client_type": "confidential"}
    Application.objects.create(
        client_id=CLIENT, name="A system", authorization_grant_type="client-credentials", **common
    )
    Application.objects.create(
        client_id=APP,
        name="An app",
        authorization_grant_type="authorization-code",
        redirect_uris=CALLBACK,
        algorithm="RS256",
        **common,
    )
    User.objects.create_user(USER, password=PASSWORD)


if __name__ == "__main__":
    sys.modules["django_toolkit"] = sys.modules["__main__"]
    prepare()
