"""Vectors of two runs: pairs, permutation, preferences, margins, multiplicity, power, early stopping."""

from __future__ import annotations

import math

import numpy as np

from evalwright.stats import (
    Battles,
    PairedCounts,
    PairedVariance,
    StratumSummary,
    adjust_p,
    agresti_min,
    asymptotic_cs_half_width,
    betting_cs,
    bonett_price,
    bradley_terry,
    compare_mixes,
    compare_paired,
    empirical_bernstein_cs,
    false_alarm_probability,
    fit_battles,
    mcnemar,
    mcnemar_asymptotic,
    mcnemar_cases,
    mcnemar_detectable,
    mcnemar_e_value,
    mcnemar_exact,
    mcnemar_power,
    mean_t,
    mix_effective_n,
    newcombe_paired,
    noninferiority_cases,
    noninferiority_score,
    normal_mixture_bound,
    optimal_trials,
    paired_detectable,
    paired_sample_size,
    paired_t,
    paired_t_cases,
    paired_t_power,
    peeking_error,
    post_stratify,
    sequential_plan,
    sign_flip,
    tango,
    tost,
    two_proportions_cases,
    wald_paired,
    welch_difference,
    wilcoxon,
    wilson,
    wilson_cases,
    win_rate,
    win_test,
    zero_failure_cases,
)
from evalwright.stats.betting import betting_log_capital, plug_in_bets

from . import by_id, close, ends, vector


def cells(i):
    return PairedCounts(both=i["a"], gained=i["b"], lost=i["c"], neither=i["d"])


@vector("c05_paired/paired2x2_*")
def paired_table(e):
    c, x, tol = cells(e["inputs"]), e["expected"], e["tol"]
    for key, method in (("tango", tango), ("newcombe10_1998", newcombe_paired), ("bonett_price", bonett_price),
                        ("agresti_min", agresti_min), ("wald", wald_paired)):  # fmt: skip
        close(ends(method(c)), x[key], tol)
    close([c.difference, tango(c).se], [x["diff"], x["se_ddof0"]], tol)
    d = [1] * c.gained + [-1] * c.lost + [0] * (c.both + c.neither)
    close(mean_t(d).se, x["se_ddof1"], tol)
    tests = {"asym": mcnemar_asymptotic(c), "cc": mcnemar_asymptotic(c, corrected=True), "exact": mcnemar_exact(c),
             "midp": mcnemar(c)}  # fmt: skip
    close({k: t.p_value for k, t in tests.items()}, x["p"], tol)


@vector("c05_paired/wilcoxon_zero_methods")
def zero_methods(e):
    d, x = e["inputs"]["d"], e["expected"]
    for zeros in ("wilcox", "pratt", "zsplit"):
        close(wilcoxon(d, zeros=zeros).p_value, x[zeros], e["tol"])
    close(sign_flip(d).p_value, x["signflip_exact"], e["tol"])
    close(paired_t(np.zeros(len(d)), d).p_value, x["t"], e["tol"])


@vector("c05_paired/perm_plus_one")
def plus_one(e):
    d = np.random.default_rng(1).random(2500) + 1.0
    p = sign_flip(d, rng=np.random.default_rng(2), draws=e["inputs"]["m"]).p_value
    close(p, e["expected"], e["tol"])


@vector("c05_paired/paired_vs_unpaired_se")
def pairing_gain(e):
    a, b, x = e["inputs"]["A"], e["inputs"]["B"], e["expected"]
    r = compare_paired(a, b)
    close(-r.difference.value, x["mean_diff"], e["tol"])
    close(r.correlation, x["corr"], 1e-9)
    close(mean_t(np.array(a) - np.array(b)).se, x["se_paired"], e["tol"])
    close(welch_difference(a, b).se, x["se_unpaired"], e["tol"])


