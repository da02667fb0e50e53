"""After a confirmation: the report is owed until it is on record, climbs meanwhile, and stops the clock."""

from datetime import timedelta

import pytest

from xiaodun.accounts.choices import Role
from xiaodun.accounts.selectors import scope_of
from xiaodun.figures import selectors as figures
from xiaodun.kit.errors import Refusal
from xiaodun.kit.models import AuditEntry
from xiaodun.ladders import services as ladders
from xiaodun.messages.models import Message
from xiaodun.screening.tests import cast
from xiaodun.screening.tests.cast import School, day, make_school
from xiaodun.surveillance import selectors, services
from xiaodun.surveillance.choices import Channel, Recipient
from xiaodun.surveillance.models import Signal, SignalReport

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

VOMITING = ["vomiting"]


def moment(offset, hour=0, minute=0):
    """The full hour, where the cast means 42 minutes past."""
    return cast.moment(offset, hour, minute)


@pytest.fixture
def school() -> School:
    return make_school()


@pytest.fixture
def doctor(school):
    return school.users[Role.SCHOOL_DOCTOR]


@pytest.fixture
def signal(school) -> Signal:
    """Raised at 07:42 on Monday: to be reported by Tuesday, 07:42."""
    room = school.classes[0]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], VOMITING))
    return Signal.objects.get()


def confirm(signal, by, at=None, outcome=Signal.State.CONFIRMED):
    signal.refresh_from_db()
    return services.decide(
        by=by,
        signal=signal,
        outcome=outcome,
        reason="同班",
        seen=selectors.newest_event(signal),
        at=at or moment(0, 9),
    )


def report(signal, by, to_whom=Recipient.CDC, *, told=None, at=None):
    at = at or moment(0, 10)
    return services.record_report(
        by=by,
        signal=signal,
        seen=selectors.newest_event(signal),
        to_whom=to_whom,
        how=Channel.TELEPHONE,
        reference="值班 2 号",
        reported_at=told or at,
        at=at,
    )


def owed(school, role):
    return selectors.owed_reports(scope_of(school.users[role], day(0)))


def test_a_confirmed_signal_owes_its_report_until_all_whom_the_rule_names_were_told(school, signal, doctor):
    confirm(signal, doctor)
    assert owed(school, Role.SCHOOL_DOCTOR) == [signal]
    report(signal, doctor, told=moment(0, 9, 50))
    signal.refresh_from_db()
    assert signal.owes_report
    assert selectors.recipients_left(signal) == [Recipient.BUREAU]
    report(signal, doctor, Recipient.BUREAU, told=moment(0, 9, 55))
    signal.refresh_from_db()
    assert not signal.owes_report
    assert (signal.reported_at, signal.was_reported_late) == (moment(0, 9, 55), False)
    assert owed(school, Role.SCHOOL_DOCTOR) == []


def test_each_report_leaves_a_row_with_its_facts_and_an_audit_row(signal, doctor):
    confirm(signal, doctor)
    report(signal, doctor, told=moment(0, 9, 50))
    row = SignalReport.objects.get()
    assert (row.to_whom, row.how, row.reference, row.count, row.by) == (
        "cdc",
        "telephone",
        "值班 2 号",
        3,
        doctor,
    )
    assert AuditEntry.objects.filter(action="surveillance.signal.reported").count() == 1


def test_a_report_after_the_deadline_says_so(signal, doctor):
    confirm(signal, doctor)
    late = signal.deadline_at + timedelta(hours=2)
    report(signal, doctor, at=late)
    report(signal, doctor, Recipient.BUREAU, told=moment(0, 11), at=late)
    signal.refresh_from_db()
    assert (signal.reported_at, signal.was_reported_late) == (late, True)


def test_who_may_only_acknowledge_owes_no_report(school, signal, doctor):
    confirm(signal, doctor)
    assert owed(school, Role.PRINCIPAL) == owed(school, Role.DISTRICT_OFFICER) == [signal]
    assert owed(school, Role.CLASS_TEACHER) == owed(school, Role.GRADE_LEAD) == []


