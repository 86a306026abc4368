#include "dot.h"
#include "nearest.h"
#include "ops.h"
#include "rows.h"
#include "size.h"

#include <lstmae/neighbors.h>

#include <float.h>
#include <math.h>

/* Queries and rows that one product takes. */
#define NEIGHBORS_QUERIES 64
#define NEIGHBORS_ROWS 4096

struct lstmae_neighbors {
    lstmae_context *context; /* retained */
    lstmae_tensor *vectors;  /* retained */
    lstmae_metric metric;
    int64_t count, width;
    double gamma, rounding, tiny; /* see neighbors_set_errors() */
    lae_rows rows, asked;         /* the vectors, and the queries of a call */
    lae_rows multiplied;          /* the products */
    double *norms;                /* [count], of the vectors; one block with the next two */
    double *row;                  /* [width] */
    double *queries;              /* [NEIGHBORS_QUERIES,width] */
    size_t block_bytes;
    lstmae_tensor *products; /* [NEIGHBORS_ROWS,NEIGHBORS_QUERIES] at most, on the device */
    void *scores;            /* the same on the host, double */
    size_t scores_bytes;
    void *kept; /* lae_neighbor [NEIGHBORS_QUERIES,k] */
    size_t kept_bytes;
};

/* Queries of one product. A vector of norm v whose product with query q is below from_row(v) + constant[q] +
 * v factor[q] is farther away than what the query has. */
typedef struct neighbors_queries {
    int64_t count;
    const double *vector[NEIGHBORS_QUERIES];
    double norm[NEIGHBORS_QUERIES];
    lae_nearest nearest[NEIGHBORS_QUERIES];
    double constant[NEIGHBORS_QUERIES], factor[NEIGHBORS_QUERIES];
} neighbors_queries;

static double neighbors_norm(const double *vector, int64_t width)
{
    return sqrt(lae_dot(vector, vector, width));
}

/* The distance by its definition, squared if Euclidean, of vectors with these norms. */
static double neighbors_distance(const lstmae_neighbors *n, const double *a, const double *b, double sizes)
{
    if (n->metric == LSTMAE_METRIC_EUCLIDEAN) return lae_distance_squared(a, b, n->width);
    return sizes > 0 ? 1.0 - lae_dot(a, b, n->width) / sizes : 1.0;
}

/*
 * Errors of a product p of D terms in the tensors' type, whatever the order of the sum:
 *
 *   |p - a'b| <= gamma |a| |b| + tiny,  gamma = D u / (1 - D u)
 *
 * with u half the distance from 1 to the next number, and tiny for terms that vanish (Higham, "Accuracy and stability
 * of numerical algorithms", 3.1). `rounding` is for what is done in double.
 */
static void neighbors_set_errors(lstmae_neighbors *n)
{
    int wide = n->vectors->view.dtype == LSTMAE_F64;
    double terms = (double)n->width, u = terms * (wide ? 0x1p-53 : 0x1p-24);
    n->gamma = u < 0.5 ? u / (1.0 - u) : (double)INFINITY;
    n->rounding = (terms + 16.0) * 0x1p-51;
    n->tiny = terms * (wide ? DBL_MIN : (double)FLT_MIN);
}

/*
 * What a query, with norm a, has found so far says about products that need no second look, for vectors of norm b:
 *
 *   a^2 + b^2 - 2 a'b > limit          if  p < ((1 - rounding) (a^2 + b^2) - limit) / 2 - gamma a b - tiny
 *   1 - a'b / (a b) > limit            if  p < a b (1 - limit - gamma - rounding) - tiny
 */
static void neighbors_set_limit(const lstmae_neighbors *n, neighbors_queries *queries, int64_t q)
{
    double a = queries->norm[q], limit = lae_nearest_limit(&queries->nearest[q]);
    if (n->metric == LSTMAE_METRIC_EUCLIDEAN) {
        queries->constant[q] = 0.5 * ((1.0 - n->rounding) * a * a - limit);
        queries->factor[q] = -n->gamma * a;
    } else {
        queries->constant[q] = 0.0;
        queries->factor[q] = a * (1.0 - limit - n->gamma - n->rounding);
    }
}

