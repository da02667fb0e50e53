"""The forms of the desks. They read what was typed; services decide whether it can be done."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from xiaodun.accounts.models import User
from xiaodun.organisations.choices import GroupKind, UnitKind
from xiaodun.organisations.models import Unit
from xiaodun.people.models import Person
from xiaodun.screening.choices import Symptom

_EARLIEST = date(2000, 1, 1)
_LATEST = date(2100, 1, 1)


class Day(forms.DateField):
    """A day of the calendar, chosen or typed."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "class": "form-control"})
        super().__init__(widget=widget, input_formats=["%Y-%m-%d"], **kwargs)

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value is not None and not _EARLIEST <= value <= _LATEST:
            raise forms.ValidationError(_("No record can lie so far away."), code="impossible")


class Text(forms.CharField):
    """One line."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"class": "form-control", "autocomplete": "off"}
        super().__init__(widget=forms.TextInput(attrs=attrs), **kwargs)


class Number(forms.IntegerField):
    """A whole number, typed on a phone's number keys."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"class": "form-control", "inputmode": "numeric"}
        super().__init__(widget=forms.TextInput(attrs=attrs), **kwargs)


class UnitChoice(forms.ModelChoiceField[Unit]):
    """One of the units that the page offers."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Select(attrs={"class": "form-select"})
        super().__init__(Unit.objects.none(), widget=widget, empty_label=_("Choose"), **kwargs)

    def label_from_instance(self, obj: Unit) -> str:
        return obj.label


class UserChoice(forms.ModelChoiceField[User]):
    """One of the colleagues that the page offers."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Select(attrs={"class": "form-select"})
        super().__init__(User.objects.none(), widget=widget, empty_label=_("Choose"), **kwargs)

    def label_from_instance(self, obj: User) -> str:
        return obj.name


class Sure(forms.BooleanField):
    """Asked before what cannot be undone on this page."""

    def __init__(self) -> None:
        super().__init__(
            label=_("I have read what follows"),
            widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
        )


class ActForm(forms.Form):
    """What a clerk does to a class or a person; each subclass is one act."""

    def offer(
        self,
        *,
        groups: Sequence[Unit],
        users: Sequence[User],
        persons: Sequence[Person],
        shown_name: Callable[[Person], str],
    ) -> None:
        """Fill the choices from what is within the reader's reach."""
        for name, field in self.fields.items():
            if isinstance(field, UnitChoice):
                ids = [unit.pk for unit in groups if self.suits(name, unit)]
                field.queryset = Unit.objects.filter(pk__in=ids).order_by("path")
            elif isinstance(field, UserChoice):
                field.queryset = User.objects.filter(pk__in=[user.pk for user in users]).order_by("name")
            elif name in {"person", "persons"} and isinstance(field, forms.ChoiceField):
                field.choices = [(person.pk, f"{shown_name(person)} {person.number}") for person in persons]

    def suits(self, name: str, unit: Unit) -> bool:
        """Whether the unit is a choice of the field."""
        return bool(unit.kind == UnitKind.GROUP)


