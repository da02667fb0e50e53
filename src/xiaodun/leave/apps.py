from django.apps import AppConfig


class LeaveConfig(AppConfig):
    name = "xiaodun.leave"
    label = "leave"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from xiaodun.kit import retention
        from xiaodun.leave.models import Leave

        retention.register(
            retention.Kind(
                code="leave.leave",
                name=_("Announced absences"),
                model=Leave,
                day="end",
                unit="person__enrolments__group__path",
            )
        )
