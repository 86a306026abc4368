#include "dot.h"
#include "eigen.h"
#include "rows.h"
#include "size.h"

#include <lstmae/pca.h>

#include <math.h>
#include <string.h>

/* Rows looked at together; four of them share a pass over the covariance. */
#define PCA_ROWS 64
#define PCA_TOGETHER 4

struct lstmae_pca {
    lstmae_context *context; /* retained */
    int64_t count, width;
    double total;
    double *components, *mean, *variance; /* one block, with the two below */
    double *rows;                         /* [PCA_ROWS,width]: a stretch of what is read */
    double *row;                          /* [width] */
    size_t bytes;
    lae_rows input; /* of transform and inverse, kept for the next call */
    void *output;   /* what they write */
    size_t output_bytes;
};

/* Work space of a fit, one block. */
typedef struct pca_fit {
    double *covariance, *vectors, *values, *work;
} pca_fit;

static lstmae_status pca_read(lae_rows *rows, int64_t first, int64_t count, double *out)
{
    LAE_TRY(lae_rows_read(rows, first, count, out));
    for (int64_t i = 0; i < count * rows->width; i++)
        if (!isfinite(out[i]))
            return LAE_FAIL(ERR_NUMERIC, "pca_create: row %lld: expected finite numbers, got %g",
                            (long long)(first + i / rows->width), out[i]);
    return LSTMAE_OK;
}

static int64_t pca_stretch(const lae_rows *rows, int64_t first)
{
    return rows->count - first < PCA_ROWS ? rows->count - first : PCA_ROWS;
}

static lstmae_status pca_mean(lstmae_pca *pca, lae_rows *rows)
{
    memset(pca->mean, 0, (size_t)pca->width * sizeof *pca->mean);
    for (int64_t first = 0; first < rows->count; first += PCA_ROWS) {
        int64_t count = pca_stretch(rows, first);
        LAE_TRY(pca_read(rows, first, count, pca->rows));
        for (int64_t r = 0; r < count; r++)
            for (int64_t c = 0; c < pca->width; c++) pca->mean[c] += pca->rows[r * pca->width + c];
    }
    for (int64_t c = 0; c < pca->width; c++) pca->mean[c] /= (double)rows->count;
    return LSTMAE_OK;
}

/* Adds the products of PCA_TOGETHER rows [.., n] to the lower triangle. */
static void pca_products(double *covariance, const double *rows, int64_t n)
{
    const double *a = rows, *b = a + n, *c = b + n, *d = c + n;
    for (int64_t i = 0; i < n; i++) {
        double *out = covariance + i * n, p = a[i], q = b[i], r = c[i], s = d[i];
        for (int64_t k = 0; k <= i; k++) out[k] += (p * a[k] + q * b[k]) + (r * c[k] + s * d[k]);
    }
}

static lstmae_status pca_covariance(lstmae_pca *pca, lae_rows *rows, double *covariance)
{
    int64_t n = pca->width;
    memset(covariance, 0, (size_t)(n * n) * sizeof *covariance);
    for (int64_t first = 0; first < rows->count; first += PCA_ROWS) {
        int64_t count = pca_stretch(rows, first);
        LAE_TRY(lae_rows_read(rows, first, count, pca->rows));
        for (int64_t r = 0; r < count; r++)
            for (int64_t c = 0; c < n; c++) pca->rows[r * n + c] -= pca->mean[c];
        for (int64_t i = count * n; i < PCA_ROWS * n; i++) pca->rows[i] = 0.0;
        for (int64_t r = 0; r < count; r += PCA_TOGETHER) pca_products(covariance, pca->rows + r * n, n);
    }
    for (int64_t i = 0; i < n * n; i++) covariance[i] /= (double)(rows->count - 1);
    return LSTMAE_OK;
}

/* The same direction whichever way the eigenvector came. */
static void pca_turn(double *component, int64_t n)
{
    int64_t most = 0;
    for (int64_t i = 1; i < n; i++)
        if (fabs(component[i]) > fabs(component[most])) most = i;
    if (component[most] < 0)
        for (int64_t i = 0; i < n; i++) component[i] = -component[i];
}

static lstmae_status pca_solve(lstmae_pca *pca, lae_rows *rows, const pca_fit *fit)
{
    int64_t n = pca->width;
    LAE_TRY(pca_mean(pca, rows));
    LAE_TRY(pca_covariance(pca, rows, fit->covariance));
    for (int64_t i = 0; i < n; i++) pca->total += fit->covariance[i * n + i];
    LAE_TRY(lae_eigen_symmetric(fit->covariance, fit->values, fit->vectors, fit->work, n));
    memcpy(pca->components, fit->vectors, (size_t)(pca->count * n) * sizeof *pca->components);
    for (int64_t i = 0; i < pca->count; i++) {
        pca->variance[i] = fit->values[i] > 0 ? fit->values[i] : 0.0; /* rounding may leave less than nothing */
        pca_turn(pca->components + i * n, n);
    }
    return LSTMAE_OK;
}

