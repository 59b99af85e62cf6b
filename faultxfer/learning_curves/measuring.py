"""Measure how transfer and scratch get better with labelled rows, and write down what follows."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.bundle.bundle import load_bundle
from faultxfer.bundle.manifest import read_manifest
from faultxfer.bundle.members import logits
from faultxfer.config import TransferOptions
from faultxfer.following import Next
from faultxfer.learning_curves.curve import (
    AS_IS,
    SCRATCH,
    TRANSFER,
    LearningCurve,
    Repeat,
    learning_curve,
)
from faultxfer.learning_curves.draws import RUN, Draw, Draws, draw_counts
from faultxfer.learning_curves.picture import save_learning_picture
from faultxfer.learning_curves.report import as_html, as_markdown, decisive, sentences
from faultxfer.outputs import writing
from faultxfer.progress import NOTE, progress
from faultxfer.requests import CurveRequest
from faultxfer.steps.adaptation import read_target, source_for
from faultxfer.steps.intake import CheckedRows
from faultxfer.steps.next_commands import after_curve
from faultxfer.steps.opening import Job
from faultxfer.steps.plain_data import plain_fields
from faultxfer.steps.sources import Models, require_same_meaning, sensor_change
from faultxfer.strategies.fixed_stack import fit_fixed
from faultxfer.strategies.narrowing import SENSOR_CHANGE
from faultxfer.strategies.protocol import Scorer, Task
from faultxfer.strategies.source_benefit import without_source
from faultxfer.strategies.stack import cross_fit_task, has_few_rows, weighed
from faultxfer.strategies.window_models import machine_windows


@dataclass(frozen=True)
class LearningResult:
    """What ``learning-curve`` found and wrote.

    Attributes:
        by: what was held out, ``run`` or ``time block``.
        answers: plain sentences.
        files: what was written, by kind.
        short: those of the answers that a decision needs, the first before all others.
        next: what to type now.
    """

    model: str
    equipment: str
    by: str
    answers: tuple[str, ...]
    curve: LearningCurve
    files: dict[str, Path]
    rows: CheckedRows
    short: tuple[str, ...] = ()
    next: tuple[Next, ...] = ()

    def markdown(self) -> str:
        """The answers and the table."""
        return as_markdown(self.curve, self.answers, f"{self.model} → {self.equipment}")

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"outcome": "measured", **plain_fields(self)}


@dataclass(frozen=True)
class DrawnRows:
    """Accepted rows, and who of them is drawn and who judges."""

    rows: CheckedRows
    draws: Draws


@dataclass(frozen=True)
class MeasuredRows:
    """What transfer and scratch reached in each repeat."""

    drawn: DrawnRows
    repeats: tuple[Repeat, ...]
    # What a difference of sensors costs, in whole sentences.
    on_sensors: tuple[str, ...] = ()


def draw_rows(job: Job[CurveRequest], models: Models, rows: CheckedRows) -> DrawnRows:
    """Hold out and draw rows.

    Who is drawn at which count, and who judges.

    Raises:
        DataError: a file was refused, or the rows are too few.
        ContractError: the sensors are not the source model's, or a unit or label has another
            meaning.
    """
    contract, options = job.contract, job.request.options
    features = sensor_change(contract, read_manifest(models.source_bundle).features).features
    require_same_meaning(contract, models.source_bundle)
    draws = draw_counts(read_target(rows, features), options)
    without = sorted(set(options.counts or ()) - set(draws.counts))
    counts, repeats = _listed(draws.counts), len(draws.repeats)
    progress.info(
        "Drawing %s labelled rows, %d times; %ss held out judge", counts, repeats, draws.by
    )
    if without:
        progress.info("The rows at hand do not allow %s", _listed(without), extra=NOTE)
    return DrawnRows(rows, draws)


def measure_learning(job: Job[CurveRequest], models: Models, drawn: DrawnRows) -> MeasuredRows:
    """Fit at every count.

    Transfer and scratch are fitted on the same rows at every count of every repeat, and judged on
    the rows held out.

    Raises:
        StrategyError: the strategy cannot run on these rows.
    """
    rows, draws = drawn.rows, drawn.draws
    settings = TransferOptions(seed=job.request.options.seed)
    whole = load_bundle(models.source_bundle)
    change = sensor_change(job.contract, whole.features)
    source, source_rows = source_for(job.contract, models, whole, change, settings.seed)
    target = dataclasses.replace(read_target(rows, source.features), run=draws.run)
    if draws.by == RUN:  # rows of one recording on both sides would see each other
        target = machine_windows(target, source, np.zeros(len(target), dtype=int))
    base = Task(source, target, source_rows, settings)
    repeats, count = [], len(draws.repeats)
    for number, draw in enumerate(draws.repeats, start=1):
        progress.info("Repeat %d of %d: transfer and scratch at each count", number, count)
        repeats.append(_repeat(draw, base))
    on_sensors = source.lineage.get(SENSOR_CHANGE, {}).get("sentences", ())
    return MeasuredRows(drawn, tuple(repeats), tuple(on_sensors))


def report_learning(job: Job[CurveRequest], measured: MeasuredRows) -> LearningResult:
    """Fit the curves and answer.

    Metrics, intervals, plain answers and a picture; nothing goes to the registry.

    Raises:
        ConfigError: ``out`` cannot be written.
    """
    request, rows, draws = job.request, measured.drawn.rows, measured.drawn.draws
    options, out = request.options, request.out
    progress.info("Fitting the curves and their intervals")
    curve = learning_curve(
        draws.counts,
        draws.faults,
        measured.repeats,
        at_hand=rows.accepted,
        more=options.more,
        seed=options.seed,
    )
    files = {kind: out / f"learning-curve.{kind}" for kind in ("json", "md", "png", "html")}
    answers = (*sentences(curve, by_run=draws.by == RUN), *measured.on_sensors)
    result = LearningResult(
        model=request.model,
        equipment=request.equipment,
        by=draws.by,
        answers=answers,
        curve=curve,
        files=files,
        rows=rows,
        short=decisive(curve, by_run=draws.by == RUN),
        next=after_curve(request),
    )
    text = json.dumps(result.as_dict(), indent=2, ensure_ascii=False)
    title = f"{request.model} → {request.equipment}"
    with writing("out", out):
        out.mkdir(parents=True, exist_ok=True)
        files["json"].write_text(text, encoding="utf-8")
        files["md"].write_text(result.markdown(), encoding="utf-8")
        save_learning_picture(files["png"], curve, title)
        page = as_html(curve, answers, title, files["png"].read_bytes(), result.next)
        files["html"].write_text(page, encoding="utf-8")
    return result


def _listed(counts: Iterable[int]) -> str:
    return ", ".join(map(str, counts))


def _repeat(draw: Draw, base: Task) -> Repeat:
    """Scores of both contestants and of the source as it is on the rows held out."""
    test = base.target.take(draw.test)
    as_is = base.source.logits(test.X)
    scores: dict[str, list[np.ndarray]] = {TRANSFER: [], SCRATCH: [], AS_IS: [as_is]}
    for train in draw.train:
        task = dataclasses.replace(base, target=base.target.take(train))
        transfer, scratch = fit_transfer_and_scratch(task)
        windows = None if test.windows is None else test.windows.values
        scores[TRANSFER].append(transfer(test.X, windows))
        scores[SCRATCH].append(scratch(test.X, windows))
    stacked = {who: np.stack(lines) for who, lines in scores.items()}
    return Repeat(test.y, test.run, stacked)


def fit_transfer_and_scratch(task: Task) -> tuple[Scorer, Scorer]:
    """The default stack, and the same stack of the learners that know no source.

    Learners from scratch are part of the default stack, so that one cross-fitting serves both.
    A transfer of few faults weighs nothing, see
    :mod:`faultxfer.strategies.fixed_stack`.

    Raises:
        StrategyError: see :meth:`faultxfer.strategies.stack.StackedLearners.fit`.
    """
    crossed, source = cross_fit_task(task, "stack")
    few = has_few_rows(task)
    transfer = fit_fixed(task, "stack") if few else weighed(crossed, task.target)
    scratch = weighed(without_source(crossed), task.target)
    return partial(logits, transfer, source), partial(logits, scratch, source)