def test_the_named_reporter_records_the_report_and_does_not_decide(school, signal, doctor):
    reporter = school.users[Role.SCHOOL_REPORTER]
    confirm(signal, doctor)
    scope = scope_of(reporter, day(0))
    assert selectors.owed_reports(scope) == [signal]
    assert selectors.reportable_by(scope, signal.pk) == signal
    with pytest.raises(Refusal) as refused:
        selectors.decidable_by(scope, signal.pk)
    assert refused.value.code == "decision-not-yours"


def test_an_unreported_signal_climbs_from_its_confirmation_until_the_report_is_on_record(
    school, signal, doctor
):
    confirm(signal, doctor, at=moment(0, 9))
    ladders.climb_due(at=moment(0, 9, 29))
    assert not Message.objects.filter(kind="signal-report").exists()
    assert selectors.next_told_about(Signal.objects.get()).at == moment(0, 9, 30)
    ladders.climb_due(at=moment(0, 11))
    told = Message.objects.filter(kind="signal-report").order_by("pk")
    assert [message.recipient for message in told] == [
        school.users[role] for role in (Role.SCHOOL_REPORTER, Role.SCHOOL_DOCTOR, Role.PRINCIPAL)
    ]
    assert told[0].facts["deadline"] == "12-15 07:42"
    for to_whom in (Recipient.CDC, Recipient.BUREAU):
        report(signal, doctor, to_whom, at=moment(0, 12))
    ladders.climb_due(at=moment(0, 20))
    assert [notice.role for notice in selectors.told_about(signal)][-3:] == [
        Role.SCHOOL_REPORTER,
        Role.SCHOOL_DOCTOR,
        Role.PRINCIPAL,
    ]
    assert all(message.withdrawn_at == moment(0, 12) for message in told.all())


def test_only_a_confirmed_signal_is_reported(signal, doctor):
    with pytest.raises(Refusal) as refused:
        report(signal, doctor)
    assert refused.value.code == "signal-not-confirmed"
    confirm(signal, doctor, outcome=Signal.State.RULED_OUT)
    with pytest.raises(Refusal) as refused:
        report(signal, doctor)
    assert refused.value.code == "signal-not-confirmed"


@pytest.mark.parametrize("told", [moment(0, 10, 1), moment(-1, 23, 59)])
def test_nobody_is_told_in_the_future_or_before_anybody_was_ill(signal, doctor, told):
    confirm(signal, doctor)
    with pytest.raises(Refusal) as refused:
        report(signal, doctor, told=told)
    assert (refused.value.code, refused.value.status) == ("report-time-wrong", 422)
    assert not SignalReport.objects.exists()


def test_more_cases_after_a_report_wait_for_a_decision_and_owe_no_second_clock(school, signal, doctor):
    room = school.classes[0]
    confirm(signal, doctor)
    for to_whom in (Recipient.CDC, Recipient.BUREAU):
        report(signal, doctor, to_whom)
    school.correct(
        room.check_sessions.get().pk,
        dict.fromkeys(school.pupils[room.pk][:5], VOMITING),
        at=moment(0, 11),
    )
    signal.refresh_from_db()
    assert (signal.state, signal.reported_at) == (Signal.State.OPEN, moment(0, 10))
    confirm(signal, doctor, at=moment(0, 12))
    assert owed(school, Role.SCHOOL_DOCTOR) == []


def test_a_signal_that_alarms_again_before_its_report_is_chased_for_the_decision_first(
    school, signal, doctor
):
    room = school.classes[0]
    confirm(signal, doctor)
    school.correct(
        room.check_sessions.get().pk,
        dict.fromkeys(school.pupils[room.pk][:4], VOMITING),
        at=moment(0, 9, 10),
    )
    ladders.climb_due(at=moment(0, 20))
    assert not Message.objects.filter(kind="signal-report").exists()
    confirm(signal, doctor, at=moment(0, 20))
    ladders.climb_due(at=moment(0, 21))
    assert Message.objects.filter(kind="signal-report").count() == 2


