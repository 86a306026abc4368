#include "show.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/files.h"
#include "../common/report.h"
#include "../common/sheet.h"

/* ---- pictures ---- */

enum { SHOW_CELL = 84, SHOW_WIDEST = 8192 }; /* pixels of an image: room for a name; of a row, where that is possible */

/* Pixels that become of one, side by side. */
static int show_scale(const ca_data *data, int64_t columns)
{
    const int64_t width = data->dims[2];
    int64_t scale = (SHOW_CELL + width - 1) / width;
    while (scale > 1 && columns * width * scale > SHOW_WIDEST) scale--;
    return (int)scale;
}

/* Images one after the other, with values in [0,1]. */
static int show_values(float *values, const ca_data *data, const lstmae_tensor *images)
{
    const size_t count = (size_t)lstmae_tensor_numel(images);
    EX_TRY(lstmae_tensor_read(images, values, count * sizeof *values));
    for (size_t i = 0; i < count; i++) values[i] = (float)((values[i] - data->low) / (data->high - data->low));
    return 0;
}

static int show_sheet(const ca_settings *s, const ex_sheet *sheet, const ex_sheet_row *rows, int count,
                      const char *name)
{
    char stem[EX_PATH_SIZE];
    if (ex_folder(s->out) != 0 || ex_path(stem, sizeof stem, s->out, name) != 0) return -1;
    if (ex_sheet_save(sheet, rows, count, stem) != 0) return -1;
    printf("wrote %s" EX_PICTURE_EXTENSION "\n", stem);
    return 0;
}

int ca_show_rows(const ca_data *data, const ca_settings *s, const ca_row *rows, int count, const char *title,
                 const char *const *columns, const char *name)
{
    static const ex_color given = {110, 110, 110}, made = {230, 130, 30};
    const int64_t width = lstmae_tensor_dim(rows[0].images, 0);
    const size_t size = (size_t)lstmae_tensor_numel(rows[0].images);
    const ex_sheet sheet = {title, columns, (int)data->dims[0], (int)data->dims[2], (int)data->dims[1],
                            show_scale(data, width)};
    float *values = malloc((size_t)count * size * sizeof *values);
    ex_sheet_row *drawn = calloc((size_t)count, sizeof *drawn);
    int result = values != NULL && drawn != NULL ? 0 : ex_fail("out of memory for pictures");
    for (int i = 0; result == 0 && i < count; i++) {
        float *at = values + (size_t)i * size;
        drawn[i] = (ex_sheet_row){rows[i].label, at, (int)width, rows[i].apart, rows[i].made ? made : given};
        result = show_values(at, data, rows[i].images);
    }
    if (result == 0) result = show_sheet(s, &sheet, drawn, count, name);
    free(drawn);
    free(values);
    return result;
}

/* ---- reconstruct ---- */

static int reconstruct_noise(lstmae_module **out, const ca_data *data, const ca_settings *s)
{
    lstmae_noise_options options = LSTMAE_NOISE_OPTIONS_INIT;
    options.kind = s->noise - 1;
    options.amount = s->noise_amount;
    options.low = data->low;
    return ex_status(lstmae_noise_create(out, data->context, &options));
}

/* Images, what the model sees where there is noise, and what it makes of it. */
static int reconstruct_show(ca_model *model, const ca_data *data, const ca_settings *s, const lstmae_tensor *x,
                            double *mse, double *psnr)
{
    static const char title[] = "Test images and what the model makes of them";
    lstmae_module *noise = NULL;
    const lstmae_tensor *seen = x, *y = NULL;
    ca_row rows[3] = {{"test image", x, 0, 0}};
    int count = 1, result = 0;
    if (s->noise > 0) {
        result = reconstruct_noise(&noise, data, s);
        if (result == 0) result = ex_status(lstmae_module_forward(noise, x, &seen));
        rows[count++] = (ca_row){"with noise", seen, 0, 0};
    }
    if (result == 0) result = ex_status(lstmae_autoencoder_reconstruct(model->net, seen, &y));
    rows[count++] = (ca_row){"output", y, 1, 0};
    if (result == 0) result = ca_show_rows(data, s, rows, count, title, NULL, "reconstruct");
    if (result == 0) result = ex_status(lstmae_measure_mse(y, x, NULL, mse));
    if (result == 0) result = ex_status(lstmae_measure_psnr(y, x, data->high - data->low, NULL, psnr));
    lstmae_module_destroy(noise);
    return result;
}

int ca_reconstruct_command(ca_data *data, ca_settings *s)
{
    ca_model model;
    lstmae_tensor *x = NULL;
    double mse = 0, psnr = 0;
    const int64_t test = lstmae_dataset_count(data->test), count = s->count < test ? s->count : test;
    int result = ca_model_open(&model, data, s);
    if (result == 0) result = ca_data_spread(&x, data, data->test, count);
    if (result == 0) result = reconstruct_show(&model, data, s, x, &mse, &psnr);
    if (result == 0) printf("result: images=%lld mse=%.6g psnr=%.4f\n", (long long)count, mse, psnr);
    lstmae_tensor_destroy(x);
    ca_model_destroy(&model);
    return result;
}

