"""Vectors of agreement, judges, calibration, drift, correlation, items and attribution."""

from __future__ import annotations

import ast

import numpy as np

from evalwright.stats import (
    JudgeConfusion,
    JudgedStratum,
    PairedCounts,
    RatingCounts,
    attribute,
    brennan_prediger,
    brier_terms,
    calibration_error,
    category_drift,
    change_point,
    change_points,
    cohen_kappa,
    compare_raters,
    cusum,
    dawid_skene,
    factorial_effects,
    fit_2pl,
    flaky_probability,
    fleiss_kappa,
    fleiss_z,
    flip_rate,
    gwet_ac,
    half_fraction,
    intraclass,
    item_information,
    item_statistics,
    jaccard,
    jensen_shannon,
    judge_worth,
    kendall,
    krippendorff_alpha,
    label_plan,
    lin_ccc,
    lsh_probability,
    mcnemar,
    mcnemar_exact,
    mixed_probability,
    mmd2,
    number_drift,
    pairwise_accuracy,
    pearson,
    percent_agreement,
    ppi_mean,
    ppi_stratified,
    ppi_weight,
    psi,
    psi_chance,
    rater_severity,
    rating_counts,
    rating_table,
    roc_auc,
    rogan_gladen,
    rogan_gladen_estimated,
    shapley_runs,
    shingles,
    spearman,
    subsets,
    swap_consistency,
    tarone,
    wilson,
)
from evalwright.stats.attribution import shapley_weight

from . import by_id, close, ends, vector


def coders(name="krippendorff_4coders"):
    i = by_id(f"c09_irr/{name}")["inputs"]
    return rating_counts(np.transpose(i["data"]).tolist(), missing=i.get("missing"))


@vector("c09_irr/krippendorff_*")
def alpha(e):
    ratings = coders(e["id"])
    close({s: krippendorff_alpha(ratings, scale=s).value for s in e["expected"]}, e["expected"], e["tol"])


@vector("R_reference/kripp_*")
def r_alpha(e):
    scale = e["id"].removeprefix("kripp_")
    close(krippendorff_alpha(coders(), scale=scale).value, e["expected"], 1e-9)


@vector("c09_irr/kripp_edge_*")
def alpha_edges(e):
    ratings = rating_counts(np.transpose(e["inputs"]["data"]).tolist())
    close(krippendorff_alpha(ratings).value, e["expected"]["ours"], e["tol"])


@vector("c09_irr/alpha_bootstrap")
def alpha_interval(e):
    ci = krippendorff_alpha(coders(), rng=np.random.default_rng(3), resamples=20_000)
    close(ends(ci), e["expected"]["unit_bootstrap"], e["tol"])


@vector("c09_irr/cohen_4x4")
def cohen(e):
    table, x = e["inputs"]["table"], e["expected"]
    plain = cohen_kappa(table)
    close([plain.value, plain.se, *ends(plain)], [x["kappa"], x["se"], *x["ci"]], e["tol"])
    for weighting in ("linear", "quadratic"):
        close(cohen_kappa(table, weighting=weighting).value, x[weighting], e["tol"])
    close(compare_raters(table).percent.value, x["percent_agreement"], e["tol"])


@vector("R_reference/cohen_4x4")
def r_cohen(e):
    """psych's interval of the weighted kappa differs from Fleiss, Cohen & Everitt's (statsmodels has ours)."""
    plain = cohen_kappa(e["inputs"]["table"])
    low, value, high = e["expected"]["conf"][0]
    close([plain.low, plain.value, plain.high], [low, value, high], 1e-9)
    close(cohen_kappa(e["inputs"]["table"], weighting="quadratic").value, e["expected"]["weighted"], 1e-9)


def anxiety():
    i = by_id("R_reference/kappa_anxiety")["inputs"]
    return [i["r1"], i["r2"], i["r3"]]


@vector("c09_irr/anxiety")
def anxiety_raters(e):
    r1, r2, _ = anxiety()
    table, x = rating_table(r1, r2), e["expected"]
    made = [
        cohen_kappa(table).value,
        cohen_kappa(table, weighting="quadratic").value,
        cohen_kappa(table, weighting="linear").value,
    ]
    close(made, [x["unweighted"], x["squared"], x["linear"]], e["tol"])
    icc = intraclass(np.transpose(anxiety()))
    close([icc.single_agreement.value, icc.single_consistency.value], [x["icc_A1"], x["icc_C1"]], e["tol"])