def _persons() -> forms.TypedMultipleChoiceField:
    return forms.TypedMultipleChoiceField(
        label=_("Pupils"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
    )


class AddForm(ActForm):
    number = Text(
        label=_("Student number"), max_length=32, help_text=_("The school's own number, no ID number.")
    )
    name = Text(label=_("Name"), max_length=40)
    sex = forms.ChoiceField(
        label=_("Sex"),
        required=False,
        choices=[("", _("not given")), ("M", _("male")), ("F", _("female"))],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    birth_year = Number(label=_("Year of birth"), required=False, min_value=1900, max_value=2100)
    seat = Number(
        label=_("Number in the class"),
        required=False,
        min_value=1,
        max_value=999,
        help_text=_("May stay empty."),
    )
    valid_from = Day(label=_("First day in the class"))


class BedForm(ActForm):
    number = Text(label=_("Student number"), max_length=32, help_text=_("Of a pupil of this school."))
    seat = Number(label=_("Bed"), required=False, min_value=1, max_value=999, help_text=_("May stay empty."))
    valid_from = Day(label=_("First day in the room"))


class IllForm(ActForm):
    person = forms.TypedChoiceField(
        label=_("Pupil"), coerce=int, widget=forms.Select(attrs={"class": "form-select"})
    )
    onset = Day(label=_("First day of illness"))
    symptoms = forms.MultipleChoiceField(
        label=_("Symptoms"),
        required=False,
        choices=Symptom,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("As far as they are known."),
    )


class MoveForm(ActForm):
    persons = _persons()
    to_group = UnitChoice(label=_("Move to"))
    on = Day(label=_("First day in the other class"))


class SplitForm(ActForm):
    persons = _persons()
    name = Text(label=_("Name of the new class"), max_length=80)
    name_en = Text(label=_("English name"), max_length=120, required=False, help_text=_("May stay empty."))
    on = Day(label=_("First day of the new class"))


class MergeForm(ActForm):
    into = UnitChoice(label=_("Merge into"))
    on = Day(label=_("First day together"))
    sure = Sure()


class TeacherForm(ActForm):
    user = UserChoice(label=_("Class teacher"))
    on = Day(label=_("First day"))


class SubstituteForm(ActForm):
    user = UserChoice(label=_("Substitute"))
    first_day = Day(label=_("First day"))
    last_day = Day(label=_("Last day"), help_text=_("The same day for a single one."))


class RenameForm(ActForm):
    name = Text(label=pgettext_lazy("of a class or a term", "Name"), max_length=80)
    name_en = Text(label=_("English name"), max_length=120, required=False, help_text=_("May stay empty."))


class CloseForm(ActForm):
    last_day = Day(label=_("Last day of the class"))
    sure = Sure()


class OpenForm(ActForm):
    parent = UnitChoice(label=_("Grade"))
    kind = forms.ChoiceField(
        label=_("Kind"), choices=GroupKind, widget=forms.Select(attrs={"class": "form-select"})
    )
    name = Text(label=pgettext_lazy("of a class or a term", "Name"), max_length=80)
    name_en = Text(label=_("English name"), max_length=120, required=False, help_text=_("May stay empty."))
    on = Day(label=_("First day"))

    def suits(self, name: str, unit: Unit) -> bool:
        return unit.kind in {UnitKind.INSTITUTION, UnitKind.GRADE}


class MovePersonForm(ActForm):
    from_group = UnitChoice(label=_("Moves from"))
    to_group = UnitChoice(label=_("Move to"))
    on = Day(label=_("First day in the other class"))


class LeaveForm(ActForm):
    from_group = UnitChoice(label=_("Leaves"))
    last_day = Day(label=_("Last day"))


class CorrectForm(ActForm):
    number = Text(
        label=_("Student number"), max_length=32, help_text=_("The school's own number, no ID number.")
    )
    name = Text(label=_("Name"), max_length=40)
    sex = forms.ChoiceField(
        label=_("Sex"),
        required=False,
        choices=[("", _("not given")), ("M", _("male")), ("F", _("female"))],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    birth_year = Number(label=_("Year of birth"), required=False, min_value=1900, max_value=2100)


class JoinForm(forms.Form):
    first_day = Day(label=_("First day"))


class TermForm(forms.Form):
    name = Text(label=pgettext_lazy("of a class or a term", "Name"), max_length=60)
    name_en = Text(label=_("English name"), max_length=60, required=False, help_text=_("May stay empty."))
    start = Day(label=_("First day"))
    end = Day(label=_("Last day"))


class OverrideForm(forms.Form):
    day = Day(label=_("Day"))
    is_open = forms.ChoiceField(
        label=_("On this day"),
        choices=[("closed", _("there is no school")), ("open", _("there is school"))],
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    reason = Text(label=_("Reason"), max_length=200, help_text=_("Name no person."))


class RosterForm(forms.Form):
    """A list to hand in: whose it is, the file, and the day from which it holds."""

    unit = forms.TypedChoiceField(
        label=_("List of"), widget=forms.Select(attrs={"class": "form-select"}), choices=()
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("Excel (.xlsx, .xls) or CSV, at most 20 MB. Headings in any order."),
        widget=forms.ClearableFileInput(attrs={"class": "form-control", "accept": ".xlsx,.xls,.csv"}),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
    )
    effective_on = Day(
        label=_("First day in the class"),
        help_text=_("For whoever is new or moves. Before this day they count with their old class."),
    )

    def __init__(self, *args: Any, units: list[Unit], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        by_key = {str(unit.pk): unit for unit in units}
        field = self.fields["unit"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(key, unit.label) for key, unit in by_key.items()]
        field.coerce = by_key.__getitem__
        self.fields["effective_on"].initial = today
