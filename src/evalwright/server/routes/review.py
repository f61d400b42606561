"""Human review: queues, a reviewer's next item, labels, adjudication, files to and fro.

What reviewers get is blind: no run, model, verdict or other label is in any answer to them. Only leads see sources,
all labels, agreement while a queue is open, and which system answered.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi import Body as RawBody
from fastapi.responses import Response
from pydantic import Field

from evalwright.core.review import Decision, Entry, Queue, QueueCounts, QueueKind, RationaleRule, Span
from evalwright.core.rubric import Rubric
from evalwright.governance.roles import Action, Role
from evalwright.server.deps import EngineerProject, LeadProject, ProjectContext, ReviewerProject
from evalwright.server.wire import Body, Page, Wire, model_of
from evalwright.services.browsing.paging import paged
from evalwright.services.reviewing import adjudicating, exchange, label_studio, queues, rubrics
from evalwright.services.reviewing.adjudicating import Dissent, GoldMade
from evalwright.services.reviewing.desk import Desk, Nothing, Shown, Submitted
from evalwright.services.reviewing.estimates import QueueEstimate, queue_estimates
from evalwright.services.reviewing.exchange import ImportReport
from evalwright.services.reviewing.progress import ItemProgress, item_progress
from evalwright.services.reviewing.requests import NewQueue, SampleSpec, SourceSpec

router = APIRouter(prefix="/review", tags=["review"])

Limit = Annotated[int, Query(ge=1, le=500, description="Entries of a page.")]
Mark = Annotated[str | None, Query(max_length=500, description="`next` of the page before.")]
Name = Annotated[str, Field(max_length=200)]
MEDIA = {
    "labelstudio": "application/json",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
}
SUFFIX = {"labelstudio": "json", "csv": "csv", "xlsx": "xlsx", "jsonl": "jsonl"}

RubricInfo = model_of(Rubric)


class MineInfo(Wire):
    """How far one is in a queue oneself."""

    done: int
    total: int
    skipped: int


class QueueInfo(Wire):
    """A queue; where its items come from, and how many are disputed, only leads see."""

    id: str
    name: str
    kind: QueueKind
    rubrics: list[RubricInfo]  # type: ignore[valid-type]
    raters_per_item: int
    lease_minutes: float
    raters: list[str] | None
    blind: bool = True
    rationale: model_of(RationaleRule)  # type: ignore[valid-type]
    show_expected: bool
    tolerance: int
    state: str
    created_by: str
    created_at: float
    counts: model_of(QueueCounts)  # type: ignore[valid-type]
    mine: MineInfo
    source: dict[str, Any] | None = None


class LevelBody(Body):
    """A level of a rubric, worst first."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    value: float
    anchor: str = ""


