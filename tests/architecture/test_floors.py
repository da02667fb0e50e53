"""Floors: imports, foreign keys and the order of installed apps all run down."""

import subprocess
import sys

from django.apps import apps
from django.conf import settings
from django.db import models

from tests.architecture.contracts import run_contracts
from tests.architecture.source import PACKAGE, ROOT, floors, none


def test_every_import_runs_down_the_floors():
    kept, report = run_contracts(ROOT)
    assert kept, report


def test_every_installed_app_has_a_floor_and_they_start_from_the_ground_up():
    installed = [
        name.removeprefix("xiaodun.") for name in settings.INSTALLED_APPS if name.startswith("xiaodun.")
    ]
    heights = [floors()[app] for app in installed]
    assert heights == sorted(heights)


def test_every_app_folder_is_installed():
    folders = {
        path.parent.name
        for path in PACKAGE.glob("*/__init__.py")
        if path.parent.name not in {"engine", "config"}
    }
    assert folders == {
        name.removeprefix("xiaodun.") for name in settings.INSTALLED_APPS if "xiaodun." in name
    }


def test_no_model_points_to_a_model_of_a_higher_floor():
    """Django resolves string references, which import-linter cannot see."""
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models()
        if model._meta.app_label in floors()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
        and field.related_model._meta.app_label in floors()
        and floors()[field.related_model._meta.app_label] > floors()[model._meta.app_label]
    ]
    none(upward)


def test_the_engine_works_where_django_cannot_be_imported():
    program = """
import importlib, pkgutil, sys
for name in ("django", "psycopg", "huey", "ninja"):
    sys.modules[name] = None
import xiaodun.engine
for found in pkgutil.walk_packages(xiaodun.engine.__path__, "xiaodun.engine."):
    if ".tests" not in found.name:
        importlib.import_module(found.name)
print("engine stands alone")
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "engine stands alone", done.stderr
