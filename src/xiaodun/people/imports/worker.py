"""The process that opens what somebody uploaded: bounded, without the database, ended when it takes too long.

python -I -m xiaodun.people.imports.worker NAME < FILE > JSON
"""

import json
import resource
import sys

from xiaodun.people.imports.reading import UnreadableFileError, read_file

MEMORY_AT_MOST = 1536 * 1024 * 1024
SECONDS_AT_MOST = 60


def main() -> int:
    """Read one file from standard input; the answer is JSON, an exit code other than 0 a file too heavy."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_AT_MOST, MEMORY_AT_MOST))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_AT_MOST, SECONDS_AT_MOST))
    # A library of a file format that is tricked into writing or starting something gets no further.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = read_file(sys.argv[1], sys.stdin.buffer.read()).as_json()
    except UnreadableFileError as error:
        answer = {"unreadable": error.code, "facts": error.facts}
    answer["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
