"""Roles, rights, levels of sign-in and the scopes of machine tokens, each with its meaning."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    CLASS_TEACHER = "class_teacher", _("class teacher")
    DORMITORY_SUPERVISOR = "dormitory_supervisor", _("dormitory supervisor")
    GRADE_LEAD = "grade_lead", _("grade lead")
    SCHOOL_DOCTOR = "school_doctor", _("school doctor")
    SCHOOL_REPORTER = "school_reporter", _("school reporter")
    SCHOOL_CLERK = "school_clerk", _("school clerk")
    GUARD = "guard", _("guard")
    PRINCIPAL = "principal", _("principal")
    DISTRICT_OFFICER = "district_officer", _("district officer")
    SYSTEM_ADMINISTRATOR = "system_administrator", _("system administrator")
    AUDITOR = "auditor", _("auditor")


class Right(models.TextChoices):
    SUBMIT_CHECK = "submit_check", _("submit and correct checks")
    SEE_ROSTER = "see_roster", _("see names on rosters, without findings")
    SEE_CHILDREN = "see_children", _("see names and findings of children")
    SEE_COUNTS = "see_counts", _("see counts and masked rows")
    REVIEW_SIGNALS = "review_signals", _("acknowledge and decide signals")
    MANAGE_FILES = "manage_files", _("work on absence files")
    ANNOUNCE_LEAVE = "announce_leave", _("record an announced leave")
    MANAGE_RULES = "manage_rules", _("activate rules and playbooks")
    MANAGE_CALENDAR = "manage_calendar", _("change school days")
    MANAGE_PEOPLE = "manage_people", _("enrol and transfer persons")
    MANAGE_ACCOUNTS = "manage_accounts", _("give users their roles, slips and devices")
    INVITE_FAMILIES = "invite_families", _("print slips for families")
    REVEAL = "reveal", _("open a masked value for a reason")
    RUN_SYSTEM = "run_system", _("see the system's health and its settings")
    READ_AUDIT = "read_audit", _("read the audit log")


class Level(models.TextChoices):
    """How sure the system is of who is there, from the least: a door asks for a minimum."""

    DEVICE = "device", _("enrolled device")
    PASSWORD = "password", _("password")
    MFA = "mfa", _("password and second factor")
    # A button of a demonstration: invented people, nothing to protect, every door opens.
    DEMO = "demo", _("demonstration")

    def reaches(self, least: "Level") -> bool:
        """Whether this level is at least ``least``."""
        order = list(Level)
        return order.index(self) >= order.index(least)


class FactorKind(models.TextChoices):
    """What a user has beside the password."""

    TOTP = "totp", _("authenticator app")
    PASSKEY = "passkey", _("passkey")
    RECOVERY = "recovery", _("recovery code")
    # Handed over in person when all others are lost; opens once and counts as nothing but a way in.
    ISSUED = "issued", _("code from the office")


class RevokedFor(models.TextChoices):
    LOST = "lost", _("reported lost or taken back")
    GUESSED = "guessed", _("PIN wrong too often")
    REPLACED = "replaced", _("enrolled anew")
    PASSWORD = "password", _("password set anew")
    LEFT = "left", _("role ended")


class TokenScope(models.TextChoices):
    CHECKS_WRITE = "checks:write", _("send checks")
    ROSTERS_READ = "rosters:read", _("read the lists of groups")
    FIGURES_READ = "figures:read", _("read figures")
