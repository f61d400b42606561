"""Vectors of one run: proportions, means, clusters, repeats, bootstrap, success within k, posteriors."""

from __future__ import annotations

import numpy as np

from evalwright.stats import (
    PairedCounts,
    StratumSummary,
    agresti_coull,
    beta_posterior,
    bootstrap,
    bootstrap_mean,
    bootstrap_stratified_mean,
    clopper_pearson,
    cluster_errors,
    cluster_mean,
    design_effect,
    effective_cases,
    generalizability,
    hypergeometric_interval,
    jeffreys,
    korn_graubard,
    logit_t,
    mean_t,
    mid_p,
    paired_posterior,
    pass_all_k,
    pass_at_k,
    post_stratify,
    probability_above,
    probability_better,
    rule_of_three,
    variance_components,
    wald,
    wilson,
)
from evalwright.stats.bootstrap import acceleration

from . import by_id, close, ends, vector

METHODS = {
    "wilson": wilson,
    "clopper_pearson": clopper_pearson,
    "midp": mid_p,
    "jeffreys_bcd": jeffreys,
    "agresti_coull": agresti_coull,
}


@vector("c01_proportions/prop_*")
def proportions(e):
    x, n, level = e["inputs"]["x"], e["inputs"]["n"], e["inputs"]["level"]
    for name, method in METHODS.items():
        close(ends(method(x, n, level=level)), e["expected"][name], e["tol"])
    close(ends(wald(x, n, level=level)), np.clip(e["expected"]["wald"], 0, 1), e["tol"])
    close(ends(beta_posterior(x, n, level=level)), e["expected"]["uniform_beta"], e["tol"])
    raw = e["expected"]["jeffreys_raw"]
    close(ends(beta_posterior(x, n, prior="jeffreys", level=level)), raw, e["tol"])


@vector("c01_proportions/lower95_*")
def lower_bounds(e):
    x, n, expected = e["inputs"]["x"], e["inputs"]["n"], e["expected"]
    close(clopper_pearson(x, n, side="lower").low, expected["cp"], e["tol"])
    close(wilson(x, n, side="lower").low, expected["wilson"], e["tol"])
    close(jeffreys(x, n, side="lower").low, expected["jeffreys"], e["tol"])
    close(rule_of_three(n) if x == n else None, expected["rule_of_three"], e["tol"])


@vector("c01_proportions/coverage_exact")
def exact_coverage(e):
    from scipy.stats import binom

    names = {"wald": wald, "wilson": wilson, "cp": clopper_pearson, "jeffreys": jeffreys, "midp": mid_p}
    p = np.arange(5, 996) / 1000
    for n in e["inputs"]["ns"]:
        pmf = binom.pmf(np.arange(n + 1)[:, None], n, p[None, :])
        for name, method in {**names, "agresti_coull": agresti_coull}.items():
            low, high = np.array([ends(method(x, n)) for x in range(n + 1)]).T
            covered = (low[:, None] <= p) & (p <= high[:, None])
            coverage = (pmf * covered).sum(axis=0)
            near = coverage[(p >= 0.9) & (p <= 0.99)]
            made = [coverage.mean(), coverage.min(), near.mean(), near.min()]
            close(made, e["expected"][f"{name}_n{n}"], e["tol"])


@vector("c01_proportions/hypergeom*")
def finite_suite(e):
    i = e["inputs"]
    ci = hypergeometric_interval(i["x"], i["n"], i["N"], side="lower")
    close(ci.low, e["expected"]["rate"], e["tol"])
    close(ci.se, e["expected"]["se_fpc"], e["tol"])
    close(clopper_pearson(i["x"], i["n"], side="lower").low, e["expected"]["binomial_cp"], e["tol"])


@vector("c02_means_clusters_repeats/clustered_mean")
def clustered(e):
    y, g, x, tol = e["inputs"]["y"], e["inputs"]["cluster"], e["expected"], e["tol"]
    errors = cluster_errors(y, g)
    names = {"mean": "mean", "n": "n", "G": "clusters", "naive": "naive", "cr0": "cr0", "cr1": "cr1", "cr2": "cr2",
             "cr2_df": "cr2_df", "icc_anova": "icc", "deff": "design_effect"}  # fmt: skip
    for key, attribute in names.items():
        close(getattr(errors, attribute), x[key], tol)
    close(ends(cluster_mean(y, g)), x["ci_cr2"], tol)
    close(ends(cluster_mean(y, g, kind="cr1")), x["ci_cr1_tG1"], tol)
    close(ends(korn_graubard(y, g)), x["korn_graubard"], tol)
    close(ends(logit_t(y, g)), x["logit_t"], tol)


@vector("c02_means_clusters_repeats/clustered_paired_diff")
def clustered_difference(e):
    d = np.array(e["inputs"]["b"]) - np.array(e["inputs"]["a"])
    errors = cluster_errors(d, e["inputs"]["cluster"])
    for key in ("mean", "naive", "cr0", "cr1"):
        close(getattr(errors, key), e["expected"][key], e["tol"])


