"""The form of the sign-in page."""

from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _


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
