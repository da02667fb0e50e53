"""The forms with which a named person decides a signal and records its report."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from xiaodun.kit import clock
from xiaodun.surveillance.choices import Channel, Recipient, SymptomGroup
from xiaodun.surveillance.models import Signal


class _Together(forms.Form):
    """Takes the signals of the same cases along; all are chosen until the reader takes one out."""

    together = forms.TypedMultipleChoiceField(
        label=_("Together with this one"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, siblings: Sequence[Signal], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["together"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(each.pk, _words(each)) for each in siblings]
        field.initial = [each.pk for each in siblings]


def _words(signal: Signal) -> str:
    """By what a reader knows a signal of the same unit: its rule, its symptoms, its count."""
    cases = ngettext("%(count)d case", "%(count)d cases", signal.peak_count) % {"count": signal.peak_count}
    return f"{signal.rule.label} · {SymptomGroup(signal.symptom_group).label} · {cases}"


class DecisionForm(_Together):
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


class ReportForm(_Together):
    """Who was told, how and when. The report itself is made outside of this system."""

    to_whom = forms.TypedChoiceField(
        label=_("To whom"), choices=Recipient, coerce=Recipient, widget=forms.RadioSelect
    )
    how = forms.TypedChoiceField(label=_("How"), choices=Channel, coerce=Channel, widget=forms.RadioSelect)
    reported_at = forms.DateTimeField(
        label=_("When"),
        widget=forms.DateTimeInput(
            attrs={"class": "form-control", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
        ),
    )
    reference = forms.CharField(
        label=_("Number of the report, or who answered"),
        help_text=_("Not required. Name no child."),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, at: datetime, to_whom: str, **kwargs: Any) -> None:
        """``at``: the moment offered; ``to_whom``: the recipient offered, "" for none."""
        initial = {
            "reported_at": at.astimezone(clock.SHANGHAI),
            "to_whom": to_whom,
            "how": Channel.TELEPHONE,
        }
        super().__init__(*args, initial=initial, **kwargs)
