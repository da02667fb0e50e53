"""Kinds and sources of an announced absence."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LeaveKind(models.TextChoices):
    ILLNESS = "illness", _("illness")
    OTHER = "other", _("other reason")


class LeaveSource(models.TextChoices):
    STAFF = "staff", _("recorded by the school")
    GUARDIAN = "guardian", _("reported by a guardian")
