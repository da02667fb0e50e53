"""The certificate with which ``serve`` itself speaks HTTPS."""

import fnmatch
from datetime import datetime, timedelta

from cryptography import x509
from django.conf import settings
from django.utils.translation import gettext as _

from xiaodun.operations.doctor.result import Result, State

RENEW_DUE, RENEW_LATE = timedelta(days=30), timedelta(days=7)


def certificate(at: datetime) -> Result:
    """Until when it holds, and whether it names every public host."""
    title = _("TLS certificate")
    if not settings.CERTIFICATE:
        return Result(
            "certificate",
            title,
            State.NA,
            _("A reverse proxy ends HTTPS and holds the certificate; look at its end there."),
        )
    with open(settings.CERTIFICATE, "rb") as file:
        read = x509.load_pem_x509_certificate(file.read())
    ends = read.not_valid_after_utc
    try:
        names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        held = [
            *names.get_values_for_type(x509.DNSName),
            *map(str, names.get_values_for_type(x509.IPAddress)),
        ]
    except x509.ExtensionNotFound:
        held = []
    missing = [host for host in settings.ALLOWED_HOSTS if not _is_named(host, held)]
    said = _("Valid until %(day)s") % {"day": f"{ends:%Y-%m-%d}"}
    renew = _("Have it renewed and restart the server.")
    if missing:
        return Result(
            "certificate",
            title,
            State.NOW,
            _("It does not name %(hosts)s") % {"hosts": ", ".join(missing)},
            _("Have one made for every name of XIAODUN_ALLOWED_HOSTS."),
            ends,
        )
    if ends - at < RENEW_LATE:
        return Result("certificate", title, State.NOW, said, renew, ends)
    if ends - at < RENEW_DUE:
        return Result("certificate", title, State.DUE, said, renew, ends)
    return Result("certificate", title, State.DONE, said)


def _is_named(host: str, held: list[str]) -> bool:
    # A wildcard stands for one label.
    return any(
        fnmatch.fnmatchcase(host.lower(), name.lower()) and host.count(".") == name.count(".")
        for name in held
    )
