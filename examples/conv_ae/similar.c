#include "similar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/files.h"
#include "../common/progress.h"
#include "../common/report.h"
#include "show.h"

/* ---- nearest images ---- */

enum { SEARCH_LABEL = 32 }; /* bytes of a row's label */

typedef struct search {
    lstmae_tensor *codes, *queries; /* of the training images, and of some test images */
    lstmae_tensor *images;          /* these test images */
    lstmae_neighbors *neighbors;
    int64_t count, k;
    int64_t *found;                 /* [count,k] */
    double *distances;
    double build, find;             /* seconds */
} search;

static void search_free(search *r)
{
    lstmae_neighbors_destroy(r->neighbors);
    lstmae_tensor_destroy(r->codes);
    lstmae_tensor_destroy(r->queries);
    lstmae_tensor_destroy(r->images);
    free(r->found);
    free(r->distances);
}

static int search_queries(search *r, ca_model *model, const ca_data *data)
{
    const lstmae_tensor *code = NULL;
    if (ca_data_spread(&r->images, data, data->test, r->count) != 0) return -1;
    EX_TRY(lstmae_autoencoder_encode(model->net, r->images, &code));
    const int64_t dims[2] = {r->count, lstmae_tensor_numel(code) / r->count};
    const size_t bytes = (size_t)(dims[0] * dims[1]) * sizeof(float);
    float *host = malloc(bytes);
    int result = host != NULL ? 0 : ex_fail("out of memory for codes");
    if (result == 0) result = ex_status(lstmae_tensor_read(code, host, bytes));
    if (result == 0) result = ex_status(lstmae_tensor_create(&r->queries, data->context, LSTMAE_F32, 2, dims));
    if (result == 0) result = ex_status(lstmae_tensor_write(r->queries, host, bytes));
    free(host);
    return result;
}

static int search_run(search *r, ca_model *model, const ca_data *data, const ca_settings *s)
{
    if (ca_model_codes(&r->codes, model, data, data->train, s, INT64_MAX) != 0) return -1;
    if (search_queries(r, model, data) != 0) return -1;
    if (r->k > lstmae_tensor_dim(r->codes, 0)) r->k = lstmae_tensor_dim(r->codes, 0);
    r->found = malloc((size_t)(r->count * r->k) * sizeof *r->found);
    r->distances = malloc((size_t)(r->count * r->k) * sizeof *r->distances);
    if (r->found == NULL || r->distances == NULL) return ex_fail("out of memory for neighbors");
    r->build = -ex_seconds();
    EX_TRY(lstmae_neighbors_create(&r->neighbors, r->codes, (lstmae_metric)s->metric));
    r->build += ex_seconds();
    r->find = -ex_seconds();
    EX_TRY(lstmae_neighbors_find(r->neighbors, r->queries, r->k, r->found, r->distances));
    r->find += ex_seconds();
    return 0;
}

/* The images found in place k, one for each query. */
static int search_images(lstmae_tensor **out, const search *r, const ca_data *data, int64_t k)
{
    const size_t pixels = (size_t)(data->dims[0] * data->dims[1] * data->dims[2]), all = (size_t)r->count * pixels;
    const int64_t dims[4] = {r->count, data->dims[0], data->dims[1], data->dims[2]};
    float *values = malloc(all * sizeof *values), *at = values;
    int result = values != NULL ? 0 : ex_fail("out of memory for images");
    for (int64_t q = 0; result == 0 && q < r->count; q++, at += pixels)
        result = ex_status(lstmae_dataset_read(data->train, r->found[q * r->k + k], at, pixels));
    if (result == 0) result = ex_status(lstmae_tensor_create(out, data->context, LSTMAE_F32, 4, dims));
    if (result == 0) result = ex_status(lstmae_tensor_write(*out, values, all * sizeof *values));
    free(values);
    return result;
}