@vector("c05_paired/winrate_ties", "c05_paired/winrate_tango")
def win_rates(e):
    w, t, lost = (e["inputs"][k] for k in ("wins", "ties", "losses"))
    x, ci = e["expected"], win_rate(w, lost, t)
    if "win_rate" in x:
        close([ci.value, ci.se], [x["win_rate"], x["se"]], 1e-3)
        c = PairedCounts(both=0, gained=w, lost=lost, neither=0)
        close(mcnemar_exact(c).p_value, x["p_sign_exact_excl_ties"], e["tol"])
        close(ends(wilson(w, w + lost)), x["wilson_excl_ties"], e["tol"])
        return
    net = tango(PairedCounts(both=t, gained=w, lost=lost, neither=0))
    close(ends(net), x["net_ci"], e["tol"])
    close(ends(ci), x["win_rate_ci"], e["tol"])
    close(win_test(w, lost).p_value, x["p_midp"], e["tol"])


@vector("c05_paired/bt_citations", "R_reference/bt_citations_coef", "R_reference/bt_citations_se")
def citations(e):
    data = by_id("c05_paired/bt_citations")
    names, reference = data["inputs"]["names"], data["inputs"]["names"][0]
    fit = bradley_terry(data["inputs"]["wins"], names=names)
    found = {n: fit.difference(n, reference) for n in names[1:]}
    if e is data or "coef" in e["expected"]:
        close({n: d.value for n, d in found.items()}, e["expected"]["coef"], e["tol"])
        close({n: d.se for n, d in found.items()}, e["expected"]["se"], e["tol"])
        close(fit.win_probability("JRSS-B", "JASA").value, e["expected"]["p_JRSSB_beats_JASA"], e["tol"])
        return
    attribute = "value" if e["id"].endswith("coef") else "se"
    close({f"..{n}": getattr(d, attribute) for n, d in found.items()}, e["expected"], 1e-6)


def baseball():
    rows = by_id("c05_paired/bt_baseball")["inputs"]["data"]
    names = sorted({r["home.team"] for r in rows})
    first, second, outcome = [], [], []
    for r in rows:
        home, away = names.index(r["home.team"]), names.index(r["away.team"])
        for wins, value in ((r["home.wins"], 1.0), (r["away.wins"], 0.0)):
            first += [home] * wins
            second += [away] * wins
            outcome += [value] * wins
    return names, first, second, outcome


@vector(
    "c05_paired/bt_baseball",
    "R_reference/bt_baseball_coef",
    "R_reference/bt_baseball_se",
    "R_reference/bt_baseball_home",
)
def baseball_strengths(e):
    names, first, second, outcome = baseball()
    order = np.ones((len(outcome), 1))
    plain = fit_battles(Battles.of(first, second, outcome), names=names)
    home = fit_battles(Battles.of(first, second, outcome, covariates=order), names=names)
    fit, x = (home if e["id"].endswith("home") else plain), e["expected"]
    found = {n: fit.difference(n, "Baltimore") for n in names[1:]}
    if "coef" in x:
        close({n: d.value for n, d in found.items()}, x["coef"], e["tol"])
        close({n: d.se for n, d in found.items()}, x["se"], e["tol"])
        close(home.effect(0).value, x["home_advantage"], e["tol"])
        return
    attribute = "se" if e["id"].endswith("_se") else "value"
    made = {f"team{n}": getattr(d, attribute) for n, d in found.items()}
    close({**made, "at.home": home.effect(0).value}, x, 1e-6)


@vector("c05_paired/mcnemar_size")
def test_size(e):
    for key, expected in e["expected"].items():
        n, pd = int(key.split("_")[0][1:]), float(key.split("pd")[1])
        made = {
            k: mcnemar_power(n, pd / 2, pd / 2, test=t)
            for k, t in (("midp", "mid_p"), ("exact", "exact"), ("asym", "score"))
        }
        close(made, {k: expected[k] for k in made}, 1e-6)


