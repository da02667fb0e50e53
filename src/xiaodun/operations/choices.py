"""Vocabularies of operations."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class RunKind(models.TextChoices):
    BACKUP = "backup", _("Backup")
    RESTORE = "restore", _("Restore")
    RESTORE_TEST = "restore_test", _("Restore test")
    RETENTION = "retention", _("Deletion of what had its time")
    ROTATION = "rotation", _("Change of keys")
    KEYS_SEEN = "keys_seen", _("Copies of the keys seen")


class RunState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("system run", "waiting")
    RUNNING = "running", pgettext_lazy("system run", "running")
    DONE = "done", pgettext_lazy("system run", "done")
    FAILED = "failed", pgettext_lazy("system run", "failed")
