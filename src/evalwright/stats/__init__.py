"""Statistics of evaluations: arrays in, result records out.

Pure functions on numpy arrays, usable without the rest of Evalwright. Randomness is always a
`numpy.random.Generator` of the caller. Importing costs numpy and scipy.special; the rest of scipy is imported by the
few functions that need it. `docs/statistics.md` says which method to take when.
"""

from evalwright.stats.agreement import PairAgreement, cohen_kappa, compare_raters, rating_table
from evalwright.stats.attribution import Attribution, attribute, shapley_runs, shapley_sampled, subsets
from evalwright.stats.bayes import (
    PairedPosterior,
    beta_posterior,
    paired_posterior,
    probability_above,
    probability_better,
)
from evalwright.stats.betting import betting_cs, empirical_bernstein_cs
from evalwright.stats.bootstrap import (
    CorpusStatistic,
    Replicates,
    bootstrap,
    bootstrap_corpus,
    bootstrap_mean,
    bootstrap_weighted,
    corpus_replicates,
)
from evalwright.stats.calibration import (
    ReliabilityBin,
    auc_standard_error,
    brier_terms,
    calibration_error,
    chance_calibration_error,
    log_loss_terms,
    multiclass_log_loss_terms,
    reliability,
    sensible_bins,
)
from evalwright.stats.changepoints import ChangePoint, Cusum, change_point, change_points, cusum
from evalwright.stats.classification import (
    ClassSums,
    ConfusionMatrix,
    MetricChoice,
    average_precision,
    class_metric,
    confusion_matrix,
    estimate_classification,
    roc_auc,
)
from evalwright.stats.clusters import ClusterErrors, cluster_errors, cluster_mean, korn_graubard, logit_t
from evalwright.stats.confidence_sequences import (
    asymptotic_cs,
    asymptotic_cs_half_width,
    bernoulli_cs,
    mcnemar_e_value,
    normal_mixture_bound,
    running_intersection,
)
from evalwright.stats.correlation import kendall, lin_ccc, pairwise_accuracy, pearson, spearman
from evalwright.stats.dawid_skene import DawidSkene, dawid_skene
from evalwright.stats.drift import (
    CategoryDrift,
    NumberDrift,
    bin_counts,
    category_drift,
    jensen_shannon,
    median_gamma,
    mmd2,
    mmd_test,
    number_drift,
    psi,
    psi_chance,
    quantile_bins,
)
from evalwright.stats.estimate import estimate_mean
from evalwright.stats.factorial import (
    FactorialEffects,
    aliases,
    factorial_effects,
    fractional_design,
    full_design,
    half_fraction,
)
from evalwright.stats.finite import (
    finite_information,
    finite_look_levels,
    finite_standard_error,
    hypergeometric_interval,
    subset_estimate,
)
from evalwright.stats.group_sequential import SequentialPlan, SequentialPower, peeking_error, sequential_plan
from evalwright.stats.icc import Generalizability, IntraclassCorrelations, generalizability, intraclass
from evalwright.stats.irt import ItemResponseModel, fit_2pl, item_information
from evalwright.stats.items import (
    ItemStatistics,
    changed_p_values,
    flaky_probability,
    flip_rate,
    item_statistics,
    mixed_probability,
    tarone,
)
from evalwright.stats.judges import (
    JudgeConfusion,
    SwapConsistency,
    rogan_gladen,
    rogan_gladen_estimated,
    swap_consistency,
)
from evalwright.stats.means import mean_skewed, mean_t, skewness
from evalwright.stats.multiplicity import adjust_p, false_alarm_probability
from evalwright.stats.overlap import jaccard, lsh_probability, shingles
from evalwright.stats.paired_binary import (
    PairedCounts,
    agresti_min,
    bonett_price,
    mcnemar,
    mcnemar_asymptotic,
    mcnemar_exact,
    newcombe_paired,
    noninferiority_score,
    tango,
    wald_paired,
)
from evalwright.stats.paired_scores import PairedComparison, compare_paired, paired_differences, paired_t, wilcoxon
from evalwright.stats.passk import at_k_values, attack_success_at_k, estimate_at_k, pass_all_k, pass_at_k
from evalwright.stats.power import (
    PairedVariance,
    design_effect,
    effective_cases,
    optimal_trials,
    paired_detectable,
    paired_sample_size,
    paired_t_cases,
    paired_t_power,
    two_proportions_cases,
    unpaired_detectable,
    wilson_cases,
    zero_failure_cases,
)
from evalwright.stats.power_mcnemar import mcnemar_cases, mcnemar_detectable, mcnemar_power, noninferiority_cases
from evalwright.stats.ppi import (
    JudgedStratum,
    LabelPlan,
    judge_worth,
    label_plan,
    post_stratified_judge,
    ppi_mean,
    ppi_stratified,
    ppi_weight,
)
from evalwright.stats.preference import Battles, BradleyTerry, bradley_terry, fit_battles, win_rate, win_test
from evalwright.stats.proportions import agresti_coull, clopper_pearson, jeffreys, mid_p, rule_of_three, wald, wilson
from evalwright.stats.quantiles import quantile_interval
from evalwright.stats.raters import (
    RatingCounts,
    brennan_prediger,
    fleiss_kappa,
    fleiss_z,
    gwet_ac,
    krippendorff_alpha,
    percent_agreement,
    rater_severity,
    rating_counts,
    rely_on,
)
from evalwright.stats.records import NOTES, Interval, TestResult
from evalwright.stats.regression import RegressionErrors, regression_errors
from evalwright.stats.repeats import (
    CaseMeans,
    VarianceComponents,
    case_means,
    components_from_trials,
    variance_components,
)
from evalwright.stats.signflip import sign_flip
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
from evalwright.stats.unpaired import (
    GroupGap,
    combine_difference,
    difference_test,
    group_gaps,
    newcombe_unpaired,
    pooled_score_test,
    welch_difference,
    welch_test,
)
from evalwright.stats.verdicts import (
    BoundVerdict,
    Equivalence,
    MarginVerdict,
    bound_verdict,
    cases_to_decide,
    margin_verdict,
    superior,
    tost,
)

