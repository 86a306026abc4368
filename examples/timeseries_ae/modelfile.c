#include "modelfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/report.h"

#define MODEL_TRAINED "trained"
#define MODEL_UNFINISHED "in training"
#define MODEL_ARRAYS 4

/* ---- lifetime ---- */

static int model_names(ts_model *m, const char *const *names, int64_t count)
{
    m->names = calloc((size_t)count, sizeof *m->names);
    if (m->names == NULL) return ex_fail("out of memory for %lld columns", (long long)count);
    m->count = count;
    for (int64_t c = 0; c < count; c++) {
        if (strchr(names[c], '\n') != NULL) return ex_fail("column %lld: its name has a line break", (long long)c + 1);
        size_t bytes = strlen(names[c]) + 1;
        m->names[c] = malloc(bytes);
        if (m->names[c] == NULL) return ex_fail("out of memory for %lld columns", (long long)count);
        memcpy(m->names[c], names[c], bytes);
    }
    return 0;
}

int ts_model_create(ts_model *m, lstmae_context *context, const ts_settings *s, const char *const *names, int64_t count)
{
    memset(m, 0, sizeof *m);
    if (model_names(m, names, count) != 0) return -1;
    if (ts_network_create(&m->network, context, s, count) != 0) return -1;
    return ts_detector_create(&m->detector, context, s, count);
}

void ts_model_destroy(ts_model *m)
{
    for (int64_t c = 0; m->names != NULL && c < m->count; c++) free(m->names[c]);
    free(m->names);
    ts_detector_destroy(&m->detector);
    ts_network_destroy(&m->network);
    memset(m, 0, sizeof *m);
}

/* ---- text ---- */

static char *model_text(const ts_model *m, ts_settings *s)
{
    char *settings = ts_settings_text(s);
    if (settings == NULL) return NULL;
    size_t size = strlen(settings) + 32, used;
    for (int64_t c = 0; c < m->count; c++) size += strlen(m->names[c]) + 1;
    char *text = malloc(size);
    if (text != NULL) {
        used = (size_t)snprintf(text, size, "%s\n%s\n", settings, m->trained ? MODEL_TRAINED : MODEL_UNFINISHED);
        for (int64_t c = 0; c < m->count; c++) used += (size_t)snprintf(text + used, size - used, "%s\n", m->names[c]);
    }
    free(settings);
    return text;
}

/* What follows the settings, or NULL. */
static const char *model_columns(const char *text)
{
    const char *gap = strstr(text, "\n\n");
    return gap != NULL ? gap + 2 : NULL;
}

int ts_modelfile_settings(const ex_option *table, const char *text, const char *source)
{
    const char *columns = model_columns(text);
    if (columns == NULL) return ex_fail("%s: not a model of this program", source);
    size_t length = (size_t)(columns - text) - 1;
    char *settings = malloc(length + 1);
    if (settings == NULL) return ex_fail("out of memory");
    memcpy(settings, text, length);
    settings[length] = '\0';
    int result = ex_options_load(table, settings, source);
    free(settings);
    return result;
}

/* Cuts "trained", then names into lines; `names` point into it. The number of names, or -1. */
static int64_t model_split(char *at, const char *path, const char ***names, int *trained)
{
    int64_t count = 0, lines = 0;
    for (const char *p = at; *p != '\0'; p++) lines += *p == '\n';
    *trained = strncmp(at, MODEL_TRAINED "\n", sizeof MODEL_TRAINED) == 0;
    if (lines < 2) return ex_fail("%s: not a model of this program", path);
    *names = calloc((size_t)lines, sizeof **names);
    if (*names == NULL) return ex_fail("out of memory for %lld columns", (long long)lines);
    for (char *line = strchr(at, '\n') + 1; *line != '\0'; count++) {
        char *end = line + strcspn(line, "\n");
        (*names)[count] = line;
        line = *end != '\0' ? end + 1 : end;
        *end = '\0';
    }
    return count;
}

/* ---- file ---- */

