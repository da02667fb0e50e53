"""The clerk's pages: gaps first, every act by its form, refusals with what was typed, undo where safe."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from tests.factories import ill, settle, submit
from xiaodun.accounts.models import RoleAssignment
from xiaodun.accounts.services import end_role
from xiaodun.kit import clock
from xiaodun.kit.models import AuditEntry
from xiaodun.organisations.models import DayOverride, Term, Unit
from xiaodun.people.models import Enrolment, Person
from xiaodun.people.selectors import roster

MONDAY = date(2020, 12, 21)


@pytest.fixture
def clerk(cast, client, set_clock):
    """A browser of the school clerk, in English."""
    set_clock(cast.at)
    client.force_login(cast.clerk)
    client.cookies["django_language"] = "en"
    return client


def act(client, group: Unit, what: str, /, **data):
    return client.post(reverse("desks:group_act_do", args=[group.pk, what]), data)


def text_of(answer) -> str:
    return answer.content.decode()


def test_a_class_without_a_teacher_stands_first_with_its_remedy(cast, clerk):
    held = RoleAssignment.objects.get(unit=cast.class_b)
    end_role(by=None, assignment=held, last_day=cast.day - timedelta(days=1), at=cast.at)
    text = text_of(clerk.get(reverse("desks:clerk_school", args=[cast.school.pk])))
    assert reverse("desks:group_act", args=[cast.class_b.pk, "teacher"]) in text
    assert text.index("Choose a teacher") < text.index("Open a class")


@pytest.mark.parametrize(
    "name", ["add", "bed", "move", "split", "merge", "teacher", "substitute", "rename", "close", "ill"]
)
def test_every_act_says_what_follows_and_opens_with_what_is_known(cast, clerk, name):
    answer = clerk.get(reverse("desks:group_act", args=[cast.class_a.pk, name]))
    assert answer.status_code == 200
    assert "What follows:" in text_of(answer)
    assert answer.context["form"].initial


def test_an_act_that_nobody_knows_is_not_found(cast, clerk):
    for name, pk in (("group_act", cast.class_a.pk), ("person_act", cast.pupils[0].pk)):
        assert clerk.get(reverse(f"desks:{name}", args=[pk, "fly"])).status_code == 404


def test_a_pupil_is_added_and_stands_on_the_check(cast, clerk):
    answer = act(clerk, cast.class_a, "add", number="N9", name="苏新", sex="F", valid_from=cast.day)
    assert answer.status_code == 302
    assert "苏新" in [row.person.name for row in roster(cast.class_a, cast.day)]


def test_a_refusal_keeps_what_was_typed_and_says_what_to_do(cast, clerk):
    taken = cast.pupils[0].number
    answer = act(clerk, cast.class_a, "add", number=taken, name="苏新", valid_from=cast.day)
    assert answer.status_code == 409
    text = text_of(answer)
    assert "person-number-taken" in text
    assert 'value="苏新"' in text


def test_the_choices_end_at_the_school(cast, clerk):
    answer = act(
        clerk,
        cast.class_a,
        "move",
        persons=[cast.pupils[0].pk],
        to_group=cast.other_class.pk,
        on=MONDAY,
    )
    assert answer.status_code == 422
    answer = act(
        clerk,
        cast.class_a,
        "move",
        persons=[cast.members[cast.other_class.pk][0].pk],
        to_group=cast.class_b.pk,
        on=MONDAY,
    )
    assert answer.status_code == 422
    answer = act(clerk, cast.class_a, "teacher", user=cast.stranger.pk, on=MONDAY)
    assert answer.status_code == 422


def test_pupils_are_moved_and_the_move_is_undone(cast, clerk):
    pupil = cast.pupils[0]
    act(clerk, cast.class_a, "move", persons=[pupil.pk], to_group=cast.class_b.pk, on=cast.day)
    assert pupil in [row.person for row in roster(cast.class_b, cast.day)]
    text = text_of(clerk.get(reverse("desks:clerk_group", args=[cast.class_a.pk])))
    assert "Undo" in text
    undone = {"kind": "moved_out", "person": pupil.pk, "other": cast.class_b.pk, "day": cast.day}
    answer = clerk.post(reverse("desks:group_undo", args=[cast.class_a.pk]), undone)
    assert answer.status_code == 302
    assert pupil in [row.person for row in roster(cast.class_a, cast.day)]


def test_a_move_is_not_undone_once_the_new_class_has_noted_something(cast, clerk):
    pupil = cast.pupils[0]
    act(clerk, cast.class_a, "move", persons=[pupil.pk], to_group=cast.class_b.pk, on=cast.day)
    submit(cast.class_b, ill(pupil, "fever"), by=cast.colleague, at=cast.at)
    settle(at=cast.at)
    undone = {"kind": "moved_out", "person": pupil.pk, "other": cast.class_b.pk, "day": cast.day}
    answer = clerk.post(reverse("desks:group_undo", args=[cast.class_a.pk]), undone)
    assert (answer.status_code, "change-in-use" in text_of(answer)) == (409, True)


def test_a_class_is_split_merged_and_closed_by_its_forms(cast, clerk):
    chosen = [pupil.pk for pupil in cast.pupils[:2]]
    act(clerk, cast.class_a, "split", persons=chosen, name="三(3)班", on=cast.day)
    new = Unit.objects.get(name="三(3)班")
    assert len(roster(new, cast.day)) == 2
    # What cannot be undone is asked.
    assert act(clerk, new, "merge", into=cast.class_a.pk, on=MONDAY).status_code == 422
    assert act(clerk, new, "merge", into=cast.class_a.pk, on=MONDAY, sure="on").status_code == 302
    assert len(roster(cast.class_a, MONDAY)) == 5
    answer = act(clerk, cast.class_b, "close", last_day=cast.day, sure="on")
    assert (answer.status_code, "class-not-empty" in text_of(answer)) == (409, True)


def test_a_class_closed_by_mistake_goes_on(cast, clerk):
    opened = clerk.post(
        reverse("desks:school_act_do", args=[cast.school.pk, "open"]),
        {"parent": cast.grade.pk, "kind": "class", "name": "三(9)班", "on": cast.day},
    )
    new = Unit.objects.get(name="三(9)班")
    assert opened.url == reverse("desks:clerk_group", args=[new.pk])
    act(clerk, new, "close", last_day=cast.day, sure="on")
    new.refresh_from_db()
    assert new.last_day == cast.day
    clerk.post(reverse("desks:group_reopen", args=[new.pk]))
    new.refresh_from_db()
    assert new.last_day is None


def test_a_substitute_is_appointed_and_ended(cast, clerk):
    act(
        clerk,
        cast.class_a,
        "substitute",
        user=cast.colleague.pk,
        first_day=cast.day,
        last_day=MONDAY,
    )
    held = RoleAssignment.objects.get(unit=cast.class_a, user=cast.colleague)
    clerk.post(reverse("desks:substitute_end", args=[cast.class_a.pk]), {"assignment": held.pk})
    assert not RoleAssignment.objects.filter(pk=held.pk).exists()
    own = RoleAssignment.objects.get(unit=cast.class_a, user=cast.teacher)
    answer = clerk.post(reverse("desks:substitute_end", args=[cast.class_a.pk]), {"assignment": own.pk})
    assert answer.status_code == 404


def test_a_pupil_gets_a_bed_and_changes_it(cast, clerk):
    pupil = cast.pupils[1]
    act(clerk, cast.room, "bed", number=pupil.number, valid_from=cast.day)
    assert pupil in [row.person for row in roster(cast.room, cast.day)]
    foreign = cast.members[cast.other_class.pk][0].number
    answer = act(clerk, cast.room, "bed", number=foreign, valid_from=cast.day)
    assert (answer.status_code, "pupil-unknown-here" in text_of(answer)) == (422, True)


def test_a_person_is_moved_leaves_and_is_corrected(cast, clerk):
    pupil = cast.pupils[1]

    def do(what: str, /, **data):
        return clerk.post(reverse("desks:person_act_do", args=[pupil.pk, what]), data)

    do("correct", number="N1", name="李小红", sex="F", birth_year=2012)
    pupil.refresh_from_db()
    assert (pupil.number, pupil.name, pupil.sex) == ("N1", "李小红", "F")
    do("move", from_group=cast.class_a.pk, to_group=cast.class_b.pk, on=cast.day)
    do("leave", from_group=cast.class_b.pk, last_day=MONDAY)
    stay = Enrolment.objects.get(person=pupil, group=cast.class_b)
    assert (stay.valid_from, stay.valid_to) == (cast.day, MONDAY)
    assert clerk.get(reverse("desks:clerk_person", args=[pupil.pk])).status_code == 200


def test_an_officer_reads_masked_names_and_corrects_none(cast, client, set_clock):
    set_clock(cast.at)
    client.force_login(cast.officer)
    for name, pk in (
        ("clerk_group", [cast.class_a.pk]),
        ("clerk_person", [cast.pupils[0].pk]),
        ("group_act", [cast.class_a.pk, "move"]),
    ):
        text = text_of(client.get(reverse(f"desks:{name}", args=pk)))
        assert "王小明" not in text
        assert "王*明" in text


def test_a_search_finds_by_initials_and_hashes_what_was_typed(cast, clerk):
    text = text_of(clerk.post(reverse("desks:person_search"), {"words": "SZY"}))
    assert text.count("单志远") == 4
    entry = AuditEntry.objects.get(action="desks.search.read")
    assert len(entry.facts["persons"]) == 4
    assert "szy" not in str(entry.facts).lower()
    text = text_of(clerk.post(reverse("desks:person_search"), {"words": "zzz"}))
    assert "Nobody found" in text


def test_a_search_goes_on_by_key(cast, clerk, monkeypatch):
    monkeypatch.setattr("xiaodun.desks.selectors.persons.PAGE", 2)
    first = clerk.post(reverse("desks:person_search"), {"words": "szy"}).context["page"]
    rest = clerk.post(reverse("desks:person_search"), {"words": "szy", "after": first.after}).context["page"]
    assert (len(first.rows), len(rest.rows), rest.after) == (2, 2, None)
    assert not {row.url for row in first.rows} & {row.url for row in rest.rows}


def test_a_doctor_is_led_to_the_running_file_and_a_teacher_to_the_check(cast, client, set_clock):
    pupil = cast.pupils[2]
    submit(cast.class_a, ill(pupil, "fever"), by=cast.teacher, at=cast.at)
    settle(at=cast.at)
    set_clock(cast.at)
    client.force_login(cast.doctor)
    (own, other, *_rest) = client.post(reverse("desks:person_search"), {"words": "szy"}).context["page"].rows
    assert own.url.startswith("/files/")
    assert other.url == reverse("desks:class_check", args=[cast.class_b.pk])


def test_the_year_page_shows_the_plan_takes_the_step_and_takes_it_back(cast, clerk, set_clock):
    set_clock(clock.local_moment(date(2021, 8, 30), cast.at.timetz().replace(tzinfo=None)))
    address = reverse("desks:year", args=[cast.school.pk])
    assert "四(1)班" in text_of(clerk.get(address))
    clerk.post(reverse("desks:year_do", args=[cast.school.pk]), {"teachers": "move"})
    assert "The step is taken." in text_of(clerk.get(address))
    clerk.post(reverse("desks:year_undo", args=[cast.school.pk]))
    assert "The step is taken." not in text_of(clerk.get(address))


def test_readiness_names_what_lacks_and_who_supplies_it(cast, client, set_clock):
    set_clock(cast.at)
    client.force_login(cast.officer)
    client.cookies["django_language"] = "en"
    Unit.objects.filter(path__startswith=cast.other_school.path).update(first_day=None)
    held = RoleAssignment.objects.get(unit=cast.other_class)
    end_role(by=None, assignment=held, last_day=cast.day - timedelta(days=1), at=cast.at)
    text = text_of(client.get(reverse("desks:readiness")))
    assert "1 class without a teacher" in text
    refused = client.post(reverse("desks:join", args=[cast.other_school.pk]), {"first_day": cast.day})
    assert (refused.status_code, "1 class without a teacher" in text_of(refused)) == (409, True)
    client.post(
        reverse("desks:group_act_do", args=[cast.other_class.pk, "teacher"]),
        {"user": cast.stranger.pk, "on": cast.day},
    )
    assert client.post(
        reverse("desks:join", args=[cast.other_school.pk]), {"first_day": MONDAY}
    ).status_code in {302, 409}


def test_terms_and_days_are_entered_by_officer_and_principal(cast, client, set_clock):
    set_clock(cast.at)
    client.force_login(cast.principal)
    answer = client.post(
        reverse("desks:day_override", args=[cast.school.pk]),
        {"day-day": MONDAY, "day-is_open": "closed", "day-reason": "校舍检修"},
    )
    assert answer.status_code == 302
    assert not DayOverride.objects.get(unit=cast.school).is_open
    client.force_login(cast.officer)
    spring = {"term-name": "2020-2021 下学期", "term-start": "2021-03-01", "term-end": "2021-07-02"}
    assert client.post(reverse("desks:term_open", args=[cast.district.pk]), spring).status_code == 302
    assert Term.objects.filter(unit=cast.district).count() == 2
    again = client.post(reverse("desks:term_open", args=[cast.district.pk]), spring)
    assert (again.status_code, "term-overlaps" in text_of(again)) == (409, True)


def test_nothing_of_a_name_stands_in_an_address(cast, clerk):
    for person in Person.objects.all()[:3]:
        assert person.name not in reverse("desks:clerk_person", args=[person.pk])