def test_ruling_out_starts_a_new_clock_with_later_cases_that_no_old_report_answers(school, signal, doctor):
    room = school.classes[0]
    confirm(signal, doctor)
    report(signal, doctor)
    pupils = school.pupils[room.pk]
    session = room.check_sessions.get().pk
    school.correct(session, dict.fromkeys(pupils[:4], VOMITING), at=moment(0, 11))
    confirm(signal, doctor, at=moment(0, 12), outcome=Signal.State.RULED_OUT)
    school.correct(session, dict.fromkeys(pupils[:5], VOMITING), at=moment(0, 13))
    signal.refresh_from_db()
    assert (signal.clock_from, signal.deadline_at) == (moment(0, 13), moment(1, 13))
    confirm(signal, doctor, at=moment(0, 14))
    signal.refresh_from_db()
    assert selectors.recipients_left(signal) == [Recipient.CDC, Recipient.BUREAU]


def test_a_call_made_before_the_new_clock_started_does_not_stop_it_when_it_is_entered_after(
    school, signal, doctor
):
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    confirm(signal, doctor, outcome=Signal.State.RULED_OUT)
    school.correct(room.check_sessions.get().pk, dict.fromkeys(pupils[:4], VOMITING), at=moment(0, 13, 0))
    confirm(signal, doctor, at=moment(0, 14))
    for to_whom in (Recipient.CDC, Recipient.BUREAU):
        report(signal, doctor, to_whom, told=moment(0, 12), at=moment(0, 15))
    signal.refresh_from_db()
    assert signal.owes_report
    assert selectors.recipients_left(signal) == [Recipient.CDC, Recipient.BUREAU]
    for to_whom in (Recipient.CDC, Recipient.BUREAU):
        report(signal, doctor, to_whom, told=moment(0, 13), at=moment(0, 15))
    signal.refresh_from_db()
    assert (signal.owes_report, signal.reported_at) == (False, moment(0, 13))


def test_a_call_made_before_the_signal_rose_answers_its_first_clock(signal, doctor):
    confirm(signal, doctor)
    for to_whom in (Recipient.CDC, Recipient.BUREAU):
        report(signal, doctor, to_whom, told=moment(0, 7, 30))
    signal.refresh_from_db()
    assert signal.reported_at == moment(0, 7, 30)


def test_persons_who_came_after_a_report_are_untold_though_no_day_counts_more(school, signal, doctor):
    confirm(signal, doctor)
    for to_whom in (Recipient.CDC, Recipient.BUREAU):
        report(signal, doctor, to_whom)
    room = school.classes[0]
    school.submit(room, 1, dict.fromkeys(school.pupils[room.pk][3:6], VOMITING))
    signal.refresh_from_db()
    assert (signal.state, signal.peak_count) == (Signal.State.CONFIRMED, 3)
    assert selectors.persons_untold(signal, 6) == 3
    report(signal, doctor, at=moment(1, 10))
    assert SignalReport.objects.last().count == 6
    assert selectors.persons_untold(signal, 6) == 3, "the bureau knows of three"
    report(signal, doctor, Recipient.BUREAU, at=moment(1, 10))
    assert selectors.persons_untold(signal, 6) == 0


def test_a_report_of_other_cases_than_were_shown_is_refused(school, signal, doctor):
    confirm(signal, doctor)
    shown = selectors.newest_event(signal)
    room = school.classes[0]
    school.submit(room, 1, dict.fromkeys(school.pupils[room.pk][3:6], VOMITING))
    with pytest.raises(Refusal) as refused:
        services.record_report(
            by=doctor,
            signal=signal,
            seen=shown,
            to_whom=Recipient.CDC,
            how=Channel.TELEPHONE,
            reference="",
            reported_at=moment(1, 8),
            at=moment(1, 9),
        )
    assert refused.value.code == "signal-changed"
    assert not SignalReport.objects.exists()


