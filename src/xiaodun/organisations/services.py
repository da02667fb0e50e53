"""Writes to the unit tree and to the school days. Doors judge the right before they call."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Model, Q
from django.utils.translation import gettext_lazy as _

from xiaodun.engine.calendar import StateYear as AnnouncedYear
from xiaodun.engine.calendar import state_holidays
from xiaodun.kit import audit, clock
from xiaodun.kit.errors import Refusal
from xiaodun.organisations.choices import GroupKind, InstitutionKind, UnitKind
from xiaodun.organisations.grades import entry_year_of, read_grade, school_year_of
from xiaodun.organisations.models import DayOverride, StateDay, StateYear, Term, Unit
from xiaodun.organisations.selectors import institution_of, under

# Which kinds of unit may stand directly below which. A city is a district that holds districts.
_CHILDREN: dict[str, frozenset[str]] = {
    UnitKind.DISTRICT: frozenset({UnitKind.DISTRICT, UnitKind.INSTITUTION}),
    UnitKind.DRILL: frozenset({UnitKind.INSTITUTION}),
    UnitKind.INSTITUTION: frozenset({UnitKind.GRADE, UnitKind.GROUP}),
    UnitKind.GRADE: frozenset({UnitKind.GROUP}),
    UnitKind.GROUP: frozenset(),
}

# An office's number: area code, dashes, an extension; the page makes a link of it.
_PHONE = re.compile(r"[+\d][\d -]{4,24}\d")


@transaction.atomic
def create_district(*, by: Model | None, code: str, name: str, name_en: str = "", at: datetime) -> Unit:
    """A district at the root of its own tree."""
    unit = Unit(
        kind=UnitKind.DISTRICT, code=_free_code(code), name=_given_name(name), name_en=name_en.strip()
    )
    Unit.objects.add_root(instance=unit)
    audit.record(
        by=by, action="organisations.create_district", obj=unit, unit=unit, at=at, facts={"code": unit.code}
    )
    return unit


@transaction.atomic
def create_drill_area(*, by: Model | None, code: str, name: str, name_en: str = "", at: datetime) -> Unit:
    """A root for drills and training: no role on a district reaches it, since scopes are ranges of paths."""
    unit = Unit(kind=UnitKind.DRILL, code=_free_code(code), name=_given_name(name), name_en=name_en.strip())
    Unit.objects.add_root(instance=unit)
    audit.record(
        by=by, action="organisations.create_drill_area", obj=unit, unit=unit, at=at, facts={"code": unit.code}
    )
    return unit


@transaction.atomic
def create_unit(
    *,
    by: Model | None,
    parent: Unit,
    kind: str,
    code: str,
    name: str,
    name_en: str = "",
    institution_kind: str = "",
    group_kind: str = "",
    is_public: bool | None = None,
    teaching_weekdays: str = "12345",
    first_day: date | None = None,
    at: datetime,
) -> Unit:
    """A unit below ``parent``. A grade or group without ``first_day`` takes its parent's."""
    if kind not in _CHILDREN[parent.kind]:
        raise Refusal(
            "unit-kind-misplaced",
            _("A unit of this kind cannot stand below that unit."),
            status=422,
            facts={"kind": kind, "parent_kind": parent.kind},
            lifts=_("The order from the top is district, institution, grade, group."),
        )
    if (institution_kind in InstitutionKind) != (kind == UnitKind.INSTITUTION) or (
        (group_kind in GroupKind) != (kind == UnitKind.GROUP)
    ):
        raise Refusal(
            "unit-subkind-wrong",
            _("An institution needs a kind of institution, a group a kind of group, other units neither."),
            status=422,
            facts={"kind": kind, "institution_kind": institution_kind, "group_kind": group_kind},
            lifts=_("Give the kind that belongs to the unit and leave the other empty."),
        )
    weekdays = "".join(sorted(set(teaching_weekdays)))
    if not weekdays or weekdays != teaching_weekdays or not set(weekdays) <= set("1234567"):
        raise Refusal(
            "weekdays-wrong",
            _("Weekdays of teaching are written as rising digits from 1 (Monday) to 7 (Sunday)."),
            status=422,
            facts={"teaching_weekdays": teaching_weekdays},
            lifts=_("Write them like 12345."),
        )
    if first_day is None and kind in {UnitKind.GRADE, UnitKind.GROUP}:
        first_day = parent.first_day
    stage, entry_year = "", None
    if group_kind == GroupKind.CLASS:
        stage, entry_year = _cohort_of(parent, name, first_day or clock.local_day(at))
    unit = Unit(
        kind=kind,
        institution_kind=institution_kind,
        group_kind=group_kind,
        stage=stage,
        entry_year=entry_year,
        code=_free_code(code),
        name=_given_name(name),
        name_en=name_en.strip(),
        is_public=is_public,
        teaching_weekdays=weekdays,
        first_day=first_day,
    )
    Unit.objects.add_child(parent, instance=unit)
    audit.record(
        by=by,
        action="organisations.create_unit",
        obj=unit,
        unit=unit,
        at=at,
        facts={
            "kind": kind,
            "code": unit.code,
            "parent": parent.pk,
            "first_day": first_day.isoformat() if first_day else None,
        },
    )
    return unit


