"""Figures of the duties of a day: checks owed, in time, late and missing."""

from collections import Counter
from collections.abc import Callable, Mapping

from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.selectors import holders_of_each
from xiaodun.duties.selectors import Obligation, obligations_of
from xiaodun.engine.compliance import Value as Judged
from xiaodun.figures import registry
from xiaodun.figures.registry import Column, Definition, FigureScope, Part, Row, Rows, State, Tag, Text, Value

CHECKS = "morning-check"

Counts = Mapping[Judged, int]
Make = Callable[[Counts, int], Value]

_TAGS: dict[Judged, tuple[State, Text]] = {
    Judged.DONE: (State.DONE, _("submitted in time")),
    Judged.LATE: (State.DUE, _("submitted late")),
    Judged.MISSING: (State.NOW, _("not submitted")),
    Judged.DUE: (State.DUE, _("not yet due")),
}
_OWED = frozenset(_TAGS)


def register() -> None:
    """Called once from ``AppConfig.ready()``."""
    _register(
        "duties.checks_owed",
        _("Checks owed"),
        _(
            "Groups that owe a check on this day: they have pupils, a school day by their own calendar, and "
            "have joined. Groups that a decision has excused are left out."
        ),
        _owed,
        _OWED,
    )
    _register(
        "duties.checks_done",
        _("Checks in time"),
        _(
            "Groups whose check was tapped before their deadline, of those that owe one. A check that a "
            "phone without network sent later counts by the tap if the phone's clock was right."
        ),
        _done,
        frozenset({Judged.DONE}),
    )
    _register(
        "duties.checks_late",
        _("Checks late"),
        _("Groups whose check came, but was tapped at their deadline or after it."),
        _late,
        frozenset({Judged.LATE}),
    )
    _register(
        "duties.checks_missing",
        _("Checks missing"),
        _("Groups whose deadline has passed and whose check has not come in."),
        _missing,
        frozenset({Judged.MISSING}),
    )


def _register(code: str, name: Text, meaning: Text, make: Make, counted: frozenset[Judged]) -> None:
    registry.register(
        Definition(
            code=code,
            version=1,
            name=name,
            meaning=meaning,
            unit_word=ngettext_lazy("group", "groups"),
            source=_("Playbook: morning check"),
            compute=_computed(make),
            rows=_rows_of(counted),
        )
    )


def _computed(make: Make) -> Callable[[FigureScope], dict[int, Value]]:
    """The figure of every member from the counts of its obligations by what became of them."""

    def compute(scope: FigureScope) -> dict[int, Value]:
        counts: dict[int, Counter[Judged]] = {unit.pk: Counter() for unit in scope.members}
        for each in _checks(scope):
            member = scope.member_of(each.unit.path)
            if member is not None and each.value in _OWED:
                counts[member][each.value] += 1
        return {pk: _value(make, found) for pk, found in counts.items()}

    return compute


def _value(make: Make, counts: Counter[Judged]) -> Value:
    owed = counts.total()
    # Where nothing is owed there is nothing to count: a dash, not a nought.
    return make(counts, owed) if owed else Value(None, state=State.NA)


def _owed(counts: Counts, owed: int) -> Value:
    state = State.DONE
    if counts[Judged.MISSING]:
        state = State.NOW
    elif counts[Judged.DUE]:
        state = State.DUE
    parts = tuple(Part(_TAGS[value][1], counts[value], "+") for value in _TAGS if counts[value])
    return Value(owed, state=state, parts=parts)


def _done(counts: Counts, owed: int) -> Value:
    rest = tuple(
        Part(_TAGS[value][1], counts[value], "-")
        for value in (Judged.LATE, Judged.MISSING, Judged.DUE)
        if counts[value]
    )
    state = State.DONE
    if counts[Judged.MISSING]:
        state = State.NOW
    elif counts[Judged.DUE]:
        state = State.DUE
    return Value(counts[Judged.DONE], of=owed, state=state, parts=(Part(_("checks owed"), owed, "+"), *rest))


def _late(counts: Counts, owed: int) -> Value:
    return Value(counts[Judged.LATE], of=owed, state=State.DUE if counts[Judged.LATE] else State.ZERO)


def _missing(counts: Counts, owed: int) -> Value:
    return Value(counts[Judged.MISSING], of=owed, state=State.NOW if counts[Judged.MISSING] else State.ZERO)


def _checks(scope: FigureScope) -> list[Obligation]:
    return [each for each in obligations_of(scope.asked, scope.day, scope.at) if each.duty.code == CHECKS]


def _rows_of(values: frozenset[Judged]) -> Callable[[FigureScope], Rows]:
    """One row a group: whose it is, deadline, tap and difference. Says nothing about any child."""

    def rows(scope: FigureScope) -> Rows:
        found = [each for each in _checks(scope) if each.value in values]
        holders = holders_of_each([(each.duty.role, each.unit) for each in found], scope.day)
        return Rows(
            columns=(
                Column("state", _("State"), "state"),
                Column("institution", _("Institution")),
                Column("group", _("Group")),
                Column("responsible", _("Responsible")),
                Column("deadline", _("Deadline"), "moment"),
                Column("tapped", _("Tapped"), "moment"),
                Column("late_by", _("Late by"), "minutes"),
            ),
            rows=[
                Row(
                    unit=each.unit,
                    cells={
                        "state": _tag(each),
                        "institution": each.institution.label,
                        "group": each.unit.label,
                        "responsible": gettext(", ").join(
                            user.name for user in holders[each.duty.role, each.unit.pk].users
                        ),
                        "deadline": each.deadline,
                        "tapped": each.proved_at,
                        "late_by": _minutes(each, scope),
                    },
                )
                for each in found
            ],
        )

    return rows


def _tag(each: Obligation) -> Tag:
    state, label = _TAGS[each.value]
    return Tag(state, _("submitted in time, sent late") if each.sent_late else label)


def _minutes(each: Obligation, scope: FigureScope) -> int | None:
    late = each.late_by(scope.at)
    return None if late is None else int(late.total_seconds() // 60)
