"""The cookies by which a browser is known as an enrolled device: out of reach of scripts, one a purpose."""

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

DEVICE = "xiaodun_device"
TABLET = "xiaodun_tablet"


def secret_in(request: HttpRequest, name: str) -> str:
    """The secret of the cookie; "" without one."""
    return request.COOKIES.get(name, "")


def keep_secret(
    response: HttpResponseBase, name: str, secret: str, *, until: datetime | None = None, path: str = "/"
) -> None:
    """Let the browser keep ``secret`` to ``until``; without it for as long as browsers keep anything."""
    response.set_cookie(
        name,
        secret,
        expires=until,
        max_age=None if until else 400 * 24 * 60 * 60,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