class RubricBody(Body):
    """A rubric."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    criterion: Annotated[str, Field(min_length=1)]
    levels: Annotated[list[LevelBody], Field(min_length=2, max_length=50)]
    version: str = "1"
    scale: Literal["nominal", "ordinal", "interval"] = "ordinal"
    pass_from: str | None = None
    notes: str = ""


class SourceBody(Body):
    """Where items come from: a run; a baseline and a candidate; a golden set; a queue; rows."""

    run: Name | None = None
    baseline: Name | None = None
    candidate: Name | None = None
    dataset: Name | None = None
    queue: Name | None = None
    rows: Annotated[list[dict[str, Any]], Field(max_length=100_000)] | None = None
    where: Annotated[str, Field(max_length=2000, description="Expression over case, output and scores.")] | None = None
    status: Literal["all", "passed", "failed"] = "all"
    metric: Name | None = None
    min: float | None = None
    max: float | None = None
    disagreements: Annotated[list[str], Field(max_length=20, description="Metrics that say the contrary.")] = []
    flips: bool = False
    ids: Annotated[list[str], Field(max_length=100_000)] = []
    trial: Annotated[int, Field(ge=0)] = 0


class SampleBody(Body):
    """Which of them."""

    size: Annotated[int, Field(ge=1, le=100_000)] | None = None
    method: Literal["random", "active", "all"] = "random"
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0


class RationaleBody(Body):
    """When reasons are needed."""

    required_at_or_below: dict[str, str] = {}
    differs_from_prior: bool = False
    always: bool = False


class QueueBody(Body):
    """A queue to make."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    source: SourceBody
    rubrics: Annotated[list[RubricBody], Field(max_length=20)] = []
    rubric_files: Annotated[
        list[str], Field(max_length=20, description="Texts of rubric.yaml files, instead of or beside `rubrics`.")
    ] = []
    kind: QueueKind = QueueKind.POINTWISE
    sample: SampleBody = SampleBody()
    raters_per_item: Annotated[int, Field(ge=1, le=50)] = 1
    raters: Annotated[list[str], Field(max_length=500)] | None = None
    lease_minutes: Annotated[float, Field(ge=1, le=10_080)] = 30.0
    rationale: RationaleBody = RationaleBody()
    show_expected: bool = True
    tolerance: Annotated[int, Field(ge=0, le=50)] = 0
    calibration: Annotated[
        list[dict[str, Any]], Field(max_length=10_000, description="`input`, `output`, `gold` by rubric, `reason`.")
    ] = []
    calibration_set: Annotated[str, Field(max_length=200, description="Golden set of labelled answers.")] | None = None
    calibration_share: Annotated[float, Field(ge=0, le=0.5)] | None = None
    priority: Literal["severity", "none"] = "severity"
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None

    def asked(self) -> NewQueue:
        """What is asked for.

        Raises:
            ConfigError: A rubric is none.
        """
        made = [rubrics.rubric_of(one.model_dump()) for one in self.rubrics]
        made += [
            rubrics.rubric_of_text(text, f"rubric_files.{number}") for number, text in enumerate(self.rubric_files)
        ]
        plain = self.model_dump(exclude={"rubrics", "rubric_files"})
        return msgspec.convert({**plain, "rubrics": [msgspec.to_builtins(one) for one in made]}, NewQueue)


class QueueMade(Wire):
    """A queue that was made."""

    queue: QueueInfo
    items: int
    calibration: int
    eligible: int
    notes: list[str]


class QueuePatch(Body):
    """What to change."""

    state: Literal["open", "closed"] | None = None
    add_raters: Annotated[list[str], Field(max_length=500)] = []
    lease_minutes: Annotated[float, Field(ge=1, le=10_080)] | None = None


class NextBody(Body):
    """What is wanted next."""

    skipped: Annotated[bool, Field(description="Items one has skipped, once more.")] = False


class NextItem(Wire):
    """The next item, or why there is none."""

    item: model_of(Shown) | None = None  # type: ignore[valid-type]
    code: str | None = None
    reason: str | None = None


class SpanBody(Body):
    """A place in an answer, by the side as shown."""

    side: Annotated[str, Field(max_length=10)] = "A"
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]
    text: str = ""
    note: Annotated[str, Field(max_length=4000)] = ""


class EntryBody(Body):
    """What is filled in: by rubric a level's name; of pairs `A`, `B` or `tie`."""

    answers: dict[str, str] = {}
    rationale: str = ""
    spans: Annotated[list[SpanBody], Field(max_length=100)] = []
    seconds: float | None = None
    confidence: float | None = None

    def entry(self) -> Entry:
        """As the services take it."""
        return Entry(
            answers=self.answers,
            rationale=self.rationale,
            spans=tuple(Span(**span.model_dump()) for span in self.spans),
            seconds=self.seconds,
            confidence=self.confidence,
        )


class SubmitBody(EntryBody):
    """A label to hand in; the same `key` again is the same submission."""

    key: Annotated[str, Field(max_length=100)] | None = None


class SkipBody(Body):
    """Why one passes."""

    reason: Annotated[str, Field(max_length=4000)] = ""


class FlagBody(Body):
    """What the lead should look at."""

    note: Annotated[str, Field(min_length=1, max_length=4000)]


class Until(Wire):
    """Until when an item is kept."""

    lease_until: float


