"""From taps to signals: when one rises, grows, changes, ends; whom it tells; who decides."""

from datetime import timedelta

import pytest

from xiaodun.accounts.choices import Role
from xiaodun.accounts.selectors import scope_of
from xiaodun.kit import outbox
from xiaodun.kit.errors import Refusal
from xiaodun.ladders import services as ladders
from xiaodun.messages.models import Message
from xiaodun.people import services as people
from xiaodun.screening.choices import FindingStatus
from xiaodun.screening.policies import FindingInput
from xiaodun.screening.tests.cast import School, day, make_school, moment
from xiaodun.surveillance import selectors, services
from xiaodun.surveillance.models import Rule, RuledOutPerson, Signal, SignalEvent
from xiaodun.surveillance.selectors import newest_event

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

VOMITING = ["vomiting"]


@pytest.fixture
def school() -> School:
    return make_school()


def alive(rule: str = "norm-2006-3-in-1-day") -> list[Signal]:
    return list(
        Signal.objects.filter(rule__code=rule)
        .exclude(state=Signal.State.WITHDRAWN)
        .order_by("first_start", "pk")
    )


def kinds(signal: Signal) -> list[str]:
    return [event.kind for event in selectors.events_of(signal)]


def test_two_similar_cases_are_no_signal(school):
    room = school.classes[0]
    a, b, *_ = school.pupils[room.pk]
    school.submit(room, 0, {a: VOMITING, b: VOMITING})
    assert not Signal.objects.exists()


def test_the_third_similar_case_raises_one_signal_with_persons_clock_and_those_told(school):
    room = school.classes[1]
    a, b, c, *_ = school.pupils[room.pk]
    school.submit(room, 0, {a: VOMITING, b: ["diarrhoea"], c: ["abdominal_pain", "fever"]})
    (signal,) = alive()
    assert (signal.unit, signal.symptom_group, signal.peak_count) == (room, "gastrointestinal", 3)
    assert signal.deadline_at == moment(0) + timedelta(hours=24)
    assert {case.person for case in signal.cases.all()} == {a, b, c}
    told = {(notice.role, notice.reached) for notice in selectors.told_about(signal)}
    assert (Role.SCHOOL_DOCTOR, 1) in told
    assert (
        Message.objects.filter(
            recipient=school.users[Role.SCHOOL_DOCTOR], subject=f"signal:{signal.pk}"
        ).count()
        == 1
    )


def test_cases_of_unlike_symptoms_do_not_add_up(school):
    room = school.classes[0]
    a, b, c, *_ = school.pupils[room.pk]
    school.submit(room, 0, {a: VOMITING, b: ["rash"], c: ["cough"]})
    assert not Signal.objects.exists()


def test_a_case_without_symptoms_counts_with_every_group_of_the_class_and_is_marked(school):
    room = school.classes[0]
    a, b, c, *_ = school.pupils[room.pk]
    school.submit(room, 0, {a: VOMITING, b: VOMITING, c: []})
    (signal,) = alive()
    assert signal.symptom_group == "gastrointestinal"
    assert signal.windows[0]["unknown"] == 1
    assert {case.person for case in signal.cases.filter(is_unknown=True)} == {c}


def test_symptoms_learned_later_name_the_signal_without_a_new_clock(school):
    room = school.classes[0]
    a, b, c, *_ = school.pupils[room.pk]
    answer = school.submit(room, 0, {a: [], b: [], c: []})
    (unknown,) = alive()
    assert unknown.symptom_group == "unknown"
    school.correct(answer["session"], {a: VOMITING, b: [], c: []}, at=moment(0, 9))
    (named,) = alive()
    assert (named.pk, named.symptom_group, named.deadline_at) == (
        unknown.pk,
        "gastrointestinal",
        unknown.deadline_at,
    )
    assert kinds(named)[-1] == SignalEvent.Kind.CHANGED


def test_five_cases_over_a_weekend_are_entered_on_monday_and_judged_by_onset(school):
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    onsets = [-3, -3, -2, -2, -1]
    school.submit(
        room,
        0,
        {
            person: FindingInput(person.pk, FindingStatus.ABSENT_ILL, ("fever",), day(onset))
            for person, onset in zip(pupils, onsets, strict=False)
        },
    )
    (signal,) = alive("norm-2006-5-in-3-days")
    assert (signal.first_start, signal.last_end, signal.peak_count) == (day(-3), day(-1), 5)
    assert not alive("norm-2006-3-in-1-day")


