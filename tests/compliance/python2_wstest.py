"""Starts Autobahn's `wstest` under Python 2.7: `python2.7 wstest.py FOLDER ARGUMENTS...`.

FOLDER holds the installed packages; as a site folder, so that namespace packages are found.
"""

import site
import sys

site.addsitedir(sys.argv.pop(1))
from autobahntestsuite.wstest import run  # noqa: E402 - found in the folder above

sys.exit(run())
