from django.apps import AppConfig


class DesksConfig(AppConfig):
    name = "xiaodun.desks"
    label = "desks"

    def ready(self) -> None:
        from datetime import date

        from django.urls import reverse

        from xiaodun.duties import pages
        from xiaodun.organisations.models import Unit

        def class_check(unit: Unit, day: date) -> str:
            return f"{reverse('desks:class_check', args=[unit.pk])}?day={day.isoformat()}"

        pages.register(evidence="screening.check", address=class_check)