def test_an_illness_over_before_monday_counts_by_onset_and_its_file_has_ended(school):
    room = school.classes[0]
    pupils = school.pupils[room.pk][:3]
    school.submit(
        room,
        0,
        {
            person: FindingInput(person.pk, FindingStatus.RECOVERED, ("vomiting",), day(-2))
            for person in pupils
        },
    )
    (signal,) = alive()
    assert signal.first_start == day(-2)
    assert all(person.episodes.get().back_on == day(0) for person in pupils)


def test_windows_that_touch_are_one_signal_and_a_later_separate_one_is_new(school):
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    school.submit(room, -4, dict.fromkeys(pupils[:3], VOMITING))
    school.submit(room, -3, dict.fromkeys(pupils[3:6], VOMITING))
    assert [(s.first_start, s.last_end) for s in alive()] == [(day(-4), day(-3))]
    school.submit(room, 0, {})
    school.submit(room, 1, dict.fromkeys(pupils[6:9], VOMITING))
    assert [(s.first_start, s.last_end) for s in alive()] == [(day(-4), day(-3)), (day(1), day(1))]


def test_a_dormitory_room_has_its_own_signal_across_classes(school):
    *_, a, b = school.pupils[school.classes[0].pk]
    c = school.pupils[school.classes[1].pk][0]
    people.enrol(by=None, person=c, group=school.dormitory, valid_from=day(-60), at=moment(-5))
    school.submit(school.classes[0], 0, {a: VOMITING, b: VOMITING})
    school.submit(school.classes[1], 0, {c: VOMITING})
    (signal,) = alive()
    assert signal.unit == school.dormitory


def test_a_correction_that_takes_a_case_away_withdraws_the_signal_visibly(school):
    room = school.classes[0]
    a, b, c, *_ = school.pupils[room.pk]
    answer = school.submit(room, 0, {a: VOMITING, b: VOMITING, c: VOMITING})
    school.correct(answer["session"], {a: VOMITING, b: VOMITING}, at=moment(0, 9))
    (signal,) = Signal.objects.filter(rule__code="norm-2006-3-in-1-day")
    assert signal.state == Signal.State.WITHDRAWN
    assert kinds(signal) == [SignalEvent.Kind.RAISED, SignalEvent.Kind.WITHDRAWN]
    assert ladders.climb_due(at=moment(1)) == 0
    assert not Message.objects.filter(subject=f"signal:{signal.pk}", withdrawn_at__isnull=True).exists()


def test_a_transfer_dated_before_the_onset_moves_the_case_to_the_new_class(school):
    old, new = school.classes
    a, b, c, *_ = school.pupils[old.pk]
    school.submit(old, 0, {a: VOMITING, b: VOMITING, c: VOMITING})
    people.transfer(by=None, person=c, from_group=old, to_group=new, on=day(0), at=moment(0, 10))
    outbox.drain(now=moment(0, 10))
    assert not alive()


def test_an_unacknowledged_signal_climbs_and_an_acknowledged_one_stops(school):
    room = school.classes[0]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], VOMITING))
    (signal,) = alive()
    ladders.climb_due(at=moment(0, 12))
    roles = [notice.role for notice in selectors.told_about(signal)]
    assert roles.index(Role.PRINCIPAL) < roles.index(Role.DISTRICT_OFFICER)

    school.submit(room, 2, {person: ["rash"] for person in school.pupils[room.pk][4:7]})
    second = next(s for s in alive() if s.symptom_group == "rash")
    services.acknowledge(
        by=school.users[Role.SCHOOL_DOCTOR], signal=second, seen=newest_event(second), at=moment(2, 7, 50)
    )
    ladders.climb_due(at=moment(2, 12))
    assert Role.PRINCIPAL not in [notice.role for notice in selectors.told_about(second)]
    second.refresh_from_db()
    assert (second.state, second.acknowledged_count) == (Signal.State.ACKNOWLEDGED, 3)


def test_more_cases_than_were_acknowledged_alarm_again(school):
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    answer = school.submit(room, 0, dict.fromkeys(pupils[:3], VOMITING))
    (signal,) = alive()
    services.acknowledge(
        by=school.users[Role.SCHOOL_DOCTOR], signal=signal, seen=newest_event(signal), at=moment(0, 8)
    )
    school.correct(answer["session"], dict.fromkeys(pupils[:4], VOMITING), at=moment(0, 9))
    (signal,) = alive()
    assert (signal.state, signal.peak_count) == (Signal.State.OPEN, 4)
    assert kinds(signal)[-1] == SignalEvent.Kind.REALARMED
    doctor = school.users[Role.SCHOOL_DOCTOR]
    assert Message.objects.filter(recipient=doctor, subject=f"signal:{signal.pk}").count() == 2


