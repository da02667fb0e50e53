from django.apps import AppConfig


class SurveillanceConfig(AppConfig):
    name = "xiaodun.surveillance"
    label = "surveillance"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from xiaodun.absence.services import EPISODES_CHANGED
        from xiaodun.kit import outbox
        from xiaodun.messages.services import register_kind
        from xiaodun.people.services import ENROLMENT_CHANGED, ENROLMENTS_LOADED
        from xiaodun.surveillance import figures, services

        figures.register()
        register_kind(
            code="signal",
            title=_("Signal: %(unit)s, %(count)s cases"),
            body=_("%(rule)s. Please open the signal and acknowledge it."),
        )
        register_kind(
            code="signal-report",
            title=_("Report by %(deadline)s: %(unit)s"),
            body=_("%(rule)s. The signal is confirmed; no complete report is on record yet."),
        )
        outbox.subscribe(EPISODES_CHANGED, "surveillance", services.follow_episodes)
        outbox.subscribe(ENROLMENT_CHANGED, "surveillance", services.follow_enrolment)
        outbox.subscribe(ENROLMENTS_LOADED, "surveillance", services.follow_enrolments)
