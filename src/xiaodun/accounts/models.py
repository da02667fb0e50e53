"""Users, their roles on units for a period, their sessions, and machine tokens."""

import hashlib

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from xiaodun.accounts.choices import FactorKind, Level, RevokedFor, Role
from xiaodun.kit.fields import EncryptedText
from xiaodun.organisations.models import Unit


class User(AbstractBaseUser):
    """A person who signs in. Rights come only from ``RoleAssignment`` rows, read on every request."""

    username = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=40)
    language = models.CharField(max_length=10, default="zh-hans")
    is_active = models.BooleanField(default=True)
    # Null while there is no password: a slip activates the account.
    password_set_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "username"
    objects = BaseUserManager["User"]()

    def __str__(self) -> str:
        return self.name


class RoleAssignment(models.Model):
    """A role on a unit (and all below it) from a day to a day, both inclusive; an open end is null."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="assignments")
    role = models.CharField(max_length=24, choices=Role)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="assignments")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=models.F("valid_from")),
                name="assignment_ends_after_start",
            ),
            models.UniqueConstraint(
                fields=["user", "role", "unit", "valid_from"], name="one_assignment_a_start"
            ),
        ]
        indexes = [models.Index(fields=["unit", "role"], name="assignment_unit_role")]


class UserSession(models.Model):
    """A browser in which a user is signed in; the row goes with Django's session."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    session_key = models.CharField(max_length=40, unique=True)
    level = models.CharField(max_length=12, choices=Level)
    # In words that its owner recognises, "Chrome, Android"; never the whole header.
    browser = models.CharField(max_length=40, blank=True)
    address = models.GenericIPAddressField(null=True)
    started_at = models.DateTimeField()
    # To the minute.
    seen_at = models.DateTimeField()


class Factor(models.Model):
    """Something that a user has beside the password; its secret stands encrypted.

    Each recovery code is a row of its own. ``counter`` never falls: of a TOTP the last step that opened, of a
    passkey its count of signatures, of a printed code 1 once it was used. So each code opens once.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="factors")
    kind = models.CharField(max_length=12, choices=FactorKind)
    name = models.CharField(max_length=40, blank=True)
    secret = EncryptedText()
    counter = models.BigIntegerField(default=0)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind"],
                condition=models.Q(kind__in=[FactorKind.TOTP, FactorKind.ISSUED]),
                name="one_factor_of_these_kinds",
            )
        ]


class FormerPassword(models.Model):
    """The hash of a password that a user had, kept only where the profile forbids its return."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="former_passwords")
    password = models.CharField(max_length=128)
    set_at = models.DateTimeField()


class AttemptCount(models.Model):
    """Failed attempts of late: at an account, from a browser known to it, from an address.

    One table that all processes share, so that a limit holds whichever of them answers.
    """

    key = models.CharField(max_length=96, unique=True)
    # The account that is attacked, for those who look after it; none where no user has the name.
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="attempts")
    count = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()
    paused_until = models.DateTimeField(null=True)


class Binding(models.Model):
    """What a user is called at a provider of sign-in: a blind index, enough to know who comes back."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="bindings")
    provider = models.CharField(max_length=16)
    index = models.CharField(max_length=64)
    bound_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "index"], name="one_user_an_account_elsewhere"),
            models.UniqueConstraint(fields=["provider", "user"], name="one_account_elsewhere_a_user"),
        ]


class ApiToken(models.Model):
    """A machine's key, bound to one unit and to named scopes; only a hash of the secret is stored."""

    name = models.CharField(max_length=80)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    scopes = models.JSONField(default=list)
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def digest_of(secret: str) -> str:
        """SHA-256 of the secret: it has 256 random bits, so it needs neither salt nor slowness."""
        return hashlib.sha256(secret.encode()).hexdigest()


class ActivationSlip(models.Model):
    """A printed code with which a user chooses a password (a guard: a PIN), once. Only its digest is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="slips")
    # The institution that handed it out.
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(used_at__isnull=True, revoked_at__isnull=True),
                name="one_open_slip_a_user",
            )
        ]


class Device(models.Model):
    """A phone of somebody who checks a group: with its PIN it opens the check of the own groups, no more."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    name = models.CharField(max_length=40)
    digest = models.CharField(max_length=64, unique=True)
    pin = models.CharField(max_length=128)
    # Wrong PINs since the last right one.
    failures = models.PositiveSmallIntegerField(default=0)
    enrolled_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_for = models.CharField(max_length=12, choices=RevokedFor, blank=True)

    def __str__(self) -> str:
        return self.name


class GateTablet(models.Model):
    """A tablet of an institution at one of its gates; who stands behind it, its shifts say."""

    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="tablets")
    name = models.CharField(max_length=40)
    code_digest = models.CharField(max_length=64, unique=True)
    code_expires_at = models.DateTimeField()
    # Of the secret in the tablet's cookie, once its code was typed.
    digest = models.CharField(max_length=64, unique=True, null=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    enrolled_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class GuardPin(models.Model):
    """The PIN with which a guard begins a shift at any tablet of the institution."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="guard_pin")
    pin = models.CharField(max_length=128)
    failures = models.PositiveSmallIntegerField(default=0)
    set_at = models.DateTimeField()


class Shift(models.Model):
    """Who was on duty at a tablet, from when to when."""

    tablet = models.ForeignKey(GateTablet, on_delete=models.PROTECT, related_name="shifts")
    guard = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    # By then at the latest.
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tablet"],
                condition=models.Q(ended_at__isnull=True),
                name="one_shift_at_a_time",
            )
        ]


# Who acts in a write: a signed-in user, a machine by its token, or (None) the system itself.
Actor = User | ApiToken | None