def test_a_confirmed_signal_that_grows_waits_again_and_keeps_its_history(school):
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    answer = school.submit(room, 0, dict.fromkeys(pupils[:3], VOMITING))
    doctor = school.users[Role.SCHOOL_DOCTOR]
    services.decide(
        by=doctor,
        signal=alive()[0],
        outcome=Signal.State.CONFIRMED,
        reason="",
        seen=newest_event(alive()[0]),
        at=moment(0, 8),
    )
    school.correct(answer["session"], dict.fromkeys(pupils[:5], VOMITING), at=moment(0, 9))
    (signal,) = alive()
    assert signal in selectors.waiting_signals(scope_of(doctor, day(0)))
    assert SignalEvent.Kind.CONFIRMED in kinds(signal)
    assert selectors.decided_on(scope_of(doctor, day(0)), day(0)) == []


def test_nobody_acknowledges_more_cases_than_were_shown(school):
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    answer = school.submit(room, 0, dict.fromkeys(pupils[:3], VOMITING))
    shown = newest_event(alive()[0])
    school.correct(answer["session"], dict.fromkeys(pupils[:4], VOMITING), at=moment(0, 7, 50))
    with pytest.raises(Refusal) as refused:
        services.acknowledge(
            by=school.users[Role.SCHOOL_DOCTOR], signal=alive()[0], seen=shown, at=moment(0, 8)
        )
    assert (refused.value.code, refused.value.facts) == ("signal-changed", {"shown": 3, "count": 4})


@pytest.mark.parametrize("outcome", [Signal.State.CONFIRMED, Signal.State.RULED_OUT])
def test_nobody_decides_on_as_many_other_children_who_were_not_shown(school, outcome):
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    school.submit(room, 0, dict.fromkeys(pupils[:3], VOMITING))
    shown = newest_event(alive()[0])
    school.submit(room, 1, dict.fromkeys(pupils[3:6], VOMITING))
    (signal,) = alive()
    assert signal.peak_count == 3
    with pytest.raises(Refusal) as refused:
        services.decide(
            by=school.users[Role.SCHOOL_DOCTOR],
            signal=signal,
            outcome=outcome,
            reason="前晚同在校外就餐",
            seen=shown,
            at=moment(1, 9),
        )
    assert refused.value.code == "signal-changed"
    assert not RuledOutPerson.objects.exists()


def test_what_somebody_else_did_meanwhile_is_no_change_of_the_cases(school):
    room = school.classes[0]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], VOMITING))
    (signal,) = alive()
    shown = newest_event(signal)
    services.acknowledge(by=school.users[Role.CLASS_TEACHER], signal=signal, seen=shown, at=moment(0, 8))
    services.decide(
        by=school.users[Role.SCHOOL_DOCTOR],
        signal=signal,
        outcome=Signal.State.CONFIRMED,
        reason="",
        seen=shown,
        at=moment(0, 9),
    )
    assert alive()[0].state == Signal.State.CONFIRMED


def test_a_decision_on_cases_that_were_corrected_away_since_names_nobody(school):
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    answer = school.submit(room, 0, dict.fromkeys(pupils[:3], VOMITING))
    doctor = school.users[Role.SCHOOL_DOCTOR]
    services.decide(
        by=doctor,
        signal=alive()[0],
        outcome=Signal.State.CONFIRMED,
        reason="",
        seen=newest_event(alive()[0]),
        at=moment(0, 8),
    )
    assert selectors.decided_on(scope_of(doctor, day(0)), day(0)) == alive()
    school.correct(answer["session"], {}, at=moment(0, 9))
    assert selectors.decided_on(scope_of(doctor, day(0)), day(0)) == []
    assert not Signal.objects.filter(rule__code="norm-2006-3-in-1-day").get().is_decided


def test_an_illness_from_before_the_first_day_of_school_counts_in_the_class_of_its_first_finding(school):
    room = school.classes[0]
    newcomers = [
        people.register_person(by=None, kind="pupil", number=f"N{n}", name=f"新生{n}", at=moment(-1))
        for n in range(3)
    ]
    for person in newcomers:
        people.enrol(by=None, person=person, group=room, valid_from=day(0), at=moment(-1))
    outbox.drain(now=moment(-1))
    said = {p: FindingInput(p.pk, FindingStatus.ABSENT_ILL, ("vomiting",), day(-2)) for p in newcomers}
    school.submit(room, 0, said)
    (signal,) = alive()
    assert (signal.unit, signal.first_start) == (room, day(-2))


