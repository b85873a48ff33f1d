"""Print the name of every test of tempest.api.compute; runs in Tempest's environment.

Tempest is not installed beside Sundog, so this file imports it only by discovery.
"""

from __future__ import annotations

import importlib.util
import sys
import unittest
from pathlib import Path


def names(suite: unittest.TestSuite) -> set[str]:
    """Return the names of a suite's tests, without the tags that ids end with."""
    found: set[str] = set()
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            found |= names(test)
        else:
            found.add(test.id().partition("[")[0])
    return found


def main() -> None:
    """Find the tests and print them in order."""
    spec = importlib.util.find_spec("tempest")
    if spec is None or spec.origin is None:
        sys.exit("Tempest is not installed in this environment")
    top = Path(spec.origin).parent
    suite = unittest.TestLoader().discover(
        str(top / "api" / "compute"), top_level_dir=str(top.parent)
    )
    sys.stdout.write("\n".join(sorted(names(suite))) + "\n")


if __name__ == "__main__":
    main()
