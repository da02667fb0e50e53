from django.apps import AppConfig


class AbsenceConfig(AppConfig):
    name = "xiaodun.absence"
    label = "absence"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from xiaodun.absence import figures, services
        from xiaodun.absence.models import Episode
        from xiaodun.kit import outbox, retention
        from xiaodun.people.services import ENROLMENT_CHANGED, ENROLMENTS_LOADED
        from xiaodun.screening.services import CHECK_RECORDED

        figures.register()
        retention.register(
            retention.Kind(
                code="absence.episode",
                name=_("Illness files"),
                model=Episode,
                day="last_day",
                unit="days__finding__session__group__path",
            )
        )
        outbox.subscribe(CHECK_RECORDED, "absence", services.follow_check)
        outbox.subscribe(ENROLMENT_CHANGED, "absence", services.follow_enrolment)
        outbox.subscribe(ENROLMENTS_LOADED, "absence", services.follow_enrolments)