@vector("c05_paired/darwin", "R_reference/darwin_*")
def darwin(e):
    d = e["inputs"]["d"]
    perm, rank, t = sign_flip(d), wilcoxon(d), paired_t(np.zeros(len(d)), d)
    ci = mean_t(d)
    if e["id"] == "darwin":
        x = e["expected"]
        close(
            [perm.p_value, rank.p_value, t.statistic, t.p_value],
            [x["perm_p"], x["wilcoxon_p"], x["t"], x["t_p"]],
            e["tol"],
        )
        close(ends(ci), x["t_ci"], e["tol"])
        close(round(perm.p_value * x["total"]), x["count"], 0)
        return
    made = {
        "darwin_perm_exact": perm.p_value,
        "darwin_wilcox_exact": rank.p_value,
        "darwin_wilcox_V": len(d) * (len(d) + 1) / 2 - rank.statistic,
        "darwin_t": [t.statistic, t.p_value, *ends(ci)],
    }
    close(made[e["id"]], e["expected"], 1e-9)


def paired_coverage(n, psi, delta, methods):
    """Exact coverage over all outcomes of n pairs."""
    gained, lost = (psi + delta) / 2, (psi - delta) / 2
    b, c = np.array([(b, c) for b in range(n + 1) for c in range(n + 1 - b)]).T
    log = [math.lgamma(k + 1) for k in range(n + 1)]
    log = np.array(log)
    weight = np.exp(log[n] - log[b] - log[c] - log[n - b - c] + b * math.log(gained) + c * math.log(lost)
                    + (n - b - c) * math.log(1 - psi))  # fmt: skip
    likely = weight > 1e-9
    result = {}
    for name, method in methods.items():
        hits = [
            w * method(PairedCounts(both=int(n - i - j), gained=int(i), lost=int(j), neither=0)).contains(delta)
            for i, j, w in zip(b[likely], c[likely], weight[likely], strict=True)
        ]
        result[name] = sum(hits)
    return result


def paired_t_interval(c):
    return mean_t([1.0] * c.gained + [-1.0] * c.lost + [0.0] * c.both)


@vector("c05b_paired_coverage/coverage")
def coverage(e):
    methods = {"wald_z": wald_paired, "tango": tango, "bonett_price": bonett_price, "paired_t": paired_t_interval}
    for key, expected in e["expected"].items():
        n, psi, delta = int(key.split("_")[0][1:]), float(key.split("psi")[1].split("_")[0]), float(key.split("_d")[1])
        if n <= 50:
            made = paired_coverage(n, psi, delta, methods)
            close(made, {k: expected[k] for k in made}, e["tol"])


@vector("c06_gates_multiplicity_simpson/ni_*")
def margin_test(e):
    i, x = e["inputs"], e["expected"]
    c = PairedCounts(both=i["a"], gained=i["b_new_only"], lost=i["c_old_only"], neither=i["d"])
    r = noninferiority_score(c, i["margin"])
    close([c.difference, r.statistic, r.p_value], [x["diff"], x["z_score"], x["p_score"]], e["tol"])
    close(tango(c).se, x["wald_se"], e["tol"])


@vector("c06_gates_multiplicity_simpson/simpson_kidney")
def kidney(e):
    runs = {r: {h: StratumSummary.of_counts(*v) for h, v in e["inputs"][r].items()} for r in "AB"}
    r, x = compare_mixes(runs["B"], runs["A"], e["inputs"]["weights"]), e["expected"]
    close([r.crude, r.adjusted.value], [x["diff_crude"], x["diff_adj"]], e["tol"])
    close([r.candidate.value, r.baseline.value], [x["adj_A"], x["adj_B"]], e["tol"])
    close([r.candidate.se, r.baseline.se], [x["se_A"], x["se_B"]], 5e-3)
    assert r.reversal


@vector("R_reference/poststrat_kidney_A")
def r_kidney(e):
    i = e["inputs"]
    strata = {h: StratumSummary.of_counts(*i[h]) for h in ("small", "large")}
    ci = post_stratify(strata, dict(zip(("small", "large"), i["weights"], strict=True)))
    close(ci.value, e["expected"]["mean"], 1e-9)
    close(ci.se, e["expected"]["se"], 2e-4)


