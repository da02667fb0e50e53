from django.apps import AppConfig


class ScreeningConfig(AppConfig):
    name = "xiaodun.screening"
    label = "screening"

    def ready(self) -> None:
        from xiaodun.screening import figures

        figures.register()
