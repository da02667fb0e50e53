"""Persons and the groups that they belong to, from day to day."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.models import User
from xiaodun.kit.fields import EncryptedText
from xiaodun.organisations.models import Unit
from xiaodun.people.choices import DocumentKind, Relation, Revealable, RevealReason, RosterKind, RosterState


class Person(models.Model):
    """A pupil, teacher or worker. ID number and address stand apart in ``Identity``, few may read them."""

    class Kind(models.TextChoices):
        PUPIL = "pupil", _("pupil")
        STAFF = "staff", _("staff")

    kind = models.CharField(max_length=8, choices=Kind)
    number = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=40)
    # Space-separated syllables; a surname with two readings has both, separated by "/".
    pinyin = models.CharField(max_length=320, blank=True)
    initials = models.CharField(max_length=200, blank=True)
    sex = models.CharField(max_length=1, choices=[("M", _("male")), ("F", _("female"))], blank=True)
    birth_year = models.PositiveSmallIntegerField(null=True)
    user = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, related_name="person")
    # The person's own audit key, wrapped by the installation's; erasing the person destroys it.
    audit_key = models.BinaryField(null=True)

    def __str__(self) -> str:
        return self.name


class SearchKey(models.Model):
    """What a search for a person may begin with: number, name, given name, each reading and its initials.

    A table of its own, because beginnings of words are then ranges of one index on both databases.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="search_keys")
    # Ordered by bytes (on PostgreSQL by the collation "C", see the migration).
    key = models.CharField(max_length=320)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "person"], name="one_search_key")]


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


class Identity(models.Model):
    """By what a person is recognised beyond the school's own number.

    The numbers stand encrypted; each has a blind index, which finds a number that the reader knows in full.
    """

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="identity")
    document_kind = models.CharField(max_length=1, choices=DocumentKind, blank=True)
    document_number = EncryptedText(null=True)
    document_index = models.CharField(max_length=64, null=True, unique=True)
    # The national student number (学籍号): it stays with the pupil from school to school.
    student_number = EncryptedText(null=True)
    student_index = models.CharField(max_length=64, null=True, unique=True)
    birth_date = models.DateField(null=True)
    address = EncryptedText(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(document_number__isnull=True, document_index__isnull=True)
                | models.Q(document_number__isnull=False, document_index__isnull=False),
                name="document_has_index",
            ),
            models.CheckConstraint(
                condition=models.Q(student_number__isnull=True, student_index__isnull=True)
                | models.Q(student_number__isnull=False, student_index__isnull=False),
                name="student_number_has_index",
            ),
        ]


class Guardian(models.Model):
    """Whom the school calls about a pupil, in the order in which it calls them."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="guardians")
    order = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=40)
    relation = models.CharField(max_length=12, choices=Relation, blank=True)
    phone = EncryptedText(null=True)
    phone_index = models.CharField(max_length=64, null=True, db_index=True)

    class Meta:
        ordering = ["order"]
        constraints = [models.UniqueConstraint(fields=["person", "order"], name="one_guardian_a_place")]

    def __str__(self) -> str:
        return self.name


class RollOver(models.Model):
    """The step of one institution from a school year into the next, with all that undoing it needs."""

    institution = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="roll_overs")
    # The year in which the new school year begins.
    school_year = models.PositiveSmallIntegerField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    # Ids: {"classes": [[old, new or null]], "grades": [made], "enrolments": [[ended, its end before]],
    # "roles": [[ended, its end before]]}.
    steps = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["institution", "school_year"],
                condition=models.Q(undone_at__isnull=True),
                name="one_roll_over_a_year",
            )
        ]


class RosterImport(models.Model):
    """A list that somebody handed in: what it would change, and what became of it.

    The file itself lies encrypted in the data folder under ``token`` and is deleted after some days; what is
    reported about it (rows by number, persons by id) stays.
    """

    kind = models.CharField(max_length=16, choices=RosterKind)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="roster_imports")
    state = models.CharField(max_length=12, choices=RosterState)
    # Schools name files after classes and people.
    file_name = EncryptedText()
    token = models.CharField(max_length=32, unique=True)
    digest = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    # The first day in the class for whoever is new or moved.
    effective_on = models.DateField()
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    # When a worker took it; one that died is followed by another.
    taken_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    # Of what would change, for whoever applies it later: another plan needs another look.
    plan_digest = models.CharField(max_length=64, blank=True)
    # JSON: problems, questions, who is missing, examples. Holds values of cells.
    report = EncryptedText(null=True)
    answers = models.JSONField(default=dict)
    file_deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["unit", "-uploaded_at"], name="roster_import_unit")]


class Reveal(models.Model):
    """A masked field of one person stands open for one user until it expires. Holds no value."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    field = models.CharField(max_length=16, choices=Revealable)
    reason = models.CharField(max_length=16, choices=RevealReason)
    at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "at"], name="reveal_user_at")]
