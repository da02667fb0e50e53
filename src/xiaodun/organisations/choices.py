"""Kinds of unit, of institution and of group, each with its meaning."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class UnitKind(models.TextChoices):
    DISTRICT = "district", _("district")
    DRILL = "drill", _("drill and training area")
    INSTITUTION = "institution", _("institution")
    GRADE = "grade", _("grade or department")
    GROUP = "group", _("group")


class InstitutionKind(models.TextChoices):
    KINDERGARTEN = "kindergarten", _("kindergarten")
    PRIMARY = "primary", _("primary school")
    JUNIOR = "junior", _("junior middle school")
    SENIOR = "senior", _("senior middle school")
    NINE_YEAR = "nine_year", _("nine-year school")
    TRAINING = "training", _("training body")
    COLLEGE = "college", _("college")


class Stage(models.TextChoices):
    """A course with a year of entry of its own."""

    KINDERGARTEN = "kindergarten", _("kindergarten")
    PRIMARY = "primary", _("primary school")
    JUNIOR = "junior", _("junior middle school")
    SENIOR = "senior", _("senior middle school")


class GroupKind(models.TextChoices):
    CLASS = "class", _("class")
    DORMITORY = "dormitory", _("dormitory room")
    LESSON = "lesson", _("training lesson")
    DEPARTMENT = "department", _("department of staff")
