from django.apps import AppConfig


class DesksConfig(AppConfig):
    name = "xiaodun.desks"
    label = "desks"
