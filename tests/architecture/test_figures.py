"""Every number on a board is a registered figure: it opens, and it is what the registry says."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve, reverse

from tests.access.district import District, make_district
from tests.access.matrix import DOCTOR, LEAD, OFFICER, PRINCIPAL, TEACHER
from tests.architecture.source import modules, none
from tests.markup import Element, parse
from xiaodun.figures.registry import definitions
from xiaodun.figures.selectors import value
from xiaodun.kit import clock
from xiaodun.organisations.models import Unit

NUMBER = re.compile(r"^\s*/?\s*\d[\d ,.]*\s*%?\s*$")

# Numbers that are no figures: dates and hours, heads of columns, keys to shades, sums of the column shown,
# how many lines a list or filter shows, where in the list one is, a roster number.
NO_FIGURE_TAGS = {"time", "th", "caption", "h2", "h3", "tfoot", "nav", "option", "code", "textarea"}
NO_FIGURE_CLASSES = {"x-countdown", "x-filters", "x-count", "x-pager", "x-section", "x-card-head", "x-seat"}


def lone_numbers(page: Element) -> Iterator[tuple[Element, str]]:
    """Texts of the main part that are a number and nothing else, with the element that holds them."""
    main = next(element for element in page.walk() if element.tag == "main")
    for element in main.walk():
        if any(
            above.tag in NO_FIGURE_TAGS or above.classes & NO_FIGURE_CLASSES for above in element.ancestors()
        ):
            continue
        for child in element.children:
            if isinstance(child, str) and NUMBER.match(child):
                yield element, child.strip()


def figure_link(element: Element) -> tuple[str, int, date | None] | None:
    """Code, unit and day of the figure page that the number's cell, list item or link leads to."""
    cell = next((above for above in element.ancestors() if above.tag in {"td", "li", "a"}), None)
    for link in cell.walk() if cell else ():
        address = urlsplit(link.attributes.get("href", ""))
        try:
            match = resolve(address.path)
        except Resolver404:
            continue
        if match.view_name == "desks:figure":
            day = parse_qs(address.query).get("day")
            return match.kwargs["code"], match.kwargs["unit_id"], date.fromisoformat(day[0]) if day else None
    return None


@pytest.fixture
def district(db: None, set_clock) -> District:
    made = make_district()
    set_clock(made.now)
    return made


BOARDS = [
    ("desks:today", TEACHER),
    ("desks:today", LEAD),
    ("desks:today", DOCTOR),
    ("desks:today", PRINCIPAL),
    ("desks:today", OFFICER),
    ("desks:board", OFFICER),
    ("desks:institution", DOCTOR),
    ("desks:institution", PRINCIPAL),
    ("desks:institution", OFFICER),
]


def faults_of_board(district: District, name: str, role: str) -> list[str]:
    client = Client()
    client.force_login(district.users[role])
    arguments = district.objects["institution", "own"] if name == "desks:institution" else []
    page = parse(client.get(reverse(name, args=arguments)).content.decode())
    today = clock.local_day(clock.now())
    wrong, seen = [], 0
    for element, number in lone_numbers(page):
        found = figure_link(element)
        if found is None:
            place = f"<{element.tag} class='{element.attributes.get('class', '')}'>"
            wrong.append(f"{name} for {role}: {number} in {place} leads to no figure")
            continue
        code, unit_id, day = found
        known = value(code, Unit.objects.get(pk=unit_id), day or today, clock.now())
        shown = int(re.sub(r"\D", "", number))
        if shown not in {known.number, known.of}:
            wrong.append(
                f"{name} for {role}: {number} is not {code} of unit {unit_id}: {known.number}/{known.of}"
            )
        seen += 1
    # A board without any number would pass whatever it does.
    return wrong if seen else [*wrong, f"{name} for {role} shows no figure"]


def test_every_number_on_a_board_opens_and_is_what_the_registry_says(district: District):
    none([fault for name, role in BOARDS for fault in faults_of_board(district, name, role)])


def test_every_figure_says_what_it_counts_and_what_it_leaves_out():
    none(
        [
            f"{definition.code} lacks {attribute}"
            for definition in definitions()
            for attribute, text in (
                ("name", definition.name),
                ("meaning", definition.meaning),
                ("unit_word", definition.unit_word % 1),
                ("source", definition.source),
            )
            if not str(text).strip()
        ]
    )
    assert definitions()


def test_every_figure_is_registered_by_the_app_that_its_code_names():
    found = []
    for each in modules():
        for name, call in each.calls():
            if name.endswith(".Definition") and "figures" in name:
                code = next((word.value for word in call.keywords if word.arg == "code"), None)
                if isinstance(code, ast.Constant) and not str(code.value).startswith(f"{each.app}."):
                    found.append(f"{each.where(call)} {code.value}")
    none(found)


# Functions of desks that may ask how many rows there are, with the reason.
COUNTED_LISTS = {
    "xiaodun.desks.selectors.files.file_list": "how long the lists are that the filters open",
    "xiaodun.desks.selectors.signals.signal_list": "how long the lists are that the filters open",
    "xiaodun.desks.selectors.today._ended": "how long the list is that the line opens",
}


def test_desks_count_nothing_themselves():
    """Sums and counts of rows are figures; a desk asks the registry."""
    forbidden = {"Count", "Sum", "Avg", "Min", "Max", "aggregate", "annotate"}
    known = {
        f"{each.name}.{node.name}"
        for each in modules()
        for node in each.tree.body
        if isinstance(node, ast.FunctionDef)
    }
    none([f"{name} is no more: take it off the list" for name in sorted(set(COUNTED_LISTS) - known)])
    found = []
    for each in modules():
        if not each.name.startswith(("xiaodun.desks.selectors", "xiaodun.desks.views")):
            continue
        lists = {
            id(node)
            for function in each.tree.body
            if isinstance(function, ast.FunctionDef) and f"{each.name}.{function.name}" in COUNTED_LISTS
            for node in ast.walk(function)
        }
        for name, call in each.calls():
            attribute = call.func.attr if isinstance(call.func, ast.Attribute) else name.rpartition(".")[2]
            counts = attribute in forbidden or (attribute == "count" and not call.args)
            if counts and id(call) not in lists:
                found.append(f"{each.where(call)} {attribute}()")
    none(found)
