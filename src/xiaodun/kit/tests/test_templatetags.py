"""What the template tags show: school-local time, durations, states, icons, texts for scripts, parts."""

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation

from xiaodun.kit.errors import Refusal
from xiaodun.kit.templatetags.kit import (
    duration,
    local_date,
    local_time,
    near_time,
    state_of,
    state_tag,
    weekday,
)

# Wednesday 2020-12-16, 07:42 in China, while it is still Tuesday evening in UTC.
MORNING = datetime(2020, 12, 15, 23, 42, 5, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return Template("{% load i18n kit %}" + source).render(Context(context))


def test_a_moment_is_shown_on_the_day_it_has_in_china():
    with translation.override("en"):
        assert local_date(MORNING) == "16 Dec"
        assert local_date(MORNING, "year") == "16 Dec 2020"
        assert weekday(MORNING) == "Wednesday"
        assert local_date(MORNING, "weekday") == "Wednesday 16 December"
        assert local_date(MORNING, "weekday year") == "Wednesday 16 December 2020"
    assert local_date(MORNING, "short") == "12-16"
    assert local_time(MORNING) == "07:42"
    assert local_time(MORNING, "seconds") == "07:42:05"


def test_dates_read_as_chinese_schools_write_them():
    with translation.override("zh-hans"):
        assert local_date(MORNING) == "12 月 16 日"
        assert local_date(date(2021, 1, 4), "year") == "2021 年 1 月 4 日"
        assert weekday(MORNING) == "星期三"
        assert local_date(MORNING, "weekday year") == "2020 年 12 月 16 日 星期三"
        assert weekday(MORNING, "short") == "周三"


def test_a_moment_without_a_zone_is_refused_rather_than_guessed():
    with pytest.raises(ValueError, match="without a zone"):
        local_time(datetime(2020, 12, 16, 7, 42))  # noqa: DTZ001  (the very case)


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0, "07:42"), (-20, "昨天 11:42"), (24, "明天 07:42"), (-72, "12-13 07:42"), (48, "12-18 07:42")],
)
def test_a_near_moment_is_an_hour_and_a_far_one_has_its_day(hours, words):
    with translation.override("zh-hans"):
        assert near_time(MORNING + timedelta(hours=hours), MORNING) == words


@pytest.mark.parametrize(
    ("delta", "english", "chinese"),
    [
        (timedelta(seconds=59), "under 1 min", "不到 1 分钟"),
        (timedelta(minutes=20, seconds=59), "20 min", "20 分"),
        (timedelta(hours=2, minutes=21), "2 h 21 min", "2 小时 21 分"),
        (timedelta(hours=47), "47 h 0 min", "47 小时 0 分"),
        (timedelta(days=3, hours=4), "3 d 4 h", "3 天 4 小时"),
        (-timedelta(minutes=5), "5 min", "5 分"),
    ],
)
def test_a_duration_is_rounded_down_to_the_unit_that_matters(delta, english, chinese):
    with translation.override("en"):
        assert duration(delta) == english
    with translation.override("zh-hans"):
        assert duration(delta) == chinese


def test_a_countdown_carries_the_servers_moment_and_turns_urgent_after_its_deadline():
    source = "{% countdown deadline %}"
    with translation.override("zh-hans"):
        before = render(source, now=MORNING, deadline=MORNING + timedelta(minutes=18))
        after = render(source, now=MORNING, deadline=MORNING - timedelta(minutes=5))
        clock = render(
            '{% countdown deadline style="clock" %}',
            now=MORNING,
            deadline=MORNING + timedelta(hours=3, minutes=46),
        )
    assert "剩 18 分" in before
    assert 'data-now="2020-12-15T23:42:05+00:00"' in before
    assert 'data-state="due"' in before
    assert "超时 5 分" in after
    assert 'data-state="now"' in after
    assert "剩 03:46" in clock


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("now", "now"),
        ("done", "done"),
        ("late", "due"),
        ("missing", "now"),
        ("not_applicable", "na"),
        ("excused", "na"),
        ("pending", "due"),
    ],
)
def test_each_value_of_compliance_has_one_state_and_always_sign_and_word(value, state):
    assert state_of(value) == state
    tag = state_tag(value)
    assert f"x-state-{state}" in tag
    assert "<svg" in tag
    assert re.search(r"</svg>[^<]+</span>", tag)


def test_a_word_of_ones_own_is_escaped():
    assert "&lt;b&gt;" in state_tag("due", label="<b>")


def test_an_icon_is_decoration_unless_it_is_labelled():
    assert 'aria-hidden="true"' in render('{% icon "check" %}')
    labelled = render('{% icon "lock" label="No right" %}')
    assert 'role="img"' in labelled
    assert 'aria-label="No right"' in labelled
    assert "#lock" in labelled


def test_texts_for_a_script_become_json_that_cannot_end_the_block():
    html = render('{% texts "t" %}\nsend = {{ words }}\n\nsum = a = b\n{% endtexts %}', words="</script>{n}")
    body = html.partition(">")[2].rpartition("<")[0]
    assert json.loads(body) == {"send": "</script>{n}", "sum": "a = b"}
    assert html.count("</script>") == 1


def test_a_line_of_texts_without_a_key_is_an_error_of_the_template():
    with pytest.raises(TemplateSyntaxError, match="key = text"):
        render('{% texts "t" %}\nno key here\n{% endtexts %}')


def test_a_figure_that_nobody_reported_is_a_dash_and_never_zero():
    missing = render('<ul>{% figure "Ill" value %}</ul>', value=None)
    assert "—" in missing
    assert ">0<" not in missing
    assert re.search(r"x-figure-value\">\s*0", render('{% figure "Ill" 0 %}'))


def test_a_part_takes_nothing_from_the_page_by_accident():
    html = render(
        '{% row title="Check" %}', now=MORNING, deadline=MORNING, tag="leaked", text="leaked", url="/leaked"
    )
    assert "leaked" not in html
    assert "<time" not in html


def test_a_row_with_an_address_is_one_link_and_its_act_a_separate_one():
    html = render('{% row title="Check" url="/a" action_label="Remind" action_url="/b" %}')
    assert html.count("<a ") == 2
    assert html.index("</a>") < html.index('href="/b"')


def test_a_refusal_shows_what_would_lift_it_and_its_code():
    refusal = Refusal("not-yet", "Not yet", rule="Norovirus 2", lifts="After 18 Dec, 03:20")
    html = render("{% refusal r %}", r=refusal)
    for words in ("Not yet", "Norovirus 2", "After 18 Dec, 03:20", "not-yet"):
        assert words in html


def test_a_table_row_of_another_length_than_its_head_is_an_error():
    columns = [{"label": "Unit"}, {"label": "Ill", "numeric": True}]
    good = render("{% data_table 'Units' columns rows %}", columns=columns, rows=[{"cells": ["A", None]}])
    assert '<td class="x-num">—</td>' in good
    with pytest.raises(ValueError, match="longer"):
        render("{% data_table 'Units' columns rows %}", columns=columns, rows=[{"cells": ["A"]}])