static lstmae_status pca_fit_rows(lstmae_pca *pca, const lstmae_tensor *data)
{
    lae_memory *memory = lae_context_memory(pca->context);
    size_t n = (size_t)pca->width, bytes = (2 * n * n + 3 * n) * sizeof(double);
    lae_rows rows = { .count = 0 };
    double *block = lae_alloc(memory, bytes);
    if (!block) return LAE_FAIL(ERR_NO_MEMORY, "pca_create: no memory for %zu bytes", bytes);
    pca_fit fit = { block, block + n * n, block + 2 * n * n, block + 2 * n * n + n };
    lstmae_status status = lae_rows_open(&rows, data, PCA_ROWS, "pca_create");
    if (status == LSTMAE_OK) status = pca_solve(pca, &rows, &fit);
    lae_rows_close(&rows);
    lae_free(memory, block, bytes);
    return status;
}

static lstmae_status pca_check(const lstmae_tensor *data, int64_t k)
{
    char text[LAE_SHAPE_TEXT];
    LAE_CHECK_ARG(data, "pca_create");
    const lstmae_view *view = &data->view;
    if (view->ndim != 2 || view->dim[0] < 2 || view->dim[1] < 1)
        return LAE_FAIL(ERR_SHAPE, "pca_create: expected [N,D] with N of 2 or more, got %s",
                        lae_shape_text(text, sizeof text, view));
    if (k < 1 || k > view->dim[1])
        return LAE_FAIL(ERR_INVALID_ARG, "pca_create: expected 1 to %lld components, got %lld",
                        (long long)view->dim[1], (long long)k);
    int64_t most[3] = { view->dim[1], view->dim[1] + 2 * PCA_ROWS, 4 * (int64_t)sizeof(double) }, product;
    if (!lae_product(&product, 3, most))
        return LAE_FAIL(ERR_SHAPE, "pca_create: expected a covariance that fits in memory, got %lld columns",
                        (long long)view->dim[1]);
    return LSTMAE_OK;
}

lstmae_status lstmae_pca_create(lstmae_pca **out, const lstmae_tensor *data, int64_t k)
{
    LAE_CHECK_ARG(out, "pca_create");
    *out = NULL;
    LAE_TRY(pca_check(data, k));
    lstmae_context *context = data->storage->context;
    lae_memory *memory = lae_context_memory(context);
    lstmae_pca *pca = lae_calloc(memory, 1, sizeof *pca);
    if (!pca) return LAE_FAIL(ERR_NO_MEMORY, "pca_create: no memory for %zu bytes", sizeof *pca);
    pca->context = lae_context_retain(context);
    pca->count = k;
    pca->width = data->view.dim[1];
    size_t n = (size_t)pca->width, parts = (size_t)k * n;
    pca->bytes = (parts + n + (size_t)k + (PCA_ROWS + 1) * n) * sizeof(double);
    pca->components = lae_alloc(memory, pca->bytes);
    lstmae_status status = LSTMAE_OK;
    if (!pca->components) {
        status = LAE_FAIL(ERR_NO_MEMORY, "pca_create: no memory for %zu bytes", pca->bytes);
    } else {
        pca->mean = pca->components + parts;
        pca->variance = pca->mean + n;
        pca->rows = pca->variance + k;
        pca->row = pca->rows + PCA_ROWS * n;
        status = pca_fit_rows(pca, data);
    }
    if (status < 0) {
        lstmae_pca_destroy(pca);
        return status;
    }
    *out = pca;
    return LSTMAE_OK;
}

void lstmae_pca_destroy(lstmae_pca *pca)
{
    if (!pca) return;
    lstmae_context *context = pca->context;
    lae_memory *memory = lae_context_memory(context);
    lae_rows_close(&pca->input);
    lae_free(memory, pca->output, pca->output_bytes);
    lae_free(memory, pca->components, pca->bytes);
    lae_free(memory, pca, sizeof *pca);
    lae_context_release(context);
}

int64_t lstmae_pca_count(const lstmae_pca *pca)
{
    return pca ? pca->count : 0;
}

int64_t lstmae_pca_width(const lstmae_pca *pca)
{
    return pca ? pca->width : 0;
}

const double *lstmae_pca_components(const lstmae_pca *pca)
{
    return pca ? pca->components : NULL;
}

const double *lstmae_pca_mean(const lstmae_pca *pca)
{
    return pca ? pca->mean : NULL;
}

