from django.apps import AppConfig


class DutiesConfig(AppConfig):
    name = "xiaodun.duties"
    label = "duties"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from xiaodun.duties import figures, services
        from xiaodun.kit import outbox
        from xiaodun.messages.services import register_kind

        figures.register()
        register_kind(
            code="duty-reminder",
            title=_("%(duty)s by %(deadline)s: %(unit)s"),
            body=_("Nothing has come in yet. Please do it before %(deadline)s."),
        )
        register_kind(
            code="duty-missed",
            title=_("%(duty)s missing: %(unit)s"),
            body=_(
                "It was due at %(deadline)s and nothing has come in. Please see to it, or have it excused."
            ),
        )
        outbox.subscribe(services.EVIDENCE_RECORDED, "duties", services.follow_evidence)