static double neighbors_from_row(const lstmae_neighbors *n, double norm)
{
    return n->metric == LSTMAE_METRIC_EUCLIDEAN ? 0.5 * (1.0 - n->rounding) * norm * norm - n->tiny : -n->tiny;
}

static lstmae_status neighbors_check_finite(const double *rows, int64_t count, int64_t width, int64_t first,
                                            const char *what)
{
    for (int64_t i = 0; i < count * width; i++)
        if (!isfinite(rows[i]))
            return LAE_FAIL(ERR_NUMERIC, "%s %lld: expected finite numbers, got %g", what,
                            (long long)(first + i / width), rows[i]);
    return LSTMAE_OK;
}

static lstmae_status neighbors_prepare(lstmae_neighbors *n, lae_memory *memory)
{
    size_t count = (size_t)n->count, width = (size_t)n->width, work;
    if (!lae_mul_size(&work, width, NEIGHBORS_QUERIES + 1) || !lae_add_size(&work, work, count) ||
        !lae_mul_size(&n->block_bytes, work, sizeof(double)))
        return LAE_FAIL(ERR_SHAPE, "neighbors_create: expected vectors that fit in memory");
    n->norms = lae_alloc(memory, n->block_bytes);
    if (!n->norms) return LAE_FAIL(ERR_NO_MEMORY, "neighbors_create: no memory for %zu bytes", n->block_bytes);
    n->row = n->norms + count;
    n->queries = n->row + width;
    LAE_TRY(lae_rows_open(&n->rows, n->vectors, NEIGHBORS_QUERIES, "neighbors_create"));
    for (int64_t first = 0; first < n->count; first += NEIGHBORS_QUERIES) {
        int64_t stretch = n->count - first < NEIGHBORS_QUERIES ? n->count - first : NEIGHBORS_QUERIES;
        LAE_TRY(lae_rows_read(&n->rows, first, stretch, n->queries));
        LAE_TRY(neighbors_check_finite(n->queries, stretch, n->width, first, "neighbors_create: row"));
        for (int64_t i = 0; i < stretch; i++) n->norms[first + i] = neighbors_norm(n->queries + i * n->width, n->width);
    }
    return LSTMAE_OK;
}

lstmae_status lstmae_neighbors_create(lstmae_neighbors **out, lstmae_tensor *vectors, lstmae_metric metric)
{
    char text[LAE_SHAPE_TEXT];
    LAE_CHECK_ARG(out, "neighbors_create");
    *out = NULL;
    LAE_CHECK_ARG(vectors, "neighbors_create");
    LAE_CHECK_ARG(metric == LSTMAE_METRIC_EUCLIDEAN || metric == LSTMAE_METRIC_COSINE, "neighbors_create");
    if (vectors->view.ndim != 2 || lae_view_numel(&vectors->view) == 0)
        return LAE_FAIL(ERR_SHAPE, "neighbors_create: expected [N,D] with one row or more, got %s",
                        lae_shape_text(text, sizeof text, &vectors->view));
    lstmae_context *context = vectors->storage->context;
    lae_memory *memory = lae_context_memory(context);
    lstmae_neighbors *n = lae_calloc(memory, 1, sizeof *n);
    if (!n) return LAE_FAIL(ERR_NO_MEMORY, "neighbors_create: no memory for %zu bytes", sizeof *n);
    n->context = lae_context_retain(context);
    n->vectors = lae_tensor_retain(vectors);
    n->metric = metric;
    n->count = vectors->view.dim[0];
    n->width = vectors->view.dim[1];
    neighbors_set_errors(n);
    lstmae_status status = neighbors_prepare(n, memory);
    if (status < 0) {
        lstmae_neighbors_destroy(n);
        return status;
    }
    *out = n;
    return LSTMAE_OK;
}

