"""The cookies by which a browser is known as an enrolled device: out of reach of scripts, one a purpose."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

DEVICE = "xiaodun_device"
TABLET = "xiaodun_tablet"


def secret_in(request: HttpRequest, name: str) -> str:
    """The secret of the cookie; "" without one."""
    return request.COOKIES.get(name, "")


def keep_secret(
    response: HttpResponseBase,
    name: str,
    secret: str,
    *,
    lasts: timedelta = timedelta(days=400),
    path: str = "/",
) -> None:
    """Let the browser keep ``secret`` for so long, by default as long as browsers keep anything.

    A duration and no date: the clock of the browser may be another than ours.
    """
    response.set_cookie(
        name,
        secret,
        max_age=lasts,
        path=path,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
