"""Sign-in by WeCom and DingTalk, against a real server on this machine that plays the vendor."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from xiaodun.accounts.models import Binding, User, UserSession
from xiaodun.accounts.providers.dingtalk import DingTalk
from xiaodun.accounts.providers.vendor import VendorError, ask
from xiaodun.accounts.providers.wecom import WeCom
from xiaodun.accounts.services import bindings
from xiaodun.kit.errors import Refusal

pytestmark = pytest.mark.django_db

Play = Callable[[str, str, dict], tuple[int, bytes, dict[str, str]]]


class Vendor:
    """A server whose answers ``play`` decides: method, address, body → status, body, headers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict]] = []
        self.play: Play = lambda *_asked: (500, b"", {})
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
                token = self.headers.get("x-acs-dingtalk-access-token")
                vendor.asked.append((self.command, self.path, sent | ({"token": token} if token else {})))
                status, body, headers = vendor.play(*vendor.asked[-1])
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer  # noqa: N815 - the names that the library calls

            def log_message(self, *_args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def vendor(settings):
    played = Vendor()
    thread = threading.Thread(target=played.server.serve_forever)
    thread.start()
    settings.SIGN_IN_VENDORS = [played.origin]
    yield played
    played.server.shutdown()
    played.server.server_close()
    thread.join()


def says(**body) -> tuple[int, bytes, dict[str, str]]:
    return 200, json.dumps(body).encode(), {"Content-Type": "application/json"}


def wecom_knows(userid: str) -> Play:
    def play(_method, path, _body):
        if path.startswith("/cgi-bin/gettoken?"):
            return says(errcode=0, errmsg="ok", access_token="T-1", expires_in=7200)
        return says(errcode=0, errmsg="ok", userid=userid)

    return play


@pytest.fixture
def wecom(vendor, settings):
    settings.SIGN_IN_PROVIDERS = {
        "wecom": {"corp_id": "ww1", "agent_id": "1000002", "secret": "S", "api": vendor.origin}
    }
    vendor.play = wecom_knows("lijie")
    return vendor


def go_and_come_back(client, name: str, address: str, **changes):
    """Leave for the vendor and come back with a code and the state that was sent along."""
    left = client.get(address)
    query = {key: values[0] for key, values in parse_qs(urlsplit(left.url).query).items()}
    back = {"code": "C-1", "state": query["state"]} | changes
    return client.get(reverse("accounts:come_back", args=[name]), back)


def leave(name: str) -> str:
    return reverse("accounts:leave_for", args=[name])


def test_without_a_provider_in_the_settings_there_is_none(client, cast):
    assert client.get(leave("wecom")).status_code == 404
    assert client.get(reverse("accounts:come_back", args=["wecom"])).status_code == 404


def test_wecom_is_asked_as_documented(wecom):
    provider = WeCom("ww1", "1000002", "S", api=wecom.origin)
    url = urlsplit(provider.authorization_url(state="st", redirect_uri="https://x.example/back/"))
    assert (url.netloc, parse_qs(url.query)["appid"]) == ("login.work.weixin.qq.com", ["ww1"])
    assert provider.external_id("C-1") == "lijie"
    assert [path for _method, path, _body in wecom.asked] == [
        "/cgi-bin/gettoken?corpid=ww1&corpsecret=S",
        "/cgi-bin/auth/getuserinfo?access_token=T-1&code=C-1",
    ]


def test_dingtalk_is_asked_as_documented(vendor):
    vendor.play = lambda method, *_: says(accessToken="T-2") if method == "POST" else says(unionId="u-9")
    provider = DingTalk("ding1", "S", api=vendor.origin)
    assert provider.external_id("C-2") == "u-9"
    exchange = {"clientId": "ding1", "clientSecret": "S", "code": "C-2", "grantType": "authorization_code"}
    assert vendor.asked == [
        ("POST", "/v1.0/oauth2/userAccessToken", exchange),
        ("GET", "/v1.0/contact/users/me", {"token": "T-2"}),
    ]


def test_who_has_connected_the_account_signs_in_by_it(client, cast, wecom, set_clock):
    set_clock(cast.at)
    client.force_login(cast.teacher)
    assert go_and_come_back(client, "wecom", reverse("accounts:connect", args=["wecom"])).status_code == 302
    assert "lijie" not in str(list(Binding.objects.values()))
    client.logout()
    assert go_and_come_back(client, "wecom", leave("wecom")).url == reverse("desks:today")
    assert UserSession.objects.get().user == cast.teacher
    assert client.post(reverse("accounts:disconnect", args=["wecom"])).status_code == 302
    client.logout()
    assert go_and_come_back(client, "wecom", leave("wecom")).status_code == 403


def test_nobody_is_made_or_found_by_name(client, cast, wecom):
    wecom.play = wecom_knows(cast.teacher.username)
    users = User.objects.count()
    assert go_and_come_back(client, "wecom", leave("wecom")).status_code == 403
    assert (User.objects.count(), UserSession.objects.count()) == (users, 0)


def test_the_second_factor_is_asked_for_as_after_a_password(client, cast, wecom, set_clock):
    from xiaodun.accounts.factors.totp import new_secret
    from xiaodun.accounts.models import Factor

    set_clock(cast.at)
    bindings.bind(by=cast.doctor, provider="wecom", external_id="lijie", at=cast.at)
    Factor.objects.create(user=cast.doctor, kind="totp", secret=new_secret(), made_at=cast.at)
    assert go_and_come_back(client, "wecom", leave("wecom")).url == reverse("accounts:challenge")


def test_a_state_of_another_browser_or_none_is_refused_and_a_code_works_with_its_state_once(
    client, cast, wecom, set_clock
):
    set_clock(cast.at)
    bindings.bind(by=cast.teacher, provider="wecom", external_id="lijie", at=cast.at)
    assert go_and_come_back(client, "wecom", leave("wecom"), state="forged").status_code == 403
    back = reverse("accounts:come_back", args=["wecom"])
    assert client.get(back, {"code": "C-1", "state": ""}).status_code == 403
    assert wecom.asked == []


def test_an_account_elsewhere_leads_to_one_account_here(cast):
    bindings.bind(by=cast.teacher, provider="wecom", external_id="lijie", at=cast.at)
    for user, external in ((cast.doctor, "lijie"), (cast.teacher, "other")):
        with pytest.raises(Refusal, match="binding-taken"):
            bindings.bind(by=user, provider="wecom", external_id=external, at=cast.at)


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"", {}),
        (200, b"<html>", {}),
        (200, b"[1]", {}),
        (200, b"[" * 60_000, {}),
        (200, b'{"a":"' + b"x" * 70_000 + b'"}', {}),
        (500, b"{}", {}),
        (302, b"", {"Location": "http://127.0.0.1:1/"}),
    ],
)
def test_a_vendor_that_answers_anything_else_is_refused(vendor, answer):
    vendor.play = lambda *_asked: answer
    with pytest.raises(VendorError):
        ask("GET", f"{vendor.origin}/x")
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"errcode": 40029, "errmsg": "invalid code"},
        {"errcode": 0, "openid": "outsider"},
        {"errcode": 0, "userid": ""},
        {"errcode": 0, "userid": 7},
        {"errcode": 0, "userid": "x" * 200},
        {"errcode": 0, "userid": "li\x00jie"},
    ],
)
def test_wecom_that_names_nobody_signs_nobody_in(client, cast, wecom, body):
    known = wecom.play
    wecom.play = lambda method, path, sent: known(method, path, sent) if "gettoken" in path else says(**body)
    assert go_and_come_back(client, "wecom", leave("wecom")).status_code == 403


def test_only_servers_on_the_list_are_asked_and_one_that_is_gone_is_refused(vendor, settings):
    for address in ("http://127.0.0.1:1/x", "https://evil.example/x", f"{vendor.origin}.evil.example/x"):
        with pytest.raises(VendorError, match="not on the list"):
            ask("GET", address)
    settings.SIGN_IN_VENDORS = ["http://127.0.0.1:1"]
    with pytest.raises(VendorError):
        ask("GET", "http://127.0.0.1:1/x")
    assert vendor.asked == []
