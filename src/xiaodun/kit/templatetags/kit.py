"""Template tags of every page: icons, states, school-local time, durations, texts for scripts, and the parts.

    {% load kit %}
    {% icon "check" %}  {% icon "lock" size="lg" label=_("No right") %}
    {% state_tag "due" %}  {% state_tag duty.status label=_("by 10:00") %}
    {% countdown signal.report_by %}          the context holds `now`, the server's (or the demo's) moment
    {{ at|local_date }} {{ at|weekday }} {{ at|local_time }} {{ at|near_time:now }} {{ delta|duration }}
    {% section title=_("To decide now") note=… %}
    <ul class="x-list">{% row title=… text=… state="due" action_label=_("Remind") action_url=… %}</ul>

Parts (templates in kit/parts) are tags and not includes, so that no variable of the page slips into them by
its name. All moments are shown as Asia/Shanghai, whatever zone the server or the reader's device is in.
"""

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from django import template
from django.forms import BoundField, Field
from django.templatetags.static import static
from django.utils import dateformat
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from xiaodun.kit.clock import SHANGHAI
from xiaodun.kit.errors import Refusal

register = template.Library()

Part = dict[str, Any]

# state → (icon, word); the only four things a colour may mean
STATES: Final = {
    "now": ("alert-circle", gettext_lazy("Act now")),
    "due": ("clock-hour-4", gettext_lazy("Due")),
    "done": ("circle-check", gettext_lazy("Done")),
    "na": ("circle-minus", gettext_lazy("Nothing to do")),
}

# The five values of compliance, and one not yet decided, as states with their own words.
COMPLIANCE: Final = {
    "done": ("done", gettext_lazy("Done")),
    "late": ("due", gettext_lazy("Late")),
    "missing": ("now", gettext_lazy("Missing")),
    "not_applicable": ("na", gettext_lazy("Not applicable")),
    "excused": ("na", gettext_lazy("Excused")),
    "pending": ("due", gettext_lazy("Not yet due")),
}


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """The Tabler outline icon ``name`` from the sprite; decoration unless ``label`` says what it means.

    ``size``: "" 20 px, "sm" 16 px, "lg" 24 px. The build collects the names it finds literally in templates,
    Python (``icon="…"``), YAML and scripts; others are listed in ``frontend/icons.txt``.
    """
    css = f"x-icon x-icon-{size}" if size else "x-icon"
    href = f"{static('vendor/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>', css, label, href
        )
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"></use></svg>', css, href)


@register.filter
def state_of(value: str) -> str:
    """The state (now, due, done, na) that a state or a compliance value is shown as."""
    return value if value in STATES else str(COMPLIANCE[value][0])


@register.filter
def state_icon(value: str) -> str:
    """The icon of a state or compliance value."""
    return STATES[state_of(value)][0]


@register.simple_tag
def state_tag(value: str, label: str = "", icon_name: str = "") -> SafeString:
    """A coloured tag with sign and word for a state or compliance value; ``label`` replaces the word."""
    state = state_of(value)
    word = label or (COMPLIANCE[value][1] if value in COMPLIANCE else STATES[value][1])
    return format_html(
        '<span class="x-state x-state-{}">{}{}</span>', state, icon(icon_name or STATES[state][0]), word
    )


def _local(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"a moment without a zone cannot be shown: {value!r}")
    return value.astimezone(SHANGHAI)


def _day(value: date) -> date:
    return _local(value).date() if isinstance(value, datetime) else value