class ItemRef(Wire):
    """An item."""

    item_id: str


class Saved(Wire):
    """A draft was kept."""

    saved_at: float


class DecisionBody(Body):
    """A lead's decision: by rubric a level; of pairs `first`, `second` or `tie`."""

    answers: dict[str, str] = {}
    reason: Annotated[str, Field(max_length=10_000)]


class GoldBody(Body):
    """Which golden set settled labels go to."""

    dataset: Name
    bases: list[Literal["adjudicated", "unanimous", "tolerated", "majority", "single"]] = [
        "adjudicated",
        "unanimous",
        "tolerated",
    ]
    expected: Annotated[bool, Field(description="The label becomes what the case expects.")] = False


class SendBody(Body):
    """Further items of a queue."""

    source: SourceBody


class Sent(Wire):
    """How many items are new."""

    added: int


# --- queues ---------------------------------------------------------------------------------------------------------


def _desk(project: ProjectContext) -> Desk:
    project.require(Action.LABEL)
    return Desk(project.workspace, project.username, clock=project.state.now, source="web")


def is_lead(project: ProjectContext) -> bool:
    """Whether somebody may see behind the blinds."""
    return project.role >= Role.LEAD


def _told(project: ProjectContext, queue: Queue, counts: QueueCounts) -> QueueInfo:
    mine = Desk(project.workspace, project.username, clock=project.state.now).position(queue)
    values = {name: getattr(queue, name) for name in QueueInfo.model_fields if hasattr(queue, name)}
    values["source"] = queue.source if is_lead(project) else None
    if not is_lead(project):
        counts = msgspec.structs.replace(counts, adjudication=0)  # how far people agree is not for those who label
    values["raters"] = None if queue.raters is None else list(queue.raters)
    values["rubrics"] = list(queue.rubrics)
    return QueueInfo.model_validate({**values, "counts": counts, "mine": mine}, from_attributes=True)


def visible_queue(project: ProjectContext, queue_id: str) -> Queue:
    """A queue one may see: one's own to label, or all of them for leads."""
    if is_lead(project):
        return queues.find(project.workspace, queue_id)
    return _desk(project).queue(queue_id)


@router.get("/queues")
def list_review_queues(project: ReviewerProject, cursor: Mark = None, limit: Limit = 50) -> Page[QueueInfo]:
    """Queues one may label, newest first; leads see all."""
    found = [
        (queue, counts)
        for queue, counts in queues.all_queues(project.workspace, now=project.state.now())
        if is_lead(project) or queue.raters is None or project.username in queue.raters
    ]
    page = paged(found, cursor, limit)
    items = [_told(project, queue, counts) for queue, counts in page.items]
    return Page[QueueInfo](items=items, total=page.total, next=page.next)


@router.post("/queues", status_code=201)
def add_review_queue(body: QueueBody, project: LeadProject) -> QueueMade:
    """Make a queue from a run, a pair of runs, a golden set, rows, or what reviewers disagreed on."""
    made = queues.make_queue(project.workspace, body.asked(), by=project.username, now=project.state.now())
    project.audit("review.queue.add", made.queue.id, name=made.queue.name, items=made.items)
    told = _told(project, made.queue, QueueCounts(items=made.items))
    return QueueMade(
        queue=told, items=made.items, calibration=made.calibration, eligible=made.eligible, notes=list(made.notes)
    )


@router.get("/queues/{queue_id}")
def get_review_queue(queue_id: str, project: ReviewerProject) -> QueueInfo:
    """A queue with its rubrics and how far it is."""
    queue = visible_queue(project, queue_id)
    return _told(project, queue, queues.counts_of(project.workspace, queue, now=project.state.now()))


@router.patch("/queues/{queue_id}")
def change_review_queue(queue_id: str, body: QueuePatch, project: LeadProject) -> QueueInfo:
    """Close or open a queue, let more reviewers in, change its leases."""
    queue = queues.find(project.workspace, queue_id)
    wanted = queues.QueueChange(state=body.state, add_raters=tuple(body.add_raters), lease_minutes=body.lease_minutes)
    changed = queues.change(project.workspace, queue, wanted)
    project.audit("review.queue.change", queue.id, **body.model_dump(exclude_unset=True))
    return _told(project, changed, queues.counts_of(project.workspace, changed, now=project.state.now()))


