"""What the words of a report mean: one list, for the report itself and for docs/glossary.md."""

from __future__ import annotations

from collections.abc import Iterable

GLOSSARY: dict[str, str] = {
    "alarm": "What the model says where the fault probability of a row is above the threshold. An "
    "alarm that stays on over several rows is one alarm.",
    "candidate": "The model that this transfer made and the gate judged.",
    "champion": "The version that scores the machine's rows now.",
    "contract": "The file that says what a machine's files look like: sensors, units, limits, "
    "labels.",
    "cross-fitting": "Rows are divided into folds, and each is judged by a model made the same way "
    "from the others, so that no row is judged by a model that has seen it.",
    "detection delay": "The time from a fault's first row to the first alarm during it, of the "
    "fault in the middle; faults that were missed count as never.",
    "event recall": "The share of faults during which there was an alarm, however many rows a "
    "fault lasts.",
    "false-alarm rate": "The share of normal rows that alarm.",
    "fault": "What the label says of a row; a stretch of such rows is one fault.",
    "fault probability": "What the model says of a row: 0.2 means that about two of ten such rows "
    "are faults.",
    "filled in": "A reading that is not there, put in from the row's other sensors; where the "
    "machine does not have the sensor at all, with a random part, for training alone.",
    "finding": "What the check of the files found: its code leads to its section in "
    "docs/data-contracts.md.",
    "gate": "The rules that decide whether the candidate may score the machine.",
    "hold-out": "Some runs are kept from the making of the model and judge it afterwards.",
    "indistinguishable": "Of two sensors of one kind: nothing in the files shows which is which, "
    "so a person has to say.",
    "interval": "Two bounds between which a metric would lie for most other recordings of this "
    "machine; printed as [low, high] or “between”.",
    "log loss": "How wrong the fault probabilities are; 0 is perfect.",
    "mapping": "Which column of a machine's files is which sensor of the contract, in which unit "
    "and scale.",
    "negative transfer": "The candidate is worse than the best rival that knows nothing of the "
    "source: the source did harm.",
    "PR-AUC": "How well faults are ranked above normal rows, from 0 to 1: the share of true "
    "alarms, averaged over all thresholds. A ranking at random gets the share of faults.",
    "precision": "The share of alarming rows that are faults.",
    "provisional": "Registered and usable, but not shown to be good: there were too few labelled "
    "rows. A person may promote it.",
    "recall": "The share of fault rows that alarm.",
    "rival": "An honest alternative, judged on the same rows: the source as it is, or a model made "
    "without it.",
    "ROC-AUC": "The chance that a fault is ranked above a normal row; 0.5 is a ranking at random.",
    "run": "One continuous recording of one machine. Its rows resemble each other, so runs are "
    "counted as evidence, not rows.",
    "slice": "Rows that have something in common, such as a mode of operation or a kind of fault.",
    "source": "The machines with much labelled history that the model was first trained on.",
    "target": "The machine that the model is moved to.",
    "threshold": "The fault probability above which a row alarms.",
    "waiting": "Passed the gate and registered; a person has to approve it before it scores.",
}


def as_markdown() -> str:
    """The page docs/glossary.md."""
    lines = [f"- **{term}**: {meaning}" for term, meaning in terms()]
    return "\n".join(["# Glossary", "", "The words of reports, pages and screens.", "", *lines, ""])


def terms() -> Iterable[tuple[str, str]]:
    """Each term with its meaning, in the order of the alphabet."""
    return sorted(GLOSSARY.items(), key=lambda term: term[0].lower())
