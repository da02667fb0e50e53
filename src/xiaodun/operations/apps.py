from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "xiaodun.operations"
    label = "operations"