def _cohort_of(parent: Unit, name: str, day: date) -> tuple[str, int | None]:
    """Stage and year of entry of a class, as the name of its grade, or else its own, says them."""
    institution = institution_of(parent)
    kind = institution.institution_kind if institution else ""
    grade = read_grade(parent.name, kind) if parent.kind == UnitKind.GRADE else None
    grade = grade or read_grade(name.strip(), kind)
    return ("", None) if grade is None else (grade.stage, entry_year_of(grade, school_year_of(day)))


@transaction.atomic
def join_unit(*, by: Model | None, unit: Unit, first_day: date, at: datetime) -> Unit:
    """From ``first_day`` on the unit owes its duties, and so do those below it without a day of their own."""
    unit = _locked(unit)
    if unit.last_day is not None and first_day > unit.last_day:
        raise _closed_before_open(first_day, unit.last_day)
    before = unit.first_day
    Unit.objects.filter(under(unit.path)).filter(
        Q(pk=unit.pk) | Q(first_day__isnull=True) | Q(first_day=before)
    ).update(first_day=first_day)
    unit.first_day = first_day
    audit.record(
        by=by,
        action="organisations.join_unit",
        obj=unit,
        unit=unit,
        at=at,
        facts={"old": before.isoformat() if before else None, "new": first_day.isoformat()},
    )
    return unit


@transaction.atomic
def close_unit(*, by: Model | None, unit: Unit, last_day: date, at: datetime) -> Unit:
    """The unit and all below it end with ``last_day``; what ended earlier keeps its day."""
    unit = _locked(unit)
    if unit.first_day is not None and last_day < unit.first_day:
        raise _closed_before_open(unit.first_day, last_day)
    before = unit.last_day
    below = Unit.objects.filter(under(unit.path))
    below.filter(Q(pk=unit.pk) | Q(last_day__isnull=True) | Q(last_day__gt=last_day)).update(
        last_day=last_day
    )
    unit.last_day = last_day
    audit.record(
        by=by,
        action="organisations.close_unit",
        obj=unit,
        unit=unit,
        at=at,
        facts={"old": before.isoformat() if before else None, "new": last_day.isoformat()},
    )
    return unit


@transaction.atomic
def reopen_unit(*, by: Model | None, unit: Unit, at: datetime) -> Unit:
    """The unit that was to end, or has ended, goes on without a last day; those below it keep theirs."""
    unit = _locked(unit)
    before, unit.last_day = unit.last_day, None
    unit.save(update_fields=["last_day"])
    audit.record(
        by=by,
        action="organisations.reopen_unit",
        obj=unit,
        unit=unit,
        at=at,
        facts={"old": before.isoformat() if before else None},
    )
    return unit


@transaction.atomic
def remove_unused_unit(*, by: Model | None, unit: Unit, at: datetime) -> None:
    """The unit was made by mistake and is gone: for units on which nothing hangs.

    Raises:
        django.db.models.ProtectedError: when something does.
    """
    audit.record(
        by=by,
        action="organisations.remove_unused_unit",
        obj=unit,
        unit=unit,
        at=at,
        facts={"code": unit.code, "name": unit.name},
    )
    unit.delete()


@transaction.atomic
def open_term(
    *, by: Model | None, unit: Unit, name: str, name_en: str = "", start: date, end: date, at: datetime
) -> Term:
    """A term of the unit and of all below it; it replaces the terms of the units above that it overlaps."""
    if end < start:
        raise Refusal(
            "term-ends-before-it-starts",
            _("A term cannot end before it starts."),
            status=422,
            facts={"start": start.isoformat(), "end": end.isoformat()},
            lifts=_("Choose a last day on or after the first day."),
        )
    unit = _locked(unit)
    other = Term.objects.filter(unit=unit, start__lte=end, end__gte=start).first()
    if other is not None:
        raise Refusal(
            "term-overlaps",
            _("This unit already has a term on some of these days."),
            facts={"start": other.start.isoformat(), "end": other.end.isoformat()},
            lifts=_("Choose days that lie outside the other term."),
        )
    term = Term.objects.create(
        unit=unit, name=_given_name(name), name_en=name_en.strip(), start=start, end=end
    )
    audit.record(
        by=by,
        action="organisations.open_term",
        obj=term,
        unit=unit,
        at=at,
        facts={"start": start.isoformat(), "end": end.isoformat()},
    )
    return term


