"""Kinds of identity document and of guardian, each with its meaning."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DocumentKind(models.TextChoices):
    """The codes are those of the national student register."""

    RESIDENT = "1", _("resident identity card")
    HONG_KONG = "6", _("Hong Kong identity document")
    MACAU = "7", _("Macau identity document")
    TAIWAN = "8", _("Taiwan identity document")
    FOREIGN_RESIDENT = "9", _("foreigner's permanent residence permit")
    PASSPORT = "A", _("passport")
    OTHER = "Z", _("other document or none")


class Relation(models.TextChoices):
    MOTHER = "mother", _("mother")
    FATHER = "father", _("father")
    GRANDPARENT = "grandparent", _("grandparent")
    OTHER = "other", _("other guardian")


class RosterKind(models.TextChoices):
    """What a list that is imported holds."""

    PUPILS = "pupils", _("pupils and guardians")


class RosterState(models.TextChoices):
    """Where an import stands; nothing is written to any person before ``APPLYING``."""

    WAITING = "waiting", _("waiting to be read")
    READING = "reading", _("being read")
    READY = "ready", _("ready to be applied")
    FAULTY = "faulty", _("to be corrected")
    UNREADABLE = "unreadable", _("cannot be read")
    APPROVED = "approved", _("waiting to be applied")
    APPLYING = "applying", _("being applied")
    DONE = "done", _("applied")
    DISCARDED = "discarded", _("discarded")
