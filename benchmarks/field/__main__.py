"""`make bench-field`: installs the field's servers from PyPI and, as root, from Debian."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from benchmarks.environments import FIELD
from benchmarks.process import ProgramFailed

PACKAGES = ("nginx-light", "libnginx-mod-nchan", "nats-server")


def main() -> int:
    """Install what can be installed here; returns the exit code."""
    try:
        FIELD.make()
    except ProgramFailed as error:
        print(f"make bench-field: {error}", file=sys.stderr)
        return 1
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        print(f"Not installed, for want of apt-get or root: {', '.join(PACKAGES)}")
        return 0
    # Nothing is to listen after it: the benchmarks run servers of their own.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for argv in (("update",), ("install", "-y", "--no-install-recommends", *PACKAGES)):
        code = subprocess.run((apt, "-qq", *argv), env=environment, check=False).returncode  # noqa: S603 - the packages above
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
