from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "xiaodun.accounts"
    label = "accounts"
