"""Users, their roles on units for a period, and machine tokens."""

import hashlib

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from xiaodun.accounts.choices import Role
from xiaodun.organisations.models import Unit


class User(AbstractBaseUser):
    """A person who signs in. Rights come only from ``RoleAssignment`` rows, read on every request."""

    username = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=40)
    language = models.CharField(max_length=10, default="zh-hans")
    is_active = models.BooleanField(default=True)

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


# Who acts in a write: a signed-in user, a machine by its token, or (None) the system itself.
Actor = User | ApiToken | None
