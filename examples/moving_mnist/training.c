#include "training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/csvlog.h"
#include "../common/files.h"
#include "../common/progress.h"
#include "../common/report.h"
#include "../common/signals.h"

#define TRAINING_LOG_ROWS 2500 /* of a whole run, at most one per update */

typedef struct training {
    mm_model *model;
    mm_settings *settings;
    lstmae_loader *loader, *validation;
    lstmae_fit_state *state;
    ex_progress progress;
    ex_csv log;
    double log_sum; /* of the losses since the last row */
    int64_t log_count, log_period;
    int64_t skipped;
    double before;  /* settings->elapsed when this run began */
    int failed;     /* the log could not be written */
    char checkpoint[EX_PATH_SIZE];
} training;

static double training_elapsed(const training *t)
{
    return t->before + ex_seconds() - t->progress.began;
}

/* One row of the log: the mean loss since the last one, and the held-out loss where there is a new one. */
static void training_log(training *t, const lstmae_fit_event *event, double held)
{
    double row[MM_LOG_COLUMNS];
    row[MM_LOG_ITERATION] = (double)event->iteration;
    row[MM_LOG_LOSS] = t->log_count > 0 ? t->log_sum / (double)t->log_count : NAN;
    row[MM_LOG_HELD] = held;
    row[MM_LOG_LR] = event->lr;
    row[MM_LOG_SECONDS] = training_elapsed(t);
    t->log_sum = 0;
    t->log_count = 0;
    if (ex_csv_row(&t->log, row) != 0) t->failed = 1;
}

static int training_event(const lstmae_fit_event *event, void *payload)
{
    training *t = payload;
    switch (event->stage) {
    case LSTMAE_FIT_ITERATION:
        t->log_sum += event->loss;
        t->log_count++;
        if (event->iteration % t->log_period == 0) training_log(t, event, NAN);
        ex_progress_update(&t->progress, event->iteration, event->loss, event->validation);
        break;
    case LSTMAE_FIT_VALIDATION: training_log(t, event, event->validation); break;
    case LSTMAE_FIT_SKIPPED: t->skipped++; break;
    default: break;
    }
    return t->failed || ex_signals_caught() != 0;
}

static int training_save(training *t)
{
    t->settings->elapsed = training_elapsed(t);
    char *text = mm_settings_text(t->settings);
    if (text == NULL) return ex_fail("out of memory for the settings");
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    content.module = lstmae_seq2seq_module(t->model->net);
    content.optimizer = t->model->optimizer;
    content.schedule = t->model->schedule;
    content.loader = t->loader;
    content.state = t->state;
    content.config = text;
    int result = ex_status(lstmae_checkpoint_save(t->checkpoint, &content));
    free(text);
    return result;
}

static int training_load(training *t)
{
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    content.module = lstmae_seq2seq_module(t->model->net);
    content.optimizer = t->model->optimizer;
    content.schedule = t->model->schedule;
    content.loader = t->loader;
    content.state = t->state;
    EX_TRY(lstmae_checkpoint_load(t->settings->resume, &content));
    int64_t at = lstmae_fit_state_iteration(t->state);
    printf("resumed at update %lld\n", (long long)at);
    if (at >= t->settings->iterations)
        printf("nothing left to train; --iterations with more than %lld goes on\n", (long long)at);
    return 0;
}

static int training_open(training *t, mm_data *data, lstmae_context *context)
{
    mm_settings *s = t->settings;
    char path[EX_PATH_SIZE];
    if (mm_data_loader(&t->loader, context, data->train, s, s->batch, 0) != 0) return -1;
    if (s->validate_every > 0 &&
        mm_data_loader(&t->validation, context, data->held, s, s->batch, s->validate_sequences) != 0)
        return -1;
    EX_TRY(lstmae_fit_state_create(&t->state, context));
    if (s->resume[0] != '\0' && training_load(t) != 0) return -1;
    if (ex_path(t->checkpoint, sizeof t->checkpoint, s->out, "checkpoint.safetensors") != 0) return -1;
    if (ex_path(path, sizeof path, s->out, MM_LOG_NAME) != 0) return -1;
    double keep = s->resume[0] != '\0' ? (double)lstmae_fit_state_iteration(t->state) : -1;
    t->log_period = s->iterations / TRAINING_LOG_ROWS + 1;
    return ex_csv_open(&t->log, path, "iteration,loss,held_out_loss,lr,seconds", MM_LOG_COLUMNS, keep);
}

/* Trains up to update number `until`: lstmae_fit() goes on where its state stands. */
static lstmae_status training_part(training *t, int64_t until)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.iterations = until;
    options.epochs = 0;
    options.validate_every = t->settings->validate_every;
    options.validation = t->validation;
    options.schedule = t->model->schedule;
    options.callback = training_event;
    options.payload = t;
    return lstmae_fit(lstmae_task_objective(t->model->task), t->loader, t->model->optimizer, &options, t->state);
}

/* Parts of --save-every updates, with a checkpoint after each. */
static lstmae_status training_parts(training *t)
{
    const mm_settings *s = t->settings;
    lstmae_status status = LSTMAE_OK;
    while (status == LSTMAE_OK && !t->failed && ex_signals_caught() == 0) {
        int64_t at = lstmae_fit_state_iteration(t->state), until = s->iterations;
        if (at >= s->iterations) break;
        if (s->save_every > 0 && (at / s->save_every + 1) * s->save_every < until)
            until = (at / s->save_every + 1) * s->save_every;
        status = training_part(t, until);
        if (status == LSTMAE_OK && s->save_every > 0 && training_save(t) != 0) t->failed = 1;
    }
    return status;
}

static int training_ended(training *t, lstmae_status status)
{
    int signal = ex_signals_caught();
    if (t->failed) return -1;
    if (status != LSTMAE_OK && status != LSTMAE_ERR_CANCELLED) return ex_status(status);
    if (t->skipped > 0) printf("%lld batches were left out: loss or gradient not finite\n", (long long)t->skipped);
    if (signal == 0) return 0;
    if (training_save(t) != 0) return -1;
    printf("stopped after update %lld of %lld; continue with\n", (long long)lstmae_fit_state_iteration(t->state),
           (long long)t->settings->iterations);
    ex_print_command(ex_program(), "--resume", t->checkpoint, NULL);
    return signal;
}

int mm_train(mm_model *model, mm_data *data, lstmae_context *context, mm_settings *settings)
{
    training t;
    memset(&t, 0, sizeof t);
    t.model = model;
    t.settings = settings;
    t.before = settings->elapsed;
    int result = training_open(&t, data, context);
    if (result == 0) {
        ex_progress_begin(&t.progress, stdout, lstmae_fit_state_iteration(t.state), settings->iterations);
        lstmae_status status = training_parts(&t);
        settings->elapsed = training_elapsed(&t);
        ex_progress_end(&t.progress);
        result = training_ended(&t, status);
    }
    ex_csv_close(&t.log);
    lstmae_fit_state_destroy(t.state);
    lstmae_loader_destroy(t.validation);
    lstmae_loader_destroy(t.loader);
    return result;
}
