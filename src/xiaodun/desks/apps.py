from django.apps import AppConfig


class DesksConfig(AppConfig):
    name = "xiaodun.desks"
    label = "desks"

    def ready(self) -> None:
        from xiaodun.desks.selectors import check_url
        from xiaodun.duties import pages

        pages.register(evidence="screening.check", address=check_url)
