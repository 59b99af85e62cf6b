"""What MLflow's pages say of the experiment, models and journals: what it is, what to type.

MLflow breaks a line where its text does.
"""

from __future__ import annotations

from faultxfer.registry import names

EXPERIMENT = """\
Runs of **faultxfer**: one for each `pretrain` and each `transfer`, also of those that promoted \
nothing. The name of a run ends with what came of it.

**What to read:** the page of a run is its card, and so is that of the version that it registered. \
Select two runs and *Compare* to see the parameters that differ, and the metrics with their bounds \
(`pr_auc.low`, `pr_auc.high`).

**What to type into the search bar:**

- `tags.outcome = 'promoted'`, or `'waiting'`, `'refused'`, `'failed'` and so on
- `tags.equipment = 'pump-9'`
- `tags.family = 'pumps' and tags.strategy = 'stack'`
- `tags.outcome LIKE 'promoted%' and metrics."pr_auc.low" > 0.5`

**What to type into a terminal:** `faultxfer registry list` shows which version scores and which \
one waits; `faultxfer transfer --help` begins the next one.
"""


def of_model(name: str, tags: dict[str, str]) -> str:
    """What a registered model is, and what to type next.

    Args:
        name: of the registered model.
        tags: of it.
    """
    label = tags.get(names.LABEL)
    faults = f"faults (label column `{label}`)" if label else "faults"
    family = f" of the family {tags[names.FAMILY]}" if tags.get(names.FAMILY) else ""
    asked = names.as_arguments(name)
    if tags.get(names.KIND) == names.SOURCE_KIND:
        return _OF_SOURCE.format(faults=faults, family=family, asked=asked)
    machine = tags.get(names.EQUIPMENT) or names.equipment_of(name) or "one machine"
    return _OF_MACHINE.format(machine=machine, faults=faults, family=family, asked=asked, name=name)


_OF_SOURCE = """\
Source model for {faults} of machines{family}: trained on machines with history. The version with \
the alias `champion` is where every transfer starts.

- Transfer it: \
`faultxfer transfer CSV... --contract FILE --model {asked} --equipment MACHINE`
- Who was champion, from when and why: `faultxfer registry journal {asked}`
"""

_OF_MACHINE = """\
Detector of {faults} on **{machine}**{family}. The version with the alias `champion` scores; \
`challenger` waits for a person's approval; `provisional` scores while there is no champion. \
Each version's page is its card.

- Score new rows: `faultxfer score CSV... --model {asked}`; \
in Python or by REST: `models:/{name}@champion`
- Who was champion, from when and why: `faultxfer registry journal {asked}`
- What waits, and the command to approve it: `faultxfer registry list`

The model of the same name with `~journal` is its journal: do not edit or delete it.
"""


def of_journal(model: str) -> str:
    """What a journal is, which MLflow lists among the models."""
    return _OF_JOURNAL.format(model=model, asked=names.as_arguments(model))


_OF_JOURNAL = """\
No model: the journal of {model}, one version for each entry. It decides which version is \
champion; do not edit or delete it. Read it with `faultxfer registry journal {asked}`.

The search bar of the models leaves journals out with ``tags.`faultxfer.kind` != 'journal'``.
"""
