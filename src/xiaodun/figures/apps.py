from django.apps import AppConfig


class FiguresConfig(AppConfig):
    name = "xiaodun.figures"
    label = "figures"
