"""Kinds of identity document and of guardian, and what may be opened for which reason, with their meaning."""

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


class Revealable(models.TextChoices):
    """A field that is masked for some who may open it for a reason."""

    NAME = "name", _("name")
    ID_NUMBER = "id_number", _("ID number")
    PHONE = "guardian_phone", _("phones of the guardians")
    ADDRESS = "address", _("address")


class RevealReason(models.TextChoices):
    """Why a masked value is opened. Coded, so that the audit holds no story about a child."""

    CALL_FAMILY = "call_family", _("to call the family about an illness")
    REPORT = "report", _("to report a case to the disease control centre or the bureau")
    IDENTIFY = "identify", _("to be sure who the person is")
    CORRECT = "correct", _("to correct the record")
