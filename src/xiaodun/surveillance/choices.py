"""Groups of similar symptoms and levels of a signal."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SymptomGroup(models.TextChoices):
    RESPIRATORY_FEVER = "respiratory_fever", _("fever or respiratory symptoms")
    GASTROINTESTINAL = "gastrointestinal", _("vomiting or diarrhoea")
    RASH = "rash", _("rash")
    PAROTID = "parotid", _("parotid swelling")
    CONJUNCTIVITIS = "conjunctivitis", _("red eyes")
    JAUNDICE = "jaundice", _("jaundice")
    UNKNOWN = "unknown", _("symptoms not recorded")


class Level(models.TextChoices):
    REPORT_24H = "report_24h", _("to be reported within 24 hours")


class SourceMark(models.TextChoices):
    """How well the source of a dated row is known."""

    READ = "V", _("read in the rule itself")
    SECONDARY = "V2", _("read in a secondary text, not in the rule itself")
    MEMORY = "M", _("from memory, to be checked")
    UNSURE = "M?", _("from memory and unsure, to be checked")
    PROPOSAL = "P", _("a proposal of this software")


class Recipient(models.TextChoices):
    """Whom a report goes to."""

    CDC = "cdc", _("disease control centre")
    BUREAU = "bureau", _("education bureau")
    OTHER = "other", _("somebody else (hospital, township, street)")


class Channel(models.TextChoices):
    """How a report was made."""

    TELEPHONE = "telephone", _("by telephone")
    NETWORK = "network", _("over the network")
    OTHER = "other", _("in another way (fax, in person)")