/* Column q: a query, and below it what was found, nearest first. */
static int search_show(const search *r, const ca_data *data, const ca_settings *s)
{
    static const char title[] = "Test images and the training images with the nearest codes";
    ca_row *rows = calloc((size_t)r->k + 1, sizeof *rows);
    lstmae_tensor **images = calloc((size_t)r->k, sizeof *images);
    char(*labels)[SEARCH_LABEL] = calloc((size_t)r->k, sizeof *labels);
    int result = rows != NULL && images != NULL && labels != NULL ? 0 : ex_fail("out of memory for images");
    if (result == 0) rows[0] = (ca_row){"test image", r->images, 0, 0};
    for (int64_t k = 0; result == 0 && k < r->k; k++) {
        snprintf(labels[k], sizeof labels[k], "nearest %lld", (long long)k + 1);
        result = search_images(&images[k], r, data, k);
        rows[k + 1] = (ca_row){labels[k], images[k], 0, k == 0};
    }
    if (result == 0) result = ca_show_rows(data, s, rows, (int)r->k + 1, title, NULL, "similar");
    for (int64_t k = 0; images != NULL && k < r->k; k++) lstmae_tensor_destroy(images[k]);
    free(labels);
    free((void *)images);
    free(rows);
    return result;
}

int ca_similar_command(ca_data *data, ca_settings *s)
{
    ca_model model;
    search r;
    const int64_t test = lstmae_dataset_count(data->test);
    memset(&r, 0, sizeof r);
    r.count = s->count < test ? s->count : test;
    r.k = s->neighbors;
    int result = ca_model_open(&model, data, s);
    if (result == 0) result = search_run(&r, &model, data, s);
    if (result == 0) result = search_show(&r, data, s);
    if (result == 0) {
        char metric[16];
        ex_word(CA_METRICS, s->metric, metric, sizeof metric);
        printf("result: queries=%lld among=%lld width=%lld metric=%s build_ms=%.2f ms_per_query=%.3f nearest=%.5g\n",
               (long long)r.count, (long long)lstmae_tensor_dim(r.codes, 0), (long long)lstmae_tensor_dim(r.codes, 1),
               metric, 1e3 * r.build, 1e3 * r.find / (double)r.count, r.distances[0]);
    }
    search_free(&r);
    ca_model_destroy(&model);
    return result;
}

/* ---- codes for other programs ---- */

enum { EXPORT_SPRITE = 8192, EXPORT_LABEL = 64 }; /* pixels of the projector's picture; bytes of a label */

typedef struct export {
    lstmae_tensor *codes, *plane; /* [N,Z], and its first two principal components */
    float *values, *places;       /* the same on the host */
    int64_t rows, width;
    int64_t *labels;              /* [N]; NULL: none */
    char *names;                  /* of these, [N,EXPORT_LABEL] */
    const char **texts;
} export;

static void export_free(export *e)
{
    lstmae_tensor_destroy(e->codes);
    lstmae_tensor_destroy(e->plane);
    free(e->values);
    free(e->places);
    free(e->labels);
    free(e->names);
    free((void *)e->texts);
}

static int export_labels(export *e, const ca_data *data)
{
    if (!lstmae_dataset_labelled(data->test)) return 0;
    e->labels = malloc((size_t)e->rows * sizeof *e->labels);
    e->names = malloc((size_t)e->rows * EXPORT_LABEL);
    e->texts = malloc((size_t)e->rows * sizeof *e->texts);
    if (e->labels == NULL || e->names == NULL || e->texts == NULL) return ex_fail("out of memory for labels");
    for (int64_t i = 0; i < e->rows; i++) {
        EX_TRY(lstmae_dataset_label(data->test, i, &e->labels[i]));
        ca_data_class(data, e->labels[i], e->names + i * EXPORT_LABEL, EXPORT_LABEL);
        e->texts[i] = e->names + i * EXPORT_LABEL;
    }
    return 0;
}

static int export_prepare(export *e, ca_model *model, const ca_data *data, const ca_settings *s)
{
    lstmae_pca *pca = NULL;
    if (ca_model_codes(&e->codes, model, data, data->test, s, s->embeddings) != 0) return -1;
    e->rows = lstmae_tensor_dim(e->codes, 0);
    e->width = lstmae_tensor_dim(e->codes, 1);
    const int64_t k = e->width > 1 ? 2 : 1, plane[2] = {e->rows, k};
    e->values = malloc((size_t)(e->rows * e->width) * sizeof *e->values);
    e->places = calloc((size_t)(e->rows * 2), sizeof *e->places);
    if (e->values == NULL || e->places == NULL) return ex_fail("out of memory for codes");
    EX_TRY(lstmae_tensor_read(e->codes, e->values, (size_t)(e->rows * e->width) * sizeof *e->values));
    EX_TRY(lstmae_tensor_create(&e->plane, data->context, LSTMAE_F32, 2, plane));
    EX_TRY(lstmae_pca_create(&pca, e->codes, k));
    int result = ex_status(lstmae_pca_transform(pca, e->codes, e->plane));
    lstmae_pca_destroy(pca);
    if (result != 0) return -1;
    EX_TRY(lstmae_tensor_read(e->plane, e->places, (size_t)(e->rows * k) * sizeof *e->places));
    return export_labels(e, data);
}

