"""What has had its time goes, by the rule of the day; what is held stays; figures keep their number."""

from datetime import date, datetime, time, timedelta

import pytest

from tests.factories import ill, settle, submit
from xiaodun.absence.models import Episode
from xiaodun.figures.models import FrozenFigure
from xiaodun.figures.selectors import values
from xiaodun.kit import retention
from xiaodun.kit.clock import local_moment
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry, Receipt
from xiaodun.operations.retention import services
from xiaodun.operations.retention.rules import Keep, Rule, rule_file, rules_on
from xiaodun.operations.retention.signing import signature_of
from xiaodun.screening.models import CheckSession, Finding
from xiaodun.surveillance.models import RuledOutPerson, Signal

pytestmark = pytest.mark.django_db


def rule(**keep):
    return Rule(
        code="x",
        version=1,
        keep=Keep(**keep),
        then="",
        then_en="",
        source="",
        mark="P",
        valid_from=date(2020, 1, 1),
    )


@pytest.mark.parametrize(
    ("keep", "today", "before"),
    [
        ({"days": 30}, date(2026, 3, 31), date(2026, 3, 1)),
        ({"years": 3}, date(2028, 2, 29), date(2025, 2, 28)),
        # A day of autumn 2024 belongs to the school year that ends in August 2025: kept until August 2026.
        ({"school_years": 1}, date(2026, 8, 31), date(2024, 9, 1)),
        ({"school_years": 1}, date(2026, 9, 1), date(2025, 9, 1)),
        ({"school_years": 1}, date(2027, 1, 1), date(2025, 9, 1)),
    ],
)
def test_a_rule_names_the_day_before_which_rows_go(keep, today, before):
    assert rule(**keep).before(today, (8, 31)) == before


def test_every_kind_that_expires_has_one_rule_and_every_rule_its_kind():
    on = rules_on(date(2026, 1, 1))
    assert sorted(each.code for each in rule_file().rules) == [kind.code for kind, _rule, _before in on]
    assert {kind.code for kind in retention.kinds()} == {kind.code for kind, _rule, _before in on}
    assert all(each.source and each.mark for _kind, each, _before in on)


@pytest.fixture
def past(cast):
    """A morning with two ill children in each of two schools."""
    submit(
        cast.class_a,
        ill(cast.pupils[0], "vomiting"),
        ill(cast.pupils[1], "fever"),
        by=cast.teacher,
        at=cast.at,
    )
    other = cast.members[cast.other_class.pk]
    submit(cast.other_class, ill(other[0], "fever"), ill(other[1], "fever"), by=cast.stranger, at=cast.at)
    settle(at=cast.at)
    assert (Finding.objects.count(), Episode.objects.count()) == (4, 4)
    return cast


def night(year: int, month: int, day: int) -> datetime:
    return local_moment(date(year, month, day), time(3, 20))


def test_nothing_goes_before_its_time_and_everything_after_it_once(past):
    services.let_go(at=night(2022, 8, 31))
    assert Finding.objects.count() == 4
    counted = services.let_go(dry=True, at=night(2022, 9, 1))
    assert Finding.objects.count() == 4
    done = services.let_go(at=night(2022, 9, 1))
    assert {line["code"]: line["rows"] for line in done.facts["lines"]} == {
        line["code"]: line["rows"] for line in counted.facts["lines"]
    } | {"screening.finding": 4}
    assert not Finding.objects.exists()
    assert not Episode.objects.exists()
    assert not CheckSession.objects.exists()
    assert services.let_go(at=night(2022, 9, 2)).facts["rows"] == 0


def test_receipts_go_after_sixty_days(past):
    assert Receipt.objects.count() == 2
    services.let_go(at=past.at + timedelta(days=60))
    assert Receipt.objects.count() == 2
    services.let_go(at=past.at + timedelta(days=61))
    assert not Receipt.objects.exists()