@transaction.atomic
def override_day(
    *, by: Model | None, unit: Unit, day: date, is_open: bool, reason: str, at: datetime
) -> DayOverride:
    """The unit and all below it teach (or not) on ``day`` whatever their calendar says."""
    reason = reason.strip()
    if not reason:
        raise Refusal(
            "reason-missing",
            _("Opening or closing a day needs a reason."),
            status=422,
            lifts=_("Write why the day is opened or closed."),
        )
    unit = _locked(unit)
    before = DayOverride.objects.filter(unit=unit, day=day).first()
    override, _made = DayOverride.objects.update_or_create(
        unit=unit, day=day, defaults={"is_open": is_open, "reason": reason}
    )
    audit.record(
        by=by,
        action="organisations.override_day",
        obj=override,
        unit=unit,
        at=at,
        facts={
            "day": day.isoformat(),
            "old": None if before is None else before.is_open,
            "new": is_open,
            "reason": reason,
        },
    )
    return override


@transaction.atomic
def load_state_calendar(*, by: Model | None, years: Iterable[int], at: datetime) -> list[StateYear]:
    """The State's days off and make-up workdays of ``years`` as announced; repeated, it replaces those years.

    A year that has not been announced is stored as unconfirmed: its days are asked for, never guessed.
    """
    return [_store_year(by=by, announced=state_holidays(year), at=at) for year in years]


def _store_year(*, by: Model | None, announced: AnnouncedYear, at: datetime) -> StateYear:
    year, _made = StateYear.objects.update_or_create(
        year=announced.year, defaults={"is_confirmed": announced.confirmed}
    )
    StateDay.objects.filter(year=year).delete()
    StateDay.objects.bulk_create(
        StateDay(year=year, day=day, is_working=is_working, name=name)
        for is_working, days in ((False, announced.days_off), (True, announced.workdays))
        for day, name in days.items()
    )
    audit.record(
        by=by,
        action="organisations.load_state_calendar",
        obj=year,
        at=at,
        facts={
            "year": announced.year,
            "confirmed": announced.confirmed,
            "days_off": len(announced.days_off),
            "workdays": len(announced.workdays),
        },
    )
    return year


def _locked(unit: Unit) -> Unit:
    locked: Unit = Unit.objects.select_for_update(no_key=True).get(pk=unit.pk)
    return locked


def _free_code(code: str) -> str:
    code = code.strip()
    if not code:
        raise Refusal(
            "code-missing",
            _("A unit needs a code."),
            status=422,
            lifts=_("Give the official code of the institution, or a code of your own."),
        )
    if Unit.objects.filter(code=code).exists():
        raise Refusal(
            "unit-code-taken",
            _("Another unit already has this code."),
            facts={"code": code},
            lifts=_("Choose another code."),
        )
    return code


def _given_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Refusal("name-missing", _("A name is missing."), status=422, lifts=_("Give a name."))
    return name


def _closed_before_open(first_day: date, last_day: date) -> Refusal:
    return Refusal(
        "closed-before-open",
        _("The last day of a unit cannot lie before its first day."),
        status=422,
        facts={"first_day": first_day.isoformat(), "last_day": last_day.isoformat()},
        lifts=_("Choose days in the right order."),
    )


@transaction.atomic
def rename_unit(*, by: Model | None, unit: Unit, name: str, name_en: str = "", at: datetime) -> Unit:
    """The unit is called so from now on, also where past days are shown: for a name that was wrong."""
    unit = _locked(unit)
    before = {"name": unit.name, "name_en": unit.name_en}
    unit.name, unit.name_en = _given_name(name), name_en.strip()
    unit.save(update_fields=["name", "name_en"])
    audit.record(
        by=by,
        action="organisations.rename_unit",
        obj=unit,
        unit=unit,
        at=at,
        facts={"old": before, "new": {"name": unit.name, "name_en": unit.name_en}},
    )
    return unit


@transaction.atomic
def set_phone(*, by: Model | None, unit: Unit, phone: str, at: datetime) -> Unit:
    """The number of the institution's office, as families call it; "" takes it away."""
    phone = unicodedata.normalize("NFKC", phone).strip()
    if unit.kind != UnitKind.INSTITUTION or (phone and not _PHONE.fullmatch(phone)):
        raise Refusal(
            "phone-impossible",
            _("This is no telephone number of a school."),
            status=422,
            lifts=_("Write it with its area code: 0371-12345678."),
        )
    unit = _locked(unit)
    before, unit.phone = unit.phone, phone
    unit.save(update_fields=["phone"])
    audit.record(
        by=by,
        action="organisations.set_phone",
        obj=unit,
        unit=unit,
        at=at,
        facts={"old": before, "new": phone},
    )
    return unit
