#include "rows.h"
#include "size.h"

#include <lstmae/measure.h>

#include <math.h>

/* What a measure works with: one image of each tensor at a time, and work space of its own. */
typedef struct measure {
    lae_rows y, target;
    int64_t channels, height, width; /* 1 x 1 x elements where the measure sees no places */
    double range;
    double *a, *b;    /* [channels,height,width] */
    double *filtered; /* structural similarity: five planes [height, width - window + 1] */
    void *block;
    size_t bytes;
} measure;

typedef double (*measure_fn)(const measure *m);

static double measure_mse(const measure *m)
{
    double sum = 0.0;
    for (int64_t i = 0; i < m->y.width; i++) sum += (m->a[i] - m->b[i]) * (m->a[i] - m->b[i]);
    return sum / (double)m->y.width;
}

static double measure_psnr(const measure *m)
{
    return 10.0 * log10(m->range * m->range / measure_mse(m));
}

/* exp(-(i-5)^2 / (2 * 1.5^2)), divided by their sum. */
static const double measure_window[LSTMAE_SSIM_WINDOW] = {
    0.0010283800844791099, 0.007598758135239184, 0.03600077212843082, 0.10936068950970002,
    0.2130055377112537,    0.26601172486179436,  0.2130055377112537,  0.10936068950970002,
    0.03600077212843082,   0.007598758135239184, 0.0010283800844791099,
};

enum { SUM_X, SUM_Y, SUM_XX, SUM_YY, SUM_XY, SUMS };

/* Rows of the five products, filtered along the row. */
static void ssim_filter_row(const double *x, const double *y, int64_t places, double *out, int64_t plane)
{
    for (int64_t i = 0; i < places; i++) {
        double sum[SUMS] = { 0.0 };
        for (int k = 0; k < LSTMAE_SSIM_WINDOW; k++) {
            double w = measure_window[k], p = x[i + k], q = y[i + k];
            sum[SUM_X] += w * p;
            sum[SUM_Y] += w * q;
            sum[SUM_XX] += w * (p * p);
            sum[SUM_YY] += w * (q * q);
            sum[SUM_XY] += w * (p * q);
        }
        for (int s = 0; s < SUMS; s++) out[s * plane + i] = sum[s];
    }
}

/* One place: mu and sigma from the filtered products, (2 mu_x mu_y + C1)(2 sigma_xy + C2) / ((mu_x^2 + mu_y^2 + C1)
 * (sigma_x^2 + sigma_y^2 + C2)). */
static double ssim_place(const double sum[SUMS], double range)
{
    double c1 = 0.01 * range * (0.01 * range), c2 = 0.03 * range * (0.03 * range);
    double xy = sum[SUM_X] * sum[SUM_Y], xx = sum[SUM_X] * sum[SUM_X], yy = sum[SUM_Y] * sum[SUM_Y];
    double variances = sum[SUM_XX] - xx + (sum[SUM_YY] - yy), covariance = sum[SUM_XY] - xy;
    return (2.0 * xy + c1) * (2.0 * covariance + c2) / ((xx + yy + c1) * (variances + c2));
}

static double ssim_channel(const measure *m, const double *x, const double *y)
{
    int64_t across = m->width - LSTMAE_SSIM_WINDOW + 1, down = m->height - LSTMAE_SSIM_WINDOW + 1;
    int64_t plane = m->height * across;
    double total = 0.0;
    for (int64_t row = 0; row < m->height; row++)
        ssim_filter_row(x + row * m->width, y + row * m->width, across, m->filtered + row * across, plane);
    for (int64_t at = 0; at < down * across; at++) {
        double sum[SUMS] = { 0.0 };
        for (int k = 0; k < LSTMAE_SSIM_WINDOW; k++)
            for (int s = 0; s < SUMS; s++) sum[s] += measure_window[k] * m->filtered[s * plane + at + k * across];
        total += ssim_place(sum, m->range);
    }
    return total / (double)(down * across);
}

static double measure_ssim(const measure *m)
{
    double sum = 0.0;
    for (int64_t c = 0; c < m->channels; c++) {
        int64_t at = c * m->height * m->width;
        sum += ssim_channel(m, m->a + at, m->b + at);
    }
    return sum / (double)m->channels;
}