void lstmae_neighbors_destroy(lstmae_neighbors *neighbors)
{
    if (!neighbors) return;
    lstmae_context *context = neighbors->context;
    lae_memory *memory = lae_context_memory(context);
    lae_rows_close(&neighbors->rows);
    lae_rows_close(&neighbors->asked);
    lae_rows_close(&neighbors->multiplied);
    lstmae_tensor_destroy(neighbors->products);
    lstmae_tensor_destroy(neighbors->vectors);
    lae_free(memory, neighbors->norms, neighbors->block_bytes);
    lae_free(memory, neighbors->scores, neighbors->scores_bytes);
    lae_free(memory, neighbors->kept, neighbors->kept_bytes);
    lae_free(memory, neighbors, sizeof *neighbors);
    lae_context_release(context);
}

/* Products of `count` vectors from `first` on with `queries` queries from `asked` on, [count,queries], to n->scores. */
static lstmae_status neighbors_product(lstmae_neighbors *n, int64_t first, int64_t count, int64_t asked,
                                       int64_t queries)
{
    const lstmae_view *vectors = &n->rows.tensor->view, *from = &n->asked.tensor->view;
    size_t each = lae_dtype_size(vectors->dtype);
    lstmae_gemm_args g = { .struct_size = sizeof g,
                           .flags = LSTMAE_GEMM_TRANS_B,
                           .M = count,
                           .N = queries,
                           .K = n->width,
                           .a = (const char *)vectors->data + (size_t)(first * n->width) * each,
                           .b = (const char *)from->data + (size_t)(asked * n->width) * each,
                           .lda = n->width,
                           .ldb = n->width,
                           .ldc = queries,
                           .dtype = vectors->dtype };
    const int64_t dims[2] = { count, queries };
    LAE_TRY(lae_tensor_ensure(&n->products, n->context, (lstmae_dtype)vectors->dtype, 2, dims));
    g.c = n->products->view.data;
    LAE_TRY(lae_op_gemm(n->context, &g));
    LAE_TRY(lae_rows_open(&n->multiplied, n->products, count, "neighbors_find"));
    return lae_rows_read(&n->multiplied, 0, count, n->scores);
}

/* 0 if the product says that the vector is too far away. No number, or one that overflowed, says nothing. */
static inline int neighbors_may_be_near(const neighbors_queries *queries, int64_t q, double p, double row, double norm)
{
    return !(p < row + queries->constant[q] + norm * queries->factor[q]) | !(p >= -DBL_MAX);
}

/* Offers vector `index`, with these products, to the queries it may be near to. */
static lstmae_status neighbors_offer(lstmae_neighbors *n, int64_t index, const double *products,
                                     neighbors_queries *queries)
{
    double norm = n->norms[index], row = neighbors_from_row(n, norm);
    int near = 0;
    for (int64_t q = 0; q < queries->count; q++) near |= neighbors_may_be_near(queries, q, products[q], row, norm);
    if (!near) return LSTMAE_OK;
    LAE_TRY(lae_rows_read(&n->rows, index, 1, n->row));
    for (int64_t q = 0; q < queries->count; q++) {
        if (!neighbors_may_be_near(queries, q, products[q], row, norm)) continue;
        double distance = neighbors_distance(n, queries->vector[q], n->row, queries->norm[q] * norm);
        lae_nearest_offer(&queries->nearest[q], distance, index);
        neighbors_set_limit(n, queries, q);
    }
    return LSTMAE_OK;
}

/* All vectors against the queries from `asked` on. */
static lstmae_status neighbors_search(lstmae_neighbors *n, int64_t asked, neighbors_queries *queries)
{
    for (int64_t first = 0; first < n->count; first += NEIGHBORS_ROWS) {
        int64_t rows = n->count - first < NEIGHBORS_ROWS ? n->count - first : NEIGHBORS_ROWS;
        LAE_TRY(neighbors_product(n, first, rows, asked, queries->count));
        for (int64_t r = 0; r < rows; r++)
            LAE_TRY(neighbors_offer(n, first + r, (const double *)n->scores + r * queries->count, queries));
    }
    for (int64_t q = 0; q < queries->count; q++) lae_nearest_sort(&queries->nearest[q]);
    return LSTMAE_OK;
}

