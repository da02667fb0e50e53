"""The real server of a production, started anew for each line on standard input and left to be killed.

    python -m tests.durability.server PORT SECONDS

SECONDS: how far its clock is from this machine's. Each start is a fork of a process that has read the code
and holds no connection, thread or row, so that hundreds of starts take minutes. Says ``ready PID`` when
requests are accepted and ``ended`` when the process is gone, whatever ended it.
"""

import os
import sys
from datetime import timedelta


def main(port: int, seconds: float) -> None:
    import django

    django.setup()
    from django.core.wsgi import get_wsgi_application
    from django.urls import get_resolver

    from xiaodun.config import server
    from xiaodun.kit import clock

    clock.shift(timedelta(seconds=seconds))
    get_wsgi_application()
    _ = get_resolver().url_patterns
    for _line in sys.stdin:
        child = os.fork()
        if child == 0:
            server.serve(
                host="127.0.0.1",
                port=port,
                trusted_proxy="127.0.0.1",
                on_ready=lambda _port: print("ready", os.getpid(), flush=True),
            )
            os._exit(0)
        os.waitpid(child, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
