"""Forms of sign-in and activation."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import password_validators_help_texts
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User


class SignInForm(AuthenticationForm):
    """User name and password. An unknown user, a wrong password and a closed account get the same answer."""

    error_messages = {
        "invalid_login": _("The user name or the password is wrong."),
        "inactive": _("The user name or the password is wrong."),
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they come
        self.fields["username"].label = _("User name")
        self.fields["username"].widget.attrs |= {
            "autocomplete": "username",
            "autocapitalize": "none",
            "class": "form-control",
        }
        # A page that jumps into a field hides what stands above it: here the buttons of a demonstration.
        del self.fields["username"].widget.attrs["autofocus"]
        self.fields["password"].widget.attrs |= {"class": "form-control"}
        self.fields["password"].label = _("Password")
        for field, message in (
            ("username", _("Enter your user name.")),
            ("password", _("Enter your password.")),
        ):
            self.fields[field].error_messages["required"] = message


class ConfirmForm(forms.Form):
    """The password of whoever is signed in, once more."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "form-control"}),
        error_messages={"required": _("Enter your password.")},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(_("The password is wrong."))
        return password


class ActivationCodeForm(forms.Form):
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


class NewPasswordForm(forms.Form):
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
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "password" in cleaned and "again" in cleaned and cleaned["password"] != cleaned["again"]:
            self.add_error("again", _("The two are not the same."))
        return cleaned
