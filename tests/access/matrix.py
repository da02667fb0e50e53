"""Who gets what: every address × every actor × every relation between the actor and the object.

One table, `PAGES`. A new address without a line here fails `test_matrix.py`. Reading a line: the roles that
hold the right, with the status that each gets on an object within reach; whoever lacks the right gets
`refused`; an object out of reach is 404, exactly as an unknown one; nobody signed in gets `anonymous`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

TEACHER, SUPERVISOR, LEAD, DOCTOR, REPORTER, PRINCIPAL, OFFICER = (
    "class_teacher",
    "dormitory_supervisor",
    "grade_lead",
    "school_doctor",
    "school_reporter",
    "principal",
    "district_officer",
)
CLERK, GUARD, SYSTEM, AUDITOR = ("school_clerk", "guard", "system_administrator", "auditor")
# Who answers for the health of children, and the offices.
HEALTH = (TEACHER, SUPERVISOR, LEAD, DOCTOR, REPORTER, PRINCIPAL, OFFICER)
OFFICES = (CLERK, GUARD, SYSTEM, AUDITOR)
ROLES = (*HEALTH, *OFFICES)
ANONYMOUS, TOKEN = "anonymous", "api_token"
# With a session or key from before: a class teacher whose role ended yesterday, a doctor who was deactivated
# this morning, a school system whose token was revoked.
LEAVER, DEACTIVATED, REVOKED = "leaver", "deactivated", "revoked_token"
# The teacher on an enrolled phone, opened with its PIN, and all that it opens; everything else is as for
# nobody signed in.
PHONE = "phone_of_teacher"
ON_PHONE = frozenset(
    {
        "desks:own_checks",
        "desks:class_check",
        "desks:class_roster",
        "desks:class_submit",
        "desks:check_done",
        "desks:check_correct",
    }
)
ACTORS = (ANONYMOUS, *ROLES, TOKEN, PHONE, LEAVER, DEACTIVATED, REVOKED)

# Where the object stands, seen from the teacher of class_a (and from the supervisor of a room where some of
# its pupils sleep): the grade of the lead holds two, the school three, the district four.
#
# closed: of a class of the school that was closed yesterday; its past stays with the school.
# former: of a district where everybody here held their role until yesterday.
# moved: of a child who left class_a for another school yesterday and fell ill there.
# drill: data under a root of their own, nobody's here.
# deleted: of a row that is gone. unknown: of one that was never there.
SCOPES = (
    "own",
    "same_grade",
    "same_school",
    "closed",
    "other_school",
    "former",
    "moved",
    "drill",
    "deleted",
    "unknown",
)
_GRADE = frozenset({"own", "same_grade"})
_SCHOOL = _GRADE | {"same_school", "closed"}
_DISTRICT = _SCHOOL | {"other_school"}
REACH: Mapping[str, frozenset[str]] = {
    **dict.fromkeys((TEACHER, SUPERVISOR), frozenset({"own"})),
    LEAD: _GRADE,
    **dict.fromkeys((DOCTOR, REPORTER, PRINCIPAL, CLERK, GUARD, TOKEN), _SCHOOL),
    **dict.fromkeys((OFFICER, SYSTEM, AUDITOR), _DISTRICT),
}


def each(status: int, *roles: str) -> dict[str, int]:
    return dict.fromkeys(roles or ROLES, status)


@dataclass(frozen=True)
class Page:
    """One address. ``about``: the kind of object in it ("" for none), see `test_matrix.objects`."""

    name: str
    roles: Mapping[str, int]
    about: str = ""
    method: str = "get"
    data: Mapping[str, Any] = field(default_factory=dict)
    query: str = ""
    # Asked for by a script: problems come as JSON, and nobody signed in gets 401 instead of the sign-in page.
    is_json: bool = False
    anonymous: int = 0
    refused: int = 403
    # How far a role reaches where that differs from REACH.
    reach: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # Whether it is there for a class that is closed by now.
    is_history: bool = True
    # Opened by the smoke test in a browser.
    is_page: bool = True

    def expected(self, actor: str, scope: str) -> int:
        if actor == PHONE:
            return self.expected(TEACHER if self.name in ON_PHONE else ANONYMOUS, scope)
        # Who was let go is nobody; who only lost the role is somebody without any right, like a guard.
        actor = {DEACTIVATED: ANONYMOUS, REVOKED: ANONYMOUS}.get(actor, actor)
        role = GUARD if actor == LEAVER else actor
        if role in {ANONYMOUS, TOKEN} and role not in self.roles:
            return self.anonymous or (401 if self.is_json else 302)
        if role not in self.roles:
            return self.refused
        if not self.about:
            return self.roles[role]
        reach = self.reach.get(actor, REACH.get(actor, frozenset()))
        is_there = scope in reach and (scope != "closed" or self.is_history)
        return self.roles[role] if is_there else 404

    def is_opened_by(self, actor: str) -> bool:
        """Whether the smoke test opens it in a browser as ``actor``."""
        is_read = self.is_page and self.method == "get" and not self.is_json
        return is_read and self.roles.get(actor) == 200

    def scopes(self) -> tuple[str, ...]:
        if not self.about:
            return ("own",)
        # Grades and classes share their institution; messages, sessions, factors are one's own or not.
        if self.about in {"institution", "institution_open", "message", "user_session", "factor", "roster"}:
            return ("own", "other_school", "former", "drill", "deleted", "unknown")
        if self.about == "hold":
            return ("own", "former", "unknown")
        if self.about == "report":
            return ("own", "unknown")
        if self.about == "provider":
            return ("own", "unknown")
        if self.about == "staff_member":
            return tuple(scope for scope in SCOPES if scope not in {"closed", "moved"})
        if self.about in {"device", "staff_device", "tablet", "child"}:
            return ("own", "other_school", "drill", "unknown")
        # A child moves with its file; classes and what is counted of them stay.
        of_a_child = self.about == "file" or self.about.startswith("person")
        return SCOPES if of_a_child else tuple(scope for scope in SCOPES if scope != "moved")


_OWN = dict.fromkeys((*ROLES, LEAVER), frozenset({"own"}))
# What a district as a whole answers for.
_OF_DISTRICT = dict.fromkeys((OFFICER, AUDITOR), frozenset({"own"}))
_NOWHERE = dict.fromkeys(ACTORS, frozenset())
# Whoever has the paper: no scope reaches further, and none less far.
_HOLDERS = dict.fromkeys(ACTORS, frozenset({"own", "other_school", "drill"}))
_EVERYBODY = {ANONYMOUS: 200, TOKEN: 200}
_EVERYBODY_404 = dict.fromkeys(ACTORS, 404)
_WITH_CHILDREN = (TEACHER, SUPERVISOR, LEAD, DOCTOR, REPORTER)
_ON_ROSTERS = (*_WITH_CHILDREN, CLERK)
# One act stands for all that go through the same address: they differ in the form only.
GROUP_ACTS = ("move",)
PERSON_ACTS = ("move", "correct")
SCHOOL_ACTS = ("open",)
# Who moved lately is still on the list from which the move can be taken back.
_KEPT = {CLERK: _SCHOOL | {"moved"}, OFFICER: _DISTRICT | {"moved"}}
_ROSTER_KEEPERS = (CLERK, OFFICER)
_SUBMITTERS = (TEACHER, SUPERVISOR, DOCTOR)
_REVEALERS = (DOCTOR, REPORTER, PRINCIPAL, CLERK, OFFICER)
# The child who moved is ill in a school of the district, which the cluster there counts.
_IN_OPEN_CASE = {OFFICER: _DISTRICT | {"moved"}}
_OFFICES_404 = each(404, *OFFICES)

PAGES: tuple[Page, ...] = (
    # --- kit ---
    Page("kit:health", _EVERYBODY | each(200), is_page=False),
    # --- operations ---
    Page("operations:health", each(200, SYSTEM)),
    Page("operations:back_up", each(302, SYSTEM), method="post", is_page=False),
    Page("operations:keys_seen", each(302, SYSTEM), method="post", is_page=False),
    Page("operations:retention", each(200, OFFICER, AUDITOR)),
    Page(
        "operations:hold_confirm",
        each(302, OFFICER, AUDITOR),
        "hold",
        "post",
        refused=404,
        reach=_OF_DISTRICT,
    ),
    Page(
        "operations:hold_lift", each(302, OFFICER, AUDITOR), "hold", "post", refused=404, reach=_OF_DISTRICT
    ),
    Page(
        "operations:retention_report",
        each(200, OFFICER, AUDITOR),
        "report",
        refused=404,
        reach=_OF_DISTRICT,
        is_page=False,
    ),
    # --- accounts ---
    Page("accounts:sign_in", _EVERYBODY | each(302)),
    Page(
        "accounts:sign_in_to_demo",
        {ANONYMOUS: 302, TOKEN: 302} | each(302),
        method="post",
        data={"role": TEACHER},
    ),
    Page("accounts:challenge", {ANONYMOUS: 302, TOKEN: 302} | each(302)),
    # No installation has a provider of sign-in unless its settings name one.
    Page("accounts:leave_for", _EVERYBODY_404, "provider", reach=_NOWHERE),
    Page("accounts:come_back", _EVERYBODY_404, "provider", reach=_NOWHERE),
    Page("accounts:connect", each(404), "provider", reach=_NOWHERE),
    Page("accounts:disconnect", each(404), "provider", "post", reach=_NOWHERE),
    Page("accounts:confirm", each(200)),
    Page("accounts:security", each(200)),
    Page("accounts:password", each(200)),
    Page("accounts:end_session", each(302), "user_session", "post", reach=_OWN),
    Page("accounts:end_other_sessions", each(302), method="post"),
    Page("accounts:enrol", each(200)),
    Page("accounts:enrol_app", each(200)),
    Page("accounts:enrol_passkey", each(200)),
    Page("accounts:recovery_codes", each(200)),
    Page("accounts:remove_factor", each(302), "factor", "post", reach=_OWN),
    Page("accounts:staff_sign_in", each(200, CLERK, OFFICER)),
    Page("accounts:reissue_factor", each(200, CLERK, OFFICER), "staff_member", "post"),
    Page("accounts:unpause", each(302, CLERK, OFFICER), "staff_member", "post"),
    Page("accounts:sign_out", {ANONYMOUS: 302, TOKEN: 302} | each(302), method="post"),
    Page(
        "accounts:language", {ANONYMOUS: 302, TOKEN: 302} | each(302), method="post", data={"language": "en"}
    ),
    Page("accounts:activate", _EVERYBODY | each(200)),
    Page("accounts:schools", {CLERK: 302, OFFICER: 200}),
    Page("accounts:staff", each(200, CLERK, OFFICER), "institution"),
    Page("accounts:print_slips", each(200, CLERK, OFFICER), "institution", "post"),
    Page("accounts:equipment", each(200, CLERK, OFFICER), "institution"),
    Page("accounts:revoke_staff_device", each(302, CLERK, OFFICER), "staff_device", "post"),
    Page(
        "accounts:announce_tablet",
        each(200, CLERK, OFFICER),
        "institution",
        "post",
        data={"name": "G1"},
    ),
    Page("accounts:revoke_tablet", each(302, CLERK, OFFICER), "tablet", "post"),
    Page("accounts:devices", each(200)),
    # Only these two have enrolled a phone.
    Page("accounts:revoke_device", each(404) | each(302, TEACHER, SUPERVISOR), "device", "post", reach=_OWN),
    # What a cookie opens, these browsers without it do not see.
    Page("accounts:unlock", {ANONYMOUS: 302, TOKEN: 302} | each(302)),
    Page("accounts:gate", _EVERYBODY | each(200)),
    Page("accounts:end_shift", _EVERYBODY_404, method="post"),
    Page("accounts:guard_pin", {ANONYMOUS: 302, TOKEN: 302} | each(302)),
    # --- families: a link opens to whoever holds it, and unknown ones are all alike ---
    Page("families:classes", {TEACHER: 302, CLERK: 200}),
    Page("families:group", each(200, TEACHER, CLERK), "group", is_history=False),
    Page("families:print_links", each(200, TEACHER, CLERK), "group", "post", is_history=False),
    # A class teacher invites families and keeps no number of the school.
    Page(
        "families:keep_phone",
        {TEACHER: 404, CLERK: 302},
        "institution",
        "post",
        data={"phone": "0371-60000000"},
    ),
    Page("families:child", _EVERYBODY | each(200), "child", reach=_HOLDERS),
    Page("families:bind", {ANONYMOUS: 302, TOKEN: 302} | each(302), "child", reach=_HOLDERS),
    # --- desks ---
    Page("desks:home", each(302)),
    Page("desks:today", each(200)),
    Page("desks:own_checks", {TEACHER: 302, SUPERVISOR: 302, DOCTOR: 200}),
    Page("desks:class_check", each(200, *_SUBMITTERS), "group", is_history=False),
    Page("desks:class_roster", each(200, *_SUBMITTERS), "group", is_json=True, is_history=False),
    # A body that no client sends: past the door it is 422, and nothing is written.
    Page("desks:class_submit", each(422, *_SUBMITTERS), "group", "post", is_json=True),
    Page("desks:check_done", each(200, *_WITH_CHILDREN), "session"),
    Page("desks:check_correct", each(422, *_SUBMITTERS), "session", "post", is_json=True),
    Page("desks:signals", each(200, *HEALTH)),
    Page("desks:signal", each(200, *HEALTH), "signal"),
    Page("desks:signal_acknowledge", each(302, *HEALTH), "signal", "post", data={"seen": "999999999"}),
    # The others may see and acknowledge, not decide.
    Page(
        "desks:signal_decide",
        each(403, *HEALTH) | each(422, DOCTOR, PRINCIPAL, OFFICER),
        "signal",
        "post",
    ),
    Page(
        "desks:signal_report",
        each(403, *HEALTH) | each(422, DOCTOR, REPORTER, PRINCIPAL, OFFICER),
        "signal",
        "post",
    ),
    Page("desks:files", each(200, *_WITH_CHILDREN)),
    Page("desks:file", each(200, *_WITH_CHILDREN), "file"),
    # The counts of one school are no district.
    Page("desks:board", {REPORTER: 404, PRINCIPAL: 404, OFFICER: 200}),
    Page(
        "desks:institution",
        each(404) | each(200, DOCTOR, REPORTER, PRINCIPAL, OFFICER),
        "institution",
    ),
    Page("desks:figure", each(200, *HEALTH) | _OFFICES_404, "figure"),
    Page("desks:persons", each(200, *_ON_ROSTERS)),
    Page("desks:person_search", each(200, *_ON_ROSTERS), method="post", data={"words": "w"}),
    Page("desks:lists", each(302, CLERK, OFFICER)),
    Page("desks:clerk_school", each(200, CLERK, OFFICER), "institution"),
    Page("desks:school_act", each(200, CLERK, OFFICER), "institution_open"),
    Page("desks:school_act_do", each(422, CLERK, OFFICER), "institution_open", "post"),
    Page("desks:year", each(200, CLERK, OFFICER), "institution"),
    # In December no class of last year is left to move, and no step to take back.
    Page("desks:year_do", each(409, CLERK, OFFICER), "institution", "post"),
    Page("desks:year_undo", each(404, CLERK, OFFICER), "institution", "post"),
    Page("desks:practice", each(200, CLERK, OFFICER), "institution"),
    Page("desks:practice_make", each(302, CLERK, OFFICER), "institution", "post"),
    Page("desks:clerk_group", each(200, CLERK, OFFICER), "group"),
    Page("desks:group_act", each(200, CLERK, OFFICER), "group_move"),
    Page("desks:group_act_do", each(422, CLERK, OFFICER), "group_move", "post"),
    # Nothing was moved lately, nobody substitutes: there is nothing to take back or to end.
    Page("desks:group_undo", each(404, CLERK, OFFICER), "group", "post"),
    Page("desks:substitute_end", each(404, CLERK, OFFICER), "group", "post"),
    Page("desks:group_reopen", each(302, CLERK, OFFICER), "group", "post"),
    Page("desks:clerk_person", each(200, CLERK, OFFICER), "person", reach=_KEPT),
    Page("desks:person_act", each(200, CLERK, OFFICER), "person_move", reach=_KEPT),
    Page("desks:person_act_do", each(422, CLERK, OFFICER), "person_move", "post", reach=_KEPT),
    # Who reads masked names writes none.
    Page("desks:person_act", {CLERK: 200, OFFICER: 404}, "person_correct", reach=_KEPT),
    Page("desks:person_act_do", {CLERK: 422, OFFICER: 404}, "person_correct", "post", reach=_KEPT),
    Page("desks:readiness", each(200, CLERK, OFFICER)),
    Page("desks:join", {PRINCIPAL: 404, OFFICER: 422}, "institution", "post"),
    Page("desks:calendar", each(302, PRINCIPAL, OFFICER)),
    Page("desks:calendar_of", each(200, PRINCIPAL, OFFICER), "institution"),
    Page("desks:term_open", each(422, PRINCIPAL, OFFICER), "institution", "post"),
    Page("desks:day_override", each(422, PRINCIPAL, OFFICER), "institution", "post"),
    Page("desks:reveal", each(200, *_REVEALERS), "person", reach=_IN_OPEN_CASE),
    Page("desks:reveal_open", each(422, *_REVEALERS), "person", "post", reach=_IN_OPEN_CASE),
    Page("desks:audit_log", each(200, PRINCIPAL, AUDITOR)),
    Page("desks:audit_find", each(422, PRINCIPAL, AUDITOR), method="post"),
    Page("desks:inbox", each(200)),
    Page("desks:messages_read", each(302), method="post", data={"newest": "1"}),
    Page("desks:message_open", each(302), "message", "post", reach=_OWN),
    # A list is of an institution; the one here still waits to be read, so nothing can be done with it yet.
    Page("desks:rosters", each(200, *_ROSTER_KEEPERS)),
    Page("desks:roster_hand_in", each(422, *_ROSTER_KEEPERS), method="post"),
    Page("desks:roster_template", each(200, *_ROSTER_KEEPERS), is_page=False),
    Page("desks:roster", each(200, *_ROSTER_KEEPERS), "roster"),
    Page("desks:roster_progress", each(200, *_ROSTER_KEEPERS), "roster", is_page=False),
    Page("desks:roster_marked", each(409, *_ROSTER_KEEPERS), "roster", is_page=False),
    Page("desks:roster_answer", each(409, *_ROSTER_KEEPERS), "roster", "post"),
    Page("desks:roster_approve", each(409, *_ROSTER_KEEPERS), "roster", "post"),
    Page("desks:roster_discard", each(409, *_ROSTER_KEEPERS), "roster", "post"),
    Page("desks:roster_leavers", each(302, *_ROSTER_KEEPERS), "roster", "post"),
    # --- api: a session opens nothing here, a token its own unit ---
    Page("api:api-root", _EVERYBODY_404, is_json=True),
    Page("api:unknown", _EVERYBODY_404, is_json=True),
    Page("api:openapi-json", _EVERYBODY | each(200), is_json=True),
    Page("api:list_groups", {TOKEN: 200}, is_json=True, refused=401),
    Page("api:list_signals", {TOKEN: 200}, is_json=True, refused=401),
    Page("api:read_roster", {TOKEN: 200}, "group_code", query="?day=2020-12-16", is_json=True, refused=401),
    Page("api:submit_checks", {TOKEN: 422}, method="post", is_json=True, refused=401),
)


def cells() -> Iterator[tuple[Page, str, str, int]]:
    """Every cell of the table: address, actor, scope, expected status."""
    for page in PAGES:
        for actor in ACTORS:
            for scope in page.scopes():
                yield page, actor, scope, page.expected(actor, scope)
