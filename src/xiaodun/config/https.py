"""HTTPS by this process itself, for a school network without a reverse proxy (docs/operations/tls.md)."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import uvicorn
from a2wsgi import WSGIMiddleware

from xiaodun.config.env import SettingError

Application = Callable[[Any, Any], Iterable[bytes]]

# Seconds that running requests have to end after SIGTERM.
_GRACE = 5
# What only a proxy may say; no proxy stands before this server.
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")


def context_of(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 and newer with this certificate chain; raises ``SettingError`` with what is wrong."""
    if not certificate.is_file() or not key.is_file():
        raise SettingError("Certificate or key is no file. Give both, as PEM (docs/operations/tls.md).")
    if key.stat().st_mode & 0o007:
        raise SettingError(f"{key.name} may be read by everybody. Set its mode to 0600.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise SettingError(f"{certificate.name} and {key.name} do not belong together: {error}.") from None
    return context


def run(
    application: Application, *, listening: socket.socket, context: ssl.SSLContext, threads: int, limit: int
) -> None:
    """Serve until SIGTERM or SIGINT. The handshake of a slow client holds up nobody else."""
    config = uvicorn.Config(
        WSGIMiddleware(_direct(application, limit), workers=threads),
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
    )
    config.load()
    # Of our own making: uvicorn's names ciphers that browsers gave up.
    config.ssl = context
    with contextlib.suppress(SystemExit):
        uvicorn.Server(config).run(sockets=[listening])


def _direct(application: Application, limit: int) -> Application:
    """Drop what only a proxy may say, and refuse a body that is too long before it is read."""

    def served(environ: Any, start: Any) -> Iterable[bytes]:
        for name in _FORWARDED:
            environ.pop(name, None)
        if int(environ.get("CONTENT_LENGTH") or 0) > limit:
            start("413 Content Too Large", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return []
        return application(environ, start)

    return served
