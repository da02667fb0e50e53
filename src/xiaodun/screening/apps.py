from django.apps import AppConfig


class ScreeningConfig(AppConfig):
    name = "xiaodun.screening"
    label = "screening"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from xiaodun.kit import retention
        from xiaodun.screening import figures
        from xiaodun.screening.models import CheckSession, Finding

        figures.register()
        retention.register(
            retention.Kind(
                code="screening.finding",
                name=_("Findings of checks"),
                model=Finding,
                day="day",
                unit="session__group__path",
            )
        )
        retention.register(
            retention.Kind(
                code="screening.session",
                name=_("Checks of groups"),
                model=CheckSession,
                day="day",
                unit="group__path",
            )
        )
