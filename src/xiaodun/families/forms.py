"""What a guardian fills in behind the link."""

from django import forms
from django.utils.translation import gettext_lazy as _

from xiaodun.people.choices import Relation


class AcknowledgmentForm(forms.Form):
    """Who has read the notice."""

    name = forms.CharField(
        label=_("Your name"),
        max_length=40,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "name"}),
        error_messages={"required": _("Enter your name.")},
    )
    relation = forms.ChoiceField(
        label=_("You are the child's"),
        choices=Relation,
        widget=forms.RadioSelect,
        error_messages={"required": _("Say how you are related to the child.")},
    )


class PhoneForm(forms.Form):
    """By what a guardian's phone is bound."""

    phone = forms.CharField(
        label=_("Your phone number"),
        help_text=_("The one that the school has on record."),
        max_length=40,
        widget=forms.TextInput(attrs={"class": "form-control", "inputmode": "tel", "autocomplete": "tel"}),
        error_messages={"required": _("Enter your phone number.")},
    )
    code = forms.CharField(
        label=_("Second code on the slip"),
        help_text=_("It stands below the picture. Small letters do; the dashes do not matter."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"class": "form-control x-code", "autocomplete": "off", "spellcheck": "false"}
        ),
        error_messages={"required": _("Enter the second code.")},
    )
