from django.apps import AppConfig


class SurveillanceConfig(AppConfig):
    name = "xiaodun.surveillance"
    label = "surveillance"

    def ready(self) -> None:
        from django.db.models import Q
        from django.utils.translation import gettext_lazy as _

        from xiaodun.absence.services import EPISODES_CHANGED
        from xiaodun.kit import outbox, retention
        from xiaodun.messages.services import register_kind
        from xiaodun.people.services import ENROLMENT_CHANGED, ENROLMENTS_LOADED
        from xiaodun.surveillance import figures, services
        from xiaodun.surveillance.models import RuledOutPerson, Signal, SignalCase

        figures.register()
        confirmed = Q(signal__state=Signal.State.CONFIRMED)
        retention.register(
            retention.Kind(
                code="surveillance.case",
                name=_("Persons counted by signals"),
                model=SignalCase,
                day="onset",
                unit="signal__unit__path",
                only=~confirmed,
            )
        )
        retention.register(
            retention.Kind(
                code="surveillance.confirmed_case",
                name=_("Persons of confirmed signals"),
                model=SignalCase,
                day="onset",
                unit="signal__unit__path",
                only=confirmed,
            )
        )
        retention.register(
            retention.Kind(
                code="surveillance.ruled_out_person",
                name=_("Persons of signals that were ruled out"),
                model=RuledOutPerson,
                day="ruled_out_on",
                unit="signal__unit__path",
            )
        )
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
