"""Kinds of check, what a finding says, and the symptoms of WS/T 772-2020.

The symptom list is the standard's (read in a secondary text, mark V2) with jaundice added from the
registration form that provinces use with it. Codes are stored; words come from the catalogue.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CheckKind(models.TextChoices):
    MORNING = "morning", _("morning check")


class FindingStatus(models.TextChoices):
    ABSENT_ILL = "absent_ill", _("absent, ill")
    ABSENT_OTHER = "absent_other", _("absent, other reason")
    LATE = "late", _("late")
    SYMPTOMS = "symptoms", _("at school with symptoms")
    RECOVERED = "recovered", _("was ill, has recovered")


ILLNESS = frozenset({FindingStatus.ABSENT_ILL, FindingStatus.SYMPTOMS, FindingStatus.RECOVERED})
ABSENT = frozenset({FindingStatus.ABSENT_ILL, FindingStatus.ABSENT_OTHER})


class Symptom(models.TextChoices):
    FEVER = "fever", _("fever")
    COUGH = "cough", _("cough")
    SORE_THROAT = "sore_throat", _("sore throat")
    HEADACHE = "headache", _("headache")
    DIZZINESS = "dizziness", _("dizziness")
    VOMITING = "vomiting", _("vomiting")
    DIARRHOEA = "diarrhoea", _("diarrhoea")
    ABDOMINAL_PAIN = "abdominal_pain", _("abdominal pain")
    RASH = "rash", _("rash")
    FATIGUE = "fatigue", _("fatigue")
    PAROTID_SWELLING = "parotid_swelling", _("parotid swelling")
    CONJUNCTIVAL_CONGESTION = "conjunctival_congestion", _("red eyes")
    JAUNDICE = "jaundice", _("jaundice")
    OTHER = "other", _("other symptom")
