from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "xiaodun.messages"
    label = "messages"

    def ready(self) -> None:
        from xiaodun.messages import alarms

        alarms.register()