static void neighbors_put(const lstmae_neighbors *n, const lae_nearest *nearest, int64_t *indices, double *distances)
{
    for (int64_t i = 0; i < nearest->count; i++) {
        double distance = nearest->kept[i].distance;
        indices[i] = nearest->kept[i].index;
        if (distances) distances[i] = n->metric == LSTMAE_METRIC_EUCLIDEAN ? sqrt(distance) : distance;
    }
}

static lstmae_status neighbors_begin(lstmae_neighbors *n, const lstmae_tensor *queries, int64_t k)
{
    char text[LAE_SHAPE_TEXT];
    const lstmae_view *view = &queries->view;
    lae_memory *memory = lae_context_memory(n->context);
    if (queries->storage->context != n->context)
        return LAE_FAIL(ERR_INVALID_ARG, "neighbors_find: expected queries of the vectors' context");
    if (view->dtype != n->vectors->view.dtype)
        return LAE_FAIL(ERR_DTYPE, "neighbors_find: expected %s, got %s", lae_dtype_name(n->vectors->view.dtype),
                        lae_dtype_name(view->dtype));
    if (view->ndim != 2 || view->dim[1] != n->width)
        return LAE_FAIL(ERR_SHAPE, "neighbors_find: expected [Q,%lld], got %s", (long long)n->width,
                        lae_shape_text(text, sizeof text, view));
    if (k < 1 || k > n->count)
        return LAE_FAIL(ERR_INVALID_ARG, "neighbors_find: expected 1 to %lld neighbors, got %lld", (long long)n->count,
                        (long long)k);
    int64_t together = view->dim[0] < NEIGHBORS_QUERIES ? view->dim[0] : NEIGHBORS_QUERIES;
    int64_t rows = n->count < NEIGHBORS_ROWS ? n->count : NEIGHBORS_ROWS;
    size_t kept, scores = (size_t)(rows * together) * sizeof(double);
    if (!lae_mul_size(&kept, (size_t)k, (size_t)together * sizeof(lae_neighbor)))
        return LAE_FAIL(ERR_SHAPE, "neighbors_find: expected neighbors that fit in memory, got %lld", (long long)k);
    LAE_TRY(lae_rows_open(&n->asked, queries, NEIGHBORS_QUERIES, "neighbors_find"));
    if (!lae_grow(memory, &n->scores, &n->scores_bytes, scores) || !lae_grow(memory, &n->kept, &n->kept_bytes, kept))
        return LAE_FAIL(ERR_NO_MEMORY, "neighbors_find: no memory for %zu and %zu bytes", scores, kept);
    return LSTMAE_OK;
}

lstmae_status lstmae_neighbors_find(lstmae_neighbors *neighbors, const lstmae_tensor *queries, int64_t k,
                                    int64_t *indices, double *distances)
{
    LAE_CHECK_ARG(neighbors, "neighbors_find");
    LAE_CHECK_ARG(queries, "neighbors_find");
    LAE_CHECK_ARG(indices, "neighbors_find");
    lstmae_neighbors *n = neighbors;
    LAE_TRY(neighbors_begin(n, queries, k));
    for (int64_t first = 0; first < n->asked.count; first += NEIGHBORS_QUERIES) {
        neighbors_queries some = { .count = n->asked.count - first };
        if (some.count > NEIGHBORS_QUERIES) some.count = NEIGHBORS_QUERIES;
        LAE_TRY(lae_rows_read(&n->asked, first, some.count, n->queries));
        LAE_TRY(neighbors_check_finite(n->queries, some.count, n->width, first, "neighbors_find: query"));
        for (int64_t q = 0; q < some.count; q++) {
            some.vector[q] = n->queries + q * n->width;
            some.norm[q] = neighbors_norm(some.vector[q], n->width);
            some.nearest[q] = (lae_nearest){ (lae_neighbor *)n->kept + q * k, k, 0 };
            neighbors_set_limit(n, &some, q);
        }
        LAE_TRY(neighbors_search(n, first, &some));
        for (int64_t q = 0; q < some.count; q++)
            neighbors_put(n, &some.nearest[q], indices + (first + q) * k,
                          distances ? distances + (first + q) * k : NULL);
    }
    return LSTMAE_OK;
}