__all__ = [
    "Attribution", "Battles", "BoundVerdict", "BradleyTerry", "CaseMeans", "CategoryDrift", "ChangePoint",
    "ClassSums", "ClusterErrors", "ConfusionMatrix", "CorpusStatistic", "Cusum", "DawidSkene", "Equivalence",
    "FactorialEffects", "Generalizability", "GroupGap", "Interval", "IntraclassCorrelations", "ItemResponseModel",
    "ItemStatistics", "JudgeConfusion", "JudgedStratum", "LabelPlan", "MarginVerdict", "MetricChoice",
    "MixComparison", "NOTES", "NumberDrift", "PairAgreement", "PairedComparison", "PairedCounts", "PairedPosterior",
    "PairedVariance", "RatingCounts", "RegressionErrors", "ReliabilityBin", "Replicates", "SequentialPlan",
    "SequentialPower", "StratumSummary", "SwapConsistency", "TestResult", "VarianceComponents", "adjust_p",
    "agresti_coull", "agresti_min", "aliases", "asymptotic_cs", "asymptotic_cs_half_width", "at_k_values",
    "attack_success_at_k", "attribute", "auc_standard_error", "average_precision", "bernoulli_cs", "beta_posterior",
    "betting_cs", "bin_counts", "bonett_price", "bootstrap", "bootstrap_corpus", "bootstrap_mean",
    "bootstrap_stratified_mean", "bootstrap_weighted", "bound_verdict", "bradley_terry", "brennan_prediger",
    "brier_terms", "calibration_error", "case_means", "cases_to_decide", "category_drift",
    "chance_calibration_error", "change_point", "change_points", "changed_p_values", "class_metric",
    "clopper_pearson", "cluster_errors", "cluster_mean", "cohen_kappa", "combine_difference", "compare_mixes",
    "compare_paired", "compare_raters", "components_from_trials", "confusion_matrix", "corpus_replicates", "cusum",
    "dawid_skene", "design_effect", "difference_test", "effective_cases", "empirical_bernstein_cs", "estimate_at_k",
    "estimate_classification", "estimate_mean", "factorial_effects", "false_alarm_probability",
    "finite_information", "finite_look_levels", "finite_standard_error", "fit_2pl", "fit_battles",
    "flaky_probability", "fleiss_kappa", "fleiss_z", "flip_rate", "fractional_design", "full_design",
    "generalizability", "group_gaps", "gwet_ac", "half_fraction", "hypergeometric_interval", "intraclass",
    "item_information", "item_statistics", "jaccard", "jeffreys", "jensen_shannon", "judge_worth", "kendall",
    "kish_effective_n", "korn_graubard", "krippendorff_alpha", "label_plan", "lin_ccc", "log_loss_terms", "logit_t",
    "lsh_probability", "margin_verdict", "mcnemar", "mcnemar_asymptotic", "mcnemar_cases", "mcnemar_detectable",
    "mcnemar_e_value", "mcnemar_exact", "mcnemar_power", "mean_skewed", "mean_t", "median_gamma", "mid_p",
    "mix_effective_n", "mixed_probability", "mmd2", "mmd_test", "multiclass_log_loss_terms", "newcombe_paired",
    "newcombe_unpaired", "noninferiority_cases", "noninferiority_score", "normal_mixture_bound", "number_drift",
    "optimal_trials", "paired_detectable", "paired_differences", "paired_posterior", "paired_sample_size",
    "paired_t", "paired_t_cases", "paired_t_power", "pairwise_accuracy", "pass_all_k", "pass_at_k", "pearson",
    "peeking_error", "percent_agreement", "pooled_score_test", "post_stratified_judge", "post_stratify", "ppi_mean",
    "ppi_stratified", "ppi_weight", "probability_above", "probability_better", "psi", "psi_chance", "quantile_bins",
    "quantile_interval", "rater_severity", "rating_counts", "rating_table", "regression_errors", "reliability",
    "rely_on", "roc_auc", "rogan_gladen", "rogan_gladen_estimated", "rule_of_three", "running_intersection",
    "sensible_bins", "sequential_plan", "shapley_runs", "shapley_sampled", "shingles", "sign_flip", "skewness",
    "spearman", "subset_estimate", "subsets", "summarise_strata", "superior", "swap_consistency", "tango", "tarone",
    "tost", "two_proportions_cases", "unpaired_detectable", "variance_components", "wald", "wald_paired",
    "welch_difference", "welch_test", "wilcoxon", "wilson", "wilson_cases", "win_rate", "win_test",
    "zero_failure_cases",
]  # fmt: skip
