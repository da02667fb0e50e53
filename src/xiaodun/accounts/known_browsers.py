"""Browsers in which a user has signed in before: each has its own count of failures.

While somebody guesses at an account, strangers' attempts at it are paused, and its owner goes on signing in
from the browser that is known (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). The cookie
opens nothing by itself; stolen, it buys as few guesses as any browser has.
"""

import secrets
from dataclasses import dataclass, field

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from xiaodun.accounts.models import User

_COOKIE = "known-browser"
_SALT = "xiaodun.accounts.known_browsers"
# On the PC of a staff room; whoever signed in longest ago is forgotten.
_USERS_A_BROWSER = 20


@dataclass(frozen=True, slots=True)
class KnownBrowser:
    """The users who signed in here, each with the random name that this browser has for them."""

    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, request: HttpRequest) -> "KnownBrowser":
        """What the browser's cookie says, if this server signed it and it is not too old."""
        try:
            names = signing.loads(
                request.COOKIES.get(_COOKIE, ""), salt=_SALT, max_age=settings.KNOWN_BROWSER_AGE
            )
        except signing.BadSignature:
            return cls()
        return cls(names)

    def name_for(self, user: User) -> str | None:
        """The name under which attempts of this browser at ``user`` count; none for a stranger."""
        return self.names.get(str(user.pk))

    def remember(self, user: User, response: HttpResponse) -> None:
        """Know the browser that gets ``response`` as one of ``user``."""
        name = self.name_for(user) or secrets.token_urlsafe(16)
        others = [(key, value) for key, value in self.names.items() if key != str(user.pk)]
        names = dict([*others[-(_USERS_A_BROWSER - 1) :], (str(user.pk), name)])
        response.set_cookie(
            _COOKIE,
            signing.dumps(names, salt=_SALT),
            max_age=settings.KNOWN_BROWSER_AGE,
            path=reverse("accounts:sign_in"),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