def test_a_new_version_of_a_rule_judges_windows_that_end_in_its_time_whatever_was_read(school):
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    old = Rule.objects.get(code="norm-2006-5-in-3-days")
    Rule.objects.exclude(pk=old.pk).delete()
    Rule.objects.filter(pk=old.pk).update(valid_to=day(1))
    old.pk, old.version, old.min_cases = None, 2, 3
    old.valid_from, old.valid_to = day(2), None
    old.save()
    school.submit(room, 0, dict.fromkeys(pupils[:3], VOMITING))
    assert not Signal.objects.exists()
    for offset, pupil in ((2, pupils[3]), (3, pupils[4]), (4, pupils[5])):
        school.submit(room, offset, {pupil: VOMITING})
    (signal,) = alive("norm-2006-5-in-3-days")
    assert (signal.rule.version, signal.windows[0]["end"]) == (2, day(2).isoformat())
    services.evaluate_all(at=moment(9))
    assert alive("norm-2006-5-in-3-days") == [signal]


def test_a_message_names_the_school_of_the_class(school):
    room = school.classes[0]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], VOMITING))
    message = Message.objects.filter(recipient=school.users[Role.SCHOOL_DOCTOR]).get()
    assert message.facts["unit"] == "银杏小学 三(1)班"


def test_a_fall_below_the_acknowledged_count_does_not_alarm_again(school):
    room = school.classes[0]
    pupils = school.pupils[room.pk]
    answer = school.submit(room, 0, dict.fromkeys(pupils[:4], VOMITING))
    services.acknowledge(
        by=school.users[Role.SCHOOL_DOCTOR], signal=alive()[0], seen=newest_event(alive()[0]), at=moment(0, 8)
    )
    school.correct(answer["session"], dict.fromkeys(pupils[:3], VOMITING), at=moment(0, 9))
    (signal,) = alive()
    assert (signal.state, signal.peak_count) == (Signal.State.ACKNOWLEDGED, 3)


def test_ruling_out_needs_a_reason_and_the_first_decision_stands(school):
    room = school.classes[0]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], VOMITING))
    (signal,) = alive()
    doctor, principal = school.users[Role.SCHOOL_DOCTOR], school.users[Role.PRINCIPAL]
    with pytest.raises(Refusal) as refused:
        services.decide(
            by=doctor,
            signal=signal,
            outcome=Signal.State.RULED_OUT,
            reason=" ",
            seen=newest_event(signal),
            at=moment(0, 9),
        )
    assert refused.value.code == "reason-missing"
    services.decide(
        by=doctor,
        signal=signal,
        outcome=Signal.State.CONFIRMED,
        reason="",
        seen=newest_event(signal),
        at=moment(0, 9),
    )
    with pytest.raises(Refusal) as refused:
        services.decide(
            by=principal,
            signal=signal,
            outcome=Signal.State.RULED_OUT,
            reason="看错了",
            seen=newest_event(signal),
            at=moment(0, 10),
        )
    assert refused.value.code == "signal-not-open"
    assert refused.value.facts["by"] == doctor.name


def test_whoever_sees_counts_only_gets_masked_names_without_symptoms(school):
    room = school.classes[0]
    school.submit(room, 0, dict.fromkeys(school.pupils[room.pk][:3], VOMITING))
    (signal,) = alive()
    masked = selectors.cases_of(signal, scope_of(school.users[Role.DISTRICT_OFFICER], day(0)))
    assert len(masked) == 3
    assert all("*" in row.name for row in masked)
    assert not any(row.symptoms or row.number for row in masked)
    full = selectors.cases_of(signal, scope_of(school.users[Role.SCHOOL_DOCTOR], day(0)))
    assert all(row.symptoms == ("vomiting",) for row in full)


def test_a_rule_without_a_ladder_in_force_is_refused_before_it_can_silence_others(school, tmp_path):
    text = services.NORM_2006.read_text(encoding="utf-8")
    file = tmp_path / "rules.yaml"
    file.write_text(
        text.replace("ladder: signal-24h", "ladder: nowhere").replace("version: 1", "version: 2"),
        encoding="utf-8",
    )
    with pytest.raises(Refusal) as refused:
        services.load_rules(file, at=moment(0))
    assert refused.value.code == "ladder-not-in-force"
