#!/usr/bin/env python3
"""Writes timeseries.h beside this file: scaling, scores, thresholds and measures as NumPy, SciPy and scikit-learn
compute them, or where they have no such function as plain Python does by the definition. For tests/unit/test_scaler.c,
test_score.c, test_threshold.c and test_detection.c."""
import itertools
import pathlib

import numpy as np
import scipy
import sklearn
from scipy import optimize, stats
from scipy.spatial.distance import mahalanobis
from sklearn import metrics, preprocessing

RNG = np.random.default_rng(20240817)
OUT = []


def f32(array):
    return np.asarray(array, dtype=np.float32)


def put(name, array, kind="double"):
    flat = np.asarray(array).ravel()
    rows = []
    for i in range(0, len(flat), 5):
        if kind == "float":
            rows.append("    " + ", ".join(repr(float(v)) + "f" for v in flat[i:i + 5]))
        elif kind == "double":
            rows.append("    " + ", ".join(repr(float(v)) for v in flat[i:i + 5]))
        else:
            rows.append("    " + ", ".join(str(int(v)) for v in flat[i:i + 5]))
    OUT.append("static const %s ts_%s[] = {\n%s\n};\n" % (kind, name, ",\n".join(rows)))


def number(name, value):
    OUT.append("#define TS_%s %r\n" % (name, value))


# --- scaling: 120 rows of 4 columns, the last of them constant in the first 80 ---

def scalers():
    x = RNG.normal(size=(120, 4)) * [0.03, 5.0, 200.0, 0.0] + [0.1, -3.0, 1e4, 7.5]
    x[80:, 3] += RNG.normal(size=40)
    x = f32(x)
    put("table", x, "float")
    fit = x[:80].astype(np.float64)
    standard = preprocessing.StandardScaler().fit(fit)
    put("standard", np.stack([standard.mean_, standard.scale_]))
    put("standard_scaled", standard.transform(x[100:104].astype(np.float64)))
    standard.partial_fit(x[80:].astype(np.float64))
    put("standard_updated", np.stack([standard.mean_, standard.scale_]))
    minmax = preprocessing.MinMaxScaler(feature_range=(-1, 1)).fit(fit[:, :3])
    put("minmax_scaled", minmax.transform(x[100:104, :3].astype(np.float64)))
    robust = preprocessing.RobustScaler().fit(fit)
    put("robust", np.stack([robust.center_, robust.scale_]))
    put("robust_scaled", robust.transform(x[100:104].astype(np.float64)))


# --- overlapping windows: 9 windows of 6 rows and 2 channels ---

def points():
    windows = f32(RNG.exponential(size=(9, 6, 2)))
    put("windows", windows, "float")
    for stride in (1, 2, 4):
        rows = (9 - 1) * stride + 6
        seen = [[] for _ in range(rows)]
        for n, t in itertools.product(range(9), range(6)):
            seen[n * stride + t].append(windows[n, t].astype(np.float64))
        put("points_mean_%d" % stride, [np.mean(s, axis=0) for s in seen])
        put("points_median_%d" % stride, [np.median(s, axis=0) for s in seen])
        put("points_last_%d" % stride, [s[0] for s in seen])
        put("points_max_%d" % stride, [np.max(s, axis=0) for s in seen])


# --- the distribution of errors: 60 errors of 3 correlated channels, then 10 to be scored ---

def gaussian():
    mix = RNG.normal(size=(3, 3))
    errors = f32(np.abs(RNG.normal(size=(70, 3)) @ mix))
    put("errors", errors, "float")
    fit, new = errors[:60].astype(np.float64), errors[60:].astype(np.float64)
    mean = fit.mean(axis=0)
    covariance = np.cov(fit.T, bias=True)
    s = covariance + 1e-3 * np.trace(covariance) / 3 * np.eye(3)
    inverse = np.linalg.inv(s)
    put("gaussian_density", -stats.multivariate_normal(mean, s).logpdf(new))
    put("gaussian_mahalanobis", [mahalanobis(e, mean, inverse) for e in new])
    put("gaussian_contributions", [(e - mean) * (inverse @ (e - mean)) for e in new])
    mean = errors.astype(np.float64).mean(axis=0)
    covariance = np.cov(errors.astype(np.float64).T, bias=True)
    s = covariance + 1e-3 * np.trace(covariance) / 3 * np.eye(3)
    put("gaussian_updated", -stats.multivariate_normal(mean, s).logpdf(new))


# --- smoothing: the sums of the definition, pandas' adjust=False and adjust=True ---

def smoothing():
    x = RNG.exponential(size=25)
    alpha = 2 / (7 + 1)
    put("ewma_values", x)
    plain = [(1 - alpha) ** t * x[0] + sum(alpha * (1 - alpha) ** i * x[t - i] for i in range(t)) for t in range(25)]
    put("ewma_plain", plain)
    put("ewma_adjusted", [sum((1 - alpha) ** i * x[t - i] for i in range(t + 1)) /
                          sum((1 - alpha) ** i for i in range(t + 1)) for t in range(25)])


