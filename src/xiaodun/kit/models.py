"""The shared ledger tables: audit, seals, tombstones, receipts, outbox and the installation's own row."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Installation(models.Model):
    """One row: what this database is. A production start refuses a database that was made as a demo."""

    class Kind(models.TextChoices):
        DEMO = "demo", _("demonstration with invented data")
        PRODUCTION = "production", _("production")
        REPLAY = "replay", _("throw-away replay")

    kind = models.CharField(max_length=12, choices=Kind)
    made_at = models.DateTimeField()
    # A demo's fictional clock: what its clock showed when the database was made.
    clock_start = models.DateTimeField(null=True)
    # What it showed when the demo last ran: the next run goes on from there, not from a morning long past.
    clock_seen = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_installation")]


class AuditEntry(models.Model):
    """Who did what to which object, committed with the write itself and never changed afterwards.

    ``facts`` holds nothing about anybody's health; old and new health and identity values stand in
    ``sealed`` as ``{subject: ciphertext}`` under that person's own key, so that erasing the person makes
    them unreadable.
    """

    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=64)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    unit_path = models.CharField(max_length=255, blank=True)
    facts = models.JSONField(default=dict)
    sealed = models.JSONField(default=dict)
    request_id = models.CharField(max_length=36, blank=True)
    mac = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["object_type", "object_id"], name="audit_object")]


class AuditSeal(models.Model):
    """A batch of committed audit rows (Merkle root after RFC 6962), chained to the one before."""

    sealed_at = models.DateTimeField()
    entry_ids = models.JSONField()
    # The highest row id up to which rows were looked at, and the ids below it that were absent then: a row
    # that commits late, with a lower id, is found by them.
    last_entry_id = models.BigIntegerField()
    gaps = models.JSONField(default=list)
    root = models.CharField(max_length=64)
    # Unique: the chain cannot fork, whoever seals.
    previous = models.CharField(max_length=64, blank=True, unique=True)
    head = models.CharField(max_length=64, unique=True)


class Tombstone(models.Model):
    """Somebody or something was erased; see ``kit.tombstones``. Holds nothing readable about anybody."""

    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    mark = models.CharField(max_length=64)
    erased_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["object_type", "object_id", "mark"], name="one_tombstone")
        ]


class Receipt(models.Model):
    """The first answer given to a client's write; a repeat with the same id and content gets it again."""

    source = models.CharField(max_length=64)
    client_id = models.UUIDField()
    payload_hash = models.CharField(max_length=64)
    answer = models.JSONField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "client_id"], name="one_receipt_a_client_id")
        ]


class OutboxMessage(models.Model):
    """One announcement for one subscriber. The row is the only truth; a queue only wakes the worker up."""

    topic = models.CharField(max_length=64)
    subscriber = models.CharField(max_length=64)
    payload = models.JSONField()
    announced_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at", "id"], name="outbox_due", condition=models.Q(done_at__isnull=True)
            ),
            models.Index(fields=["done_at"], name="outbox_done"),
        ]
