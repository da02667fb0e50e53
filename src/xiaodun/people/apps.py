from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "xiaodun.people"
    label = "people"
