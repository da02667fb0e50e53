from django.apps import AppConfig


class AbsenceConfig(AppConfig):
    name = "xiaodun.absence"
    label = "absence"

    def ready(self) -> None:
        from xiaodun.absence import figures, services
        from xiaodun.kit import outbox
        from xiaodun.screening.services import CHECK_RECORDED

        figures.register()
        outbox.subscribe(CHECK_RECORDED, "absence", services.follow_check)
