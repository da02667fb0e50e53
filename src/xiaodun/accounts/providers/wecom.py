"""WeCom (企业微信): sign-in by QR code of a self-built application.

Addresses and fields are those of the vendor's public documentation (``gettoken``, ``auth/getuserinfo``,
``wwlogin/sso``). They have not been tried against the vendor's own servers, only against one that plays it.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from xiaodun.accounts.providers.vendor import VendorError, ask, id_of, text_of


@dataclass(frozen=True, slots=True)
class WeCom:
    """See `Provider`. ``corp_id``, ``agent_id``, ``secret``: of the application in WeCom's console."""

    corp_id: str
    agent_id: str
    secret: str
    login_page: str = "https://login.work.weixin.qq.com/wwlogin/sso/login"
    api: str = "https://qyapi.weixin.qq.com"

    def authorization_url(self, *, state: str, redirect_uri: str) -> str:
        query = {
            "login_type": "CorpApp",
            "appid": self.corp_id,
            "agentid": self.agent_id,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self.login_page}?{urlencode(query)}"

    def external_id(self, code: str) -> str:
        keys = urlencode({"corpid": self.corp_id, "corpsecret": self.secret})
        token = text_of(_sound(ask("GET", f"{self.api}/cgi-bin/gettoken?{keys}")), "access_token")
        query = urlencode({"access_token": token, "code": code})
        # Somebody outside of the corporation has an openid and no userid: nobody here.
        return id_of(_sound(ask("GET", f"{self.api}/cgi-bin/auth/getuserinfo?{query}")), "userid")


def _sound(answer: dict[str, Any]) -> dict[str, Any]:
    """WeCom answers 200 whatever happened; ``errcode`` says it."""
    if answer.get("errcode") != 0:
        raise VendorError("errcode")
    return answer
