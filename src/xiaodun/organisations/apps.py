from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "xiaodun.organisations"
    label = "organisations"
