"""The navigation of every page, by what the reader may do."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from xiaodun.accounts.access import level_of
from xiaodun.accounts.choices import Level, Right
from xiaodun.accounts.policies import Scope, device_scope, keeps
from xiaodun.messages.selectors import unread_count
from xiaodun.organisations.choices import UnitKind
from xiaodun.surveillance.selectors import WAITING, signals_visible_to


def navigation(request: HttpRequest) -> dict[str, Any]:
    """``nav_items`` and ``role_label``; nothing for a visitor."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    scope: Scope = request.scope  # type: ignore[attr-defined]  # set by ScopeMiddleware
    if level_of(request) == Level.DEVICE:
        checks = _item(request, _("My checks"), reverse("desks:own_checks"), "clipboard-check")
        return {"nav_items": [checks], "role_label": _("with PIN")}
    items = [_item(request, _("Today"), reverse("desks:today"), "home")]
    if scope.has(Right.REVIEW_SIGNALS):
        waiting = signals_visible_to(scope).filter(state__in=WAITING).count()
        items.append(
            _item(request, _("Signals"), reverse("desks:signals"), "activity-heartbeat", waiting, "now")
        )
    if scope.has(Right.SEE_CHILDREN):
        items.append(_item(request, _("Illness files"), reverse("desks:files"), "clipboard-heart"))
    if scope.has(Right.SEE_COUNTS):
        items.extend(_boards(request, scope))
    if scope.has(Right.MANAGE_PEOPLE):
        items.append(_item(request, _("Lists"), reverse("desks:lists"), "users"))
        items.append(_item(request, _("Import lists"), reverse("desks:rosters"), "table-import"))
        items.append(_item(request, _("Readiness"), reverse("desks:readiness"), "clipboard-check"))
    if scope.has(Right.SEE_ROSTER):
        items.append(_item(request, _("Find a person"), reverse("desks:persons"), "search"))
    if scope.has(Right.MANAGE_CALENDAR):
        items.append(_item(request, _("Terms and days"), reverse("desks:calendar"), "calendar"))
    if scope.has(Right.INVITE_FAMILIES):
        items.append(_item(request, _("Families"), reverse("families:classes"), "users"))
    if scope.has(Right.MANAGE_ACCOUNTS):
        items.append(_item(request, _("Staff access"), reverse("accounts:schools"), "id-badge-2"))
    if scope.has(Right.READ_AUDIT):
        items.append(_item(request, _("Log"), reverse("desks:audit_log"), "list-search"))
    if keeps(scope):
        items.append(_item(request, _("Kept data"), reverse("operations:retention"), "history"))
    if scope.has(Right.RUN_SYSTEM):
        items.append(_item(request, _("System"), reverse("operations:health"), "server"))
    items.append(_item(request, _("Messages"), reverse("desks:inbox"), "bell", unread_count(user), "due"))
    role = scope.highest_role
    return {
        "nav_items": items,
        "role_label": role.label if role else "",
        "may_enrol_phone": device_scope(scope).has(Right.SUBMIT_CHECK),
    }


def _boards(request: HttpRequest, scope: Scope) -> list[dict[str, Any]]:
    grants = scope.grants_for(Right.SEE_COUNTS)
    if any(grant.unit_kind in {UnitKind.DISTRICT, UnitKind.DRILL} for grant in grants):
        return [_item(request, _("Board"), reverse("desks:board"), "layout-dashboard")]
    return [
        _item(request, _("School"), reverse("desks:institution", args=[grant.unit_id]), "school")
        for grant in grants[:1]
    ]


def _item(
    request: HttpRequest, label: str, url: str, icon: str, count: int = 0, count_state: str = ""
) -> dict[str, Any]:
    return {
        "label": label,
        "url": url,
        "icon": icon,
        "active": request.path.startswith(url),
        "count": count,
        "count_state": count_state,
    }