@router.post("/queues/{queue_id}/items")
def send_to_review(queue_id: str, body: SendBody, project: EngineerProject) -> Sent:
    """Put further items into a queue; those it has already are left out."""
    queue = queues.find(project.workspace, queue_id)
    source = msgspec.convert(body.source.model_dump(), SourceSpec)
    asked = NewQueue(name=queue.name, rubrics=queue.rubrics, source=source, sample=SampleSpec())
    added = queues.send(project.workspace, queue, asked, now=project.state.now())
    project.audit("review.queue.send", queue.id, added=added)
    return Sent(added=added)


# --- labelling ------------------------------------------------------------------------------------------------------


@router.post("/queues/{queue_id}/next")
def next_review_item(queue_id: str, project: ReviewerProject, body: NextBody | None = None) -> NextItem:
    """The item one holds, or the next one in one's own order, leased to oneself."""
    desk = _desk(project)
    found = desk.next(desk.queue(queue_id), skipped=body.skipped if body else False)
    if isinstance(found, Nothing):
        return NextItem(code=found.code, reason=found.reason)
    return NextItem.model_validate({"item": found}, from_attributes=True)


@router.put("/items/{item_id}/draft")
def save_review_draft(item_id: str, body: EntryBody, project: ReviewerProject) -> Saved:
    """Keep what is filled in so far."""
    _desk(project).save_draft(item_id, body.entry())
    return Saved(saved_at=project.state.now())


@router.post("/items/{item_id}/submit", response_model=model_of(Submitted))
def submit_label(item_id: str, body: SubmitBody, project: ReviewerProject) -> Any:
    """Hand in a label."""
    done = _desk(project).submit(item_id, body.entry(), key=body.key)
    if done.new:
        project.audit("label.submit", done.label_id, item=item_id)
    return done


@router.post("/labels/{label_id}/undo")
def undo_label(label_id: str, project: ReviewerProject) -> ItemRef:
    """Take one's label back within a minute; the item is one's own again."""
    item_id = _desk(project).undo(label_id)
    project.audit("label.undo", label_id, item=item_id)
    return ItemRef(item_id=item_id)


@router.post("/items/{item_id}/skip")
def skip_review_item(item_id: str, body: SkipBody, project: ReviewerProject) -> ItemRef:
    """Leave an item to others."""
    _desk(project).skip(item_id, body.reason)
    return ItemRef(item_id=item_id)


@router.post("/items/{item_id}/flag")
def flag_review_item(item_id: str, body: FlagBody, project: ReviewerProject) -> ItemRef:
    """Ask the lead to look at an item; it stays one's own."""
    _desk(project).flag(item_id, body.note)
    return ItemRef(item_id=item_id)


@router.post("/items/{item_id}/renew")
def renew_lease(item_id: str, project: ReviewerProject) -> Until:
    """Keep an item longer."""
    return Until(lease_until=_desk(project).renew(item_id))


# --- leads ----------------------------------------------------------------------------------------------------------


@router.get("/queues/{queue_id}/items", response_model=Page[model_of(ItemProgress)])  # type: ignore[misc]
def list_review_items(queue_id: str, project: LeadProject, cursor: Mark = None, limit: Limit = 50) -> Any:
    """Items with how far each is, flags and skips included."""
    queue = queues.find(project.workspace, queue_id)
    return paged(item_progress(project.workspace, queue, now=project.state.now()), cursor, limit)


@router.get("/queues/{queue_id}/adjudication", response_model=Page[model_of(Dissent)])  # type: ignore[misc]
def list_adjudication(
    queue_id: str, project: LeadProject, decided: bool = False, cursor: Mark = None, limit: Limit = 20
) -> Any:
    """Items on which reviewers differ, or that they flagged, with all labels and reasons."""
    queue = queues.find(project.workspace, queue_id)
    found = adjudicating.to_decide(project.workspace, queue, by=project.username, decided=decided)
    return paged(found, cursor, limit)


