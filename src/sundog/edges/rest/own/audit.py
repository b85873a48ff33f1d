"""``/v1/audit``: whether the records agree, and mending what is safe to mend."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotation
from typing import TYPE_CHECKING

import msgspec

from sundog.edges.rest.ask import Answer

if TYPE_CHECKING:
    from sundog.core.agreement.records import Disagreement
    from sundog.edges.rest.ask import Ask
    from sundog.workflows.agreement.audit import Unfinished


class DisagreementBody(msgspec.Struct, kw_only=True, frozen=True):
    """Two records that tell different things.

    ``kind`` and ``repair`` are of the few words in ``core/agreement/records.py``;
    ``line`` says all of it for people. ``server_id`` is empty when it is about none.
    ``mended`` and ``problem`` are what came of a repair.
    """

    host: str
    kind: str
    what: str
    repair: str
    server_id: str
    line: str
    mended: bool = False
    problem: str = ""


class JobBody(msgspec.Struct, kw_only=True, frozen=True):
    """A job that is not at its end; ``steps`` are all of its, ``at`` counts from 0.

    ``line`` says all of it for people.
    """

    server_id: str
    host: str
    job: str
    began: datetime
    steps: list[str]
    at: int
    line: str


class AuditBody(msgspec.Struct, kw_only=True, frozen=True):
    """``GET`` and ``POST /v1/audit``; by host. None: everything agrees.

    Jobs under way are no disagreement.
    """

    disagreements: list[DisagreementBody]
    jobs: list[JobBody]


class HealFields(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /v1/audit``: a dry run mends nothing."""

    dry_run: bool = False


def show(ask: Ask) -> Answer:
    """``GET /v1/audit``: every disagreement, and what heal would do."""
    found = ask.books.audit.audit()
    return _answer(ask, [_body(one) for one in found])


def heal(ask: Ask) -> Answer:
    """``POST /v1/audit``: make the safe repairs."""
    fields = ask.read(HealFields)
    done = ask.books.audit.heal(dry_run=fields.dry_run)
    bodies = [_body(one.disagreement, one.problem, mended=one.mended) for one in done]
    return _answer(ask, bodies)


def _answer(ask: Ask, bodies: list[DisagreementBody]) -> Answer:
    jobs = [_job(one) for one in ask.books.audit.unfinished()]
    return Answer(body=AuditBody(disagreements=bodies, jobs=jobs))


def _job(one: Unfinished) -> JobBody:
    return JobBody(
        server_id=str(one.server_id),
        host=one.host or "",
        job=one.intent.job,
        began=one.intent.began,
        steps=list(one.intent.steps),
        at=one.intent.at,
        line=one.line,
    )


def _body(
    one: Disagreement, problem: str = "", *, mended: bool = False
) -> DisagreementBody:
    return DisagreementBody(
        host=one.host,
        kind=one.kind.value,
        what=one.what,
        repair=one.repair.value,
        server_id=str(one.consumer or ""),
        line=one.line,
        mended=mended,
        problem=problem,
    )