/* Rows of the label's number, two principal components, code. */
static int export_csv(const export *e, const char *folder)
{
    char path[EX_PATH_SIZE];
    const int64_t k = lstmae_tensor_dim(e->plane, 1);
    ex_file file;
    if (ex_path(path, sizeof path, folder, "codes.csv") != 0 || ex_file_open(&file, path) != 0) return -1;
    fprintf(file.stream, "label");
    for (int64_t i = 0; i < k; i++) fprintf(file.stream, ",pc%lld", (long long)i + 1);
    for (int64_t z = 0; z < e->width; z++) fprintf(file.stream, ",z%lld", (long long)z);
    fputc('\n', file.stream);
    for (int64_t n = 0; n < e->rows; n++) {
        if (e->labels != NULL) fprintf(file.stream, "%lld", (long long)e->labels[n]);
        for (int64_t i = 0; i < k; i++) fprintf(file.stream, ",%.9g", (double)e->places[n * k + i]);
        for (int64_t z = 0; z < e->width; z++) fprintf(file.stream, ",%.9g", (double)e->values[n * e->width + z]);
        fputc('\n', file.stream);
    }
    if (ex_file_commit(&file) != 0) return -1;
    printf("wrote %s\n", path);
    return 0;
}

static int export_npy(const export *e, const char *folder)
{
    char path[EX_PATH_SIZE];
    if (ex_path(path, sizeof path, folder, "codes.npy") != 0) return -1;
    EX_TRY(lstmae_npy_save(path, e->codes));
    printf("wrote %s\n", path);
    return 0;
}

/* As many rows as the projector's picture has room for. */
static int export_projector(const export *e, const ca_data *data, const char *folder)
{
    lstmae_projector content = LSTMAE_PROJECTOR_INIT;
    lstmae_tensor *images = NULL, *vectors = NULL;
    const int64_t side = data->dims[1] > data->dims[2] ? data->dims[1] : data->dims[2];
    const int64_t room = (EXPORT_SPRITE / side) * (EXPORT_SPRITE / side), rows = e->rows < room ? e->rows : room;
    int result = ca_data_images(&images, data, data->test, 0, rows);
    if (result == 0) result = ex_status(lstmae_tensor_slice(&vectors, e->codes, 0, 0, rows));
    content.vectors = vectors;
    content.images = images;
    content.labels = e->texts;
    content.low = data->low;
    content.high = data->high;
    if (result == 0) result = ex_status(lstmae_projector_save(folder, &content));
    if (result == 0) printf("wrote %s: tensorboard --logdir %s\n", folder, folder);
    lstmae_tensor_destroy(vectors);
    lstmae_tensor_destroy(images);
    return result;
}

static int export_write(export *e, const ca_data *data, const ca_settings *s)
{
    char folder[EX_PATH_SIZE];
    if (ex_path(folder, sizeof folder, s->out, "embeddings") != 0 || ex_folder(folder) != 0) return -1;
    if (export_csv(e, folder) != 0 || export_npy(e, folder) != 0) return -1;
    return export_projector(e, data, folder);
}

int ca_export_command(ca_data *data, ca_settings *s)
{
    ca_model model;
    export e;
    memset(&e, 0, sizeof e);
    int result = ca_model_open(&model, data, s);
    if (result == 0) result = export_prepare(&e, &model, data, s);
    if (result == 0) result = export_write(&e, data, s);
    if (result == 0)
        printf("result: embeddings=%lld latent=%lld labels=%s\n", (long long)e.rows, (long long)e.width,
               e.texts != NULL ? "yes" : "no");
    export_free(&e);
    ca_model_destroy(&model);
    return result;
}
