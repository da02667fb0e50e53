"""Persons and the groups that they belong to, from day to day."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User
from xiaodun.organisations.models import Unit


class Person(models.Model):
    """A pupil, teacher or worker. Holds no ID number, phone or address."""

    class Kind(models.TextChoices):
        PUPIL = "pupil", _("pupil")
        STAFF = "staff", _("staff")

    kind = models.CharField(max_length=8, choices=Kind)
    number = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=40)
    # Space-separated syllables; a surname with two readings has both, separated by "/".
    pinyin = models.CharField(max_length=320, blank=True)
    initials = models.CharField(max_length=200, blank=True)
    # What a search may begin with, each after a bar: "|shanwei|danwei|sw|dw".
    search_keys = models.TextField(blank=True)
    sex = models.CharField(max_length=1, choices=[("M", _("male")), ("F", _("female"))], blank=True)
    birth_year = models.PositiveSmallIntegerField(null=True)
    user = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, related_name="person")
    # The person's own audit key, wrapped by the installation's; erasing the person destroys it.
    audit_key = models.BinaryField(null=True)

    def __str__(self) -> str:
        return self.name


class Enrolment(models.Model):
    """A person in a group from a day to a day, both inclusive; several at once (class, dormitory, lesson)."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="enrolments")
    group = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="enrolments")
    number = models.PositiveSmallIntegerField(null=True)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_to__isnull=True) | models.Q(valid_to__gte=models.F("valid_from")),
                name="enrolment_ends_after_start",
            ),
            models.UniqueConstraint(fields=["person", "group", "valid_from"], name="one_enrolment_a_start"),
            models.UniqueConstraint(
                fields=["person", "group"],
                condition=models.Q(valid_to__isnull=True),
                name="one_open_enrolment",
            ),
        ]
        indexes = [models.Index(fields=["group", "valid_from"], name="enrolment_group")]
