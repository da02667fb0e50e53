"""The form that asks for a hold."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from xiaodun.organisations.models import Unit


class _UnitField(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django's takes none at run time
    def label_from_instance(self, unit: Any) -> str:
        return str(unit.label)


class HoldForm(forms.Form):
    """Which unit, on what ground, until when; the service insists on ground and end."""

    unit = _UnitField(
        queryset=Unit.objects.none(),
        label=_("Unit, with all below it"),
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    reason = forms.CharField(
        label=_("Ground: the case and who asked for it"),
        max_length=300,
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    until = forms.DateField(
        label=_("Until"), widget=forms.DateInput(attrs={"class": "form-control", "type": "date"})
    )

    def __init__(self, *args: Any, units: QuerySet[Unit], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["unit"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = units
