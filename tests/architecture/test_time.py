"""Time is an argument: one module reads the clock, and only doors ask it."""

from tests.architecture.source import modules, none

CLOCK = "xiaodun.kit.clock"

READS = frozenset(
    {
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "django.utils.timezone.now",
        "django.utils.timezone.localdate",
        "django.utils.timezone.localtime",
        "time.time",
        "time.time_ns",
        "time.localtime",
        "time.gmtime",
        "django.db.models.functions.Now",
    }
)

# Rooms that may ask kit.clock: what is called from outside (people, machines, schedules, the console).
DOORS = frozenset(
    {"views", "jobs", "middleware", "context_processors", "cli", "decorators", "access", "endpoints"}
)


def test_only_the_clock_module_reads_a_clock():
    found = [
        f"{each.where(call)} {name}()"
        for each in modules()
        if each.name != CLOCK
        for name, call in each.calls()
        if name in READS
    ]
    none(found)


def test_services_selectors_and_policies_are_told_the_time():
    found = [
        f"{each.where(call)} {name}()"
        for each in modules()
        if each.app not in {"config", "api"} and not DOORS & set(each.name.split(".")) and each.name != CLOCK
        for name, call in each.calls()
        if name in {f"{CLOCK}.now", f"{CLOCK}.today"}
    ]
    none(found)


def test_no_field_fills_itself_from_a_clock():
    found = [
        each.where(call)
        for each in modules()
        for _name, call in each.calls()
        if any(keyword.arg in {"auto_now", "auto_now_add"} for keyword in call.keywords)
    ]
    none(found)
