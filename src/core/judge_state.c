/* What a judge knows, as bytes: verdict, last sample, errors, and what scaler and threshold have learned. */
#include "judge.h"

#include "crc32c.h"

#include <string.h>

/* Floats: sample, error and contribution lie one behind the other. */
static size_t judge_floats(const lae_judge *judge)
{
    return (size_t)(judge->features + 2 * judge->channels);
}

static size_t judge_numbers(const lae_judge *judge)
{
    return (size_t)(judge->kept - judge->spare);
}

size_t lae_judge_state_bytes(const lae_judge *judge)
{
    return sizeof judge->verdict + judge_floats(judge) * sizeof(float) + judge_numbers(judge) * sizeof(double);
}

/* States of scaler and threshold as numbers. */
static lstmae_status judge_get_numbers(const lae_judge *judge, double *numbers)
{
    const int64_t scaler = lstmae_scaler_state_count(judge->scaler);
    const int64_t threshold = lstmae_threshold_state_count(judge->threshold);
    if (judge->scaler) LAE_TRY(lstmae_scaler_get_state(judge->scaler, numbers, scaler));
    if (judge->threshold) LAE_TRY(lstmae_threshold_get_state(judge->threshold, numbers + scaler, threshold));
    return LSTMAE_OK;
}

static lstmae_status judge_set_numbers(lae_judge *judge, const double *numbers)
{
    const int64_t scaler = lstmae_scaler_state_count(judge->scaler);
    const int64_t threshold = lstmae_threshold_state_count(judge->threshold);
    if (judge->scaler) LAE_TRY(lstmae_scaler_set_state(judge->scaler, numbers, scaler));
    if (judge->threshold) LAE_TRY(lstmae_threshold_set_state(judge->threshold, numbers + scaler, threshold));
    return LSTMAE_OK;
}

uint32_t lae_judge_settings(const lae_judge *judge)
{
    const lstmae_session_options *o = &judge->options;
    const int64_t kinds[] = { (int64_t)o->flags, o->compare, o->score, o->window_score, o->every, judge->features,
                              judge->channels, (judge->scaler != NULL) + 2 * (judge->threshold != NULL) };
    uint32_t sum = lae_crc32c(0, kinds, sizeof kinds);
    sum = lae_crc32c(sum, &o->alpha, sizeof o->alpha);
    return lae_crc32c(sum, &judge->gaussian_sum, sizeof judge->gaussian_sum);
}

lstmae_status lae_judge_store(const lae_judge *judge, void *state)
{
    const size_t floats = judge_floats(judge) * sizeof(float);
    char *to = state;
    LAE_TRY(judge_get_numbers(judge, judge->spare));
    memcpy(to, &judge->verdict, sizeof judge->verdict);
    to += sizeof judge->verdict;
    memcpy(to, judge->sample, floats);
    memcpy(to + floats, judge->spare, judge_numbers(judge) * sizeof(double));
    return LSTMAE_OK;
}

lstmae_status lae_judge_load(lae_judge *judge, const void *state)
{
    const size_t floats = judge_floats(judge) * sizeof(float);
    const char *from = state;
    LAE_TRY(judge_get_numbers(judge, judge->kept));
    memcpy(judge->spare, from + sizeof judge->verdict + floats, judge_numbers(judge) * sizeof(double));
    lstmae_status status = judge_set_numbers(judge, judge->spare);
    if (status != LSTMAE_OK) {
        LAE_TRY(judge_set_numbers(judge, judge->kept)); /* what they were */
        return status;
    }
    memcpy(&judge->verdict, from, sizeof judge->verdict);
    memcpy(judge->sample, from + sizeof judge->verdict, floats);
    return LSTMAE_OK;
}
