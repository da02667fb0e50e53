"""What the school hands to the family of a child: a link on paper, and what came back through it."""

from django.db import models

from xiaodun.accounts.models import User
from xiaodun.organisations.models import Unit
from xiaodun.people.choices import Relation
from xiaodun.people.models import Person


class ChildLink(models.Model):
    """A printed link about one child. Whoever holds it may submit and read nothing: links get forwarded.

    ``digest`` is of the secret in the address, ``code_digest`` of the second code, which stands beside the
    picture and binds a phone together with the telephone number of a guardian on record.
    """

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="links")
    # The class through which it was handed out; it holds while the child belongs to it.
    group = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    code_digest = models.CharField(max_length=64)
    # Wrong tries to bind a phone.
    failures = models.PositiveSmallIntegerField(default=0)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(revoked_at__isnull=True),
                name="one_open_link_a_child",
            )
        ]


class Acknowledgment(models.Model):
    """A guardian has read the notice, in this version and language, before the first record."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="acknowledgments")
    link = models.ForeignKey(ChildLink, on_delete=models.PROTECT, related_name="acknowledgments")
    notice = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField()
    language = models.CharField(max_length=10)
    name = models.CharField(max_length=40)
    relation = models.CharField(max_length=12, choices=Relation)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["link", "notice", "version"], name="one_acknowledgment_a_link_and_version"
            )
        ]


class FamilyPhone(models.Model):
    """A guardian's phone, bound through a link: it may also read what concerns the child."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="family_phones")
    link = models.ForeignKey(ChildLink, on_delete=models.PROTECT, related_name="phones")
    digest = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=40)
    relation = models.CharField(max_length=12, choices=Relation, blank=True)
    bound_at = models.DateTimeField()
