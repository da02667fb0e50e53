"""Second factors: enrolled by their user, proved at sign-in, taken away or issued anew."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from xiaodun.accounts.choices import FactorKind
from xiaodun.accounts.factors import CODE_FACTORS, normal, passkeys, printed, totp
from xiaodun.accounts.models import Factor, User
from xiaodun.accounts.services.attempts import (
    claim_factor_attempt,
    clear_factor_attempts,
    count_refused_code,
    refuse_code_guesses,
)
from xiaodun.accounts.services.sign_in import end_sessions
from xiaodun.kit import audit
from xiaodun.kit.errors import Refusal


@transaction.atomic
def add_totp(*, by: User, secret: str, code: str, keep: str | None, at: datetime) -> Factor:
    """Enrol an authenticator app, once it has shown a right code. ``keep``: the session that does it."""
    user = User.objects.select_for_update().get(pk=by.pk)
    if user.factors.filter(kind=FactorKind.TOTP).exists():
        raise Refusal(
            "factor-known",
            _("An authenticator app is set up already."),
            lifts=_("Remove it first, then set up the new one."),
        )
    step = totp.opens(secret, normal(code), 0, at)
    if step is None:
        raise Refusal(
            "code-wrong",
            _("This code does not fit."),
            status=422,
            lifts=_("Type the six digits that the app shows now, and check the phone's clock."),
        )
    factor = Factor(kind=FactorKind.TOTP, secret=secret, counter=step, used_at=at)
    return _add(user, factor, keep, at)


@transaction.atomic
def add_passkey(*, by: User, answer: passkeys.Answer, name: str, keep: str | None, at: datetime) -> Factor:
    """Enrol a passkey whose answer has been verified. ``keep``: the session that does it."""
    user = User.objects.select_for_update().get(pk=by.pk)
    factor = Factor(
        kind=FactorKind.PASSKEY, name=name.strip(), secret=answer.secret, counter=answer.counter, used_at=at
    )
    return _add(user, factor, keep, at)


@transaction.atomic
def make_recovery_codes(*, by: User, at: datetime) -> list[str]:
    """New recovery codes, as they are printed; all earlier ones open nothing any more."""
    user = User.objects.select_for_update().get(pk=by.pk)
    if not user.factors.filter(kind__in=[FactorKind.TOTP, FactorKind.PASSKEY]).exists():
        raise Refusal(
            "factor-missing",
            _("Recovery codes stand in for an app or a passkey, and there is none yet."),
            lifts=_("Set up an authenticator app or a passkey first."),
        )
    user.factors.filter(kind=FactorKind.RECOVERY).delete()
    codes = [printed.new_code() for _number in range(settings.RECOVERY_CODES)]
    for code in codes:
        Factor.objects.create(user=user, kind=FactorKind.RECOVERY, secret=printed.kept(code), made_at=at)
    audit.record(by=by, action="accounts.make_recovery_codes", obj=user, at=at)
    return codes


def prove_code(*, user: User, code: str, address: str, at: datetime) -> Factor:
    """The factor of ``user`` that ``code`` opens; no code opens twice.

    Raises:
        Refusal: ``code-wrong``; ``sign-in-paused`` after too many failures, of the user or from ``address``.
    """
    refuse_code_guesses(address=address, at=at)
    claim_factor_attempt(user=user, at=at)
    factor = _use_code(user, normal(code), at)
    if factor is None:
        count_refused_code(address=address, at=at)
        _record_failure(user, at)
        raise Refusal("code-wrong", _("This code does not fit, or was used before."), status=422)
    clear_factor_attempts(user=user, at=at)
    return factor


def prove_passkey(*, user: User, host: str, state: passkeys.Json, answer: str, at: datetime) -> Factor:
    """The passkey of ``user`` that answered the challenge kept in ``state``.

    Raises:
        Refusal: ``passkey-wrong``; ``sign-in-paused`` after too many failures.
    """
    claim_factor_attempt(user=user, at=at)
    factor = _use_passkey(user, host, state, answer, at)
    if factor is None:
        _record_failure(user, at)
        raise Refusal("passkey-wrong", _("The passkey was not accepted."), status=422)
    clear_factor_attempts(user=user, at=at)
    return factor


@transaction.atomic
def remove_factor(*, by: User, factor: Factor, keep: str | None, at: datetime) -> None:
    """Take away an app or a passkey of one's own; with the last one the recovery codes go too.

    The door has asked for a fresh factor. ``keep``: the session that does it.
    """
    user = User.objects.select_for_update().get(pk=by.pk)
    facts = {"kind": factor.kind}
    audit.record(by=by, action="accounts.remove_factor", obj=factor, at=at, facts=facts)
    user.factors.filter(pk=factor.pk).delete()
    if not user.factors.filter(kind__in=[FactorKind.TOTP, FactorKind.PASSKEY]).exists():
        user.factors.all().delete()
    end_sessions(by=by, user=user, why="factor", keep=keep, at=at)


@transaction.atomic
def reissue_factor(*, by: User, user: User, at: datetime) -> str:
    """For a user whose phone is lost: all factors and sessions end, and a code for one sign-in is returned.

    The code is shown once, handed over in person, and opens for as long as an activation slip does. With it
    the user enrols a new factor. Without it, whoever has found or guessed the password stays outside.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    user.factors.all().delete()
    code = printed.new_code()
    Factor.objects.create(
        user=user,
        kind=FactorKind.ISSUED,
        secret=printed.kept(code),
        made_at=at,
        expires_at=at + settings.ISSUED_CODE_AGE,
    )
    end_sessions(by=by, user=user, why="factor", at=at)
    audit.record(by=by, action="accounts.reissue_factor", obj=user, at=at)
    return code