const double *lstmae_pca_variance(const lstmae_pca *pca)
{
    return pca ? pca->variance : NULL;
}

double lstmae_pca_total_variance(const lstmae_pca *pca)
{
    return pca ? pca->total : 0.0;
}

/* What goes in and out, [M,from_width] and [M,to_width], and how one row becomes another. */
typedef struct pca_way {
    const char *name;
    int64_t from_width, to_width;
    void (*row)(const lstmae_pca *pca, double *from, double *to);
} pca_way;

static lstmae_status pca_check_way(const lstmae_pca *pca, const lstmae_tensor *from, const lstmae_tensor *to,
                                   const pca_way *way)
{
    char a[LAE_SHAPE_TEXT], b[LAE_SHAPE_TEXT];
    LAE_CHECK_ARG(from && to, way->name);
    const lstmae_view *in = &from->view, *out = &to->view;
    if (from->storage->context != pca->context || to->storage->context != pca->context)
        return LAE_FAIL(ERR_INVALID_ARG, "%s: expected tensors of the context that the data was of", way->name);
    if (in->ndim != 2 || out->ndim != 2 || in->dim[1] != way->from_width || out->dim[1] != way->to_width ||
        in->dim[0] != out->dim[0])
        return LAE_FAIL(ERR_SHAPE, "%s: expected [M,%lld] and [M,%lld], got %s and %s", way->name,
                        (long long)way->from_width, (long long)way->to_width, lae_shape_text(a, sizeof a, in),
                        lae_shape_text(b, sizeof b, out));
    if (out->dtype != LSTMAE_F32 && out->dtype != LSTMAE_F64)
        return LAE_FAIL(ERR_DTYPE, "%s: expected float32 or float64, got %s", way->name, lae_dtype_name(out->dtype));
    return LSTMAE_OK;
}

static void pca_store(void *output, int dtype, int64_t first, const double *values, int64_t count)
{
    if (dtype == LSTMAE_F64)
        memcpy((double *)output + first, values, (size_t)count * sizeof *values);
    else
        for (int64_t i = 0; i < count; i++) ((float *)output)[first + i] = (float)values[i];
}

static lstmae_status pca_go(lstmae_pca *pca, const lstmae_tensor *from, lstmae_tensor *to, const pca_way *way)
{
    LAE_TRY(pca_check_way(pca, from, to, way));
    int dtype = to->view.dtype;
    size_t bytes = (size_t)lae_view_numel(&to->view) * lae_dtype_size(dtype);
    if (!lae_grow(lae_context_memory(pca->context), &pca->output, &pca->output_bytes, bytes))
        return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", way->name, bytes);
    LAE_TRY(lae_rows_open(&pca->input, from, PCA_ROWS, way->name));
    for (int64_t first = 0; first < pca->input.count; first += PCA_ROWS) {
        int64_t count = pca_stretch(&pca->input, first);
        LAE_TRY(lae_rows_read(&pca->input, first, count, pca->rows));
        for (int64_t r = 0; r < count; r++) {
            way->row(pca, pca->rows + r * way->from_width, pca->row);
            pca_store(pca->output, dtype, (first + r) * way->to_width, pca->row, way->to_width);
        }
    }
    return lstmae_tensor_write(to, pca->output, bytes);
}

static void pca_row_to_code(const lstmae_pca *pca, double *from, double *to)
{
    for (int64_t c = 0; c < pca->width; c++) from[c] -= pca->mean[c];
    for (int64_t i = 0; i < pca->count; i++) to[i] = lae_dot(pca->components + i * pca->width, from, pca->width);
}

static void pca_row_from_code(const lstmae_pca *pca, double *from, double *to)
{
    memcpy(to, pca->mean, (size_t)pca->width * sizeof *to);
    for (int64_t i = 0; i < pca->count; i++) {
        const double *component = pca->components + i * pca->width;
        for (int64_t c = 0; c < pca->width; c++) to[c] += from[i] * component[c];
    }
}

lstmae_status lstmae_pca_transform(lstmae_pca *pca, const lstmae_tensor *x, lstmae_tensor *z)
{
    LAE_CHECK_ARG(pca, "pca_transform");
    const pca_way way = { "pca_transform", pca->width, pca->count, pca_row_to_code };
    return pca_go(pca, x, z, &way);
}

lstmae_status lstmae_pca_inverse(lstmae_pca *pca, const lstmae_tensor *z, lstmae_tensor *x)
{
    LAE_CHECK_ARG(pca, "pca_inverse");
    const pca_way way = { "pca_inverse", pca->count, pca->width, pca_row_from_code };
    return pca_go(pca, z, x, &way);
}
