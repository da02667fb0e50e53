from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "xiaodun.api"
    label = "api"
