"""Writes: in services only, audited, in one's own rows, escalated by ladders, sent by messages."""

import ast
from functools import cache

from django.apps import apps

from tests.architecture.source import Module, module, modules, none

WRITING_METHODS = frozenset(
    {
        "create",
        "bulk_create",
        "get_or_create",
        "update_or_create",
        "update",
        "bulk_update",
        "delete",
        "save",
        "add_root",
        "add_child",
        "raw_delete",
    }
)

# Public functions of a services module that need no audit row of their own. Each with the reason; one that
# no longer exists, or has an audit row after all, must leave the list.
NOT_AUDITED = {
    "xiaodun.accounts.services.attempts.claim_factor_attempt": "a count; the proof that follows is audited",
    "xiaodun.accounts.services.attempts.clear_factor_attempts": "as claim_factor_attempt",
    "xiaodun.accounts.services.attempts.refuse_code_guesses": "writes nothing: a refusal during a pause",
    "xiaodun.accounts.services.attempts.count_refused_code": "a count; who refuses the code keeps the row",
    "xiaodun.accounts.services.attempts.forget_attempts": "counts that have had their time",
    "xiaodun.accounts.services.sign_in.forget_ended_sessions": "rows of sessions that were over before",
    "xiaodun.accounts.services.sign_in.mark_session_seen": "each minute of use; start and end are audited",
    "xiaodun.duties.services.record_evidence": "one INSERT inside a write that is audited itself",
    "xiaodun.duties.services.follow_evidence": "the chase keeps closed_at, the ladder stopped_at",
    "xiaodun.duties.services.chase_due": "what was asked when stands in Chase and in the notices",
    "xiaodun.ladders.services.start": "inside an audited write; run and notices are its own dated history",
    "xiaodun.ladders.services.start_each": "as start",
    "xiaodun.ladders.services.stop": "inside an audited write; the run keeps stopped_at",
    "xiaodun.ladders.services.stop_each": "as stop",
    "xiaodun.ladders.services.restart": "inside an audited write; a new run beside the old one",
    "xiaodun.ladders.services.climb_due": "the clock's doing; each step leaves a notice",
    "xiaodun.figures.services.freeze": "inside the audited retention run; the row keeps the moment",
    "xiaodun.messages.services.register_kind": "declares a text at start; writes no row",
    "xiaodun.messages.services.send": "inside an audited write; the message row says who got what and when",
    "xiaodun.messages.services.send_each": "as send",
    "xiaodun.messages.services.withdraw_each": "as withdraw",
    "xiaodun.messages.services.mark_all_read": "as mark_read",
    "xiaodun.messages.services.mark_read_at": "as mark_read",
    "xiaodun.messages.services.mark_read_about": "as mark_read",
    "xiaodun.surveillance.services.history.log_event": "a line of history inside an audited write",
    "xiaodun.messages.services.mark_read": "the reader's own mark; the row keeps read_at",
    "xiaodun.messages.services.withdraw": "inside an audited write; the row keeps withdrawn_at",
    "xiaodun.people.services.rosters.take_roster": "a worker's claim; what it reads or applies is audited",
}

# Services without `at`: what they do has no moment.
WITHOUT_MOMENT = {"xiaodun.messages.services.register_kind"}


# (app, model) written outside the model's app or outside services, with the reason.
WRITTEN_ELSEWHERE = {
    ("config", "xiaodun.kit.models.Installation"): "what a database is, said by the command that makes it",
    ("operations", "xiaodun.kit.models.Installation"): "the last row of a restore, which opens the database",
}


def services() -> list[Module]:
    return [each for each in modules() if each.name.endswith(".services") or ".services." in each.name]


def public_functions(of: Module) -> list[ast.FunctionDef]:
    return [
        node for node in of.tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]


