#include "context_internal.h"
#include "options.h"
#include "size.h"
#include "sort.h"

#include <lstmae/detection.h>

#include <math.h>

static lstmae_f1 detection_f1(int64_t found, int64_t wrong, int64_t missed)
{
    lstmae_f1 f = { 0.0, 0.0, 0.0 };
    if (found == 0) return f;
    f.precision = (double)found / (double)(found + wrong);
    f.recall = (double)found / (double)(found + missed);
    f.f1 = 2.0 * (double)found / (2.0 * (double)found + (double)wrong + (double)missed);
    return f;
}

static double detection_rate(int64_t part, int64_t rest)
{
    return part == 0 ? 0.0 : (double)part / ((double)part + (double)rest);
}

/* The end of the run of equal values (zero or not) that begins at `at`. */
static int64_t detection_run(const unsigned char *flags, int64_t at, int64_t count)
{
    int64_t end = at + 1;
    while (end < count && !flags[end] == !flags[at]) end++;
    return end;
}

static int64_t detection_first(const unsigned char *flags, int64_t at, int64_t end)
{
    while (at < end && !flags[at]) at++;
    return at;
}

static void detection_count_moments(lstmae_detection *d, const unsigned char *truth, const unsigned char *alarms,
                                    int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        if (truth[i])
            (void)(alarms[i] ? d->true_positives++ : d->false_negatives++);
        else
            (void)(alarms[i] ? d->false_positives++ : d->true_negatives++);
    }
}

static void detection_count_events(lstmae_detection *d, const unsigned char *truth, const unsigned char *alarms,
                                   int64_t count)
{
    for (int64_t at = 0, end; at < count; at = end) {
        end = detection_run(truth, at, count);
        if (!truth[at]) continue;
        int64_t delay = detection_first(alarms, at, end) - at;
        d->events++;
        if (at + delay == end) continue;
        d->found_events++;
        d->adjusted_true_positives += end - at;
        d->delay_sum += delay;
        if (delay > d->delay_max) d->delay_max = delay;
    }
    for (int64_t at = 0, end; at < count; at = end) {
        end = detection_run(alarms, at, count);
        if (alarms[at] && detection_first(truth, at, end) == end) d->false_events++;
    }
}

lstmae_status lstmae_detection_add(lstmae_detection *detection, const unsigned char *truth,
                                   const unsigned char *alarms, int64_t count)
{
    static const lstmae_detection defaults = LSTMAE_DETECTION_INIT;
    lstmae_detection d;
    LAE_CHECK_ARG(detection, "detection_add");
    LAE_CHECK_ARG(count >= 0, "detection_add");
    LAE_CHECK_ARG((truth && alarms) || count == 0, "detection_add");
    LAE_TRY(lae_options_read(&d, &defaults, sizeof d, detection, sizeof d, "detection"));
    detection_count_moments(&d, truth, alarms, count);
    detection_count_events(&d, truth, alarms, count);
    int64_t positives = d.true_positives + d.false_negatives;
    d.point = detection_f1(d.true_positives, d.false_positives, d.false_negatives);
    d.adjusted = detection_f1(d.adjusted_true_positives, d.false_positives, positives - d.adjusted_true_positives);
    d.event = detection_f1(d.found_events, d.false_events, d.events - d.found_events);
    d.false_alarm_rate = detection_rate(d.false_positives, d.true_negatives);
    d.missed_alarm_rate = detection_rate(d.false_negatives, d.true_positives);
    d.mean_delay = d.found_events > 0 ? (double)d.delay_sum / (double)d.found_events : 0.0;
    return lae_options_write(detection, &d, sizeof d, sizeof d, "detection");
}

/* ---- ranking ---- */

typedef struct ranking_moment {
    float score;
    int truth;
} ranking_moment;

static int ranking_compare(const void *a, const void *b, const void *payload)
{
    float x = ((const ranking_moment *)a)->score, y = ((const ranking_moment *)b)->score;
    (void)payload;
    return (x < y) - (x > y); /* the largest first */
}

/* Goes down the sorted moments, equal scores in one step, with the counts of those at or above. */
static void ranking_walk(lstmae_ranking *ranking, const ranking_moment *moments, int64_t count, int64_t positives)
{
    const double negatives = (double)(count - positives);
    int64_t found = 0, wrong = 0;
    double pairs = 0.0;
    for (int64_t at = 0; at < count;) {
        int64_t before = found, wrong_before = wrong;
        float score = moments[at].score;
        for (; at < count && moments[at].score == score; at++) (void)(moments[at].truth ? found++ : wrong++);
        double more = (double)(found - before);
        pairs += (double)(wrong - wrong_before) * ((double)before + 0.5 * more);
        ranking->auc_pr += more / (double)positives * ((double)found / (double)(found + wrong));
        double f1 = 2.0 * (double)found / ((double)found + (double)wrong + (double)positives);
        if (f1 > ranking->best_f1) {
            ranking->best_f1 = f1;
            ranking->best_threshold = (double)score;
        }
    }
    ranking->auc_roc = pairs / ((double)positives * negatives);
}

lstmae_status lstmae_ranking_measure(lstmae_ranking *out, lstmae_context *context, const unsigned char *truth,
                                     const float *scores, int64_t count)
{
    lstmae_ranking ranking = LSTMAE_RANKING_INIT;
    size_t bytes;
    LAE_CHECK_ARG(out, "ranking_measure");
    LAE_CHECK_ARG(context, "ranking_measure");
    LAE_CHECK_ARG(truth && scores && count >= 1, "ranking_measure");
    int64_t positives = 0;
    for (int64_t i = 0; i < count; i++) {
        positives += truth[i] != 0;
        if (isnan(scores[i]))
            return LAE_FAIL(ERR_NUMERIC, "ranking_measure: expected scores, got NaN at %lld", (long long)i);
    }
    if (positives == 0 || positives == count)
        return LAE_FAIL(ERR_NUMERIC, "ranking_measure: expected moments of both kinds, got %lld of %lld in events",
                        (long long)positives, (long long)count);
    lae_memory *memory = lae_context_memory(context);
    ranking_moment *moments = lae_mul_size(&bytes, (size_t)count, sizeof *moments) ? lae_alloc(memory, bytes) : NULL;
    if (!moments) return LAE_FAIL(ERR_NO_MEMORY, "ranking_measure: no memory for %lld moments", (long long)count);
    for (int64_t i = 0; i < count; i++) moments[i] = (ranking_moment){ scores[i], truth[i] != 0 };
    lae_sort(moments, (size_t)count, sizeof *moments, ranking_compare, NULL);
    ranking_walk(&ranking, moments, count, positives);
    lae_free(memory, moments, bytes);
    return lae_options_write(out, &ranking, sizeof ranking, sizeof ranking, "ranking");
}
