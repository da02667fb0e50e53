"""Forms of sign-in."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User
from xiaodun.kit.errors import Refusal

# Longer ones would only let a stranger make the server hash.
_LONGEST_PASSWORD = 256


class AnswerableForm(forms.Form):
    """A form that can show why a service refused what it holds."""

    def refuse(self, refusal: Refusal, field: str | None = None) -> None:
        """Show the refusal beside ``field`` (or above the form), with what would lift it."""
        self.add_error(field, forms.ValidationError([str(refusal.message), *_more(refusal)]))


class PasswordField(forms.CharField):
    """A password as it is typed. ``autocomplete`` tells a password manager which one."""

    def __init__(self, *, label: Any, autocomplete: str, required: Any, help_text: Any = "") -> None:
        super().__init__(
            label=label,
            strip=False,
            max_length=_LONGEST_PASSWORD,
            help_text=help_text,
            widget=forms.PasswordInput(attrs={"autocomplete": autocomplete, "class": "form-control"}),
            error_messages={"required": required},
        )


class SignInForm(AnswerableForm):
    """User name and password."""

    username = forms.CharField(
        label=_("Staff number or phone"),
        max_length=64,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "class": "form-control"}
        ),
        error_messages={"required": _("Enter your staff number or phone.")},
    )
    password = PasswordField(
        label=_("Password"), autocomplete="current-password", required=_("Enter your password.")
    )


class ConfirmForm(AnswerableForm):
    """The password of whoever is signed in, once more."""

    password = PasswordField(
        label=_("Password"), autocomplete="current-password", required=_("Enter your password.")
    )


class CodeForm(AnswerableForm):
    """A code of an app or from paper. Empty when a passkey answers instead."""

    code = forms.CharField(
        label=_("Code"),
        max_length=32,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "class": "form-control",
            }
        ),
        error_messages={"required": _("Enter the code.")},
    )


class AppCodeForm(CodeForm):
    """The six digits that an authenticator app shows."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Six digits from the app")
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class PasskeyForm(AnswerableForm):
    """What the browser made, and how its owner calls it."""

    name = forms.CharField(
        label=_("Name of this passkey"),
        help_text=_("So that you recognise it later, e.g. office PC."),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "form-control"}),
        error_messages={"required": _("Give the passkey a name.")},
    )
    credential = forms.CharField(widget=forms.HiddenInput, max_length=20_000, required=False)


class ActivationCodeForm(AnswerableForm):
    """The code on a slip."""

    code = forms.CharField(
        label=_("Code on the slip"),
        help_text=_("Twelve letters and digits. Small letters do; the dashes do not matter."),
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "class": "form-control x-code",
            }
        ),
        error_messages={"required": _("Enter the code on your slip.")},
    )


class NewPasswordForm(AnswerableForm):
    """A password, twice; whether it is good enough, the service says."""

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "form-control"}),
        error_messages={"required": _("Choose a password.")},
    )
    again = forms.CharField(
        label=_("New password once more"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "form-control"}),
        error_messages={"required": _("Type the password once more.")},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["password"].help_text = " ".join(
            text for text in password_validators_help_texts() if text
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "password" in cleaned and "again" in cleaned and cleaned["password"] != cleaned["again"]:
            self.add_error("again", _("The two are not the same."))
        return cleaned


class ChangePasswordForm(NewPasswordForm):
    """The present password as well."""

    present = PasswordField(
        label=_("Present password"), autocomplete="current-password", required=_("Enter your password.")
    )
    field_order = ("present", "password", "again")


def _more(refusal: Refusal) -> list[str]:
    if refusal.errors:
        return [str(error.message) for error in refusal.errors]
    return [str(refusal.lifts)] if refusal.lifts else []


def _pin_field(label: Any, missing: Any, *, is_new: bool) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=True,
        max_length=40,
        widget=forms.PasswordInput(
            attrs={
                "autocomplete": "new-password" if is_new else "current-password",
                "inputmode": "numeric",
                "class": "form-control x-code",
            }
        ),
        error_messages={"required": missing},
    )


class _NewPinForm(AnswerableForm):
    """A PIN, twice; whether it is good enough, the service says."""

    pin = _pin_field(_("New PIN"), _("Choose a PIN."), is_new=True)
    again = _pin_field(_("New PIN once more"), _("Type the PIN once more."), is_new=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pin"].help_text = _(
            "At least six digits that nobody guesses from your number or birthday."
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "pin" in cleaned and "again" in cleaned and cleaned["pin"] != cleaned["again"]:
            self.add_error("again", _("The two are not the same."))
        return cleaned


class DeviceForm(_NewPinForm):
    """What the phone is called, and its PIN."""

    name = forms.CharField(
        label=_("Name of this phone"),
        max_length=40,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
        error_messages={"required": _("Name the phone, so that you know it again.")},
    )
    field_order = ("name", "pin", "again")


class PinForm(forms.Form):
    """The PIN of an enrolled phone."""

    pin = _pin_field(_("PIN"), _("Enter your PIN."), is_new=False)


class GuardPinForm(_NewPinForm):
    """A guard's slip and the PIN that it becomes."""

    code = forms.CharField(
        label=_("Code on the slip"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "spellcheck": "false", "class": "form-control x-code"}
        ),
        error_messages={"required": _("Enter the code on your slip.")},
    )
    field_order = ("code", "pin", "again")


class ShiftForm(AnswerableForm):
    """Who begins a shift, and the PIN."""

    guard = forms.ModelChoiceField(
        label=_("Who begins"),
        queryset=User.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": _("Choose who begins.")},
    )
    pin = _pin_field(_("PIN"), _("Enter your PIN."), is_new=False)

    def __init__(self, *args: Any, guards: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = cast("forms.ModelChoiceField[User]", self.fields["guard"])
        chosen.queryset = User.objects.filter(pk__in=[guard.pk for guard in guards]).order_by("name", "pk")
