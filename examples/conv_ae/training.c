#include "training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/csvlog.h"
#include "../common/device.h"
#include "../common/files.h"
#include "../common/names.h"
#include "../common/plot.h"
#include "../common/progress.h"
#include "../common/report.h"
#include "../common/signals.h"
#include "evaluation.h"
#include "networks.h"

/* Columns of loss.csv; updates are counted over all stages. */
enum { LOG_UPDATE, LOG_STAGE, LOG_LOSS, LOG_VALIDATION, LOG_LR, LOG_SECONDS, LOG_COLUMNS };
#define LOG_HEADER "update,stage,loss,validation_loss,lr,seconds"

enum { SHOWN = 8 }; /* images among TensorBoard's pictures */

typedef struct training {
    ca_model *model;
    ca_data *data;
    ca_settings *settings;
    lstmae_loader *loader, *validation;
    lstmae_events *events;
    lstmae_tensor *shown; /* validation images */
    ex_csv log;
    double before, began; /* settings->done.elapsed and the clock when this run began */
    int failed;           /* a file could not be written */
    char checkpoint[EX_PATH_SIZE];

    /* of the stage */
    lstmae_optimizer *optimizer;
    lstmae_schedule *schedule;
    lstmae_task *task;
    lstmae_fit_state *state;
    ex_progress progress;
} training;

static double training_elapsed(const training *t)
{
    return t->before + ex_seconds() - t->began;
}

/* Stages before the whole is trained. */
static int64_t training_layers(const training *t)
{
    return t->settings->pretrain_epochs > 0 ? (int64_t)lstmae_autoencoder_layers(t->model->net) : 0;
}

/* ---- what is written down ---- */

/* The validation images and what the model makes of them, row below row. */
static int training_show(training *t, int64_t update)
{
    lstmae_grid_options grid = LSTMAE_GRID_OPTIONS_INIT;
    const lstmae_tensor *y = NULL;
    grid.low = t->data->low;
    grid.columns = SHOWN;
    EX_TRY(lstmae_autoencoder_reconstruct(t->model->net, t->shown, &y));
    EX_TRY(lstmae_events_image(t->events, "images/input", update, t->shown, &grid));
    EX_TRY(lstmae_events_image(t->events, "images/reconstruction", update, y, &grid));
    return 0;
}

static int training_scalars(training *t, const double *row)
{
    const int64_t update = (int64_t)row[LOG_UPDATE];
    char tag[48];
    const char *stage = "";
    char layer[24];
    if (row[LOG_STAGE] < (double)training_layers(t)) {
        snprintf(layer, sizeof layer, "layer_%.0f/", row[LOG_STAGE]);
        stage = layer;
    }
    snprintf(tag, sizeof tag, "%sloss/train", stage);
    if (isfinite(row[LOG_LOSS])) EX_TRY(lstmae_events_scalar(t->events, tag, update, row[LOG_LOSS]));
    snprintf(tag, sizeof tag, "%sloss/validation", stage);
    EX_TRY(lstmae_events_scalar(t->events, tag, update, row[LOG_VALIDATION]));
    EX_TRY(lstmae_events_scalar(t->events, "lr", update, row[LOG_LR]));
    return 0;
}

static void training_validated(training *t, const lstmae_fit_event *event)
{
    ca_settings *s = t->settings;
    double row[LOG_COLUMNS];
    row[LOG_UPDATE] = (double)(s->done.updates + event->iteration);
    row[LOG_STAGE] = (double)s->done.stage;
    row[LOG_LOSS] = s->done.loss_count > 0 ? s->done.loss_sum / (double)s->done.loss_count : NAN;
    row[LOG_VALIDATION] = event->validation;
    row[LOG_LR] = event->lr;
    row[LOG_SECONDS] = training_elapsed(t);
    s->done.loss_sum = 0;
    s->done.loss_count = 0;
    if (ex_csv_row(&t->log, row) != 0 || training_scalars(t, row) != 0) t->failed = 1;
    if (s->done.stage == training_layers(t) && training_show(t, (int64_t)row[LOG_UPDATE]) != 0) t->failed = 1;
}

