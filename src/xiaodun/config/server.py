"""One process: web server, job workers and schedule, stopped together.

The web server owns the signals. SIGTERM and SIGINT end the acceptance of requests, let running requests (5
s) and running jobs (10 s) finish, and leave; whatever is cut off is in the outbox and goes on at the next
start.
"""

import contextlib
import errno
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import waitress
from django.core.wsgi import get_wsgi_application
from huey.consumer import Consumer
from huey.contrib.djhuey import HUEY

from xiaodun.config import https, jobs

# A district's import file is a few MB; photographs come with their own limit.
MAX_BODY = 64 * 1024 * 1024


class EmbeddedConsumer(Consumer):  # type: ignore[misc]  # huey has no types
    """Huey's consumer inside another process, which owns the signals."""

    def _set_signal_handlers(self) -> None:
        pass


class PortTakenError(Exception):
    """Another program listens on the address."""


def serve(
    *,
    host: str,
    port: int,
    threads: int = 8,
    with_jobs: bool = True,
    trusted_proxy: str | None = None,
    tls: ssl.SSLContext | None = None,
    on_ready: Callable[[int], None],
) -> None:
    """Serve until SIGTERM or SIGINT; ``on_ready`` gets the port once requests are accepted (0 chooses a
    free one).

    trusted_proxy: the only peer whose ``X-Forwarded-For`` and ``-Proto`` are believed; from others they are
    dropped. tls: speak HTTPS; then no proxy is believed. Raises ``PortTakenError``.
    """
    options: dict[str, object] = {
        "threads": threads,
        "ident": None,
        "max_request_body_size": MAX_BODY,
        "clear_untrusted_proxy_headers": True,
    }
    if trusted_proxy:
        options["trusted_proxy"] = trusted_proxy
        options["trusted_proxy_headers"] = {"x-forwarded-for", "x-forwarded-proto"}
    listening = _listen(host, port)
    application = get_wsgi_application()
    with stopped_by_signals(), running_jobs() if with_jobs else contextlib.nullcontext():
        port = int(listening.getsockname()[1])
        if tls is not None:
            on_ready(port)
            https.run(application, listening=listening, context=tls, threads=threads, limit=MAX_BODY)
            return
        server = waitress.create_server(application, sockets=[listening], **options)
        on_ready(port)
        server.run()
        server.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortTakenError(f"{host}:{port} is taken by another program.") from None


def work() -> None:
    """Run the jobs alone until SIGTERM or SIGINT: for an installation whose web server is another process."""
    with stopped_by_signals(), running_jobs(), contextlib.suppress(SystemExit):
        threading.Event().wait()


@contextlib.contextmanager
def running_jobs() -> Iterator[None]:
    """Workers and schedule in threads of this process; only one process of an installation may run them."""
    consumer = EmbeddedConsumer(
        HUEY, workers=2, periodic=True, max_delay=1.0, flush_locks=True, shutdown_timeout=10
    )
    # run() watches over the workers and replaces one that died.
    watcher = threading.Thread(target=consumer.run, name="jobs", daemon=True)
    watcher.start()
    jobs.wake_up()  # what was left when the last process ended
    try:
        yield
    finally:
        consumer.stop(graceful=True)
        watcher.join(timeout=10)


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM and SIGINT raise ``SystemExit`` in the main thread; a second one ends the process at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        raise SystemExit(0)

    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    for each in before:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
