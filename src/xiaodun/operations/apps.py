from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "xiaodun.operations"
    label = "operations"

    def ready(self) -> None:
        from xiaodun.messages.services import register_kind
        from xiaodun.operations.services import FAILED_KIND

        register_kind(
            code=FAILED_KIND,
            title=_("%(what)s failed"),
            body=_("The system's page says why and what to do. The one before is still there."),
        )