@register.filter
def beside(cells: Sequence[Any], columns: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Each cell of a row with its column; a row of another length is a mistake and raises."""
    return list(zip(cells, columns, strict=True))


@register.filter
def local_date(value: date | None, style: str = "") -> str:
    """The day in China: "16 Dec"; style "year": "16 Dec 2020"; style "short" (columns): "12-16".

    Style "weekday": "Wednesday 16 December"; style "weekday year": "Wednesday 16 December 2020".
    """
    if value is None:
        return ""
    formats = {
        "": pgettext("date format", "j M"),
        "year": pgettext("date format", "j M Y"),
        "short": "m-d",
        "weekday": pgettext("date format", "l j F"),
        "weekday year": pgettext("date format", "l j F Y"),
    }
    return dateformat.format(_day(value), formats[style])


@register.filter
def weekday(value: date | None, style: str = "") -> str:
    """The day of the week in China: "Wednesday"; style "short": "Wed"."""
    if value is None:
        return ""
    if style == "short":
        short = (
            pgettext("weekday", "Mon"),
            pgettext("weekday", "Tue"),
            pgettext("weekday", "Wed"),
            pgettext("weekday", "Thu"),
            pgettext("weekday", "Fri"),
            pgettext("weekday", "Sat"),
            pgettext("weekday", "Sun"),
        )
        return short[_day(value).weekday()]
    return dateformat.format(_day(value), "l")


@register.filter
def local_time(value: datetime | None, style: str = "") -> str:
    """The hour in China: "07:42"; style "seconds": "07:42:05"."""
    if value is None:
        return ""
    return _local(value).strftime("%H:%M:%S" if style == "seconds" else "%H:%M")


@register.filter
def near_time(value: datetime | None, now: datetime) -> str:
    """Within the day of ``now`` the hour; the day before or after in words; else with month and day."""
    if value is None:
        return ""
    hour = local_time(value)
    days = (_day(value) - _day(now)).days
    if days == 0:
        return hour
    if days == -1:
        return _("yesterday {time}").format(time=hour)
    if days == 1:
        return _("tomorrow {time}").format(time=hour)
    return f"{local_date(value, 'short')} {hour}"


@register.filter
def with_commands(text: str) -> SafeString:
    """A text of which every second part, between backticks, is a command to type."""
    parts = enumerate(str(text).split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if place % 2 else part,) for place, part in parts)
    )


@register.filter
def isoformat(value: date | None) -> str:
    """ISO 8601, for ``datetime=""`` of a time element and for addresses."""
    return "" if value is None else value.isoformat()


def duration_texts() -> dict[str, str]:
    """The words of durations and countdowns, shared with the script that keeps them ticking."""
    return {
        "days": _("{d} d {h} h"),
        "hours": _("{h} h {m} min"),
        "minutes": _("{m} min"),
        "moment": _("under 1 min"),
        "left": _("{time} left"),
        "over": _("{time} over"),
    }


@register.filter
def duration(value: timedelta | None) -> str:
    """A length of time in words, rounded down to minutes (from two days on: to hours): "2 h 21 min"."""
    if value is None:
        return ""
    texts = duration_texts()
    minutes = math.floor(abs(value) / timedelta(minutes=1))
    if minutes >= 2 * 24 * 60:
        return texts["days"].format(d=minutes // 1440, h=minutes % 1440 // 60)
    if minutes >= 60:
        return texts["hours"].format(h=minutes // 60, m=minutes % 60)
    return texts["minutes"].format(m=minutes) if minutes else texts["moment"]


@register.simple_tag(takes_context=True)
def countdown(context: Part, deadline: datetime, state: str = "due", style: str = "words") -> SafeString:
    """Time left until ``deadline`` (or over), ticking in the browser from the server's time, not the
    device's.

    ``style``: "words" ("20 min left") or "clock" ("03:46 left", below two days). After the deadline the state
    is now. Needs ``now`` in the context.
    """
    now: datetime = context["now"]
    left = deadline - now
    if style == "clock" and abs(left) < timedelta(days=2):
        minutes = math.floor(abs(left) / timedelta(minutes=1))
        time = f"{minutes // 60:02d}:{minutes % 60:02d}"
    else:
        time = duration(left)
    over = left < timedelta(0)
    words = duration_texts()["over" if over else "left"].format(time=time)
    return format_html(
        '<time class="x-countdown" datetime="{}" data-deadline="{}" data-now="{}" data-style="{}"'
        ' data-state="{}">{}</time>',
        _local(deadline).isoformat(timespec="seconds"),
        deadline.isoformat(),
        now.isoformat(),
        style,
        "now" if over else state,
        words,
    )


@register.simple_tag
def countdown_texts() -> SafeString:
    """The words of `countdown` for the script; base.html holds it once."""
    return json_script(duration_texts(), "kit-texts")


class TextsNode(template.Node):
    """Renders ``key = text`` lines as a JSON block for a script."""

    def __init__(self, element_id: str, lines: template.NodeList) -> None:
        self.element_id = element_id
        self.lines = lines

    def render(self, context: template.Context) -> SafeString:
        # The script sets these as text, never as markup, and json_script escapes what could end the block.
        escapes, context.autoescape = context.autoescape, False
        try:
            lines = self.lines.render(context).splitlines()
        finally:
            context.autoescape = escapes
        texts = {}
        for line in lines:
            if line.strip():
                key, found, text = line.partition("=")
                if not found:
                    raise template.TemplateSyntaxError(f"texts: a line is 'key = text', not {line.strip()!r}")
                texts[key.strip()] = text.strip()
        return json_script(texts, self.element_id)


@register.tag
def texts(parser: template.base.Parser, token: template.base.Token) -> TextsNode:
    """``{% texts "id" %}`` lines ``key = {% translate "…" %}`` ``{% endtexts %}``: a JSON script block with
    that id.

    Scripts hold no words: what they say stands here, so that the catalogue stays the only place of UI text.
    Placeholders are in braces, e.g. ``{n}``, and filled by the script.
    """
    parts = token.split_contents()
    if len(parts) != 2 or parts[1][:1] not in "\"'":
        raise template.TemplateSyntaxError('texts takes one quoted id: {% texts "page-texts" %}')
    lines = parser.parse(("endtexts",))
    parser.delete_first_token()
    return TextsNode(parts[1][1:-1], lines)


# --- The parts ------------------------------------------------------------------------------------
# Each returns what its template in kit/parts shows. Those with a countdown or a form take `now` from the
# page.


@register.inclusion_tag("kit/parts/section.html")
def section(title: str, count: object = "", *, note: str = "", state: str = "", id: str = "") -> Part:  # noqa: A002
    """Head of a group: title, count ("2 items"), a note at the right; a state puts its sign first."""
    return {"title": title, "count": count, "note": note, "state": state, "id": id}


@register.inclusion_tag("kit/parts/row.html", takes_context=True)
def row(
    context: Part,
    title: str,
    text: str = "",
    *,
    url: str = "",
    state: str = "na",
    icon: str = "",
    tag: str = "",
    tag_state: str = "na",
    deadline: datetime | None = None,
    action_label: str = "",
    action_url: str = "",
    action_method: str = "get",
    action_primary: bool = False,
) -> Part:
    """A row inside ``<ul class="x-list">``: sign coloured by state, title, second line, and at most one act.

    With ``url`` the whole row is the link. ``deadline`` ticks as a countdown. ``action_method="post"`` makes
    the act a form; ``action_primary`` makes it blue (one a region).
    """
    return {
        "title": title,
        "text": text,
        "url": url,
        "state": state,
        "icon_name": icon or state_icon(state),
        "tag": tag,
        "tag_state": tag_state,
        "deadline": deadline,
        "action_label": action_label,
        "action_url": action_url,
        "action_method": action_method,
        "action_primary": action_primary,
        "now": context.get("now"),
    }


@register.inclusion_tag("kit/parts/decision.html", takes_context=True)
def decision(
    context: Part,
    title: str,
    text: str = "",
    *,
    url: str = "",
    state: str = "now",
    deadline: datetime | None = None,
    deadline_label: str = "",
    facts: Sequence[tuple[str, object]] = (),
    rule: str = "",
    rule_url: str = "",
    action_label: str = "",
    action_url: str = "",
    second_label: str = "",
    second_url: str = "",
) -> Part:
    """What a named person must decide: title, what is known, the clock, facts, the rule and its source, one
    blue act.
    """
    return {
        "title": title,
        "text": text,
        "url": url,
        "state": state,
        "deadline": deadline,
        "deadline_label": deadline_label,
        "facts": facts,
        "rule": rule,
        "rule_url": rule_url,
        "action_label": action_label,
        "action_url": action_url,
        "second_label": second_label,
        "second_url": second_url,
        "now": context["now"],
    }


@register.inclusion_tag("kit/parts/figure.html")
def figure(
    label: str,
    value: object = None,
    *,
    of: object = "",
    unit: str = "",
    note: str = "",
    url: str = "",
    state: str = "",
    kind: str = "",
) -> Part:
    """A registered figure inside ``<ul class="x-figures">``.

    ``value`` None: not reported (—, never 0). ``of``: what is owed ("22/24"). ``state`` now or due colours
    the label.
    ``kind``: "partial" (``note`` says how many have reported), "stale" (``note`` says of when), "denied" (no
    right).
    """
    return {
        "label": label,
        "value": value,
        "of": of,
        "unit": unit,
        "note": note,
        "url": url,
        "state": state,
        "kind": kind,
    }


@register.inclusion_tag("kit/parts/empty.html")
def empty_state(
    title: str,
    text: str = "",
    *,
    icon: str = "circle-check",
    state: str = "done",
    action_label: str = "",
    action_url: str = "",
) -> Part:
    """Nothing to show: why it is empty, and what comes next and when."""
    return {
        "title": title,
        "text": text,
        "icon_name": icon,
        "state": state,
        "action_label": action_label,
        "action_url": action_url,
    }


@register.inclusion_tag("kit/parts/note.html")
def note(text: str, *, title: str = "", state: str = "na", icon: str = "") -> Part:
    """A boxed line of information; ``state`` now, due or done colours it."""
    return {"text": text, "title": title, "state": state, "icon_name": icon}


@register.inclusion_tag("kit/parts/error_summary.html")
def error_summary(form: object = None, *, errors: Sequence[dict[str, str]] = ()) -> Part:
    """On top of a form that was not accepted: each line leads to its field. Takes the focus when the page
    opens.

    ``form``: a bound Django form; ``errors``: others, as ``{"field_id": "id_name", "message": "…"}``.
    """
    return {"form": form, "errors": errors}


@register.filter
def named_errors(bound_field: BoundField, style: str = "") -> list[str]:
    """What is wrong with a field, in sentences; one that is empty is called by its name.

    Style "label": away from the field, so that each says of which field it speaks.
    """
    found = []
    for error in bound_field.errors.as_data():
        if error.message == Field.default_error_messages["required"]:
            found.append(_("Fill in or choose: %(label)s.") % {"label": bound_field.label})
            continue
        words = " ".join(str(message) for message in error.messages)
        if style == "label":
            words = _("%(label)s: %(error)s") % {"label": bound_field.label, "error": words}
        found.append(words)
    return found


@register.inclusion_tag("kit/parts/field.html")
def field(bound_field: object) -> Part:
    """A field of a Django form with label, help, error; its widget carries form-control or form-select."""
    return {"field": bound_field}


@register.inclusion_tag("kit/parts/choices.html")
def choices(bound_field: object, *, hide_label: bool = False) -> Part:
    """Radio buttons or boxes of a Django form, each a card as large as a thumb, with their errors."""
    return {"field": bound_field, "hide_label": hide_label}


@register.inclusion_tag("kit/parts/refusal.html")
def refusal(refusal: Refusal) -> Part:
    """A refusal that explains itself: what, the facts it rests on, the rule and its version, what would lift
    it, the code.
    """
    return {"refusal": refusal}


@register.inclusion_tag("kit/parts/crumbs.html")
def crumbs(crumbs: Sequence[dict[str, str]]) -> Part:
    """Where this page stands: ``{"label", "url"}`` from the top, without the page itself."""
    return {"crumbs": crumbs}


@register.inclusion_tag("kit/parts/table.html")
def data_table(
    caption: str,
    columns: Sequence[Part],
    rows: Sequence[Part],
    *,
    totals: Sequence[object] = (),
    empty: str = "",
    hide_caption: bool = False,
) -> Part:
    """A table with sticky head and first column.

    ``columns``: ``{"label", "numeric"}``; ``rows``: ``{"cells", "url" (on the first cell), "state" ("now"
    colours)}``; a cell None is shown as — (not reported); ``totals``: cells of the last line; ``empty``:
    words when no rows.
    """
    return {
        "caption": caption,
        "columns": columns,
        "rows": rows,
        "totals": totals,
        "empty": empty,
        "hide_caption": hide_caption,
    }


@register.inclusion_tag("kit/parts/filters.html")
def filters(label: str, filters: Sequence[Part]) -> Part:
    """Filters that live in the address: ``{"label", "url", "active", "count", "state"}``."""
    return {"label": label, "filters": filters}


@register.inclusion_tag("kit/parts/timeline.html")
def timeline(events: Sequence[Part]) -> Part:
    """What happened, in order: ``{"at" (moment or day), "title", "text", "state", "icon"}``."""
    return {"events": events}


@register.inclusion_tag("kit/parts/confirm.html", takes_context=True)
def confirm(
    context: Part,
    id: str,  # noqa: A002
    title: str,
    text: str = "",
    *,
    action_url: str,
    confirm_label: str,
    cancel_label: str = "",
    values: Part | None = None,
    reason_label: str = "",
) -> Part:
    """A question before what cannot be undone, opened by any ``<button type="button" data-dialog="{id}">``.

    ``text``: what will follow. ``values``: sent along. ``reason_label``: a reason is required and sent as
    ``reason``. The cautious answer has the focus.
    """
    return {
        "id": id,
        "title": title,
        "text": text,
        "action_url": action_url,
        "confirm_label": confirm_label,
        "cancel_label": cancel_label,
        "values": values or {},
        "reason_label": reason_label,
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("kit/parts/pager.html")
def pager(*, shown: str = "", first_url: str = "", next_url: str = "") -> Part:
    """Pages by key, not by number: ``shown`` in words ("50 of 412"), back to the start, next."""
    return {"shown": shown, "first_url": first_url, "next_url": next_url}