/* ---- checkpoints ---- */

static lstmae_checkpoint training_content(const training *t)
{
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    content.module = t->model->module;
    content.optimizer = t->optimizer;
    content.schedule = t->schedule;
    content.loader = t->loader;
    content.state = t->state;
    return content;
}

static int training_save(training *t)
{
    lstmae_checkpoint content = training_content(t);
    t->settings->done.elapsed = training_elapsed(t);
    char *text = ca_settings_text(t->settings);
    if (text == NULL) return ex_fail("out of memory for the settings");
    content.config = text;
    int result = ex_status(lstmae_checkpoint_save(t->checkpoint, &content));
    free(text);
    return result;
}

static int training_event(const lstmae_fit_event *event, void *payload)
{
    training *t = payload;
    if (event->stage == LSTMAE_FIT_ITERATION) {
        t->settings->done.loss_sum += event->loss;
        t->settings->done.loss_count++;
        ex_progress_update(&t->progress, event->iteration, event->loss, event->validation);
    }
    if (event->stage == LSTMAE_FIT_VALIDATION) {
        const int64_t every = t->settings->save_every;
        training_validated(t, event);
        if (every > 0 && event->epoch % every == 0 && training_save(t) != 0) t->failed = 1;
    }
    return t->failed || ex_signals_caught() != 0;
}

/* " of layer N" for people, "" while the whole is trained; kept until the next call. */
static const char *stage_text(const training *t)
{
    static char text[32];
    text[0] = '\0';
    if (t->settings->done.stage < training_layers(t))
        snprintf(text, sizeof text, " of layer %lld", (long long)t->settings->done.stage + 1);
    return text;
}

/* The stage of the settings is that of the checkpoint. */
static int training_load(training *t)
{
    const lstmae_checkpoint content = training_content(t);
    EX_TRY(lstmae_checkpoint_load(t->settings->resume, &content));
    printf("resumed at update %lld%s\n", (long long)lstmae_fit_state_iteration(t->state), stage_text(t));
    t->settings->resume[0] = '\0'; /* the stages after it begin anew */
    return 0;
}

/* ---- stages ---- */

static int stage_open(training *t)
{
    const ca_settings *s = t->settings;
    const int layer = s->done.stage < training_layers(t);
    lstmae_optimizer_options adam = LSTMAE_ADAM_OPTIONS_INIT;
    lstmae_schedule_options plateau = LSTMAE_SCHEDULE_OPTIONS_INIT;
    lstmae_module *trained = t->model->module;
    adam.lr = plateau.lr = s->lr;
    plateau.kind = LSTMAE_SCHEDULE_PLATEAU;
    plateau.factor = s->lr_factor;
    plateau.patience = (int32_t)s->lr_patience;
    plateau.min_lr = s->min_lr;
    if (layer) {
        lstmae_autoencoder *part = lstmae_autoencoder_layer(t->model->net, (size_t)s->done.stage);
        trained = lstmae_autoencoder_module(part);
        EX_TRY(lstmae_task_autoencoder_layer(&t->task, t->model->net, (size_t)s->done.stage, t->model->loss));
    } else {
        EX_TRY(lstmae_task_autoencoder(&t->task, t->model->module, t->model->loss));
    }
    EX_TRY(lstmae_optimizer_create(&t->optimizer, trained, &adam));
    EX_TRY(lstmae_schedule_create(&t->schedule, &plateau));
    EX_TRY(lstmae_fit_state_create(&t->state, t->data->context));
    return s->resume[0] != '\0' ? training_load(t) : 0;
}

