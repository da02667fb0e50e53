"""What a school clerk does: each act with its form, its words, how it starts and what it calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xiaodun.accounts.models import User
from xiaodun.desks import forms
from xiaodun.desks.selectors import clerk as pages
from xiaodun.desks.services import enter_running_illness
from xiaodun.kit import clock
from xiaodun.organisations.choices import GroupKind
from xiaodun.organisations.models import Unit
from xiaodun.organisations.services import rename_unit
from xiaodun.people.models import Person
from xiaodun.people.services import classes as services
from xiaodun.people.services import correct_person, leave_group, transfer


@dataclass(frozen=True, slots=True)
class Subject:
    """On what an act is done: a unit, and a person where it is about one."""

    unit: Unit
    institution: Unit
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its form, its words, how it starts and what it does. ``run`` returns where to go then."""

    form: type[forms.ActForm]
    title: str | Promise
    follows: str | Promise
    verb: str | Promise
    run: Callable[[User, Subject, Mapping[str, Any], datetime], str]
    initial: Callable[[Subject, date], dict[str, Any]] = lambda subject, day: {}


def _group_url(unit: Unit) -> str:
    return reverse("desks:clerk_group", args=[unit.pk])


def _person_url(who: Person) -> str:
    return reverse("desks:clerk_person", args=[who.pk])


def _chosen(subject: Subject, ids: list[int], day: date) -> list[Person]:
    return pages.persons_in(subject.unit, day, ids)