@vector("c06_gates_multiplicity_simpson/fwer")
def family_error(e):
    close([false_alarm_probability(k) for k in e["inputs"]["k"]], e["expected"], e["tol"])


@vector("c06_gates_multiplicity_simpson/tost_paired")
def equivalence(e):
    i, x = e["inputs"], e["expected"]
    r = tost(np.array(i["x"]) - np.array(i["y"]), i["low"], i["upp"])
    close([r.p_value, r.p_lower, r.p_upper], [x["p"], x["p_lower"], x["p_upper"]], e["tol"])
    close(ends(r.interval), x["ci90"], e["tol"])


@vector("c06_gates_multiplicity_simpson/bh1995", "R_reference/padj_*")
def adjusted(e):
    names = {"holm": "holm", "bh": "benjamini_hochberg", "by": "benjamini_yekutieli", "hommel": "hommel"}
    p = e["inputs"]["p"]
    if e["id"].startswith("padj_"):
        close(adjust_p(p, names[e["id"].removeprefix("padj_").lower()]), e["expected"], 1e-9)
        return
    for key, method in names.items():
        close(adjust_p(p, method), e["expected"][key], e["tol"])


@vector("c06_gates_multiplicity_simpson/kish")
def kish(e):
    shares, sizes = e["inputs"]["stratum_share"], e["inputs"]["n"]
    close(mix_effective_n(dict(enumerate(sizes)), dict(enumerate(shares))), e["expected"], e["tol"])


def variance(i):
    k = i.get("K", 1)
    return PairedVariance(
        between=i["w2"], within_baseline=i.get("sA2", 0), within_candidate=i.get("sB2", 0),
        trials_baseline=k, trials_candidate=k,
    )  # fmt: skip


@vector("c07_power/miller_n")
def miller_n(e):
    close([paired_sample_size(i["delta"], variance(i)) for i in e["inputs"]], e["expected"], e["tol"])


@vector("c07_power/miller_mde")
def miller_mde(e):
    close([paired_detectable(i["n"], variance(i)) for i in e["inputs"]], e["expected"], e["tol"])


@vector("c07_power/mcnemar_gpower")
def gpower(e):
    i = e["inputs"]
    power = mcnemar_power(i["n"], i["p12"], i["p21"], level=1 - i["alpha"], test="exact", sides=i["sides"])
    close(power, e["expected"], e["tol"])


@vector("c07_power/mcnemar_power")
def connor(e):
    for i, x in zip(e["inputs"], e["expected"], strict=True):
        n = mcnemar_cases(i["psi"], i["delta"])
        close(n, x["n_connor"], e["tol"])
        gained, lost = (i["psi"] + i["delta"]) / 2, (i["psi"] - i["delta"]) / 2
        for test, key in (("mid_p", "midp"), ("exact", "exact"), ("score", "asym")):
            close(mcnemar_power(math.ceil(n), gained, lost, test=test), x[f"power_{key}"], e["tol"])


@vector("c07_power/mde_table")
def detectable(e):
    for n, row in e["expected"].items():
        close({psi: mcnemar_detectable(int(n), float(psi)) for psi in row}, row, e["tol"])


@vector("c07_power/zero_failure_n")
def zero_failures(e):
    close({p: zero_failure_cases(float(p)) for p in e["expected"]}, e["expected"], 0)


@vector("c07_power/n_wilson")
def wilson_sizes(e):
    close([wilson_cases(i["p"], i["h"]) for i in e["inputs"]], e["expected"], 0)


@vector("c07_power/ni_n")
def margin_sizes(e):
    close([noninferiority_cases(i["psi"], i["margin"]) for i in e["inputs"]], e["expected"], e["tol"])


