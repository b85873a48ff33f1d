"""Run tests by name, from standard input; runs in Tempest's environment.

A test that is skipped counts as failed: what is in the list is to be tested.
"""

from __future__ import annotations

import sys
import unittest


class Result(unittest.TextTestResult):
    """Tells each test's end in a line of its own."""

    def _tell(self, word: str, test: unittest.TestCase) -> None:
        name = test.id().partition("[")[0].removeprefix("tempest.api.compute.")
        self.stream.write(f"{word} {name}\n")
        self.stream.flush()

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802 - unittest's name
        """Tell it."""
        self._tell("ok  ", test)
        unittest.TestResult.addSuccess(self, test)

    def addFailure(self, test: unittest.TestCase, err: object) -> None:  # noqa: N802 - same
        """Tell it."""
        self._tell("FAIL", test)
        unittest.TestResult.addFailure(self, test, err)  # type: ignore[arg-type] # passed on

    def addError(self, test: unittest.TestCase, err: object) -> None:  # noqa: N802 - same
        """Tell it."""
        self._tell("FAIL", test)
        unittest.TestResult.addError(self, test, err)  # type: ignore[arg-type] # passed on

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802 - same
        """Tell it with its reason."""
        self._tell("SKIP", test)
        unittest.TestResult.addSkip(self, test, reason)


def main() -> int:
    """Run them, tell what failed, and return the exit status."""
    wanted = [line.strip() for line in sys.stdin if line.strip()]
    suite = unittest.TestLoader().loadTestsFromNames(wanted)
    runner = unittest.TextTestRunner(sys.stdout, resultclass=Result)  # type: ignore[arg-type] # typeshed's stream is narrower
    result = runner.run(suite)
    for test, reason in result.skipped:
        sys.stdout.write(f"skipped {test.id()}: {reason}\n")
    return 0 if result.wasSuccessful() and not result.skipped else 1


if __name__ == "__main__":
    sys.exit(main())
