"""Messages to users and what became of them."""

from django.db import models

from xiaodun.accounts.models import User
from xiaodun.messages.kinds import kind_of, words
from xiaodun.organisations.models import Unit


class Message(models.Model):
    """One in-app message. Its words come from the catalogue by ``kind``; ``facts`` names no child."""

    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="received")
    kind = models.CharField(max_length=48)
    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="+")
    facts = models.JSONField(default=dict)
    url = models.CharField(max_length=200, blank=True)
    is_urgent = models.BooleanField(default=False)
    # What the message is about ("signal:12"); withdrawing the matter withdraws its unread messages visibly.
    subject = models.CharField(max_length=96, blank=True, db_index=True)
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["recipient", "-id"], name="message_inbox"),
            models.Index(
                fields=["recipient"],
                name="message_unread",
                condition=models.Q(read_at__isnull=True, withdrawn_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def title(self) -> str:
        """The heading in the reader's language."""
        return words(kind_of(self.kind).title, self.facts)

    @property
    def body(self) -> str:
        """The text in the reader's language."""
        return words(kind_of(self.kind).body, self.facts)

    @property
    def is_unread(self) -> bool:
        """Whether it still waits for its reader; a withdrawn message does not."""
        return self.read_at is None and self.withdrawn_at is None