@vector("c02_means_clusters_repeats/miller_uniform_difficulty")
def miller_variance(e):
    grid = (np.arange(200_000) + 0.5) / 200_000
    between, within = grid.var(), (grid * (1 - grid)).mean()
    close([between + within / k for k in e["inputs"]["K"]], e["expected"], 1e-9)
    close(design_effect(1, 0.3), 1.0, 0)


@vector("c02_means_clusters_repeats/t_mean_ci")
def student(e):
    ci = mean_t(e["inputs"]["x"], level=e["inputs"]["level"])
    close([ci.value, ci.se], [e["expected"]["mean"], e["expected"]["se"]], e["tol"])
    close(ends(ci), e["expected"]["ci"], e["tol"])


@vector("c02_means_clusters_repeats/dyestuff", "c02_means_clusters_repeats/repeats_binary")
def components(e):
    data = e["inputs"].get("data") or e["inputs"]["scores"]
    v, x = variance_components(data), e["expected"]
    for key in ("mean", "msb", "msw", "within", "between", "icc"):
        close(getattr(v, key), x[key], e["tol"])
    close(v.se, x["se_mean"], e["tol"])
    for trials, se in x.get("se_plan", {}).items():
        close(v.planned_se(trials=int(trials)), se, e["tol"])


@vector("c02b_gtheory/gtheory", "R_reference/gtheory_shrout_fleiss")
def generalizability_study(e):
    g, x = generalizability(e["inputs"]["data"]), e["expected"]
    if "var" in x:
        close([g.item, g.judge, g.residual], x["var"], 2e-5)
        close(g.mean_se(), x["se_mean"], 2e-5)
        return
    close([g.item, g.judge, g.residual], [x["var_item"], x["var_judge"], x["var_resid"]], e["tol"])
    close(g.mean_se(judges_fixed=True), x["se_mean_items_only"], e["tol"])
    close(g.mean_se(), x["se_mean_items_and_judges"], e["tol"])
    close(g.consistency(4), x["g_coefficient_k4"], e["tol"])
    close(g.dependability(4), x["phi_k4"], e["tol"])


@vector("c02b_gtheory/gtheory_dstudy")
def decision_study(e):
    g = generalizability(by_id("c02b_gtheory/gtheory")["inputs"]["data"])
    close([g.mean_se(items=n, judges=k) for n, k in e["inputs"]["grid"]], e["expected"], e["tol"])


@vector("c03_passk_bootstrap/passk_bias*")
def pass_at_k_is_unbiased(e):
    from scipy.stats import binom

    n, k, p = (e["inputs"][key] for key in "nkp")
    weights = binom.pmf(np.arange(n + 1), n, p)
    close(sum(w * pass_at_k(n, c, k) for c, w in enumerate(weights)), e["expected"]["mean_unbiased"], e["tol"])


@vector("c03_passk_bootstrap/passk_*")
def within_k(e):
    n, c, k = (e["inputs"][key] for key in "nck")
    close(pass_at_k(n, c, k), e["expected"]["pass_at_k"], e["tol"])
    if "pass_hat_k" in e["expected"]:
        close(pass_all_k(n, c, k), e["expected"]["pass_hat_k"], e["tol"])


@vector("c03_passk_bootstrap/ideal_bootstrap_n8")
def ideal_bootstrap(e):
    x, rng = np.array(e["inputs"]["x"]), np.random.default_rng(1)
    leave_one_out = (x.sum() - x) / (len(x) - 1)
    close(acceleration(leave_one_out), e["expected"]["accel"], e["tol"])
    for kind, key in (("percentile", "perc95"), ("bca", "bca95")):
        ci = bootstrap_mean(x, rng=rng, resamples=100_000, kind=kind)
        close(ends(ci), e["expected"][key], 0.006)
        close(ci.se, e["expected"]["se"], 0.001)


def correlations(a, b):
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    return (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))


@vector("c03_passk_bootstrap/law_school", "R_reference/law_boot_R200000")
def law_school(e):
    """The reference itself has 200,000 resamples; BCa's lower end still moves by .003 between such runs."""
    x, y, leave_one_out = law_data()
    n, expected = len(x), by_id("c03_passk_bootstrap/law_school")["expected"]
    close(np.sqrt((n - 1) / n * ((leave_one_out - leave_one_out.mean()) ** 2).sum()), expected["jack_se"], 1e-9)
    close(acceleration(leave_one_out), expected["accel_centred_EfronTibshirani"], 1e-9)
    rng = np.random.default_rng(4)
    bca = bootstrap((x, y), correlations, rng=rng, resamples=1_000_000, kind="bca")
    close(bca.value, expected["r"], 1e-12)
    close(bca.se, expected["boot_se_R200000"], 0.002)
    close(ends(bca), expected["bca_R200000"], 0.01)
    percentile = bootstrap((x, y), correlations, rng=rng, resamples=200_000)
    close(ends(percentile), expected["perc_R200000"], 0.01)


