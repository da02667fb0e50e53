"""DingTalk (钉钉): sign-in by OAuth 2 of an internal application.

Addresses and fields are those of the vendor's public documentation (``oauth2/auth``, ``userAccessToken``,
``contact/users/me``). They have not been tried against the vendor's own servers, only against one that plays
it.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from xiaodun.accounts.providers.vendor import ask, id_of, text_of


@dataclass(frozen=True, slots=True)
class DingTalk:
    """See `Provider`. ``client_id``, ``secret``: AppKey and AppSecret of the application."""

    client_id: str
    secret: str
    login_page: str = "https://login.dingtalk.com/oauth2/auth"
    api: str = "https://api.dingtalk.com"

    def authorization_url(self, *, state: str, redirect_uri: str) -> str:
        query = {
            "response_type": "code",
            "scope": "openid",
            "prompt": "consent",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self.login_page}?{urlencode(query)}"

    def external_id(self, code: str) -> str:
        body = {
            "clientId": self.client_id,
            "clientSecret": self.secret,
            "code": code,
            "grantType": "authorization_code",
        }
        answer = ask("POST", f"{self.api}/v1.0/oauth2/userAccessToken", body=body)
        headers = {"x-acs-dingtalk-access-token": text_of(answer, "accessToken")}
        return id_of(ask("GET", f"{self.api}/v1.0/contact/users/me", headers=headers), "unionId")