@vector("c07_power/paired_t", "R_reference/pwr_*")
def t_power(e):
    n, power, arcsine = paired_t_cases(0.2), paired_t_power(0.15, 200), two_proportions_cases(0.85, 0.80)
    x = e["expected"]
    if isinstance(x, dict):
        close([n, power, arcsine], [x["n"], x["power_d15_n200"], x["independent_arcsine_n_85_vs_80"]], e["tol"])
        return
    made = {"pwr_paired_t_n": n, "pwr_paired_t_power": power, "pwr_2p_n": arcsine}
    close(made[e["id"]], x, 1e-6)


@vector("c07_power/optimal_K")
def trials(e):
    i = e["inputs"]
    made = optimal_trials(within=i["within"], between=i["between"], case_cost=i["c_case"], trial_cost=i["c_trial"])
    close(made, e["expected"], e["tol"])


BOUNDARIES = {"OF": "obrien_fleming", "P": "pocock", "asOF": "lan_demets_obf", "asP": "lan_demets_pocock"}


@vector("c08_sequential/gsd_power", "R_reference/gsd_asOF_K3_power")
def sequential_power(e):
    plan = sequential_plan(3)
    if e["id"] == "gsd_power":
        i = e["inputs"]
        r = plan.characteristics(i["theta"] * math.sqrt(i["nmax"]))
        close([r.power, r.expected_fraction * i["nmax"]], [e["expected"]["power"], e["expected"]["asn"]], e["tol"])
        return
    x = e["expected"]
    made = [plan.characteristics(t * math.sqrt(x["nMax"])) for t in x["theta"]]
    close([r.power for r in made], x["power"], 1e-6)
    close([r.expected_fraction * x["nMax"] for r in made], x["asn"], 1e-6)


@vector("c08_sequential/gsd_*", "R_reference/gsd_*")
def boundaries(e):
    x = e["expected"]
    if e["id"].endswith("uneven"):
        plan = sequential_plan(e["inputs"]["informationRates"])
    else:
        _, kind, looks = e["id"].split("_")
        plan = sequential_plan(int(looks[1:]), boundary=BOUNDARIES[kind])
    close(plan.critical, x["crit"], 1e-6)
    close(plan.spent, x.get("cum_alpha", x.get("alphaSpent")), 1e-6)


@vector("c08_sequential/e_mcnemar")
def e_values(e):
    for key, x in e["expected"].items():
        b, c = map(int, key.split("_"))
        counts = PairedCounts(both=0, gained=b, lost=c, neither=0)
        made = {
            "two": mcnemar_e_value(counts),
            "regress": mcnemar_e_value(counts, alternative="worse"),
            "two_uniform": mcnemar_e_value(counts, prior=1.0),
        }
        close(made, x, e["tol"])


@vector("c08_sequential/normal_mixture")
def mixture(e):
    i = e["inputs"]
    close([normal_mixture_bound(v, best_at=i["v_opt"], alpha=i["alpha"]) for v in i["v"]], e["expected"], e["tol"])


@vector("confseq_reference/normal_mixture")
def confseq_mixture(e):
    times = by_id("confseq_reference/normal_mixture_v")["expected"]
    for key, sides in (("one", 1), ("two", 2)):
        close([normal_mixture_bound(v, best_at=100, sides=sides) for v in times], e["expected"][key], 1e-9)


@vector("c08_sequential/peeking")
def peeking(e):
    close([peeking_error(k) for k in e["inputs"]["K"]], e["expected"], e["tol"])


@vector("c08_sequential/asymp_cs")
def asymptotic(e):
    i = e["inputs"]
    made = [asymptotic_cs_half_width(i["sd"], t, best_at=i["tstar"], alpha=i["alpha"]) for t in i["t"]]
    close(made, e["expected"], e["tol"])


def series(kind):
    data = by_id("confseq_reference/data")["expected"]
    return np.tile(np.array(data[kind], dtype=float), data[f"{kind}_reps"])


TIMES = (10, 20, 50, 100, 200)