@vector("R_reference/kappa_anxiety")
def r_anxiety(e):
    table = rating_table(e["inputs"]["r1"], e["inputs"]["r2"])
    made = [cohen_kappa(table, weighting=w).value for w in ("none", "quadratic", "linear")]
    close(made, e["expected"], 1e-9)


@vector("R_reference/icc_anxiety_*")
def r_icc(e):
    icc = intraclass(np.transpose(anxiety()))
    made = icc.single_agreement if e["id"].endswith("A1") else icc.single_consistency
    close(made.value, e["expected"], 1e-9)


@vector("c09_irr/fleiss_10x14")
def fleiss(e):
    counts = np.array(e["inputs"]["counts"], dtype=float)
    q = counts.shape[1]
    ratings = RatingCounts(counts=counts, values=np.arange(float(q)), labels=tuple(range(q)))
    close(fleiss_kappa(ratings).value, e["expected"]["kappa"], e["tol"])
    close(brennan_prediger(ratings).value, e["expected"]["randolph_free_marginal"], e["tol"])


@vector("c09_irr/fleiss_diagnoses", "R_reference/fleiss_diagnoses")
def diagnoses(e):
    data = by_id("R_reference/fleiss_diagnoses")["inputs"]["data"]
    ratings = rating_counts(list(zip(*data.values(), strict=True)))
    x = e["expected"] if isinstance(e["expected"], list) else [e["expected"]["kappa"], e["expected"]["z"]]
    close([fleiss_kappa(ratings).value, fleiss_z(ratings)[0]], x, 1e-9)


@vector("c09_irr/gwet_raw4raters")
def gwet(e):
    ratings, x = coders(), e["expected"]
    close(gwet_ac(ratings).value, x["ac1"], 1e-9)
    close(gwet_ac(ratings, weighting="linear").value, x["ac2_linear"], 1e-9)
    close(gwet_ac(ratings, weighting="quadratic").value, x["ac2_quadratic"], 1e-9)
    close(fleiss_kappa(ratings).value, x["fleiss_irrCAC"], e["tol"])
    close(brennan_prediger(ratings).value, x["brennan_prediger"], e["tol"])
    close(percent_agreement(ratings).value, x["percent"], 1e-9)


@vector("R_reference/irrCAC_*")
def r_coefficients(e):
    """irrCAC rounds its coefficients to 5 digits."""
    ratings = coders()
    made = {
        "irrCAC_fleiss.kappa.raw": fleiss_kappa(ratings),
        "irrCAC_krippen.alpha.raw": krippendorff_alpha(ratings),
        "irrCAC_gwet.ac1.raw": gwet_ac(ratings),
        "irrCAC_pa.coeff.raw": percent_agreement(ratings),
        "irrCAC_bp.coeff.raw": brennan_prediger(ratings),
        "irrCAC_ac2_linear": gwet_ac(ratings, weighting="linear"),
        "irrCAC_ac2_quadratic": gwet_ac(ratings, weighting="quadratic"),
    }
    close(made[e["id"]].value, e["expected"]["coeff"], 6e-6)


@vector("c09_irr/kappa_paradox")
def paradox(e):
    r, x = compare_raters(e["inputs"]["table"]), e["expected"]
    made = [r.percent.value, r.kappa.value, r.ac1, r.pabak, r.prevalence, r.bias]
    names = ("percent", "kappa", "ac1", "pabak", "prevalence_index", "bias_index")
    close(made, [x[n] for n in names], e["tol"])


def six(icc):
    return [icc.single_random, icc.single_agreement, icc.single_consistency,
            icc.mean_random, icc.mean_agreement, icc.mean_consistency]  # fmt: skip


