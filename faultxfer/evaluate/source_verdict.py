"""Did the source help? One verdict, for the report of a transfer and for the learning curve."""

from __future__ import annotations

from dataclasses import dataclass

# A smaller difference in PR-AUC is none that anybody would notice at the machine.
LITTLE = 0.01


@dataclass(frozen=True)
class Yardstick:
    """Somebody whom the detector is compared with, on the same rows.

    Attributes:
        title: in words.
        pr_auc: of the yardstick.
        bounds: of the detector's PR-AUC minus this one; None where they are not known.
    """

    title: str
    pr_auc: float
    bounds: tuple[float, float] | None = None


def source_verdict(pr_auc: float | None, without: Yardstick | None, as_is: Yardstick | None) -> str:
    """One plain sentence.

    A detector that the unchanged source beats, by however little, was not helped by the transfer,
    whatever it gains over those that do not know the source.

    >>> scratch, source = Yardstick("boosting", 0.5), Yardstick("source", 0.9)
    >>> source_verdict(0.7, scratch, source).split(":")[0]
    'The source is better as it is'
    >>> source_verdict(0.895, scratch, source).split(":")[0]
    'The source is as good as it is'
    >>> source_verdict(0.7, scratch, None).split(":")[0]
    'The source helped'

    Args:
        pr_auc: of the detector that was made of the source; None where it could not be measured.
        without: the best of those that know the target's rows alone.
        as_is: the source as it is.
    """
    if pr_auc is None:
        return "Whether the source helped is unknown: the ranking could not be measured."
    if as_is is not None and is_better_as_it_is(pr_auc, without, as_is):
        return (
            f"The source is better as it is: PR-AUC {as_is.pr_auc:.3f}, and {pr_auc:.3f} after "
            "the transfer, which took something away."
        )
    if without is None:
        return "Whether the source helped is unknown: no rival without source rows could run."
    gain, bounds = pr_auc - without.pr_auc, _in_brackets(without.bounds)
    theirs = f"{without.title} has PR-AUC {without.pr_auc:.3f}"
    if without.bounds is not None and without.bounds[0] <= 0 <= without.bounds[1]:
        return f"Whether the source helped is not shown: {theirs} without it ({gain:+.3f}{bounds})."
    if gain < -LITTLE:
        lead = _in_brackets(_other_way_round(without.bounds))
        return f"Negative transfer: {theirs}, better by {-gain:.3f}{lead}, without the source."
    if gain <= LITTLE:
        return f"The source made no difference: {theirs} without it ({gain:+.3f}{bounds})."
    if as_is is not None and as_is.pr_auc > pr_auc:
        return (
            f"The source is as good as it is: PR-AUC {as_is.pr_auc:.3f}, and {pr_auc:.3f} after "
            f"the transfer, which added nothing; {theirs} without it."
        )
    return (
        f"The source helped: {gain:+.3f}{bounds} PR-AUC over the best rival without it "
        f"({without.title}, {without.pr_auc:.3f})."
    )


def is_better_as_it_is(
    pr_auc: float | None, without: Yardstick | None, as_is: Yardstick | None
) -> bool:
    """Whether the source as it is leads, by more than a little; see :func:`source_verdict`."""
    if pr_auc is None or as_is is None or as_is.pr_auc <= pr_auc + LITTLE:
        return False
    return without is None or as_is.pr_auc > without.pr_auc


def _other_way_round(bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    """Of the loss, by those of the gain."""
    return None if bounds is None else (-bounds[1], -bounds[0])


def _in_brackets(bounds: tuple[float, float] | None) -> str:
    """Of a difference; empty where they are not known."""
    if bounds is None:
        return ""
    return f" [{bounds[0]:+.3f}, {bounds[1]:+.3f}]"
