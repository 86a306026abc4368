#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../common/progress.h"
#include "../common/report.h"
#include "../common/signals.h"
#include "training.h"

typedef struct training {
    lstmae_dataset *windows, *first, *last; /* all, those trained on, those held out */
    lstmae_loader *loader, *held;
    lstmae_fit_state *state;
    ex_progress progress;
    int shown;
    ts_trained *trained;
} training;

static int training_data(training *t, const ts_model *m, lstmae_table *prepared, int64_t rows, const ts_settings *s)
{
    const lstmae_rows part = {prepared, 0, rows};
    lstmae_windows_options options = LSTMAE_WINDOWS_OPTIONS_INIT;
    options.length = s->window;
    options.scaler = m->detector.scaler;
    if (rows < s->window + 1)
        return ex_fail("expected at least %lld rows to train on, got %lld", (long long)s->window + 1, (long long)rows);
    EX_TRY(lstmae_dataset_windows(&t->windows, &part, 1, &options));
    int64_t count = lstmae_dataset_count(t->windows), held = (int64_t)((double)count * s->held_out);
    t->trained->windows = count - held;
    EX_TRY(lstmae_dataset_range(&t->first, t->windows, 0, count - held));
    if (ts_network_loader(&m->network, &t->loader, t->first, s->batch, 1, (uint64_t)s->seed) != 0) return -1;
    if (held == 0) return 0;
    EX_TRY(lstmae_dataset_range(&t->last, t->windows, count - held, held));
    return ts_network_loader(&m->network, &t->held, t->last, held < 256 ? held : 256, 0, 0);
}

static int training_event(const lstmae_fit_event *event, void *payload)
{
    training *t = payload;
    if (event->stage != LSTMAE_FIT_ITERATION) return 0;
    t->trained->loss = event->loss;
    if (t->shown) ex_progress_update(&t->progress, event->iteration, event->loss, event->best);
    return t->shown && ex_signals_caught() != 0;
}

static int training_run(training *t, ts_model *m, const ts_settings *s, FILE *show, lstmae_status *status)
{
    const ts_progress kept = {t->loader, t->state};
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.flags = s->keep_best && t->held != NULL ? LSTMAE_FIT_KEEP_BEST : 0;
    options.epochs = s->epochs;
    options.patience = t->held != NULL ? s->patience : 0;
    options.validation = t->held;
    options.callback = training_event;
    options.payload = t;
    if (s->resume[0] != '\0' && ts_model_resume(m, &kept, s->resume) != 0) return -1;
    t->shown = show != NULL;
    if (show != NULL)
        ex_progress_begin(&t->progress, show, lstmae_fit_state_iteration(t->state),
                          s->epochs * lstmae_loader_batches(t->loader));
    *status = lstmae_fit(lstmae_task_objective(m->network.task), t->loader, m->network.optimizer, &options, t->state);
    if (show != NULL) ex_progress_end(&t->progress);
    return *status == LSTMAE_ERR_CANCELLED ? 0 : ex_status(*status);
}

/* After Ctrl-C. */
static int training_stopped(const training *t, const ts_model *m, ts_settings *s, const char *path)
{
    const ts_progress kept = {t->loader, t->state};
    if (ts_model_save(m, s, &kept, path) != 0) return -1;
    printf("stopped after update %lld; continue with\n", (long long)t->trained->updates);
    ex_print_command(ex_program(), "train", "--resume", path, "--out", s->out, NULL);
    return ex_signals_caught();
}

int ts_train(ts_model *m, lstmae_table *prepared, int64_t rows, ts_settings *s, FILE *show, const char *path,
             ts_trained *trained)
{
    training t;
    lstmae_status status = LSTMAE_OK;
    const lstmae_rows part = {prepared, 0, rows};
    memset(&t, 0, sizeof t);
    memset(trained, 0, sizeof *trained);
    t.trained = trained;
    int result = ex_status(lstmae_scaler_fit(m->detector.scaler, &part, 1));
    if (result == 0) result = training_data(&t, m, prepared, rows, s);
    if (result == 0 && m->network.kind == TS_LINEAR) result = ts_network_fit_linear(&m->network, t.windows);
    if (result == 0) result = ex_status(lstmae_fit_state_create(&t.state, m->network.context));
    if (result == 0 && m->network.kind != TS_LINEAR) result = training_run(&t, m, s, show, &status);
    trained->updates = lstmae_fit_state_iteration(t.state);
    trained->best = lstmae_fit_state_best(t.state);
    if (result == 0 && status == LSTMAE_ERR_CANCELLED) result = training_stopped(&t, m, s, path);
    lstmae_fit_state_destroy(t.state);
    lstmae_loader_destroy(t.held);
    lstmae_loader_destroy(t.loader);
    lstmae_dataset_destroy(t.last);
    lstmae_dataset_destroy(t.first);
    lstmae_dataset_destroy(t.windows);
    return result;
}
