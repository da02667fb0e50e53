from django.apps import AppConfig


class LeaveConfig(AppConfig):
    name = "xiaodun.leave"
    label = "leave"
