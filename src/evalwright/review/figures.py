"""Records of agreement: what pages, the terminal and other programs read."""

from __future__ import annotations

import msgspec

from evalwright.core.estimate import Estimate


class PairFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Two raters on the units both rated.

    Attributes:
        a: One rater.
        b: The other.
        n: Units both rated.
        percent: Share of them rated alike.
        kappa: Cohen's kappa.
        kappa_linear: Weighted by distance, on an ordered scale of more than two levels.
        kappa_quadratic: Weighted by squared distance, likewise.
        ac1: Gwet's AC1.
        z: Of the hypothesis that kappa is 0.
    """

    a: str
    b: str
    n: int
    percent: Estimate
    kappa: Estimate
    kappa_linear: Estimate | None = None
    kappa_quadratic: Estimate | None = None
    ac1: float | None = None
    z: float | None = None


class RaterFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One rater against the others.

    Attributes:
        rater: Who.
        n: Ratings.
        shared: Units that others rated too.
        agreement: Mean share of the others' ratings that are the same.
        bias: Mean of their values minus the others' on the same units; None on a nominal scale of more than two levels.
        median_seconds: Median time for an item.
        calibration_accuracy: Share of items with a known label that they got right.
        share_a: In pairs: how often they chose the answer on side A, ties aside; about one half without a preference.
    """

    rater: str
    n: int
    shared: int = 0
    agreement: Estimate | None = None
    bias: Estimate | None = None
    median_seconds: float | None = None
    calibration_accuracy: Estimate | None = None
    share_a: Estimate | None = None


class LevelFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One level of the scale.

    Attributes:
        level: Its name.
        count: Ratings that gave it.
        share: Of all ratings.
        specific_agreement: When one rater gives it, how often another one does too.
        disagreements: Share of all disagreements that it is part of.
    """

    level: str
    count: int
    share: float
    specific_agreement: float | None = None
    disagreements: float = 0.0


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """Two levels that raters confuse: how many pairs of ratings, and their share of all disagreements."""

    level_a: str
    level_b: str
    count: float
    share: float


class Confusions(msgspec.Struct, frozen=True, kw_only=True):
    """How often two ratings of one unit are these two levels; symmetric, each unit counts its ratings."""

    levels: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement in a stretch of time, of units last rated in it."""

    from_at: float
    to_at: float
    n: int
    percent: Estimate
    alpha: Estimate


class RubricAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """How far raters agree on one dimension.

    Attributes:
        name: Name of the rubric.
        scale: Its scale.
        levels: Its levels, worst first.
        units: Units with a rating.
        pairable: Units with at least two.
        raters_n: Raters; 0 when only counts are known.
        ratings: Ratings.
        missing: Share of empty cells of units by raters.
        percent: Mean share of agreeing pairs of ratings per unit.
        kappa: Cohen's kappa of two raters; the mean over pairs of more (Light's kappa).
        weighted: The same, weighted by squared distance, on an ordered scale of more than two levels.
        fleiss: Fleiss' kappa.
        alpha: Krippendorff's alpha at the rubric's scale.
        alphas: Alpha at every scale the levels allow.
        gwet_ac: AC1, or AC2 with quadratic weights on an ordered scale.
        gwet_ac1: AC1.
        brennan_prediger: Chance agreement as if all levels were used alike (Randolph's free-marginal kappa).
        intraclass: Of complete tables of grades: ICC(1,1), ICC(2,1) and ICC(3,1).
        reading: What alpha allows by Krippendorff's cut-offs: `rely`, `tentative` or `unreliable`.
        warnings: What a reader must know.
        levels_used: Each level.
        confusion: Levels against levels.
        levels_in_dispute: Pairs of levels that are confused, worst first.
        pairs: Pairs of raters.
        raters: Raters.
        over_time: Stretches of time, when times are known.
    """

    name: str
    scale: str
    levels: tuple[str, ...]
    units: int
    pairable: int
    raters_n: int
    ratings: int
    missing: float | None
    percent: Estimate
    fleiss: Estimate
    alpha: Estimate
    gwet_ac: Estimate
    gwet_ac1: Estimate
    brennan_prediger: Estimate
    kappa: Estimate | None = None
    weighted: Estimate | None = None
    alphas: dict[str, Estimate] = {}
    intraclass: dict[str, Estimate] = {}
    reading: str | None = None
    warnings: tuple[str, ...] = ()
    levels_used: tuple[LevelFigures, ...] = ()
    confusion: Confusions | None = None
    levels_in_dispute: tuple[Dispute, ...] = ()
    pairs: tuple[PairFigures, ...] = ()
    raters: tuple[RaterFigures, ...] = ()
    over_time: tuple[Period, ...] = ()