# --- thresholds: 600 scores with a tail, some far out ---

def pareto_fit(excesses):
    """Maximum likelihood by direct search from many beginnings, the exponential distribution among them."""
    y = np.asarray(excesses)

    def loss(p):
        shape, scale = p[0], np.exp(p[1])
        if abs(shape) < 1e-9:
            return len(y) * p[1] + np.sum(y) / scale
        term = 1 + shape * y / scale
        if np.any(term <= 0) or shape <= -1:
            return np.inf
        return len(y) * p[1] + (1 + 1 / shape) * np.sum(np.log(term))

    best = None
    for shape in (-0.5, -0.2, 0.05, 0.3, 0.8):
        for scale in (0.3, 1.0, 2.0):
            start = [shape, np.log(scale * y.mean() + max(0, -shape * y.max()))]
            found = optimize.minimize(loss, start, method="Nelder-Mead",
                                      options={"xatol": 1e-11, "fatol": 1e-13, "maxiter": 20000, "maxfev": 20000})
            if best is None or found.fun < best.fun:
                best = found
    return best.x[0], np.exp(best.x[1]), -best.fun


def spot_level(t, shape, scale, risk, n, excesses):
    ratio = risk * n / excesses
    return t + scale / shape * (ratio ** -shape - 1)


def thresholds():
    scores = f32(RNG.gamma(2.0, 1.0, size=600))
    put("scores", scores, "float")
    s = scores.astype(np.float64)
    fit = s[:400]
    put("quantiles", [np.quantile(fit, q) for q in (0.0, 0.25, 0.5, 0.9, 0.99, 0.995, 1.0)])
    number("SIGMA_3", float(fit.mean() + 3 * fit.std()))
    online = list(fit)
    values = []
    for x in s[400:450]:
        limit = np.mean(online) + 2 * np.std(online)
        if x <= limit:
            online.append(x)
        values.append(np.mean(online) + 2 * np.std(online))
    put("sigma_online", values)
    kept = list(fit[-100:])
    values = []
    for x in s[400:450]:
        kept = kept[1:] + [x]
        values.append(1.1 * np.quantile(kept, 0.95))
    put("quantile_online", values)

    risk = 1e-3
    t = np.quantile(fit, 0.9)
    y = list(fit[fit > t] - t)
    shape, scale, likelihood = pareto_fit(y)
    put("pareto", [shape, scale, likelihood])
    n, k = len(fit), len(y)
    value = spot_level(t, shape, scale, risk, n, k)
    stream, values, alarms = s[400:500].copy(), [], []
    stream[[20, 60]] = [25.0, 11.0]
    put("spot_stream", f32(stream), "float")
    for x in f32(stream).astype(np.float64):
        alarm = x > value
        if not alarm:
            n += 1
            if x > t:
                y.append(x - t)
                k += 1
                shape, scale, _ = pareto_fit(y)
                value = spot_level(t, shape, scale, risk, n, k)
        values.append(value)
        alarms.append(alarm)
    put("spot_values", values)
    put("spot_alarms", alarms, "unsigned char")
    for name, sample in (("ended", stats.genpareto(-0.3).rvs(80, random_state=RNG)),
                         ("heavy", RNG.pareto(0.8, size=80) + 0.01), ("exponential", RNG.exponential(size=80))):
        put("pareto_%s_sample" % name, sample)
        put("pareto_%s" % name, pareto_fit(sample))


# --- the dynamic rule, by the paper's equations ---

def runs(flags):
    at = 0
    for value, group in itertools.groupby(flags):
        length = len(list(group))
        if value:
            yield at, at + length
        at += length


def dynamic_epsilon(e):
    mean, sd = np.mean(e), np.std(e)
    best, epsilon = -np.inf, mean + 12 * sd
    for z in np.arange(2.5, 12, 0.5):
        limit = mean + z * sd
        above = e > limit
        if not above.any():
            continue
        rest = e[~above]
        score = ((mean - rest.mean()) / mean + (sd - rest.std()) / sd) / (above.sum() + len(list(runs(above))) ** 2)
        if score >= best:
            best, epsilon = score, limit
    return epsilon


def dynamic_kept(e, epsilon, p):
    """Walks down the sorted peaks; those behind the last large step are reclassified."""
    found = list(runs(e > epsilon))
    peaks = sorted((e[a:b].max() for a, b in found), reverse=True) + [e[~(e > epsilon)].max()]
    keep = 0
    for i in range(len(found)):
        if (peaks[i] - peaks[i + 1]) / peaks[i] >= p:
            keep = i + 1
    allowed = peaks[:keep]
    return [(a, b) for a, b in found if e[a:b].max() in allowed]


