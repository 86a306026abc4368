#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/files.h"
#include "../common/report.h"
#include "commands.h"
#include "modelfile.h"
#include "series.h"

#define EMBED_BLOCK 64 /* windows that go through the network at once */

/* Codes [windows,code] of all windows of the scaled rows; the last block reaches back. */
static int embed_codes(ts_model *m, const float *scaled, int64_t windows, float *codes)
{
    ts_network *n = &m->network;
    int64_t block = windows < EMBED_BLOCK ? windows : EMBED_BLOCK;
    for (int64_t done = 0; done < windows; done += block) {
        int64_t first = done + block <= windows ? done : windows - block;
        if (ts_network_encode(n, scaled + first * n->channels, block, codes + first * n->code) != 0) return -1;
    }
    return 0;
}

static int embed_csv(const float *codes, int64_t windows, int64_t width, const char *path)
{
    ex_file file;
    if (ex_file_open(&file, path) != 0) return -1;
    fputs("first_row", file.stream);
    for (int64_t k = 0; k < width; k++) fprintf(file.stream, ",code%lld", (long long)k);
    fputc('\n', file.stream);
    for (int64_t w = 0; w < windows; w++) {
        fprintf(file.stream, "%lld", (long long)w);
        for (int64_t k = 0; k < width; k++) fprintf(file.stream, ",%.9g", (double)codes[w * width + k]);
        fputc('\n', file.stream);
    }
    return ex_file_commit(&file);
}

/* Version 1.0 of NumPy's format: magic, length of the header, the header padded to 64 bytes, little-endian values. */
static int embed_npy(const float *codes, int64_t windows, int64_t width, const char *path)
{
    ex_file file;
    char header[192];
    int used = snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': (%lld, %lld), }",
                        (long long)windows, (long long)width);
    int length = (10 + used + 1 + 63) / 64 * 64 - 10;
    const unsigned char start[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(length % 256), (unsigned char)(length / 256)};
    if (ex_file_open(&file, path) != 0) return -1;
    fwrite(start, 1, sizeof start, file.stream);
    fprintf(file.stream, "%s%*s\n", header, length - used - 1, "");
    for (int64_t i = 0; i < windows * width; i++) {
        uint32_t bits;
        memcpy(&bits, &codes[i], sizeof bits);
        for (int k = 0; k < 4; k++) fputc((int)(bits >> 8 * k & 255), file.stream);
    }
    return ex_file_commit(&file);
}

static int embed_write(const float *codes, int64_t windows, int64_t width, const ts_settings *s)
{
    char csv[EX_PATH_SIZE], npy[EX_PATH_SIZE];
    if (ex_path(csv, sizeof csv, s->out, "codes.csv") != 0 || ex_path(npy, sizeof npy, s->out, "codes.npy") != 0)
        return -1;
    if (embed_csv(codes, windows, width, csv) != 0 || embed_npy(codes, windows, width, npy) != 0) return -1;
    printf("wrote %s\nwrote %s\nresult: windows=%lld code=%lld\n", csv, npy, (long long)windows, (long long)width);
    return 0;
}

static int embed_run(ts_model *m, const ts_series *series, const ts_settings *s)
{
    int64_t windows = series->rows - m->network.window + 1, width = m->network.code;
    if (windows < 1)
        return ex_fail("%s: expected at least %lld rows, got %lld", s->data, (long long)m->network.window,
                       (long long)series->rows);
    float *scaled = malloc((size_t)(series->rows * series->columns) * sizeof *scaled);
    float *codes = malloc((size_t)(windows * width) * sizeof *codes);
    int result = scaled != NULL && codes != NULL ? 0 : ex_fail("out of memory for %lld windows", (long long)windows);
    if (result == 0)
        result = ex_status(
            lstmae_scaler_transform(m->detector.scaler, lstmae_table_values(series->prepared), series->rows, scaled));
    if (result == 0) result = embed_codes(m, scaled, windows, codes);
    if (result == 0) result = embed_write(codes, windows, width, s);
    free(codes);
    free(scaled);
    return result;
}

int ts_command_embed(lstmae_context *context, ts_settings *s)
{
    ts_series series;
    ts_model model;
    memset(&series, 0, sizeof series);
    int result = ts_model_open(&model, context, s, s->from);
    if (result == 0)
        result = ts_series_open(&series, context, s->data, s, (const char *const *)model.names, model.count);
    if (result == 0) result = ts_series_prepare(&series, context, model.detector.drift);
    if (result == 0) result = embed_run(&model, &series, s);
    ts_model_destroy(&model);
    ts_series_close(&series);
    return result;
}