static void stage_close(training *t)
{
    lstmae_fit_state_destroy(t->state);
    lstmae_schedule_destroy(t->schedule);
    lstmae_optimizer_destroy(t->optimizer);
    lstmae_task_destroy(t->task);
    t->state = NULL;
    t->schedule = NULL;
    t->optimizer = NULL;
    t->task = NULL;
}

static lstmae_status stage_fit(training *t, int64_t epochs)
{
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.epochs = epochs;
    options.validation = t->validation;
    options.schedule = t->schedule;
    options.callback = training_event;
    options.payload = t;
    return lstmae_fit(lstmae_task_objective(t->task), t->loader, t->optimizer, &options, t->state);
}

static int stage_ended(training *t, lstmae_status status)
{
    const int signal = ex_signals_caught();
    if (t->failed) return -1;
    if (status != LSTMAE_OK && status != LSTMAE_ERR_CANCELLED) return ex_status(status);
    if (signal == 0) return 0;
    if (training_save(t) != 0) return -1;
    printf("stopped in epoch %lld%s; continue with\n",
           (long long)(lstmae_fit_state_iteration(t->state) / lstmae_loader_batches(t->loader) + 1), stage_text(t));
    ex_print_command(ex_program(), "train", "--resume", t->checkpoint, NULL);
    return signal;
}

/* Rows of a log that a resumed training begins before are kept. */
static int stage_log(training *t, int resumed)
{
    char path[EX_PATH_SIZE];
    const double done = (double)(t->settings->done.updates + lstmae_fit_state_iteration(t->state));
    if (t->log.stream != NULL) return 0;
    if (ex_path(path, sizeof path, t->settings->out, CA_LOG_FILE) != 0) return -1;
    return ex_csv_open(&t->log, path, LOG_HEADER, LOG_COLUMNS, resumed ? done : -1);
}

static int stage_run(training *t)
{
    const int resumed = t->settings->resume[0] != '\0';
    const int layer = t->settings->done.stage < training_layers(t);
    const int64_t epochs = layer ? t->settings->pretrain_epochs : t->settings->epochs;
    if (layer) printf("layer %lld by itself\n", (long long)t->settings->done.stage + 1);
    int result = stage_open(t);
    if (result == 0) result = stage_log(t, resumed);
    if (result == 0) {
        ex_progress_begin(&t->progress, stdout, lstmae_fit_state_iteration(t->state),
                          epochs * lstmae_loader_batches(t->loader));
        lstmae_status status = stage_fit(t, epochs);
        t->settings->done.elapsed = training_elapsed(t);
        ex_progress_end(&t->progress);
        result = stage_ended(t, status);
    }
    if (result == 0) {
        t->settings->done.updates += lstmae_fit_state_iteration(t->state);
        t->settings->done.val_loss = lstmae_fit_state_best(t->state);
        if (!layer) t->settings->epochs = lstmae_fit_state_iteration(t->state) / lstmae_loader_batches(t->loader);
    }
    stage_close(t);
    return result;
}

/* ---- the whole ---- */

/* Events of a training that is continued are added to; others would be drawn into one curve with these. */
static int training_events(training *t)
{
    char path[EX_PATH_SIZE];
    const ca_settings *s = t->settings;
    if (ex_path(path, sizeof path, s->out, "events") != 0) return -1;
    if (s->resume[0] == '\0' && ex_names_remove(path, "events.out.tfevents.") != 0) return -1;
    return ex_status(lstmae_events_create(&t->events, t->data->context, path, NULL));
}

static int training_open(training *t)
{
    ca_settings *s = t->settings;
    const int64_t held = lstmae_dataset_count(t->data->validation);
    if (ca_data_loader(&t->loader, t->data, t->data->train, s, 1) != 0) return -1;
    if (ca_data_loader(&t->validation, t->data, t->data->validation, s, 0) != 0) return -1;
    if (ca_data_images(&t->shown, t->data, t->data->validation, 0, held < SHOWN ? held : SHOWN) != 0) return -1;
    if (ex_folder(s->out) != 0) return -1;
    if (ex_path(t->checkpoint, sizeof t->checkpoint, s->out, CA_CHECKPOINT_FILE) != 0) return -1;
    return training_events(t);
}