/* The numbers that belong to a detector, in memory that holds all of them one after the other. */
static double *model_arrays(const ts_detector *d, lstmae_checkpoint_array *arrays, int64_t *total)
{
    static const char *const names[MODEL_ARRAYS] = {"drift", "scaler", "gaussian", "threshold"};
    const int64_t counts[MODEL_ARRAYS] = {d->channels, lstmae_scaler_state_count(d->scaler),
                                          lstmae_gaussian_state_count(d->gaussian),
                                          lstmae_threshold_state_count(d->threshold)};
    *total = 0;
    for (int i = 0; i < MODEL_ARRAYS; i++) *total += counts[i];
    double *values = calloc((size_t)*total, sizeof *values), *at = values;
    if (values == NULL) {
        ex_fail("out of memory for %lld numbers", (long long)*total);
        return NULL;
    }
    for (int i = 0; i < MODEL_ARRAYS; i++) {
        arrays[i] = (lstmae_checkpoint_array){names[i], at, counts[i]};
        at += counts[i];
    }
    return values;
}

/* Before the detector is fitted only the first two arrays are there. */
static int64_t model_array_count(const ts_model *m)
{
    return m->trained ? MODEL_ARRAYS : 2;
}

static int model_get_state(const ts_model *m, const lstmae_checkpoint_array *a)
{
    const ts_detector *d = &m->detector;
    memcpy(a[0].values, d->drift, (size_t)d->channels * sizeof *d->drift);
    EX_TRY(lstmae_scaler_get_state(d->scaler, a[1].values, a[1].count));
    if (!m->trained) return 0;
    EX_TRY(lstmae_gaussian_get_state(d->gaussian, a[2].values, a[2].count));
    return ex_status(lstmae_threshold_get_state(d->threshold, a[3].values, a[3].count));
}

static int model_set_state(const ts_model *m, const lstmae_checkpoint_array *a)
{
    const ts_detector *d = &m->detector;
    memcpy(d->drift, a[0].values, (size_t)d->channels * sizeof *d->drift);
    EX_TRY(lstmae_scaler_set_state(d->scaler, a[1].values, a[1].count));
    if (!m->trained) return 0;
    EX_TRY(lstmae_gaussian_set_state(d->gaussian, a[2].values, a[2].count));
    return ex_status(lstmae_threshold_set_state(d->threshold, a[3].values, a[3].count));
}

int ts_model_save(const ts_model *m, ts_settings *s, const ts_progress *progress, const char *path)
{
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    lstmae_checkpoint_array arrays[MODEL_ARRAYS];
    int64_t total;
    double *values = model_arrays(&m->detector, arrays, &total);
    char *text = model_text(m, s);
    int result = values != NULL && text != NULL ? model_get_state(m, arrays) : -1;
    if (text == NULL) result = ex_fail("out of memory for the settings");
    content.module = ts_network_module(&m->network);
    content.config = text;
    content.arrays = arrays;
    content.array_count = model_array_count(m);
    if (progress != NULL) {
        content.optimizer = m->network.optimizer;
        content.loader = progress->loader;
        content.state = progress->state;
    }
    if (result == 0) result = ex_status(lstmae_checkpoint_save(path, &content));
    free(text);
    free(values);
    return result;
}

static int model_load(const ts_model *m, const char *path)
{
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    lstmae_checkpoint_array arrays[MODEL_ARRAYS];
    int64_t total;
    double *values = model_arrays(&m->detector, arrays, &total);
    if (values == NULL) return -1;
    content.module = ts_network_module(&m->network);
    content.arrays = arrays;
    content.array_count = model_array_count(m);
    int result = ex_status(lstmae_checkpoint_load(path, &content));
    if (result == 0) result = model_set_state(m, arrays);
    free(values);
    return result;
}

int ts_model_open(ts_model *m, lstmae_context *context, const ts_settings *s, const char *path)
{
    char *text = NULL, *lines = NULL;
    const char **names = NULL;
    int trained = 0;
    memset(m, 0, sizeof *m);
    EX_TRY(lstmae_checkpoint_config(path, &text));
    const char *columns = model_columns(text);
    if (columns != NULL && (lines = malloc(strlen(columns) + 1)) != NULL) strcpy(lines, columns);
    lstmae_checkpoint_config_free(text);
    if (lines == NULL) return ex_fail("%s: not a model of this program", path);
    int64_t count = model_split(lines, path, &names, &trained);
    int result = count > 0 ? ts_model_create(m, context, s, names, count) : -1;
    m->trained = trained;
    free(names);
    free(lines);
    return result == 0 ? model_load(m, path) : result;
}

int ts_model_resume(ts_model *m, const ts_progress *progress, const char *path)
{
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    content.module = ts_network_module(&m->network);
    content.optimizer = m->network.optimizer;
    content.loader = progress->loader;
    content.state = progress->state;
    return ex_status(lstmae_checkpoint_load(path, &content));
}