def _add(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    services.add_pupil(by=by, group=subject.unit, at=at, **data)
    return _group_url(subject.unit)


def _bed(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    services.give_bed(
        by=by,
        institution=subject.institution,
        room=subject.unit,
        number=data["number"],
        seat=data["seat"],
        valid_from=data["valid_from"],
        at=at,
    )
    return _group_url(subject.unit)


def _move(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    persons = _chosen(subject, data["persons"], clock.local_day(at))
    services.move_pupils(
        by=by, persons=persons, from_group=subject.unit, to_group=data["to_group"], on=data["on"], at=at
    )
    return _group_url(subject.unit)


def _split(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    persons = _chosen(subject, data["persons"], clock.local_day(at))
    new = services.split_class(
        by=by,
        group=subject.unit,
        persons=persons,
        name=data["name"],
        name_en=data["name_en"],
        on=data["on"],
        at=at,
    )
    return _group_url(new)


def _merge(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    services.merge_classes(by=by, group=subject.unit, into=data["into"], on=data["on"], at=at)
    return _group_url(data["into"])


def _ill(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    enter_running_illness(
        by=by,
        group=subject.unit,
        person_id=data["person"],
        onset=data["onset"],
        symptoms=data["symptoms"],
        at=at,
    )
    return _group_url(subject.unit)


def _teacher(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    services.change_teacher(by=by, group=subject.unit, user=data["user"], on=data["on"], at=at)
    return _group_url(subject.unit)


def _substitute(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    services.appoint_substitute(
        by=by,
        group=subject.unit,
        user=data["user"],
        first_day=data["first_day"],
        last_day=data["last_day"],
        at=at,
    )
    return _group_url(subject.unit)


def _rename(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    rename_unit(by=by, unit=subject.unit, name=data["name"], name_en=data["name_en"], at=at)
    return _group_url(subject.unit)


def _close(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    services.close_class(by=by, group=subject.unit, last_day=data["last_day"], at=at)
    return reverse("desks:clerk_school", args=[subject.institution.pk])


def _open(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    new = services.open_class(
        by=by,
        parent=data["parent"],
        name=data["name"],
        name_en=data["name_en"],
        kind=data["kind"],
        day=data["on"],
        at=at,
    )
    return _group_url(new)


def _move_person(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    assert subject.person is not None
    transfer(
        by=by,
        person=subject.person,
        from_group=data["from_group"],
        to_group=data["to_group"],
        on=data["on"],
        at=at,
    )
    return _person_url(subject.person)


def _leave(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    assert subject.person is not None
    leave_group(by=by, person=subject.person, group=data["from_group"], last_day=data["last_day"], at=at)
    return _person_url(subject.person)


def _correct(by: User, subject: Subject, data: Mapping[str, Any], at: datetime) -> str:
    assert subject.person is not None
    correct_person(by=by, unit=subject.unit, person=subject.person, at=at, **data)
    return _person_url(subject.person)


def _typed(subject: Subject, day: date) -> dict[str, Any]:
    who = subject.person
    assert who is not None
    return {"number": who.number, "name": who.name, "sex": who.sex, "birth_year": who.birth_year}


GROUP_ACTS: Mapping[str, Act] = {
    "add": Act(
        forms.AddForm,
        _("Add a pupil"),
        _(
            "The pupil stands on the check of the class from that day on. Who left earlier and comes back "
            "keeps the old number, and the old records with it."
        ),
        _("Add"),
        _add,
        lambda subject, day: {"valid_from": day},
    ),
    "bed": Act(
        forms.BedForm,
        _("Give a bed"),
        _("The pupil stands on the evening check of the room from that day on, beside the class."),
        _("Give the bed"),
        _bed,
        lambda subject, day: {"valid_from": day},
    ),
    "move": Act(
        forms.MoveForm,
        _("Move pupils to another class"),
        _(
            "From that day they stand on the other class's check. Illness files go with them; what was "
            "checked before stays with this class. You can undo it until the other class has noted something."
        ),
        _("Move"),
        _move,
        lambda subject, day: {"on": day},
    ),
    "split": Act(
        forms.SplitForm,
        _("Split the class"),
        _(
            "A new class beside this one begins with the pupils chosen. It has no teacher until you choose "
            "one. Signals of this class stay here."
        ),
        _("Split"),
        _split,
        lambda subject, day: {"on": day},
    ),
    "merge": Act(
        forms.MergeForm,
        _("Merge with another class"),
        _(
            "All pupils go to the other class, this one ends the day before and its teacher has it no "
            "longer. Its past days stay. There is no undo: only moving the pupils back into a new class."
        ),
        _("Merge"),
        _merge,
        lambda subject, day: {"on": day},
    ),
    "ill": Act(
        forms.IllForm,
        _("Already ill when the class begins"),
        _(
            "It is noted in a check of the last school day before the class begins, and the illness file "
            "opens by itself. You will not see it again: it belongs to the doctor and to the class teacher."
        ),
        _("Enter"),
        _ill,
        lambda subject, day: {"onset": day},
    ),
    "teacher": Act(
        forms.TeacherForm,
        _("Choose the class teacher"),
        _(
            "From that day this teacher alone has the class and is asked for its checks; the one before sees "
            "it no longer. Substitutes keep their days."
        ),
        _("Choose"),
        _teacher,
        lambda subject, day: {"on": day},
    ),
    "substitute": Act(
        forms.SubstituteForm,
        _("Appoint a substitute"),
        _("The substitute sees and checks this class on these days only; it ends by itself."),
        _("Appoint"),
        _substitute,
        lambda subject, day: {"first_day": day, "last_day": day},
    ),
    "rename": Act(
        forms.RenameForm,
        _("Correct the name of the class"),
        _("The name changes everywhere, also where past days are shown."),
        _("Save"),
        _rename,
        lambda subject, day: {"name": subject.unit.name, "name_en": subject.unit.name_en},
    ),
    "close": Act(
        forms.CloseForm,
        _("Close the class"),
        _(
            "The class ends with that day, and so do the roles on it. Past days stay. It is refused while "
            "somebody belongs to it."
        ),
        _("Close"),
        _close,
        lambda subject, day: {"last_day": day},
    ),
}

SCHOOL_ACTS: Mapping[str, Act] = {
    "open": Act(
        forms.OpenForm,
        _("Open a class or another group"),
        _("It stands on your list at once, without pupils and without a teacher."),
        pgettext_lazy("a class", "Open"),
        _open,
        lambda subject, day: {"on": day, "kind": GroupKind.CLASS},
    ),
}

PERSON_ACTS: Mapping[str, Act] = {
    "move": Act(
        forms.MovePersonForm,
        _("Move to another class"),
        _(
            "From that day the pupil stands on the other class's check. Illness files go along; what was "
            "checked before stays with the class of that time."
        ),
        _("Move"),
        _move_person,
        lambda subject, day: {"on": day, "from_group": subject.unit.pk},
    ),
    "leave": Act(
        forms.LeaveForm,
        _("Enter the last day"),
        _(
            "After that day the pupil stands on no check of this group. Past records stay as long as the "
            "rules say. You can undo it for two weeks."
        ),
        _("Enter"),
        _leave,
        lambda subject, day: {"last_day": day, "from_group": subject.unit.pk},
    ),
    "correct": Act(
        forms.CorrectForm,
        _("Correct name or number"),
        _("What was wrong is replaced on every list, past days included; the old value stays in the audit."),
        _("Save"),
        _correct,
        _typed,
    ),
}