def capitals(kind, means):
    x = series(kind)
    rows = []
    for m in means:
        logs = [betting_log_capital(x[:t], plug_in_bets(x[:t], 0.05), m) for t in TIMES]
        rows.append([0.5 * math.exp(max(pair)) for pair in logs])
    return rows


@vector("c08_sequential/betting_cs_bern")
def betting(e):
    x = np.resize(e["inputs"]["x"], e["inputs"]["tiled_to"])
    made = [ends(betting_cs(x[:t])) for t in e["inputs"]["t"]]
    close([low for low, _ in made], e["expected"]["lower"], e["tol"])
    close([high for _, high in made], e["expected"]["upper"], e["tol"])
    capital = e["expected"]["capital"]
    close(capitals("bern", capital["m"]), capital["values"], 1e-9)


@vector("c08_sequential/empbern_cs")
def bernstein(e):
    for kind, x in e["expected"].items():
        made = [ends(empirical_bernstein_cs(series(kind)[:t])) for t in TIMES]
        close([low for low, _ in made], x["l"], e["tol"])
        close([high for _, high in made], x["u"], e["tol"])


@vector("confseq_reference/empbern_*")
def confseq_bernstein(e):
    made = [ends(empirical_bernstein_cs(series(e["id"].split("_")[1])[:t])) for t in TIMES]
    close(np.transpose(made), [e["expected"]["l"], e["expected"]["u"]], 1e-9)


@vector("confseq_reference/mart_*")
def confseq_capital(e):
    close(capitals(e["id"].split("_")[1], e["expected"]["m"]), e["expected"]["cap"], 1e-9)


@vector("confseq_reference/hedged_*")
def confseq_hedged(e):
    """The oracle searches a grid, so it is good to its step."""
    x = e["expected"]
    made = [ends(betting_cs(series(e["id"].split("_")[1])[:t])) for t in x["t"]]
    close(np.transpose(made), [x["l"], x["u"]], 2 * x["grid"])


@vector("R_reference/mcnemar_*")
def r_mcnemar(e):
    i = {"a": 1, "d": 12, **e["inputs"]}
    c = cells(i)
    made = {"asym": mcnemar_asymptotic(c), "cc": mcnemar_asymptotic(c, corrected=True), "exact": mcnemar_exact(c)}
    close(made[e["id"].split("_")[1]].p_value, e["expected"], 1e-9)


@vector("R_reference/tango_PropCIs_*")
def r_tango_mirrored(e):
    """PropCIs reports the difference the other way round, good to about 1e-7."""
    ci = tango(cells(e["inputs"])).mapped(scale=-1.0)
    close(ends(ci), e["expected"], 1e-6)


@vector("R_reference/tango_ratesci_*")
def r_tango(e):
    ci = tango(cells(e["inputs"]))
    close([ci.low, ci.value, ci.high], e["expected"], 1e-9)


@vector("R_reference/ct_*_CI_*")
def r_paired_intervals(e):
    (a, b), (c, d) = e["inputs"]["n"]
    counts = cells({"a": a, "b": b, "c": c, "d": d})
    methods = {"Newcombe": newcombe_paired, "Tango": tango, "Wald_CI_diff": wald_paired}
    methods |= {"Wald_CI_BonettPrice": bonett_price, "Wald_CI_AgrestiMin": agresti_min}
    method = next(m for key, m in methods.items() if e["id"].startswith(f"ct_{key}"))
    close([*ends(method(counts)), counts.difference], e["expected"], 1e-7)


@vector("R_reference/ct_McNemar_*")
def r_paired_tests(e):
    (a, b), (c, d) = e["inputs"]["n"]
    counts = cells({"a": a, "b": b, "c": c, "d": d})
    if "asymptotic" in e["id"]:
        close(mcnemar_asymptotic(counts).p_value, e["expected"][0], 1e-9)
        return
    close((mcnemar if "midP" in e["id"] else mcnemar_exact)(counts).p_value, e["expected"], 1e-9)
