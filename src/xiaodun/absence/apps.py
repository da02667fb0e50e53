from django.apps import AppConfig


class AbsenceConfig(AppConfig):
    name = "xiaodun.absence"
    label = "absence"

    def ready(self) -> None:
        from xiaodun.absence import figures, services
        from xiaodun.kit import outbox
        from xiaodun.people.services import ENROLMENT_CHANGED, ENROLMENTS_LOADED
        from xiaodun.screening.services import CHECK_RECORDED

        figures.register()
        outbox.subscribe(CHECK_RECORDED, "absence", services.follow_check)
        outbox.subscribe(ENROLMENT_CHANGED, "absence", services.follow_enrolment)
        outbox.subscribe(ENROLMENTS_LOADED, "absence", services.follow_enrolments)
