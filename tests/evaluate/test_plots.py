"""Pictures are complete, the same every time, and say aloud what could not be measured."""

from __future__ import annotations

import ast
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from faultxfer.errors import DataError
from faultxfer.evaluate import drawing, plots, score_over_time
from faultxfer.evaluate.drawing import PALE
from faultxfer.evaluate.metrics import equal_mass_bins
from faultxfer.evaluate.plots import save_pictures
from faultxfer.evaluate.rows import ScoredRows

HISTORY = {"loss": [2.0, 0.5, 0.1], "val_loss": [2.1, 0.7, 0.4]}
PNG = b"\x89PNG\r\n\x1a\n"


def judged_rows(runs: int = 4, rows: int = 30, start: float = 1.7e9, seed: int = 0) -> ScoredRows:
    """Runs of which every second one ends in a fault, a day apart."""
    rng = np.random.default_rng(seed)
    number, place = np.repeat(np.arange(runs), rows), np.tile(np.arange(rows), runs)
    y = ((number % 2 == 0) & (place >= rows * 2 // 3)).astype(int)
    probabilities = np.clip(0.1 + 0.5 * y + rng.normal(0, 0.15, len(y)), 0, 1)
    run = np.array([f"pump-07/run {k}" for k in number], dtype=object)
    return ScoredRows(
        y, probabilities, probabilities > 0.4, run, start + number * 86_400.0 + place * 60.0
    )


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def assert_pngs(paths: dict[str, Path]) -> None:
    for name, path in paths.items():
        assert path.name == f"{name}.png"
        content = path.read_bytes()
        assert content.startswith(PNG)
        assert len(content) > 5_000


@pytest.fixture(scope="module")
def saved_twice(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[ScoredRows, list[dict[str, Path]]]:
    """The judged rows after two savings, and the files of each."""
    judged, folder = judged_rows(), tmp_path_factory.mktemp("pictures")
    others, pr_auc = (
        {"champion": judged.probabilities[::-1]},
        {"candidate": 0.8, "champion": 0.3, "rival": None},
    )
    return judged, [
        save_pictures(folder / name / "new", judged, others, pr_auc, HISTORY) for name in ("a", "b")
    ]


def test_all_pictures_are_saved_as_png(
    saved_twice: tuple[ScoredRows, list[dict[str, Path]]],
) -> None:
    paths = saved_twice[1][0]
    assert set(paths) == {
        "precision_recall",
        "reliability",
        "score_over_time",
        "training_curves",
        "rivals",
    }
    assert_pngs(paths)


def test_same_rows_give_the_same_bytes(
    saved_twice: tuple[ScoredRows, list[dict[str, Path]]],
) -> None:
    first, second = saved_twice[1]
    assert first.keys() == second.keys()
    assert [path.read_bytes() for path in first.values()] == [
        second[name].read_bytes() for name in first
    ]


def test_input_is_not_changed(saved_twice: tuple[ScoredRows, list[dict[str, Path]]]) -> None:
    for name, values in vars(saved_twice[0]).items():
        np.testing.assert_array_equal(values, vars(judged_rows())[name])


def test_training_curves_are_left_out_without_history(tmp_path: Path) -> None:
    paths = save_pictures(
        tmp_path, judged_rows(), {}, {"candidate": 0.8}, {"loss": [], "val_loss": []}
    )
    assert "training_curves" not in paths
    assert not (tmp_path / "training_curves.png").exists()


def test_eight_rows_of_one_constant_run_without_alarms_or_times_are_drawn(tmp_path: Path) -> None:
    y, same = np.array([0, 0, 1, 0, 1, 0, 0, 0]), np.full(8, 0.3)
    judged = ScoredRows(y, same, same > 0.5, np.array(["a $x$ run"] * 8), np.full(8, np.nan))
    pr_auc = {"candidate": 0.25, "$ rival $": None}
    assert_pngs(save_pictures(tmp_path, judged, {"$ rival $": same}, pr_auc, {"loss": [0.3]}))


def test_rival_that_could_not_run_is_said_and_gets_no_bar() -> None:
    figure = plots.rivals_figure(
        {"candidate": 0.8, "champion": None, "source model as it is": 0.0}, prevalence=0.1
    )
    assert texts(figure).count("could not run") == 1
    assert "0.000" in texts(figure)
    assert [bar.get_extents().x1 > bar.get_extents().x0 for bar in figure.axes[0].patches] == [
        False,
        True,
    ]


def test_rivals_are_sorted_with_the_best_on_top_and_could_not_run_last() -> None:
    figure = plots.rivals_figure(
        {"middle": 0.5, "none": None, "best": 0.9, "candidate": 0.4}, prevalence=0.1
    )
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "none",
        "candidate",
        "middle",
        "best",
    ]


def test_operating_point_lies_at_recall_and_precision_of_the_alarms() -> None:
    judged = replace(
        judged_rows(runs=1, rows=6), alarms=np.array([True, False, False, False, True, False])
    )
    figure = plots.precision_recall_figure(judged, {}, {"candidate": 0.8}, ())
    (point,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert (point.get_xdata(), point.get_ydata()) == ([0.5], [0.5])
    assert "candidate's alarms: 50% of fault rows found, 50% of alarms true" in texts(figure)


def test_candidate_without_alarms_has_no_operating_point_and_the_legend_says_so() -> None:
    judged = judged_rows()
    figure = plots.precision_recall_figure(
        replace(judged, alarms=judged.y > 1), {}, {"candidate": 0.8}, ()
    )
    assert "candidate raises no alarm on these rows" in texts(figure)
    assert not [line for line in figure.axes[0].lines if line.get_marker() == "o"]


def test_twelve_named_contestants_have_lines_that_differ() -> None:
    judged = judged_rows()
    others = {f"rival {k}": judged.probabilities for k in range(11)}
    lines = plots.precision_recall_figure(judged, others, {}, others).axes[0].lines[:12]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 12


def test_contestants_that_are_not_named_are_pale_and_share_one_entry_of_the_legend() -> None:
    judged = judged_rows()
    others = {f"rival {k}": judged.probabilities for k in range(14)}
    figure = plots.precision_recall_figure(judged, others, {}, {"rival 3", "rival 7"})
    lines = figure.axes[0].lines[:15]
    assert [line.get_color() for line in lines].count(PALE) == 12
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [title for title in shown if "rival" in title] == ["rival 3", "rival 7", "other rivals"]


def test_names_of_fifteen_contestants_do_not_overlap() -> None:
    titles = [f"gradient boosting, source + target rows, scale number {k}" for k in range(15)]
    figure = plots.rivals_figure(dict.fromkeys(titles, 0.5), prevalence=0.1)
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
    assert all(low.y1 < high.y0 for low, high in pairwise(boxes))
    assert all(box.x0 >= 0 for box in boxes)


@pytest.mark.parametrize("rows", [1, 8, 19, 20, 50, 99, 100, 1234])
def test_bins_hold_every_row_once_and_ten_rows_each(rows: int) -> None:
    bins = equal_mass_bins(np.random.default_rng(rows).random(rows))
    assert sorted(np.concatenate(bins)) == list(range(rows))
    assert 1 <= len(bins) <= 10
    assert all(len(part) >= 10 for part in bins) or len(bins) == 1


def test_equal_probabilities_share_a_bin() -> None:
    probabilities = np.repeat([0.1, 0.2, 0.9], [40, 3, 57])
    bins = equal_mass_bins(probabilities)
    values = [set(probabilities[part]) for part in bins]
    assert sum(len(part) for part in values) == len(set.union(*values)) == 3


def test_reliability_shows_the_wilson_interval() -> None:
    # 8 of 32 at 0.3, between groups of normal rows and of faults.
    y = np.repeat([0, 1, 0, 1], [20, 8, 24, 20])
    axes = plots.reliability_figure(y, np.repeat([0.1, 0.3, 0.9], [20, 32, 20])).axes[0]
    (bars,) = [bars for bars in axes.collections if isinstance(bars, LineCollection)]
    # 8 of 32 by Wilson's formula with z = 1.96: (0.25 + z²/64 ± z √(0.25·0.75/32 + z²/4096)) / (1
    # + z²/32).
    np.testing.assert_allclose(bars.get_segments()[1], [[0.3, 0.1325], [0.3, 0.4211]], atol=1e-4)


@pytest.mark.parametrize(
    ("faults", "normals", "groups"), [(2, 6, 1), (9, 300, 5), (300, 9, 5), (40, 40, 2)]
)
def test_reliability_of_too_few_rows_says_so_in_place_of_points(
    faults: int, normals: int, groups: int
) -> None:
    y = np.repeat([0, 1], [normals, faults])
    stated = np.linspace(0.1, 0.9, groups)[np.arange(len(y)) % groups]
    figure = plots.reliability_figure(y, stated)
    assert f"Too few rows to say: {faults} fault rows and {normals} normal rows." in "".join(
        text.split("\n")[0] for text in texts(figure)
    )
    assert not figure.axes[0].collections
    assert [line.get_label() for line in figure.axes[0].lines] == ["stated = observed"]


def test_pictures_of_a_source_model_name_it_and_have_no_rivals(tmp_path: Path) -> None:
    judged = judged_rows()
    pr_auc = {drawing.SOURCE: 0.8}
    paths = save_pictures(tmp_path, judged, {}, pr_auc, HISTORY, who=drawing.SOURCE)
    assert set(paths) == {"precision_recall", "reliability", "score_over_time", "training_curves"}
    figures = (
        plots.precision_recall_figure(judged, {}, pr_auc, (), drawing.SOURCE),
        plots.reliability_figure(judged.y, judged.probabilities, drawing.SOURCE),
        plots.training_curves_figure(HISTORY, drawing.SOURCE),
        score_over_time.score_over_time_figure(judged, drawing.SOURCE),
    )
    for figure in figures:
        assert "source model" in figure.axes[0].get_title(loc="left").lower()
        assert not [text for text in texts(figure) if "candidate" in text]


def test_every_text_can_be_read_at_the_size_it_is_shown() -> None:
    judged = judged_rows()
    pr_auc = {"candidate": 0.8, "other": None}
    figures = (
        plots.precision_recall_figure(judged, {"other": judged.probabilities}, pr_auc, ()),
        plots.reliability_figure(judged.y, judged.probabilities),
        plots.training_curves_figure(HISTORY),
        plots.rivals_figure(pr_auc, prevalence=0.1),
        score_over_time.score_over_time_figure(judged),
    )
    for figure in figures:
        shown = [text for text in figure.findobj(Text) if text.get_text()]
        assert min(text.get_fontsize() for text in shown) >= drawing.SMALL


@pytest.mark.parametrize(
    "names",
    [
        [f"Hall {k} cooling water pump/2026-{k:02d}, a very long name" for k in range(30)],
        [f"a very long name of a plant, pump {k}" for k in range(30)],
        [f"{k} is the number of a very long recording" for k in range(30)],
    ],
)
def test_long_names_that_differ_have_labels_that_differ(names: list[str]) -> None:
    labels = score_over_time.distinct_names(names)
    assert len(set(labels)) == len(names)
    assert max(map(len, labels)) <= 18


def test_dated_runs_follow_each_other_in_time_and_rows_too() -> None:
    judged = judged_rows(runs=3, rows=5)
    mixed = np.random.default_rng(1).permutation(len(judged.y))
    shuffled = ScoredRows(*(values[mixed] for values in vars(judged).values()))
    runs, dated = score_over_time.runs_in_order(shuffled)
    assert dated
    np.testing.assert_array_equal(shuffled.time[np.concatenate(runs)], judged.time)
    assert "2023-11-14" in texts(score_over_time.score_over_time_figure(shuffled))


@pytest.mark.parametrize("time", [np.nan, 0.0, 1.7e9, 1.7e12])
def test_runs_without_a_common_time_line_are_ordered_by_name(time: float) -> None:
    judged = judged_rows(runs=12, rows=3)
    runs, dated = score_over_time.runs_in_order(
        replace(judged, time=np.full(36, time), run=judged.run[::-1])
    )
    assert not dated
    assert [judged.run[::-1][run[0]] for run in runs] == [f"pump-07/run {k}" for k in range(12)]


def test_runs_that_start_on_the_same_day_are_labelled_with_the_hour() -> None:
    judged = judged_rows(runs=2, rows=12)
    figure = score_over_time.score_over_time_figure(
        replace(judged, time=1.7e9 + np.arange(24) * 60.0)
    )
    assert "2023-11-14 22:13" in texts(figure)


def test_long_recordings_show_some_whole_runs_with_and_without_faults_and_say_so() -> None:
    judged = judged_rows(runs=30, rows=200)
    shown = score_over_time.readable_runs(score_over_time.runs_in_order(judged)[0], judged.y)
    assert [len(run) for run in shown] == [200] * 15
    assert sum(judged.y[run].any() for run in shown) == 8
    title = score_over_time.score_over_time_figure(judged).axes[0].get_title(loc="left")
    assert "15 of 30 runs" in title


def test_a_single_rare_fault_run_is_shown() -> None:
    runs = list(np.arange(20_000).reshape(100, 200))
    y = np.zeros(20_000, dtype=int)
    y[runs[77]] = 1
    shown = score_over_time.readable_runs(runs, y)
    assert sum(y[run].any() for run in shown) == 1
    assert sum(len(run) for run in shown) <= 3000


def test_many_runs_get_at_most_twelve_labels() -> None:
    figure = score_over_time.score_over_time_figure(judged_rows(runs=100, rows=6))
    assert 6 <= len(figure.axes[0].get_xticklabels()) <= 12


def test_every_stretch_of_faults_is_shaded_over_its_rows() -> None:
    judged = judged_rows(runs=1, rows=6)
    figure = score_over_time.score_over_time_figure(replace(judged, y=np.array([1, 0, 0, 1, 1, 0])))
    shaded = [
        path.get_extents().intervalx.tolist() for path in figure.axes[0].collections[0].get_paths()
    ]
    assert shaded == [[-0.5, 0.5], [2.5, 4.5]]


@pytest.mark.parametrize(
    ("losses", "scale"), [([1.0, 0.05], "log"), ([1.0, 0.5], "linear"), ([1.0, 0.0], "linear")]
)
def test_loss_is_logarithmic_where_it_spans_more_than_tenfold(
    losses: list[float], scale: str
) -> None:
    assert plots.training_curves_figure({"loss": losses}).axes[0].get_yscale() == scale


def test_training_that_diverged_is_still_drawn(tmp_path: Path) -> None:
    history = {"loss": [0.7, float("nan"), float("inf")]}
    path = tmp_path / "training_curves.png"
    plots.training_curves_figure(history).savefig(path)
    assert_pngs({"training_curves": path})


@pytest.mark.parametrize("name", ["y", "probabilities", "alarms", "run", "time"])
def test_judged_array_of_another_length_is_refused(tmp_path: Path, name: str) -> None:
    judged = judged_rows()
    wrong = replace(judged, **{name: vars(judged)[name][:-1]})
    with pytest.raises(DataError, match=r"Received: array='scored .*', shape="):
        save_pictures(tmp_path / "none", wrong, {}, {"candidate": 0.8}, {})
    assert not (tmp_path / "none").exists()


def test_column_of_probabilities_is_refused(tmp_path: Path) -> None:
    judged = judged_rows()
    with pytest.raises(DataError, match=r"array='champion', shape=\(?.*120"):
        save_pictures(
            tmp_path, judged, {"champion": judged.probabilities[:, None]}, {"candidate": 0.8}, {}
        )


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1])
def test_value_that_is_no_probability_is_refused(tmp_path: Path, value: float) -> None:
    judged = judged_rows()
    wrong = np.where(np.arange(len(judged.y)) == 3, value, 0.5)
    with pytest.raises(DataError, match="contestant='champion'"):
        save_pictures(tmp_path, judged, {"champion": wrong}, {"candidate": 0.8}, {})


def test_rows_of_one_class_are_refused(tmp_path: Path) -> None:
    judged = judged_rows()
    with pytest.raises(DataError, match=r"labels=\[0\]"):
        save_pictures(
            tmp_path, replace(judged, y=np.zeros(120, dtype=int)), {}, {"candidate": 0.8}, {}
        )


def test_matplotlib_is_not_loaded_before_the_first_picture() -> None:
    for source in (plots, drawing, score_over_time):
        tree = ast.parse(Path(source.__file__).read_text(encoding="utf-8"))
        loaded = [node.module for node in tree.body if isinstance(node, ast.ImportFrom)]
        assert "__future__" in loaded
        assert not [
            module
            for module in loaded
            if module and module.split(".")[0] in {"matplotlib", "tensorflow", "mlflow"}
        ]