@router.post("/items/{item_id}/adjudicate", response_model=model_of(Decision))
def adjudicate_item(item_id: str, body: DecisionBody, project: LeadProject) -> Any:
    """Decide on an item, with a reason; nobody decides on what they labelled while somebody else may."""
    project.require(Action.ADJUDICATE)
    verdict = adjudicating.Verdict(
        answers=body.answers,
        reason=body.reason,
        by=project.username,
        others_may=_others_may(project, adjudicating.raters_of(project.workspace, item_id)),
    )
    made = adjudicating.adjudicate(project.workspace, item_id, verdict, now=project.state.now())
    project.audit("review.adjudicate", item_id, decision=made.id, own=made.own)
    return made


def _others_may(project: ProjectContext, raters: set[str]) -> bool:
    members = project.state.accounts.people.members(project.name)
    leads = {member.username for member in members if Role.named(member.role) >= Role.LEAD}
    return bool(leads - raters - {project.username})


@router.get("/queues/{queue_id}/estimate", response_model=list[model_of(QueueEstimate)])  # type: ignore[misc]
def get_review_estimate(queue_id: str, project: LeadProject) -> Any:
    """What the labels so far say of the whole they were drawn from, and how narrow that is."""
    return queue_estimates(project.workspace, queues.find(project.workspace, queue_id))


@router.post("/queues/{queue_id}/gold", response_model=model_of(GoldMade))
def write_gold(queue_id: str, body: GoldBody, project: LeadProject) -> Any:
    """Write settled labels into a draft version of a golden set."""
    project.require(Action.ADD_CASES)
    queue = queues.find(project.workspace, queue_id)
    made = adjudicating.to_gold(
        project.workspace,
        queue,
        body.dataset,
        by=project.username,
        bases=tuple(body.bases),
        expected=body.expected,
    )
    project.audit("review.gold", queue.id, dataset=body.dataset, version=made.version, cases=made.cases)
    return made


Format = Annotated[Literal["labelstudio", "csv", "xlsx", "jsonl"], Query(description="Formulas are made harmless.")]
What = Annotated[Literal["tasks", "labels", "settled"], Query(description="To label, labels, or what they come to.")]


@router.get("/queues/{queue_id}/export", response_class=Response)
def export_review(
    queue_id: str,
    project: LeadProject,
    format: Format = "csv",
    what: What = "labels",
    rubric: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """A queue as a file."""
    queue = queues.find(project.workspace, queue_id)
    data = exchange.export(project.workspace, queue, format, what, rubric=rubric)
    headers = {"Content-Disposition": f'attachment; filename="review-{queue.id}-{what}.{SUFFIX[format]}"'}
    return Response(data, media_type=MEDIA[format], headers={**headers, "Cache-Control": "no-store"})


@router.get("/queues/{queue_id}/label-studio", response_class=Response)
def get_label_studio_interface(queue_id: str, project: LeadProject) -> Response:
    """The labelling interface of a queue for Label Studio."""
    text = label_studio.interface(queues.find(project.workspace, queue_id))
    return Response(text, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


@router.post("/queues/{queue_id}/import", response_model=model_of(ImportReport))
def import_review(
    queue_id: str,
    project: LeadProject,
    data: Annotated[bytes, RawBody(media_type="application/octet-stream")],
    format: Format = "csv",
    rater: Annotated[str | None, Query(max_length=200, description="Who labelled rows that do not say.")] = None,
) -> Any:
    """Labels from a file; rows that do not fit are told one by one, the same file again adds nothing."""
    queue = queues.find(project.workspace, queue_id)
    incoming = exchange.read_incoming(queue, data, format, rater=rater)
    made = exchange.import_labels(project.workspace, queue, incoming, by=project.username)
    project.audit("review.import", queue.id, added=made.added, problems=len(made.problems))
    return made
