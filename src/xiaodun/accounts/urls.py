"""Sign-in, confirmation, sign-out and language."""

from django.urls import path

from xiaodun.accounts.views import confirm, sign_in

app_name = "accounts"

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/demo/", sign_in.sign_in_to_demo, name="sign_in_to_demo"),
    path("confirm/", confirm.confirm, name="confirm"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("language/", sign_in.choose_language, name="language"),
]