def test_a_hold_of_two_persons_keeps_the_rows_of_its_unit_until_its_end(past):
    hold = services.ask_for_hold(
        by=past.officer, unit=past.school, reason="case 7", until=date(2022, 12, 31), at=past.at
    )
    with pytest.raises(Refusal, match="second-person"):
        services.confirm_hold(by=past.officer, hold=hold, at=past.at)
    services.confirm_hold(by=past.auditor, hold=hold, at=past.at)
    report = services.let_go(at=night(2022, 9, 1))
    assert {finding.session.group for finding in Finding.objects.all()} == {past.class_a}
    assert sum(line["held"] for line in report.facts["lines"]) > 0
    services.let_go(at=night(2023, 1, 1))
    assert not Finding.objects.exists()


def test_a_lifted_hold_keeps_nothing_and_a_hold_needs_ground_and_end(past):
    with pytest.raises(Refusal, match="reason-missing"):
        services.ask_for_hold(
            by=past.officer, unit=past.school, reason=" ", until=date(2030, 1, 1), at=past.at
        )
    with pytest.raises(Refusal, match="hold-ended"):
        services.ask_for_hold(by=past.officer, unit=past.school, reason="x", until=past.day, at=past.at)
    hold = services.ask_for_hold(
        by=past.officer, unit=past.school, reason="x", until=date(2030, 1, 1), at=past.at
    )
    services.confirm_hold(by=past.auditor, hold=hold, at=past.at)
    services.lift_hold(by=past.auditor, hold=hold, at=past.at)
    services.let_go(at=night(2022, 9, 1))
    assert not Finding.objects.exists()


def test_the_report_is_signed_and_a_changed_one_shows(past):
    run = services.let_go(at=night(2022, 9, 1))
    assert signature_of(run.facts) == run.facts["signature"]
    changed = run.facts | {"rows": 0}
    assert signature_of(changed) != run.facts["signature"]
    assert AuditEntry.objects.filter(action="operations.let_go").count() == 1


def test_a_figure_keeps_the_number_that_it_had_when_its_rows_went(past, client, set_clock):
    services.let_go(at=night(2022, 9, 1))
    frozen = FrozenFigure.objects.get(code="screening.absent_ill", unit=past.school, day=past.day)
    assert frozen.number == 2
    set_clock(night(2022, 9, 2))
    client.force_login(past.officer)
    page = client.get(f"/figures/screening.absent_ill/{past.school.pk}/?day={past.day}").content.decode()
    assert "2022" in page
    assert "Does not agree" not in page
    assert '<p class="x-opened-number">2' in page


def test_boards_show_the_kept_number_and_a_class_whose_number_was_not_kept_shows_a_dash(
    past, client, set_clock
):
    services.let_go(at=night(2022, 9, 1))
    at = night(2022, 9, 2)
    found = values("screening.absent_ill", [past.school, past.class_a], past.day, at)
    assert found[past.school.pk].number == 2
    assert found[past.class_a.pk].number is None
    set_clock(at)
    client.force_login(past.officer)
    page = client.get(f"/figures/screening.absent_ill/{past.class_a.pk}/?day={past.day}").content.decode()
    assert "只保留学校和区的数字" in page


def test_days_without_rows_between_two_with_rows_keep_their_numbers_too(past):
    friday = past.at + timedelta(days=2)
    submit(past.class_a, ill(past.pupils[0], "vomiting"), by=past.teacher, at=friday)
    settle(at=friday)
    services.let_go(at=night(2022, 9, 1))
    thursday = past.day + timedelta(days=1)
    assert not CheckSession.objects.exists()
    assert FrozenFigure.objects.filter(code="absence.open_files", unit=past.school, day=thursday).exists()


def test_persons_of_a_ruled_out_signal_go_with_its_cases(past):
    cases = [ill(person, "vomiting") for person in past.members[past.class_b.pk][:3]]
    submit(past.class_b, *cases, by=past.colleague, at=past.at)
    settle(at=past.at)
    signal = Signal.objects.get(unit=past.class_b)
    RuledOutPerson.objects.bulk_create(
        RuledOutPerson(signal=signal, person_id=case.person_id, ruled_out_on=past.day)
        for case in signal.cases.all()
    )
    services.let_go(at=night(2022, 9, 1))
    assert not RuledOutPerson.objects.exists()
