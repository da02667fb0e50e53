"""One printed card a role: what to do, where and when. For the first days, and for whoever substitutes."""

from dataclasses import dataclass

from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.accounts.choices import Right, Role
from xiaodun.accounts.policies import Scope
from xiaodun.organisations.choices import UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.people.policies import practice_code


@dataclass(frozen=True, slots=True)
class Card:
    """One role's card: at most six steps, so that it fits on a page that hangs at the wall."""

    role: str
    when: str
    steps: list[str]
    help: str


@dataclass(frozen=True, slots=True)
class PracticePage:
    """The cards of a school's roles, and its practice school."""

    title: str
    unit: Unit
    cards: list[Card]
    copy: Unit | None
    may_copy: bool
    crumbs: list[dict[str, str]]


def practice_page(unit: Unit) -> PracticePage:
    """The cards, and whether the practice school has been made."""
    copy = Unit.objects.filter(code=practice_code(unit.code)).first()
    return PracticePage(
        title=_("Practice"),
        unit=unit,
        cards=_cards(),
        copy=copy,
        may_copy=copy is None and drill_of(unit) is not None,
        crumbs=[{"label": unit.label, "url": reverse("desks:clerk_school", args=[unit.pk])}],
    )


def drill_of(unit: Unit) -> Unit | None:
    """The drill area beside the district of ``unit``; none below a drill area itself."""
    root = Unit.objects.get(path=unit.path[: Unit.steplen])
    if root.kind == UnitKind.DRILL:
        return None
    drill: Unit | None = Unit.objects.filter(code=f"drill-{root.code}", kind=UnitKind.DRILL).first()
    return drill or Unit.objects.filter(depth=1, kind=UnitKind.DRILL).order_by("path").first()


def school_to_practise(scope: Scope, unit_id: int) -> tuple[Unit, Unit]:
    """A school of the reader's and the drill area for its copy.

    Raises:
        Http404: for a foreign school exactly as for an unknown one, and where there is no drill area.
    """
    institutions = Unit.objects.filter(scope.q(Right.MANAGE_PEOPLE), kind=UnitKind.INSTITUTION)
    unit: Unit | None = institutions.filter(pk=unit_id).first()
    drill = drill_of(unit) if unit is not None else None
    if unit is None or drill is None:
        raise Http404
    return unit, drill


def _cards() -> list[Card]:
    ask = _("Something does not work? Ask the school clerk; the clerk asks the district office.")
    return [
        Card(
            str(Role.CLASS_TEACHER.label),
            _("Every school day, 07:40"),
            [
                _("Open Today on your phone and tap Go to the check."),
                _("Everybody here and well: one tap, finished."),
                _("Somebody is missing or ill: tap the name, choose ill, other reason or late."),
                _("Ill: choose the symptoms and the first day. Then submit."),
                _("No network? Submit all the same: the phone keeps it and sends it later."),
                _("Something changed later in the day: open the finished check and correct it."),
            ],
            ask,
        ),
        Card(
            str(Role.SCHOOL_DOCTOR.label),
            _("Every school day, from 08:00"),
            [
                _("Open Today: signals that need a decision stand first."),
                _("Acknowledge a signal as soon as you have seen it."),
                _("Open Illness files: call those who are absent, longest first."),
                _("A check is missing after 08:20: call the class."),
                _("Confirm a signal or rule it out with a reason before its clock runs out."),
            ],
            ask,
        ),
        Card(
            str(Role.PRINCIPAL.label),
            _("Every school day, at 08:30"),
            [
                _("Open Today: what stands in red is yours to settle."),
                _("Which class has not reported? Its name leads to it."),
                _("A signal is open: see that the doctor has acknowledged it."),
                _("School closed on a day? Enter it under Terms and days with the reason."),
            ],
            ask,
        ),
        Card(
            str(Role.SCHOOL_CLERK.label),
            _("When somebody comes, goes or is away"),
            [
                _("Open Lists: a class without a teacher stands first."),
                _("New pupil: class, Add a pupil. Pupil leaves: name, Enter the last day."),
                _("Pupil changes the class: name, Move to another class, from which day."),
                _("Teacher away: class, Substitute, first and last day. It ends by itself."),
                _("Lost slip or new phone: Staff access, print a new slip."),
                _("End of August: New school year, look at the preview, then move the classes up."),
            ],
            _("Something does not work? Ask the district office."),
        ),
    ]
