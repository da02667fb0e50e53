"""The form with which a masked value is opened."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from xiaodun.people.choices import Revealable, RevealReason


class RevealForm(forms.Form):
    """Which value, and what for."""

    field = forms.TypedChoiceField(label=_("Open"), coerce=Revealable, widget=forms.RadioSelect)
    reason = forms.TypedChoiceField(
        label=_("What for"), choices=RevealReason, coerce=RevealReason, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, fields: Collection[Revealable], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["field"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(each.value, each.label) for each in Revealable if each in fields]