@cache
def is_audited(function: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether the function so named calls kit.audit.record, itself or through other services."""
    if function in seen:
        return False
    owner = module(function.rpartition(".")[0])
    if owner is None:
        return False
    body = next(
        (
            node
            for node in owner.tree.body
            if isinstance(node, ast.FunctionDef) and node.name == function.rpartition(".")[2]
        ),
        None,
    )
    if body is None:
        return False
    own = {node.name for node in owner.tree.body if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(body):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        name = owner.full_name(node)
        if name == "xiaodun.kit.audit.record":
            return True
        callee = f"{owner.name}.{name}" if name in own else name
        if ".services." in callee and is_audited(callee, seen | {function}):
            return True
    return False


def test_every_write_service_leaves_an_audit_row():
    """All public functions of services.py are writes; reads live in selectors.py."""
    silent = [
        f"{each.where(function)} {each.name}.{function.name}"
        for each in services()
        for function in public_functions(each)
        if not is_audited(f"{each.name}.{function.name}")
        and f"{each.name}.{function.name}" not in NOT_AUDITED
    ]
    none(silent)


def test_every_exception_from_the_audit_is_still_one():
    known = {f"{each.name}.{function.name}" for each in services() for function in public_functions(each)}
    stale = [name for name in NOT_AUDITED if name not in known or is_audited(name)]
    none(stale)


def test_every_service_takes_keyword_arguments_and_the_moment():
    loose = []
    for each in services():
        for function in public_functions(each):
            arguments = function.args
            names = {argument.arg for argument in arguments.kwonlyargs}
            # A subscriber is called with the payload first (kit.outbox.Handler), a loader with its file.
            positional = [argument.arg for argument in [*arguments.posonlyargs, *arguments.args]]
            name = f"{each.name}.{function.name}"
            if positional not in ([], ["payload"], ["file"]) or arguments.vararg or arguments.kwarg:
                loose.append(f"{each.where(function)} {name} takes positional arguments")
            # What comes from a device carries two moments; the server's is received_at.
            if not names & {"at", "received_at"} and name not in WITHOUT_MOMENT:
                loose.append(f"{each.where(function)} {name} does not take the moment `at`")
            if any(argument.annotation is None for argument in [*arguments.args, *arguments.kwonlyargs]):
                loose.append(f"{each.where(function)} {name} has an argument without a type")
    none(loose)


def _model_owner(full_name: str) -> str:
    """The app of a model class named by its import path, "" for anything else."""
    parts = full_name.split(".")
    if len(parts) == 4 and parts[0] == "xiaodun" and parts[2] == "models":
        return parts[1]
    return ""


def _write_calls(of: Module):
    """(model's app, model, call) of every `Model.objects…write()` and of every model that is made."""
    for name, call in of.calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr in WRITING_METHODS:
            start: ast.expr = call.func
            while isinstance(start, ast.Attribute | ast.Call | ast.Subscript):
                start = start.func if isinstance(start, ast.Call) else start.value
            if isinstance(start, ast.Name):
                path = of.imports.get(start.id, "")
                if app := _model_owner(path):
                    yield app, path, call
        if app := _model_owner(name):
            yield app, name, call


def test_an_app_writes_its_own_rows_only():
    """One fact, one table, one writer: others call its services or announce."""
    foreign = [
        f"{each.where(call)} {each.name} writes {path}"
        for each in modules()
        for app, path, call in _write_calls(each)
        if app != each.app and (each.app, path) not in WRITTEN_ELSEWHERE
    ]
    none(foreign)


def test_rows_are_written_in_services_only():
    """Views, forms, API and commands are thin doors; kit's mechanisms are the ground of the services."""
    doors = [
        f"{each.where(call)} {each.name} writes {path}"
        for each in modules()
        for _app, path, call in _write_calls(each)
        if each.app != "kit" and each not in services() and (each.app, path) not in WRITTEN_ELSEWHERE
    ]
    none(doors)


def test_doors_take_no_unscoped_rows_and_save_nothing():
    """`objects.all()`, `.save()` and the like in a door pass by the scope or the service."""
    forbidden = {
        "all",
        "create",
        "bulk_create",
        "save",
        "delete",
        "update_or_create",
        "get_or_create",
        "bulk_update",
    }
    found = []
    for each in modules():
        if not {"views", "forms"} & set(each.name.split(".")) and each.app not in {"api", "desks"}:
            continue
        for _name, call in each.calls():
            function = call.func
            if not isinstance(function, ast.Attribute) or function.attr not in forbidden:
                continue
            on_manager = isinstance(function.value, ast.Attribute) and function.value.attr == "objects"
            if on_manager or function.attr in {"save", "delete", "bulk_create", "bulk_update"}:
                found.append(f"{each.where(call)} .{function.attr}()")
    none(found)


def test_nothing_but_messages_makes_messages_and_nothing_but_ladders_makes_runs():
    """Importing their tables is closed by .importlinter; this closes the way round by the app registry."""
    found = []
    for each in modules():
        for name, call in each.calls():
            by_registry = name.endswith((".get_model", ".get_models")) and each.app not in {"kit", "config"}
            if by_registry:
                found.append(f"{each.where(call)} {name}")
    none(found)
    assert {model.__name__ for model in apps.get_app_config("messages").get_models()} >= {"Message"}
    assert {model.__name__ for model in apps.get_app_config("ladders").get_models()} >= {
        "LadderRun",
        "LadderNotice",
    }


def test_only_ladders_sends_urgent_messages():
    """Urgency belongs to escalation: who escalates uses a ladder."""
    found = [
        each.where(call)
        for each in modules()
        if each.app not in {"ladders", "messages"}
        for name, call in each.calls()
        if name == "xiaodun.messages.services.send"
        and any(keyword.arg == "urgent" for keyword in call.keywords)
    ]
    none(found)