@vector("c09_irr/icc_shrout_fleiss")
def shrout_fleiss(e):
    made = [ci.value for ci in six(intraclass(e["inputs"]["data"]))]
    close(made, [e["expected"][k] for k in ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k")], e["tol"])


@vector("R_reference/icc_shrout_fleiss")
def r_shrout_fleiss(e):
    made, x = six(intraclass(by_id("c09_irr/icc_shrout_fleiss")["inputs"]["data"])), e["expected"]
    close([ci.value for ci in made], x["icc"], 1e-9)
    close([ci.low for ci in made], x["lb"], 1e-7)
    close([ci.high for ci in made], x["ub"], 1e-7)


@vector("c09_irr/rater_severity")
def severity(e):
    close(rater_severity(e["inputs"]["data"]), e["expected"], 1e-12)


@vector("c09_irr/dawid_skene_1979")
def truth_from_raters(e):
    rows = []
    for line in e["inputs"]["data"].split("|"):
        patient, first, *others = line.split()
        rows += [(int(patient) - 1, 0, int(label) - 1) for label in first]
        rows += [(int(patient) - 1, rater + 1, int(label) - 1) for rater, label in enumerate(others)]
    item, rater, label = zip(*rows, strict=True)
    fit, x = dawid_skene(item, rater, label, smoothing=0.0, tolerance=1e-13, max_iterations=1000), e["expected"]
    close(fit.marginals, x["marginals"], e["tol"])
    close(fit.errors, x["errors"], e["tol"])
    close(fit.log_likelihood, x["loglik"], e["tol"])
    assert (fit.labels + 1).tolist() == x["map"]


@vector("c10_judge_ppi/confusion_*")
def confusion(e):
    j, x, tol = JudgeConfusion(**e["inputs"]), e["expected"], e["tol"]
    se, sp = j.sensitivity(), j.specificity()
    close([j.n, se.value, sp.value, j.positive_predictive, j.negative_predictive],
          [x[k] for k in ("n", "sensitivity", "specificity", "ppv", "npv")], tol)  # fmt: skip
    close([j.accuracy().value, j.kappa, j.mcc, j.youden, j.bias],
          [x[k] for k in ("accuracy", "kappa", "mcc", "youden", "bias")], tol)  # fmt: skip
    close([ends(se), ends(sp)], [x["se_ci"], x["sp_ci"]], tol)


@vector("c10_judge_ppi/rogan_gladen_known", "R_reference/epi_prev_wilson")
def known_errors(e):
    i, x = e["inputs"], e["expected"]
    n = i.get("n", i.get("tested"))
    ci = rogan_gladen(i["pos"], n, sensitivity=i["se"], specificity=i["sp"])
    apparent = wilson(i["pos"], n)
    if "ap" in x:
        close([apparent.value, *ends(apparent)], x["ap"], 1e-9)
        close([ci.value, *ends(ci)], x["tp"], 1e-9)
        return
    close([apparent.value, ci.value, *ends(ci)], [x["apparent"], x["true"], *x["ci"]], e["tol"])


@vector("R_reference/epi_prev_c-p")
def known_errors_exact(e):
    from evalwright.stats import clopper_pearson

    i = e["inputs"]
    apparent = clopper_pearson(i["pos"], i["tested"])
    close([apparent.value, *ends(apparent)], e["expected"]["ap"], 1e-9)


@vector("c10_judge_ppi/rogan_gladen_estimated")
def estimated_errors(e):
    i, x = e["inputs"], e["expected"]
    j = JudgeConfusion(tp=i["tp"], fn=i["npos"] - i["tp"], fp=i["nneg"] - i["tn"], tn=i["tn"])
    delta = rogan_gladen_estimated(i["k"], i["n"], j, method="delta")
    close([delta.value, delta.se, *ends(delta)], [x["est"], x["se_delta"], *x["ci_delta"]], e["tol"])
    close(ends(rogan_gladen_estimated(i["k"], i["n"], j)), x["ci_lang_reiczigel"], e["tol"])


@vector("c10_judge_ppi/ppi_mean")
def prediction_powered(e):
    i, x = e["inputs"], e["expected"]
    u = np.arange(i["n_unlabeled"]) < i["unlabeled_ones"]
    for key, weight in (("ppi", 1.0), ("ppi_pp", None), ("classical", 0.0)):
        ci = ppi_mean(i["Y"], i["Yhat"], u, weight=weight, quantile="z", level=1 - i["alpha"])
        close([ci.value, ci.se, *ends(ci)], [x[key]["est"], x[key]["se"], *x[key]["ci"]], e["tol"])
    close(ppi_weight(i["Y"], i["Yhat"], u), x["ppi_pp"]["lam"], e["tol"])


@vector("c10_judge_ppi/ppi_mean_cont")
def prediction_powered_grades(e):
    i, x = e["inputs"], e["expected"]
    u = np.linspace(0.2, 1, 41)
    ci = ppi_mean(i["Y"], i["Yhat"], u, quantile="z", level=1 - i["alpha"])
    close([ci.value, ci.se, *ends(ci)], [x["est"], x["se"], *x["ci"]], e["tol"])
    close(ppi_weight(i["Y"], i["Yhat"], u), x["lam"], e["tol"])


@vector("c10_judge_ppi/ppi_stratified")
def prediction_powered_strata(e):
    def top(ones, n):
        return (np.arange(n) < ones).astype(float)

    strata = {
        h: JudgedStratum(
            labels=top(s["Y_ones"], s["n"]), judged=top(s["Yh_ones"], s["n"]), unlabelled=top(s["Yu_ones"], s["N"])
        )
        for h, s in e["inputs"]["strata"].items()
    }
    ci = ppi_stratified(strata, e["inputs"]["w"], weight=1.0)
    close([ci.value, ci.se], [e["expected"]["est"], e["expected"]["se"]], e["tol"])


POSITION = {"A>B": "first", "B>A": "second", "A=B": "tie"}


@vector("c10_judge_ppi/position_*")
def position(e):
    table = e["inputs"]["table"]
    r = swap_consistency({tuple(POSITION[v] for v in key.split("|")): n for key, n in table.items()})
    x = e["expected"]
    made = [r.consistent.n, r.consistent.value, r.both_first, r.both_second, r.first_share.value, r.p_value, r.conflict]
    names = ("n", "consistency", "both_first", "both_second", "first_share", "p_sign", "conflict_rate")
    close(made, [x[n] for n in names], e["tol"])


@vector("c10_judge_ppi/judge_drift_mcnemar")
def judge_drift(e):
    c = PairedCounts(both=189, gained=e["inputs"]["b"], lost=e["inputs"]["c"], neither=0)
    close([mcnemar_exact(c).p_value, mcnemar(c).p_value], [e["expected"]["exact"], e["expected"]["midp"]], e["tol"])


@vector("c10_judge_ppi/ppi_allocation")
def allocation(e):
    i, x = e["inputs"], e["expected"]
    plan = label_plan(
        correlation=i["rho"],
        label_cost=i["cost_human"],
        judge_cost=i["cost_judge"],
        budget=i["budget"],
        variance=i["sigma2"],
    )
    close(
        [plan.labels, plan.judged, plan.se, plan.se_labels_only],
        [x["n"], x["n_judged"], x["se"], x["se_human_only"]],
        e["tol"],
    )
    gains = x["gain_factor_infinite_judging"]
    close({rho: judge_worth(float(rho)) for rho in gains}, gains, e["tol"])


@vector("c11_drift_corr/psi")
def stability(e):
    made = [psi(i["expected"], i["actual"], floor=i.get("eps", 1e-4)) for i in e["inputs"]]
    close(made, e["expected"], e["tol"])


@vector("c11_drift_corr/psi_critical")
def stability_by_chance(e):
    close([psi_chance(i["n"], i["m"], i["B"]) for i in e["inputs"]], e["expected"], e["tol"])


@vector("c11_drift_corr/chi2_categories")
def categories(e):
    r, x = category_drift(e["inputs"]["ref"], e["inputs"]["cur"]), e["expected"]
    close([r.chi2, r.p_value, r.df, r.cramers_v], [x["chi2"], x["p"], x["dof"], x["cramers_v"]], e["tol"])


@vector("c11_drift_corr/nile_changepoint")
def nile(e):
    x, r = e["expected"], change_point(e["inputs"]["x"])
    made = [r.index, r.before, r.after, r.pettitt, r.p_value]
    close(made, [x[k] for k in ("index", "mean_before", "mean_after", "pettitt_K", "pettitt_p")], e["tol"])
    values = np.array(e["inputs"]["x"])
    found = change_points(values, penalty=2 * np.log(len(values)) * values.var(ddof=1))
    assert [*found, len(values)] == x["pelt"]


@vector("c11_drift_corr/correlations_law")
def correlations(e):
    x, y, expected, tol = e["inputs"]["x"], e["inputs"]["y"], e["expected"], e["tol"]
    for ci, value, interval in (
        (pearson(x, y), "pearson", "pearson_ci"),
        (spearman(x, y), "spearman", "spearman_ci_bonett_wright"),
        (spearman(x, y, variance="fieller"), "spearman", "spearman_ci_fieller"),
        (kendall(x, y), "kendall", "kendall_ci_fieller"),
    ):
        close([ci.value, *ends(ci)], [expected[value], *expected[interval]], tol)


@vector("R_reference/law_fisher_ci", "R_reference/law_spearman", "R_reference/law_kendall")
def r_correlations(e):
    i = by_id("c11_drift_corr/correlations_law")["inputs"]
    made = {"law_fisher_ci": ends(pearson(i["x"], i["y"])), "law_spearman": spearman(i["x"], i["y"]).value,
            "law_kendall": kendall(i["x"], i["y"]).value}  # fmt: skip
    close(made[e["id"]], e["expected"], 1e-9)


@vector("c11_drift_corr/js")
def divergence(e):
    p, q, x = e["inputs"]["p"], e["inputs"]["q"], e["expected"]
    made = [jensen_shannon(p, q), jensen_shannon(p, q) ** 0.5, jensen_shannon(p, q, base=2) ** 0.5]
    close(made, [x["divergence_nats"], x["distance_nats"], x["distance_base2"]], e["tol"])


@vector("c11_drift_corr/ks2")
def samples(e):
    r, x = number_drift(e["inputs"]["x"], e["inputs"]["y"]), e["expected"]
    made = [r.ks, r.ks_p, r.wasserstein, r.mann_whitney_p, r.energy]
    close(made, [x[k] for k in ("D", "p", "wasserstein", "mannwhitney_p", "energy")], e["tol"])


@vector("c11_drift_corr/mmd")
def discrepancy(e):
    i, x = e["inputs"], e["expected"]
    close(mmd2(i["X"], i["Y"], gamma=i["gamma"]), x["unbiased"], e["tol"])
    close(mmd2(i["X"], i["Y"], gamma=i["gamma"], biased=True), x["biased"], e["tol"])


@vector("c11_drift_corr/cusum")
def chart(e):
    i = e["inputs"]
    r = cusum(i["x"], target=i["mu0"], sigma=i["sigma"], slack=i["k"], limit=i["h"])
    close(r.path, e["expected"]["path"], e["tol"])
    assert r.alarm == e["expected"]["first_alarm_index"]


@vector("c11_drift_corr/ccc")
def concordance(e):
    a, b, x = e["inputs"]["offline"], e["inputs"]["online"], e["expected"]
    close([lin_ccc(a, b).value, pairwise_accuracy(a, b), pearson(a, b).value],
          [x["ccc"], x["pairwise_accuracy"], x["pearson"]], e["tol"])  # fmt: skip


@vector("c11_drift_corr/calibration")
def calibration(e):
    p, y, x = e["inputs"]["p"], e["inputs"]["y"], e["expected"]
    made = [brier_terms(p, y).mean(), calibration_error(p, y, bins=5, binning="width"), roc_auc(p, y).value]
    close(made, [x["brier"], x["ece5"], x["auc"]], e["tol"])


@vector("c12_items/fisher_information")
def information(e):
    i = e["inputs"]
    close(item_information(i["a"], i["b"], i["theta"]), e["expected"], e["tol"])


@vector("c12_items/flaky")
def flaky(e):
    passes, trials = [i["passes"] for i in e["inputs"]], [i["k"] for i in e["inputs"]]
    close(flip_rate(passes, trials), [x["flip_rate"] for x in e["expected"]], e["tol"])
    close(flaky_probability(passes, trials), [x["p_flaky"] for x in e["expected"]], e["tol"])


@vector("c12_items/flaky_detection_power")
def mixed(e):
    made = [[mixed_probability(p, k) for k in e["inputs"]["K"]] for p in e["inputs"]["p"]]
    close(made, e["expected"], e["tol"])


@vector("c12_items/jaccard")
def likeness(e):
    a, b = e["inputs"]["a"], e["inputs"]["b"]
    close([jaccard(shingles(a, n), shingles(b, n)) for n in (1, 2, 3, 5)], e["expected"]["word"], e["tol"])
    chars = jaccard(shingles(a, 5, unit="char"), shingles(b, 5, unit="char"))
    close(chars, e["expected"]["char5"], e["tol"])


@vector("c12_items/lsh_s_curve")
def candidates(e):
    i = e["inputs"]
    close([lsh_probability(s, bands=i["b"], rows=i["r"]) for s in i["s"]], e["expected"], e["tol"])


def lsat():
    patterns = by_id("c12_items/lsat_ctt")["inputs"]["patterns"]
    return np.array([[int(x) for x in p] for p in patterns], dtype=float), np.array(list(patterns.values()))


@vector("c12_items/lsat_ctt", "R_reference/lsat_alpha")
def classical_items(e):
    rows, weights = lsat()
    s, x = item_statistics(np.repeat(rows, weights, axis=0)), e["expected"]
    close(s.difficulty, x.get("p", x.get("mean")), 1e-9)
    close(s.item_rest, x["item_rest"], 1e-9)
    close(s.alpha, x.get("alpha", x.get("raw_alpha")), 1e-9)


@vector("c12_items/lsat_2pl", "R_reference/lsat_2pl", "R_reference/lsat_rasch")
def response_models(e):
    rows, weights = lsat()
    x = e["expected"]
    two = fit_2pl(rows, weights=weights, max_iterations=5000, tolerance=1e-11)
    one = fit_2pl(rows, weights=weights, rasch=True, max_iterations=5000, tolerance=1e-11)
    if "coef" in x:
        fit = one if e["id"].endswith("rasch") else two
        close(np.column_stack([fit.difficulty, fit.discrimination]), x["coef"], 0.003)
        close(fit.log_likelihood, x["logLik"], 1e-7)
        return
    close(two.difficulty, x["difficulty"], e["tol"])
    close(two.discrimination, x["discrimination"], e["tol"])
    close([two.log_likelihood, one.log_likelihood], [x["loglik"], x["rasch_loglik"]], e["tol"])
    close(one.discrimination, [x["rasch_discrimination"]] * 5, e["tol"])


@vector("c12_items/tarone")
def overdispersion(e):
    x = e["inputs"]["x"]
    r = tarone(x, [e["inputs"]["K"]] * len(x))
    close([r.statistic, r.p_value], [e["expected"]["Z"], e["expected"]["p"]], e["tol"])


@vector("c13_attribution/factorial_2x2x2")
def factorial(e):
    runs = {ast.literal_eval(k): v for k, v in e["inputs"]["runs"].items()}
    r = factorial_effects(list(runs), list(runs.values()), "TCK", order=3)
    close({"mean": r.mean, **{k: ci.value for k, ci in r.effects.items()}}, e["expected"], e["tol"])


def game(players, worth):
    return attribute(players, {s: worth(s) for s in subsets(players)})


@vector("c13_attribution/shapley_glove")
def gloves(e):
    r = game("LMR", lambda s: float("R" in s and len(s) > 1))
    close([r.shapley[c] for c in "LMR"], e["expected"], e["tol"])


@vector("c13_attribution/shapley_airport")
def airport(e):
    cost = dict(zip("abc", e["inputs"]["cost"], strict=True))
    r = game("abc", lambda s: max((cost[c] for c in s), default=0.0))
    close([r.shapley[c] for c in "abc"], e["expected"], e["tol"])


@vector("c13_attribution/shapley_eval")
def evaluation(e):
    r, x = attribute("PRM", {frozenset(k): v for k, v in e["inputs"]["table"].items()}), e["expected"]
    for key, made in (("shapley", r.shapley), ("swap_in", r.swap_in), ("swap_out", r.swap_out)):
        close(made, x[key], e["tol"])
    close(r.unexplained_by_swap_in, x["unexplained_swap_in"], e["tol"])
    close({"".join(pair): v for pair, v in r.interaction.items()}, x["interaction_index"], e["tol"])


@vector("c13_attribution/shapley_weights_3")
def weights(e):
    rows = []
    for player in "PRM":
        size = [len(c) - (player in c) for c in e["inputs"]["configs"]]
        rows.append(
            [
                shapley_weight(s, 3) * (1 if player in c else -1)
                for s, c in zip(size, e["inputs"]["configs"], strict=True)
            ]
        )
    close(rows, e["expected"], e["tol"])


@vector("c13_attribution/design_cost")
def runs_needed(e):
    close([list(shapley_runs(k).values()) for k in e["inputs"]["k"]], e["expected"], 0)


@vector("c13_attribution/half_fraction_2_5_1")
def fraction(e):
    close(half_fraction(5), e["expected"], 0)