def _add(user: User, factor: Factor, keep: str | None, at: datetime) -> Factor:
    factor.user, factor.made_at = user, at
    factor.save(force_insert=True)
    end_sessions(by=user, user=user, why="factor", keep=keep, at=at)
    audit.record(by=user, action="accounts.add_factor", obj=factor, at=at, facts={"kind": str(factor.kind)})
    return factor


@transaction.atomic
def _use_code(user: User, code: str, at: datetime) -> Factor | None:
    # The user's row is the lock: the same code sent twice at once must not open twice.
    User.objects.select_for_update().get(pk=user.pk)
    for factor in user.factors.filter(kind__in=list(CODE_FACTORS)).exclude(expires_at__lte=at):
        counter = CODE_FACTORS[factor.kind].opens(factor.secret, code, factor.counter, at)
        if counter is None:
            continue
        _keep_use(user, factor, counter, at)
        if factor.kind == FactorKind.ISSUED:
            factor.delete()
        return factor
    return None


@transaction.atomic
def _use_passkey(user: User, host: str, state: passkeys.Json, answer: str, at: datetime) -> Factor | None:
    User.objects.select_for_update().get(pk=user.pk)
    known = {factor.secret: factor for factor in user.factors.filter(kind=FactorKind.PASSKEY)}
    try:
        proof = passkeys.finish_proof(host, settings.SITE_NAME, state, answer, known=known)
    except passkeys.BadPasskeyError:
        return None
    factor = known[proof.secret]
    # A count that falls back tells of a copied key; many passkeys count nothing and stay at zero.
    if proof.counter <= factor.counter and (proof.counter or factor.counter):
        return None
    _keep_use(user, factor, proof.counter, at)
    return factor


def _keep_use(user: User, factor: Factor, counter: int, at: datetime) -> None:
    factor.counter, factor.used_at = counter, at
    factor.save(update_fields=["counter", "used_at"])
    audit.record(by=user, action="accounts.use_factor", obj=factor, at=at, facts={"kind": factor.kind})


@transaction.atomic
def _record_failure(user: User, at: datetime) -> None:
    audit.record(by=None, action="accounts.failed_factor", obj=user, at=at)
