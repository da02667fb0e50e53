"""Both languages are complete, and the check that says so finds what it should."""

from pathlib import Path

import pytest

from tests.architecture.source import none
from tools import catalogue


def test_every_text_is_in_both_languages_and_nowhere_else():
    none(catalogue.check())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A package with one app that says one text in Python and one in a template."""
    app = tmp_path / "src" / "xiaodun" / "food"
    (app / "templates" / "food").mkdir(parents=True)
    (tmp_path / "frontend").mkdir()
    (app / "__init__.py").touch()
    (app / "models.py").write_text(
        'from django.utils.translation import gettext_lazy as _\nNAME = _("milk")\n'
    )
    (app / "templates" / "food" / "page.html").write_text(
        "{% load i18n %}<h1>{% blocktranslate %}{{ n }} meals{% endblocktranslate %}</h1>"
    )
    return tmp_path


def translate(tree: Path, english: str, chinese: str) -> None:
    po = tree / "src" / "xiaodun" / "food" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    before = po.read_text(encoding="utf-8")
    after = before.replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{chinese}"')
    assert after != before
    po.write_text(after, encoding="utf-8")


def test_update_takes_new_texts_in_and_a_second_run_changes_nothing(tree: Path):
    assert len(catalogue.update(tree)) == 1
    assert catalogue.update(tree) == []
    assert [fault.partition(": ")[2] for fault in catalogue.check(tree)] == [
        "'%(n)s meals': has no Chinese text",
        "'milk': has no Chinese text",
    ]


def test_a_translated_tree_passes_and_keeps_its_texts_on_update(tree: Path):
    catalogue.update(tree)
    translate(tree, "milk", "牛奶")
    translate(tree, "%(n)s meals", "%(n)s 份餐")
    assert catalogue.check(tree) == []
    assert catalogue.update(tree) == []


def test_a_lost_placeholder_is_a_fault(tree: Path):
    catalogue.update(tree)
    translate(tree, "milk", "牛奶")
    translate(tree, "%(n)s meals", "份餐")
    assert [fault for fault in catalogue.check(tree) if "placeholders" in fault]


def test_english_in_place_of_chinese_is_a_fault(tree: Path):
    catalogue.update(tree)
    translate(tree, "milk", "milk")
    assert [fault for fault in catalogue.check(tree) if "is not Chinese" in fault]


def test_an_unused_entry_is_a_fault_and_leaves_on_update(tree: Path):
    catalogue.update(tree)
    translate(tree, "milk", "牛奶")
    (tree / "src" / "xiaodun" / "food" / "models.py").write_text("")
    assert [fault for fault in catalogue.check(tree) if "nowhere else" in fault]
    catalogue.update(tree)
    assert not [fault for fault in catalogue.check(tree) if "nowhere else" in fault]


def test_one_text_with_two_translations_is_a_fault(tree: Path):
    catalogue.update(tree)
    translate(tree, "milk", "牛奶")
    supplies = tree / "src" / "xiaodun" / "supplies"
    supplies.mkdir()
    (supplies / "__init__.py").touch()
    (supplies / "models.py").write_text(
        'from django.utils.translation import gettext as _\nNAME = _("milk")\n'
    )
    catalogue.update(tree)
    po = supplies / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    assert "牛奶" in po.read_text(encoding="utf-8"), "a text that another app has translated takes that over"
    po.write_text(po.read_text(encoding="utf-8").replace("牛奶", "奶"), encoding="utf-8")
    assert [fault for fault in catalogue.check(tree) if "differently" in fault]


@pytest.mark.parametrize(
    "markup",
    [
        "<p>Hello there</p>",
        '<button aria-label="Close">x</button>',
        '<img alt="A {{ word }} picture">',
        "<p>你好</p>",
    ],
)
def test_words_outside_the_catalogue_are_a_fault(tree: Path, markup: str):
    (tree / "src" / "xiaodun" / "food" / "templates" / "food" / "page.html").write_text(
        markup, encoding="utf-8"
    )
    assert [fault for fault in catalogue.check(tree) if "outside the catalogue" in fault]


@pytest.mark.parametrize(
    "markup",
    [
        '<p>{% translate "milk" %}: {{ n }} · 22/24</p>',
        "{% comment %}what this part is for{% endcomment %}<code>{{ code }} x-code</code>",
        '<a class="btn" href="#top" title="{{ title }}">{{ label }}</a>',
        '{% texts "page" %}\nsent = {% translate "milk" %}\n{% endtexts %}',
    ],
)
def test_what_is_no_text_of_its_own_passes(markup: str):
    assert catalogue.literal_texts(markup) == []
