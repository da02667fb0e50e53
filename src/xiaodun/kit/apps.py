from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "xiaodun.kit"
    label = "kit"

    def ready(self) -> None:
        from xiaodun.kit import checks  # noqa: F401  (registers the system checks)
