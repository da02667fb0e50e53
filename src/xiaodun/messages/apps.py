from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "xiaodun.messages"
    label = "messages"
