from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "xiaodun.kit"
    label = "kit"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from xiaodun.kit import checks, retention  # noqa: F401  (checks registers the system checks)
        from xiaodun.kit.models import Receipt

        retention.register(
            retention.Kind(code="kit.receipt", name=_("Answers to devices"), model=Receipt, day="at")
        )