static lstmae_status measure_check(const lstmae_tensor *y, const lstmae_tensor *target, double range, int places,
                                   const char *name)
{
    char a[LAE_SHAPE_TEXT], b[LAE_SHAPE_TEXT];
    LAE_CHECK_ARG(y, name);
    LAE_CHECK_ARG(target, name);
    LAE_CHECK_ARG(range > 0 && isfinite(range), name);
    const lstmae_view *view = &y->view;
    if (!lae_view_same_shape(view, &target->view))
        return LAE_FAIL(ERR_SHAPE, "%s: y is %s, target %s", name, lae_shape_text(a, sizeof a, view),
                        lae_shape_text(b, sizeof b, &target->view));
    if (view->ndim < 1 || lae_view_numel(view) == 0)
        return LAE_FAIL(ERR_SHAPE, "%s: expected one image or more, got %s", name, lae_shape_text(a, sizeof a, view));
    if (places && (view->ndim != 4 || view->dim[2] < LSTMAE_SSIM_WINDOW || view->dim[3] < LSTMAE_SSIM_WINDOW))
        return LAE_FAIL(ERR_SHAPE, "%s: expected [B,C,H,W] with H and W of %d or more, got %s", name,
                        LSTMAE_SSIM_WINDOW, lae_shape_text(a, sizeof a, view));
    return LSTMAE_OK;
}

static lstmae_status measure_open(measure *m, const lstmae_tensor *y, const lstmae_tensor *target, int places,
                                  const char *name)
{
    LAE_TRY(lae_rows_open(&m->y, y, 1, name));
    LAE_TRY(lae_rows_open(&m->target, target, 1, name));
    size_t image = (size_t)m->y.width, work = 0;
    m->channels = m->height = 1;
    m->width = m->y.width;
    if (places) {
        m->channels = y->view.dim[1];
        m->height = y->view.dim[2];
        m->width = y->view.dim[3];
        work = SUMS * (size_t)(m->height * (m->width - LSTMAE_SSIM_WINDOW + 1));
    }
    if (!lae_mul_size(&m->bytes, image, 2) || !lae_add_size(&m->bytes, m->bytes, work) ||
        !lae_mul_size(&m->bytes, m->bytes, sizeof(double)))
        return LAE_FAIL(ERR_SHAPE, "%s: expected images that fit in memory", name);
    m->block = lae_alloc(m->y.memory, m->bytes);
    if (!m->block) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", name, m->bytes);
    m->a = m->block;
    m->b = m->a + image;
    m->filtered = m->b + image;
    return LSTMAE_OK;
}

static lstmae_status measure_all(measure *m, measure_fn each_image, double *each, double *mean)
{
    double sum = 0.0;
    for (int64_t i = 0; i < m->y.count; i++) {
        LAE_TRY(lae_rows_read(&m->y, i, 1, m->a));
        LAE_TRY(lae_rows_read(&m->target, i, 1, m->b));
        double value = each_image(m);
        if (each) each[i] = value;
        sum += value;
    }
    if (mean) *mean = sum / (double)m->y.count;
    return LSTMAE_OK;
}

static lstmae_status measure_run(const lstmae_tensor *y, const lstmae_tensor *target, double range, double *each,
                                 double *mean, measure_fn each_image, const char *name)
{
    measure m = { .range = range };
    int places = each_image == measure_ssim;
    LAE_TRY(measure_check(y, target, range, places, name));
    lstmae_status status = measure_open(&m, y, target, places, name);
    if (status == LSTMAE_OK) status = measure_all(&m, each_image, each, mean);
    if (m.block) lae_free(m.y.memory, m.block, m.bytes);
    lae_rows_close(&m.y);
    lae_rows_close(&m.target);
    return status;
}

lstmae_status lstmae_measure_mse(const lstmae_tensor *y, const lstmae_tensor *target, double *each, double *mean)
{
    return measure_run(y, target, 1.0, each, mean, measure_mse, "measure_mse");
}

lstmae_status lstmae_measure_psnr(const lstmae_tensor *y, const lstmae_tensor *target, double range, double *each,
                                  double *mean)
{
    return measure_run(y, target, range, each, mean, measure_psnr, "measure_psnr");
}

lstmae_status lstmae_measure_ssim(const lstmae_tensor *y, const lstmae_tensor *target, double range, double *each,
                                  double *mean)
{
    return measure_run(y, target, range, each, mean, measure_ssim, "measure_ssim");
}