/* ---- out of distribution ---- */

enum { OOD_NOISE, OOD_NOISE_COARSE, OOD_PLAIN, OOD_CHECKERS, OOD_STRIPES, OOD_GRADIENT, OOD_RINGS, OOD_COUNT };

static const char *const ood_names[OOD_COUNT] = {"uniform noise", "coarse noise", "one colour", "checkerboard",
                                                 "stripes",       "gradient",     "rings"};

/* Uniform in [0,1): splitmix64 of a position. */
static double ood_random(uint64_t at)
{
    at = (at + 1) * UINT64_C(0x9e3779b97f4a7c15);
    at = (at ^ at >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    at = (at ^ at >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((at ^ at >> 31) >> 11) * 0x1p-53;
}

/* Pattern `kind` in [0,1] at (y,x) of channel c; `side` is the image's larger one. */
static double ood_value(int kind, int64_t c, int64_t y, int64_t x, int64_t side)
{
    const int64_t cell = side / 8 > 0 ? side / 8 : 1;
    const double fx = (double)x / (double)side, fy = (double)y / (double)side;
    switch (kind) {
    case OOD_NOISE: return ood_random((uint64_t)((c * side + y) * side + x));
    case OOD_NOISE_COARSE: return ood_random((uint64_t)((c * side + y / cell) * side + x / cell));
    case OOD_PLAIN: return c == 0 ? 0.8 : c == 1 ? 0.3 : 0.1;
    case OOD_CHECKERS: return (double)((x / cell + y / cell) % 2);
    case OOD_STRIPES: return (double)((x + y) / cell % 2);
    case OOD_GRADIENT: return c == 0 ? fx : c == 1 ? fy : 1.0 - fx;
    default: return 0.5 + 0.5 * cos(40.0 * hypot(fx - 0.5, fy - 0.5) + (double)c);
    }
}

static int ood_images(lstmae_tensor **out, const ca_data *data)
{
    const int64_t dims[4] = {OOD_COUNT, data->dims[0], data->dims[1], data->dims[2]};
    const int64_t side = dims[2] > dims[3] ? dims[2] : dims[3];
    const size_t count = (size_t)(dims[0] * dims[1] * dims[2] * dims[3]);
    float *values = malloc(count * sizeof *values), *at = values;
    int result = values != NULL ? 0 : ex_fail("out of memory for patterns");
    for (int64_t i = 0; result == 0 && i < (int64_t)count; i++) {
        const int64_t x = i % dims[3], y = i / dims[3] % dims[2], c = i / dims[3] / dims[2] % dims[1];
        const int kind = (int)(i / dims[3] / dims[2] / dims[1]);
        *at++ = (float)(data->low + (data->high - data->low) * ood_value(kind, c, y, x, side));
    }
    if (result == 0) result = ex_status(lstmae_tensor_create(out, data->context, LSTMAE_F32, 4, dims));
    if (result == 0) result = ex_status(lstmae_tensor_write(*out, values, count * sizeof *values));
    free(values);
    return result;
}

/* Errors of the patterns beside that of test images: what a model cannot draw it has not seen. */
static int ood_report(ca_model *model, const ca_data *data, const ca_settings *s, const lstmae_tensor *patterns,
                      const lstmae_tensor *known)
{
    static const char title[] = "What the model makes of what it has never seen";
    double each[OOD_COUNT], usual;
    const lstmae_tensor *y = NULL;
    EX_TRY(lstmae_autoencoder_reconstruct(model->net, known, &y));
    EX_TRY(lstmae_measure_mse(y, known, NULL, &usual));
    EX_TRY(lstmae_autoencoder_reconstruct(model->net, patterns, &y));
    EX_TRY(lstmae_measure_mse(y, patterns, each, NULL));
    double least = each[0], most = each[0];
    printf("%-20s%12s%12s\n%-20s%12.5f%12s\n", "image", "MSE", "x test", "test images", usual, "1.0");
    for (int i = 0; i < OOD_COUNT; i++) {
        printf("%-20s%12.5f%12.1f\n", ood_names[i], each[i], each[i] / usual);
        least = fmin(least, each[i]);
        most = fmax(most, each[i]);
    }
    const ca_row rows[2] = {{"pattern", patterns, 0, 0}, {"output", y, 1, 0}};
    if (ca_show_rows(data, s, rows, 2, title, ood_names, "ood") != 0) return -1;
    printf("result: patterns=%d test_mse=%.6g least_mse=%.6g most_mse=%.6g\n", OOD_COUNT, usual, least, most);
    return 0;
}

int ca_ood_command(ca_data *data, ca_settings *s)
{
    ca_model model;
    lstmae_tensor *patterns = NULL, *known = NULL;
    const int64_t test = lstmae_dataset_count(data->test);
    int result = ca_model_open(&model, data, s);
    if (result == 0) result = ood_images(&patterns, data);
    if (result == 0) result = ca_data_spread(&known, data, data->test, test < 500 ? test : 500);
    if (result == 0) result = ood_report(&model, data, s, patterns, known);
    lstmae_tensor_destroy(known);
    lstmae_tensor_destroy(patterns);
    ca_model_destroy(&model);
    return result;
}

/* ---- samples ---- */

static int sample_show(const ca_data *data, const ca_settings *s, const lstmae_tensor *images)
{
    char path[EX_PATH_SIZE];
    lstmae_grid_options options = LSTMAE_GRID_OPTIONS_INIT;
    if (ex_folder(s->out) != 0 || ex_path(path, sizeof path, s->out, "sample.png") != 0) return -1;
    options.low = data->low;
    options.high = data->high;
    options.scale = show_scale(data, 1);
    EX_TRY(lstmae_grid_save(path, images, &options));
    printf("wrote %s\n", path);
    return 0;
}

/* Mean and deviation of each number of codes [N,Z] on the host. */
static void sample_moments(const float *codes, int64_t rows, int64_t width, double *mean, double *deviation)
{
    for (int64_t z = 0; z < width; z++) {
        double sum = 0, squares = 0;
        for (int64_t n = 0; n < rows; n++) sum += (double)codes[n * width + z];
        mean[z] = sum / (double)rows;
        for (int64_t n = 0; n < rows; n++) squares += pow((double)codes[n * width + z] - mean[z], 2);
        deviation[z] = sqrt(squares / (double)rows);
    }
}

/* Normal numbers [count,width], as the library's noise draws them. */
static int sample_normal(float *values, const ca_data *data, int64_t count, int64_t width)
{
    const int64_t dims[2] = {count, width};
    lstmae_noise_options options = LSTMAE_NOISE_OPTIONS_INIT;
    lstmae_module *noise = NULL;
    lstmae_tensor *zero = NULL;
    const lstmae_tensor *drawn = NULL;
    options.amount = 1.0;
    int result = ex_status(lstmae_noise_create(&noise, data->context, &options));
    if (result == 0) result = ex_status(lstmae_tensor_create(&zero, data->context, LSTMAE_F32, 2, dims));
    if (result == 0) result = ex_status(lstmae_module_forward(noise, zero, &drawn));
    if (result == 0)
        result = ex_status(lstmae_tensor_read(drawn, values, (size_t)(count * width) * sizeof *values));
    lstmae_tensor_destroy(zero);
    lstmae_module_destroy(noise);
    return result;
}

/* Random codes with the means and deviations of those of images, in the shape that the decoder takes. */
static int sample_codes(lstmae_tensor **out, ca_model *model, const ca_data *data, const ca_settings *s)
{
    lstmae_tensor *codes = NULL, *x = NULL;
    const lstmae_tensor *like = NULL;
    int64_t dims[4] = {s->count, 0, 0, 0};
    if (ca_model_codes(&codes, model, data, data->validation, s, 1000) != 0) return -1;
    const int64_t rows = lstmae_tensor_dim(codes, 0), width = lstmae_tensor_dim(codes, 1);
    float *values = malloc((size_t)(rows * width) * sizeof *values);
    float *random = malloc((size_t)(s->count * width) * sizeof *random);
    double *moments = malloc((size_t)(2 * width) * sizeof *moments);
    int result = values != NULL && random != NULL && moments != NULL ? 0 : ex_fail("out of memory for codes");
    if (result == 0)
        result = ex_status(lstmae_tensor_read(codes, values, (size_t)(rows * width) * sizeof *values));
    if (result == 0) sample_moments(values, rows, width, moments, moments + width);
    if (result == 0) result = sample_normal(random, data, s->count, width);
    for (int64_t i = 0; result == 0 && i < s->count * width; i++)
        random[i] = (float)(moments[i % width] + moments[width + i % width] * (double)random[i]);
    if (result == 0) result = ca_data_images(&x, data, data->validation, 0, 1);
    if (result == 0) result = ex_status(lstmae_autoencoder_encode(model->net, x, &like));
    for (int i = 1; result == 0 && i < lstmae_tensor_ndim(like); i++) dims[i] = lstmae_tensor_dim(like, i);
    if (result == 0)
        result = ex_status(lstmae_tensor_create(out, data->context, LSTMAE_F32, lstmae_tensor_ndim(like), dims));
    if (result == 0) result = ex_status(lstmae_tensor_write(*out, random, (size_t)(s->count * width) * sizeof *random));
    free(moments);
    free(random);
    free(values);
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(codes);
    return result;
}

int ca_sample_command(ca_data *data, ca_settings *s)
{
    ca_model model;
    lstmae_tensor *codes = NULL;
    const lstmae_tensor *y = NULL;
    const int prior = s->model == CA_VAE;
    int result = ca_model_open(&model, data, s);
    if (result == 0 && !prior) result = sample_codes(&codes, &model, data, s);
    if (result == 0)
        result = ex_status(prior ? lstmae_autoencoder_sample(model.net, 0, s->count, &y)
                                 : lstmae_autoencoder_decode(model.net, codes, &y));
    if (result == 0) result = sample_show(data, s, y);
    if (result == 0)
        printf("result: samples=%lld from=%s\n", (long long)s->count, prior ? "prior" : "codes");
    lstmae_tensor_destroy(codes);
    ca_model_destroy(&model);
    return result;
}
