"""Sign-in by an account that staff have elsewhere. Off unless the settings name a provider.

A provider says who somebody is at the vendor, and nothing else: an account here is found by a binding that
its owner made while signed in, never by name, and none is ever made. The second factor is asked for as after
a password.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.providers.dingtalk import DingTalk
from xiaodun.accounts.providers.wecom import WeCom


class Provider(Protocol):
    """What an adapter offers."""

    def authorization_url(self, *, state: str, redirect_uri: str) -> str:
        """Where the browser signs in at the vendor; it is sent back with a code and ``state``."""

    def external_id(self, code: str) -> str:
        """Who came back with ``code``, as the vendor calls them.

        Raises:
            VendorError: the vendor does not answer, or not as documented.
        """


_ADAPTERS: Mapping[str, Callable[..., Provider]] = {"wecom": WeCom, "dingtalk": DingTalk}


_LABELS = {"wecom": _("WeCom"), "dingtalk": _("DingTalk")}


def offered_providers() -> list[tuple[str, str]]:
    """The providers of this installation, each with its name in words."""
    return [(name, str(_LABELS[name])) for name in settings.SIGN_IN_PROVIDERS]


def provider_named(name: str) -> Provider | None:
    """The provider, if this installation has it."""
    configured: Mapping[str, Mapping[str, Any]] = settings.SIGN_IN_PROVIDERS
    return _ADAPTERS[name](**configured[name]) if name in configured else None
