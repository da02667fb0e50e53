"""The form with which a named person decides a signal."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from xiaodun.surveillance.models import Signal


class DecisionForm(forms.Form):
    """Confirm or rule out; ruling out needs a reason (the service insists on it as well)."""

    outcome = forms.TypedChoiceField(
        label=_("Your decision"),
        choices=[
            (Signal.State.CONFIRMED, _("Confirm: these cases belong together and are reported")),
            (Signal.State.RULED_OUT, _("Rule out: they do not, for the reason below")),
        ],
        coerce=Signal.State,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Needed when you rule out. Name no child."),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 2}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("outcome") == Signal.State.RULED_OUT and not cleaned.get("reason", "").strip():
            self.add_error("reason", _("Ruling out a signal needs a reason."))
        return cleaned