int ca_train(ca_model *model, ca_data *data, ca_settings *s)
{
    training t;
    memset(&t, 0, sizeof t);
    t.model = model;
    t.data = data;
    t.settings = s;
    t.before = s->done.elapsed;
    t.began = ex_seconds();
    int result = training_open(&t);
    const int64_t last = training_layers(&t);
    while (result == 0) {
        result = stage_run(&t);
        if (result != 0 || s->done.stage == last) break;
        s->done.stage++;
    }
    if (result == 0) result = ex_status(lstmae_events_flush(t.events));
    ex_csv_close(&t.log);
    lstmae_events_destroy(t.events);
    lstmae_tensor_destroy(t.shown);
    lstmae_loader_destroy(t.validation);
    lstmae_loader_destroy(t.loader);
    return result;
}

/* ---- the command ---- */

/* The last stage's columns of the log. */
static int training_plot(const ca_settings *s)
{
    char path[EX_PATH_SIZE], stem[EX_PATH_SIZE];
    size_t rows = 0, used = 0;
    if (ex_path(path, sizeof path, s->out, CA_LOG_FILE) != 0) return -1;
    if (ex_path(stem, sizeof stem, s->out, "loss") != 0) return -1;
    double *log = ex_csv_read(path, LOG_COLUMNS, &rows), *columns = malloc((3 * rows + 1) * sizeof *columns);
    int result = log != NULL && columns != NULL ? 0 : ex_fail("%s: cannot be plotted", path);
    for (size_t i = 0; result == 0 && i < rows; i++) {
        const double *row = log + i * LOG_COLUMNS;
        if (row[LOG_STAGE] != (double)s->done.stage) continue;
        columns[used] = row[LOG_UPDATE];
        columns[rows + used] = row[LOG_LOSS];
        columns[2 * rows + used++] = row[LOG_VALIDATION];
    }
    if (result == 0) {
        const ex_series series[2] = {{"training", columns, columns + rows, used, ex_plot_color(0), 1},
                                     {"validation", columns, columns + 2 * rows, used, ex_plot_color(1), 2.5}};
        const ex_plot plot = {"Loss while training", "updates", "loss per image", 1, series, 2};
        result = ex_plot_save(&plot, 800, 480, stem);
    }
    if (result == 0) printf("wrote %s and %s" EX_PICTURE_EXTENSION "\n", path, stem);
    free(columns);
    free(log);
    return result;
}

static void training_describe(const ca_data *data, const ca_model *model, const ca_settings *s)
{
    char name[32], device[EX_DEVICE_SIZE], text[4096];
    ex_word(CA_MODELS, s->model, name, sizeof name);
    ex_device(data->context, device, sizeof device);
    printf("data: %s\n", data->text);
    printf("model: %s on %s, batches of %lld\n", name, device, (long long)s->batch);
    const int64_t dims[4] = {s->batch, data->dims[0], data->dims[1], data->dims[2]};
    if (lstmae_module_summary(model->module, 4, dims, text, sizeof text, NULL) == LSTMAE_OK) fputs(text, stdout);
}

int ca_train_command(ca_data *data, ca_settings *s)
{
    ca_model model;
    ca_scores scores;
    int result = ca_model_create(&model, data, s);
    if (result == 0) {
        training_describe(data, &model, s);
        result = ca_train(&model, data, s);
    }
    ex_signals_release();
    if (result == 0) result = ca_model_save(&model, s);
    if (result == 0) result = training_plot(s);
    if (result == 0) result = ca_evaluate(&scores, &model, data, s);
    if (result == 0) ca_scores_print(&scores, s);
    ca_model_destroy(&model);
    return result;
}
