from django.apps import AppConfig


class LaddersConfig(AppConfig):
    name = "xiaodun.ladders"
    label = "ladders"