def law_data():
    data = by_id("c03_passk_bootstrap/law_school")
    x, y = (np.array(data["inputs"][key]) for key in ("LSAT", "GPA"))
    keep = ~np.eye(len(x), dtype=bool)
    return x, y, correlations(*(np.array([v[k] for k in keep]) for v in (x, y)))


@vector("R_reference/law_cor", "R_reference/law_jack_se")
def r_law_school(e):
    x, y, leave_one_out = law_data()
    n = len(x)
    jackknife = np.sqrt((n - 1) / n * ((leave_one_out - leave_one_out.mean()) ** 2).sum())
    made = {"law_cor": correlations(x[None, :], y[None, :])[0], "law_jack_se": jackknife}
    close(made[e["id"]], e["expected"], 1e-9)


@vector("c03_passk_bootstrap/ideal_cluster_bootstrap")
def cluster_bootstrap(e):
    rng = np.random.default_rng(2)
    ci = bootstrap_mean(e["inputs"]["y"], clusters=e["inputs"]["cluster"], rng=rng, resamples=200_000)
    close(ci.se, e["expected"]["se"], 0.001)
    close(ends(ci), e["expected"]["perc95"], 0.015)


@vector("c03_passk_bootstrap/stratified")
def stratified(e):
    strata, weights, x = e["inputs"]["strata"], e["inputs"]["weights"], e["expected"]
    ci = post_stratify({h: StratumSummary.of(v) for h, v in strata.items()}, weights)
    close([ci.value, ci.se], [x["est"], x["se_ddof1"]], e["tol"])
    values = [v for part in strata.values() for v in part]
    labels = [h for h, part in strata.items() for _ in part]
    rng = np.random.default_rng(3)
    boot = bootstrap_stratified_mean(values, labels, rng=rng, weights=weights, resamples=100_000)
    close(boot.se, x["se_bootstrap_ideal"], 0.001)


@vector("c04_bayes/beta_post_*")
def posterior(e):
    x, n, expected = e["inputs"]["x"], e["inputs"]["n"], e["expected"]
    ci = beta_posterior(x, n)
    close(ci.value, expected["mean"], e["tol"])
    close(ends(ci), expected["eti95"], e["tol"])
    close(ends(beta_posterior(x, n, prior="jeffreys")), expected["jeff_eti95"], e["tol"])
    close(probability_above(x, n, 0.8), expected["p_gt_0_8"], e["tol"])


@vector("c04_bayes/p_better_*")
def better(e):
    i = e["inputs"]
    close(probability_better((i["xA"], i["nA"]), (i["xB"], i["nB"])), e["expected"], e["tol"])


@vector("c04_bayes/paired_dirichlet_*")
def paired_dirichlet(e):
    i, x = e["inputs"], e["expected"]
    r = paired_posterior(PairedCounts(both=i["S"], gained=i["T"], lost=i["U"], neither=i["V"]))
    close(r.better, x["p_A_gt_B"], e["tol"])
    close([r.difference.value, r.difference.se], [x["diff_mean"], x["diff_sd"]], e["tol"])
    close(ends(r.difference), x["diff_eti95"], e["tol"])


@vector("c07_power/design_effect")
def effective(e):
    i = e["inputs"]
    close(effective_cases(i["n"], cluster_size=i["m"], icc=i["icc"]), e["expected"], e["tol"])


@vector("R_reference/prop_*")
def r_proportions(e):
    method = clopper_pearson if e["id"].startswith("prop_cp") else wilson
    i = e["inputs"]
    close(ends(method(i["x"], i["n"], level=i["level"])), e["expected"], 1e-9)


@vector("R_reference/cluster_CR?", "R_reference/cluster_CR2_df", "R_reference/survey_clustered_se")
def r_cluster(e):
    errors = cluster_errors(e["inputs"]["y"], e["inputs"]["g"])
    attribute = {"survey_clustered_se": "cr1"}.get(e["id"], e["id"].removeprefix("cluster_").lower())
    close(getattr(errors, attribute), e["expected"], 1e-9)


@vector(
    "R_reference/cluster_CR2_ci",
    "R_reference/svyciprop_beta",
    "R_reference/svyciprop_xlogit",
    "R_reference/svyciprop_mean",
)
def r_cluster_intervals(e):
    y, g = e["inputs"]["y"], e["inputs"]["g"]
    made = {
        "cluster_CR2_ci": cluster_mean(y, g),
        "svyciprop_beta": korn_graubard(y, g),
        "svyciprop_xlogit": logit_t(y, g),
        "svyciprop_mean": cluster_mean(y, g, kind="cr1"),
    }
    close(ends(made[e["id"]]), e["expected"], 1e-8)


@vector("R_reference/dyestuff_*")
def r_dyestuff(e):
    v = variance_components(by_id("c02_means_clusters_repeats/dyestuff")["inputs"]["data"])
    close(v.se if e["id"].endswith("se_mean") else [v.between, v.within], e["expected"], 1e-7)
