"""Statistics of evaluations: arrays in, result records out.

Pure functions on numpy arrays, usable without the rest of Evalwright. Randomness is always a
`numpy.random.Generator` of the caller. Importing costs numpy and scipy.special; the rest of scipy is imported by the
few functions that need it. `docs/statistics.md` says which method to take when.
"""

from evalwright.stats.bootstrap import (
    Replicates,
    bootstrap,
    bootstrap_corpus,
    bootstrap_mean,
    bootstrap_weighted,
    corpus_replicates,
)
from evalwright.stats.clusters import ClusterErrors, cluster_errors, cluster_mean, korn_graubard, logit_t
from evalwright.stats.estimate import estimate_mean
from evalwright.stats.means import mean_skewed, mean_t, skewness
from evalwright.stats.proportions import (
    agresti_coull,
    clopper_pearson,
    jeffreys,
    mid_p,
    rule_of_three,
    wald,
    wilson,
)
from evalwright.stats.quantiles import quantile_interval
from evalwright.stats.records import NOTES, Interval, TestResult
from evalwright.stats.repeats import (
    CaseMeans,
    VarianceComponents,
    case_means,
    components_from_trials,
    variance_components,
)
from evalwright.stats.strata import (
    MixComparison,
    StratumSummary,
    bootstrap_stratified_mean,
    compare_mixes,
    kish_effective_n,
    mix_effective_n,
    post_stratify,
    summarise_strata,
)

__all__ = [
    "NOTES",
    "CaseMeans",
    "ClusterErrors",
    "Interval",
    "MixComparison",
    "Replicates",
    "StratumSummary",
    "TestResult",
    "VarianceComponents",
    "agresti_coull",
    "bootstrap",
    "bootstrap_corpus",
    "bootstrap_mean",
    "bootstrap_stratified_mean",
    "bootstrap_weighted",
    "case_means",
    "clopper_pearson",
    "cluster_errors",
    "cluster_mean",
    "compare_mixes",
    "components_from_trials",
    "corpus_replicates",
    "estimate_mean",
    "jeffreys",
    "kish_effective_n",
    "korn_graubard",
    "logit_t",
    "mean_skewed",
    "mean_t",
    "mid_p",
    "mix_effective_n",
    "post_stratify",
    "quantile_interval",
    "rule_of_three",
    "skewness",
    "summarise_strata",
    "variance_components",
    "wald",
    "wilson",
]
