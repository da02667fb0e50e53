from django.apps import AppConfig


class FamiliesConfig(AppConfig):
    name = "xiaodun.families"
    label = "families"
