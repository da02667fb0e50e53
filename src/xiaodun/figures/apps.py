from django.apps import AppConfig


class FiguresConfig(AppConfig):
    name = "xiaodun.figures"
    label = "figures"

    def ready(self) -> None:
        from xiaodun.figures.services import freeze
        from xiaodun.kit import retention

        retention.before_purge(lambda days, at: freeze(days=days, at=at))