def dynamic():
    e = f32(np.concatenate([np.abs(RNG.normal(1.0, 0.2, size=500)), RNG.gamma(9.0, 0.1, size=300)]))
    e[60:64] += 3
    e[130] += 1.2
    e[240:250] += f32(np.linspace(0.5, 5, 10))
    e[300] += 0.9
    e[410:413] += 2
    e[455] += 1.0
    e[680] = 1.9
    put("dynamic_scores", e, "float")
    e = e.astype(np.float64)
    window, batch = 200, 50
    for p in (0.0, 0.13):
        flags = np.zeros(len(e), dtype=int)
        values = []
        marked, end = 0, window
        while marked < len(e):
            end = min(end, len(e))
            part = e[max(0, end - window):end]
            epsilon = dynamic_epsilon(part)
            values.append(epsilon)
            kept = dynamic_kept(part, epsilon, p) if p > 0 else list(runs(part > epsilon))
            for a, b in kept:
                for i in range(a, b):
                    at = max(0, end - window) + i
                    if at >= marked:
                        flags[at] = 1
            marked, end = end, end + batch
        put("dynamic_alarms_%d" % round(100 * p), flags, "unsigned char")
    put("dynamic_values", values)


def dynamic_small():
    """Short recordings, most of them with several runs above the threshold."""
    rows, values, flags = [], [], []
    for _ in range(24):
        e = RNG.gamma(4.0, 0.2, size=40)
        for at in RNG.integers(0, 40, size=RNG.integers(1, 6)):
            e[at:at + RNG.integers(1, 4)] += RNG.uniform(0.5, 6.0)
        e = f32(e)
        rows.append(e)
        e = e.astype(np.float64)
        mean, sd = e.mean(), e.std()
        best, epsilon = -np.inf, mean + 4 * sd
        for i in range(28):
            limit = mean + (0.5 + 0.125 * i) * sd
            above = e > limit
            if not above.any():
                continue
            rest = e[~above]
            gain = (mean - rest.mean()) / mean + (sd - rest.std()) / sd
            score = gain / (above.sum() + len(list(runs(above))) ** 2)
            if score >= best:
                best, epsilon = score, limit
        values.append(epsilon)
        flag = np.zeros(40, dtype=int)
        for a, b in dynamic_kept(e, epsilon, 0.2):
            flag[a:b] = 1
        flags.append(flag)
    put("dynamic_small", rows, "float")
    put("dynamic_small_values", values)
    put("dynamic_small_alarms", flags, "unsigned char")


# --- measures: two recordings ---

def adjust(truth, alarms):
    out = alarms.copy()
    for a, b in runs(truth):
        if alarms[a:b].any():
            out[a:b] = 1
    return out


def f1_row(truth, alarms):
    p, r, f, _ = metrics.precision_recall_fscore_support(truth, alarms, average="binary", zero_division=0)
    return [p, r, f]


def measures():
    truth = np.zeros((2, 150), dtype=int)
    for recording, first, last in ((0, 0, 5), (0, 40, 60), (0, 100, 101), (0, 140, 150), (1, 0, 12), (1, 70, 90)):
        truth[recording, first:last] = 1
    scores = f32(np.round(RNG.gamma(2.0, 1.0, size=(2, 150)) + 1.2 * truth, 1))
    alarms = (scores > 4.5).astype(int)
    put("truth", truth, "unsigned char")
    put("alarms", alarms, "unsigned char")
    put("ranked_scores", scores, "float")
    y, a = truth.ravel(), alarms.ravel()
    tn, fp, fn, tp = metrics.confusion_matrix(y, a).ravel()
    put("counts", [tp, fp, tn, fn], "int")
    adjusted = np.concatenate([adjust(t, x) for t, x in zip(truth, alarms)])
    put("f1_point", f1_row(y, a))
    put("f1_adjusted", f1_row(y, adjusted))
    put("rates", [fp / (fp + tn), fn / (fn + tp)])
    found = missed = false = 0
    delays = []
    for t, x in zip(truth, alarms):
        for first, last in runs(t):
            hits = np.flatnonzero(x[first:last])
            if len(hits):
                found += 1
                delays.append(hits[0])
            else:
                missed += 1
        false += sum(1 for first, last in runs(x) if not t[first:last].any())
    put("events", [found + missed, found, false, sum(delays), max(delays)], "int")
    precision, recall = found / (found + false), found / (found + missed)
    put("f1_event", [precision, recall, 2 * precision * recall / (precision + recall)])
    s = scores.ravel().astype(np.float64)
    precision, recall, limits = metrics.precision_recall_curve(y, s)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    best = np.flatnonzero(np.isclose(f1[:-1], f1[:-1].max(), rtol=1e-13))[-1]
    put("ranking", [metrics.roc_auc_score(y, s), metrics.average_precision_score(y, s), f1[best], limits[best]])


def main():
    for part in (scalers, points, gaussian, smoothing, thresholds, dynamic, dynamic_small, measures):
        part()
    versions = "NumPy %s, SciPy %s, scikit-learn %s" % (np.__version__, scipy.__version__, sklearn.__version__)
    path = pathlib.Path(__file__).with_name("timeseries.h")
    path.write_text("/* Made by make_timeseries.py with %s. */\n\n" % versions + "\n".join(OUT))


if __name__ == "__main__":
    main()