def test_a_signal_reported_in_time_that_grows_later_has_no_running_clock(school, signal, doctor):
    confirm(signal, doctor)
    assert signal.clock_runs
    for to_whom in (Recipient.CDC, Recipient.BUREAU):
        report(signal, doctor, to_whom)
    room = school.classes[0]
    school.submit(room, 1, dict.fromkeys(school.pupils[room.pk][3:7], VOMITING))
    signal.refresh_from_db()
    assert (signal.state, signal.clock_runs) == (Signal.State.OPEN, False)
    shown = figures.rows(
        "surveillance.open_signals", school.institution, day(1), moment(1, 9), scope_of(doctor, day(1))
    )
    assert [row.cells["deadline"] for row in shown.rows] == [None, cast.moment(2)]


def test_a_withdrawn_signal_owes_nothing(school, signal, doctor):
    confirm(signal, doctor)
    room = school.classes[0]
    school.correct(room.check_sessions.get().pk, {}, at=moment(0, 9, 10))
    assert owed(school, Role.SCHOOL_DOCTOR) == []
    assert ladders.climb_due(at=moment(1)) == 0


@pytest.fixture
def limbs(school) -> tuple[Signal, Signal]:
    """Five vomiting on one day: both limbs of the norm ring for the same children."""
    room = school.classes[1]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:5], VOMITING))
    first, second = Signal.objects.order_by("rule__code")
    return first, second


def test_the_two_limbs_on_the_same_children_are_siblings_and_decided_at_once(school, limbs, doctor):
    first, second = limbs
    scope = scope_of(doctor, day(0))
    assert selectors.siblings_of(scope, first) == [second]
    services.decide_each(
        by=doctor,
        signals=[(each, selectors.newest_event(each)) for each in limbs],
        outcome=Signal.State.CONFIRMED,
        reason="同班聚餐",
        at=moment(0, 9),
    )
    for signal in limbs:
        signal.refresh_from_db()
        assert (signal.state, signal.decision_reason) == (Signal.State.CONFIRMED, "同班聚餐")
    assert AuditEntry.objects.filter(action="surveillance.signal.confirmed").count() == 2
    assert selectors.siblings_of(scope, first) == [second], "both are to be reported"
    services.record_report_each(
        by=doctor,
        signals=[(each, selectors.newest_event(each)) for each in limbs],
        to_whom=Recipient.CDC,
        how=Channel.NETWORK,
        reference="",
        reported_at=moment(0, 9, 30),
        at=moment(0, 9, 30),
    )
    assert {row.signal_id for row in SignalReport.objects.all()} == {first.pk, second.pk}


def test_a_refusal_of_one_limb_leaves_both_undecided(limbs, doctor):
    first, second = limbs
    with pytest.raises(Refusal) as refused:
        services.decide_each(
            by=doctor,
            signals=[(first, selectors.newest_event(first)), (second, 0)],
            outcome=Signal.State.RULED_OUT,
            reason="误报",
            at=moment(0, 9),
        )
    assert refused.value.code == "signal-changed"
    assert {signal.state for signal in Signal.objects.all()} == {Signal.State.OPEN}


def test_signals_of_other_children_or_other_days_are_no_siblings(school, limbs, doctor):
    room = school.classes[1]
    pupils = school.pupils[room.pk]
    school.submit(room, 1, {person: ["rash"] for person in pupils[5:8]})
    rash = Signal.objects.get(symptom_group="rash")
    assert selectors.siblings_of(scope_of(doctor, day(1)), rash) == []


def test_a_shared_child_does_not_make_siblings_of_unlike_symptoms(school, doctor):
    """One vomits with fever: three vomit, five have fever, and the two clusters are two matters."""
    room = school.classes[1]
    pupils = school.pupils[room.pk]
    said = dict.fromkeys(pupils[:2], VOMITING) | {pupils[2]: ["vomiting", "fever"]}
    school.submit(room, 0, said | {person: ["fever"] for person in pupils[3:7]})
    scope = scope_of(doctor, day(0))
    gut = Signal.objects.get(symptom_group="gastrointestinal")
    one_day, three_days = Signal.objects.filter(symptom_group="respiratory_fever").order_by("rule__code")
    assert gut.cases.filter(person__in=one_day.cases.values("person")).count() == 1
    assert selectors.siblings_of(scope, gut) == []
    assert selectors.siblings_of(scope, one_day) == [three_days]
