#include "checkpoint_internal.h"

#include "context_internal.h"
#include "json.h"
#include "optim_internal.h"
#include "schedule_internal.h"
#include "train_internal.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *key;
    int count;
} groups[] = {
#define CHECKPOINT_GROUP(name, key, count) { key, count },
    LAE_CHECKPOINT_GROUPS(CHECKPOINT_GROUP)
#undef CHECKPOINT_GROUP
};

_Static_assert(LAE_SCHEDULE_STATE == 3 && LAE_FIT_COUNTERS == 8, "the groups' sizes are part of the format");

const char *lae_checkpoint_key(int group)
{
    return groups[group].key;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void put_doubles(lae_checkpoint_state *state, int group, const double *values)
{
    for (int i = 0; i < groups[group].count; i++) state->values[group][i] = bits_of(values[i]);
}

static void get_doubles(const lae_checkpoint_state *state, int group, double *values)
{
    for (int i = 0; i < groups[group].count; i++) values[i] = double_of(state->values[group][i]);
}

/* The groups that go with what the content names. Random numbers belong to a training that is continued. */
static void groups_wanted(int wanted[LAE_CHECKPOINT_GROUP_COUNT], const lstmae_checkpoint *content)
{
    wanted[LAE_CHECKPOINT_OPTIMIZER] = content->optimizer != NULL;
    wanted[LAE_CHECKPOINT_LOADER] = content->loader != NULL;
    wanted[LAE_CHECKPOINT_SCHEDULE] = content->schedule != NULL;
    wanted[LAE_CHECKPOINT_FIT] = content->state != NULL;
    wanted[LAE_CHECKPOINT_RANDOM] = content->optimizer || content->loader || content->state;
}

lstmae_status lae_checkpoint_gather(lae_checkpoint_state *state, const lstmae_checkpoint *content)
{
    const lstmae_context *context = lstmae_module_context(content->module);
    uint64_t(*values)[LAE_CHECKPOINT_GROUP_MOST] = state->values;
    double numbers[LAE_CHECKPOINT_GROUP_MOST];
    memset(state, 0, sizeof *state);
    groups_wanted(state->present, content);
    state->present[LAE_CHECKPOINT_RANDOM] = 1;
    values[LAE_CHECKPOINT_RANDOM][0] = lstmae_context_seed(context);
    values[LAE_CHECKPOINT_RANDOM][1] = lae_context_draws(context);
    if (content->optimizer) {
        values[LAE_CHECKPOINT_OPTIMIZER][0] = (uint64_t)lstmae_optimizer_steps(content->optimizer);
        values[LAE_CHECKPOINT_OPTIMIZER][1] = bits_of(lstmae_optimizer_lr(content->optimizer));
    }
    if (content->loader) {
        int64_t epoch, batch;
        LAE_TRY(lstmae_loader_position(content->loader, &epoch, &batch));
        values[LAE_CHECKPOINT_LOADER][0] = (uint64_t)epoch;
        values[LAE_CHECKPOINT_LOADER][1] = (uint64_t)batch;
        values[LAE_CHECKPOINT_LOADER][2] = (uint64_t)lstmae_loader_batches(content->loader);
    }
    if (content->schedule) {
        lae_schedule_get_state(content->schedule, numbers);
        put_doubles(state, LAE_CHECKPOINT_SCHEDULE, numbers);
    }
    if (content->state) {
        lae_fit_state_get(content->state, numbers);
        put_doubles(state, LAE_CHECKPOINT_FIT, numbers);
    }
    return LSTMAE_OK;
}

void lae_checkpoint_format(char text[LAE_CHECKPOINT_GROUP_TEXT], const lae_checkpoint_state *state, int group)
{
    lae_text out = { text, LAE_CHECKPOINT_GROUP_TEXT - 1, 0 };
    for (int i = 0; i < groups[group].count; i++) {
        if (i > 0) lae_text_put(&out, " ");
        lae_text_hex(&out, state->values[group][i], 16);
    }
    text[out.used] = '\0';
}

lstmae_status lae_checkpoint_read(lae_checkpoint_state *state, const lae_safetensors *st)
{
    memset(state, 0, sizeof *state);
    for (int group = 0; group < LAE_CHECKPOINT_GROUP_COUNT; group++) {
        const char *text = lae_safetensors_metadata(st, groups[group].key);
        if (!text) continue;
        state->present[group] = 1;
        int good = strlen(text) == (size_t)(17 * groups[group].count - 1);
        for (int i = 0; good && i < groups[group].count; i++)
            good = (i == 0 || text[17 * i - 1] == ' ') && lae_parse_hex(text + 17 * i, 16, &state->values[group][i]);
        if (!good)
            return LAE_FAIL(ERR_FORMAT, "%s: byte 8: expected %d numbers of 16 hexadecimal digits in '%s'", st->file,
                            groups[group].count, groups[group].key);
    }
    return LSTMAE_OK;
}

static lstmae_status check_optimizer(const lae_checkpoint_state *state, const char *file)
{
    uint64_t steps = state->values[LAE_CHECKPOINT_OPTIMIZER][0];
    double lr = double_of(state->values[LAE_CHECKPOINT_OPTIMIZER][1]);
    if (steps > INT64_MAX || !(lr >= 0.0) || isinf(lr))
        return LAE_FAIL(ERR_FORMAT, "%s: byte 8: optimizer of %llu updates with learning rate %g", file,
                        (unsigned long long)steps, lr);
    return LSTMAE_OK;
}

/* A position means the same batches only where an epoch has as many. */
static lstmae_status check_loader(const lae_checkpoint_state *state, const lstmae_loader *loader, const char *file)
{
    const uint64_t *values = state->values[LAE_CHECKPOINT_LOADER];
    uint64_t batches = (uint64_t)lstmae_loader_batches(loader);
    if (values[0] > INT64_MAX / 2 || values[1] > values[2])
        return LAE_FAIL(ERR_FORMAT, "%s: byte 8: position of the data is epoch %llu, batch %llu of %llu", file,
                        (unsigned long long)values[0], (unsigned long long)values[1], (unsigned long long)values[2]);
    if (values[2] != batches)
        return LAE_FAIL(ERR_STATE, "%s: loader: expected %llu batches in an epoch, got %llu", file,
                        (unsigned long long)values[2], (unsigned long long)batches);
    return LSTMAE_OK;
}

lstmae_status lae_checkpoint_check(const lae_checkpoint_state *state, const lstmae_checkpoint *content,
                                   const char *file)
{
    int wanted[LAE_CHECKPOINT_GROUP_COUNT];
    double numbers[LAE_CHECKPOINT_GROUP_MOST];
    groups_wanted(wanted, content);
    for (int group = 0; group < LAE_CHECKPOINT_GROUP_COUNT; group++) {
        if (wanted[group] && !state->present[group])
            return LAE_FAIL(ERR_NOT_FOUND, "%s: it has no '%s'", file, groups[group].key);
    }
    if (content->optimizer) LAE_TRY(check_optimizer(state, file));
    if (content->loader) LAE_TRY(check_loader(state, content->loader, file));
    if (content->schedule) {
        get_doubles(state, LAE_CHECKPOINT_SCHEDULE, numbers);
        LAE_TRY(lae_schedule_set_state(content->schedule, numbers, 0));
    }
    if (content->state) {
        get_doubles(state, LAE_CHECKPOINT_FIT, numbers);
        LAE_TRY(lae_fit_state_set(content->state, numbers, 0));
    }
    return LSTMAE_OK;
}

lstmae_status lae_checkpoint_apply(const lae_checkpoint_state *state, const lstmae_checkpoint *content)
{
    const uint64_t(*values)[LAE_CHECKPOINT_GROUP_MOST] = state->values;
    lstmae_context *context = lstmae_module_context(content->module);
    double numbers[LAE_CHECKPOINT_GROUP_MOST];
    int wanted[LAE_CHECKPOINT_GROUP_COUNT];
    groups_wanted(wanted, content);
    if (content->loader) /* first: of these calls it is the one that can fail after the checks */
        LAE_TRY(lstmae_loader_seek(content->loader, (int64_t)values[LAE_CHECKPOINT_LOADER][0],
                                   (int64_t)values[LAE_CHECKPOINT_LOADER][1]));
    if (content->optimizer) {
        LAE_TRY(lstmae_optimizer_set_lr(content->optimizer, double_of(values[LAE_CHECKPOINT_OPTIMIZER][1])));
        lae_optimizer_set_steps(content->optimizer, (int64_t)values[LAE_CHECKPOINT_OPTIMIZER][0]);
    }
    if (content->schedule) {
        get_doubles(state, LAE_CHECKPOINT_SCHEDULE, numbers);
        LAE_TRY(lae_schedule_set_state(content->schedule, numbers, 1));
    }
    if (content->state) {
        get_doubles(state, LAE_CHECKPOINT_FIT, numbers);
        LAE_TRY(lae_fit_state_set(content->state, numbers, 1));
    }
    if (wanted[LAE_CHECKPOINT_RANDOM]) {
        LAE_TRY(lstmae_context_set_seed(context, values[LAE_CHECKPOINT_RANDOM][0]));
        lae_context_set_draws(context, values[LAE_CHECKPOINT_RANDOM][1]);
    }
    return LSTMAE_OK;
}
