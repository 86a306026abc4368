/* Files for the embedding projector, looked at by hand; `test_projector FOLDER` writes some for tensorboard.sh. */
#include "faults.h"
#include "png_read.h"

#include "bytes.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 11, D = 3 };

static const char *const labels[N] = { "cat", "a\tb", "two\nlines", "back\\slash", "", " \t", "b\xc3\xa4r", "\x01\x7f",
                                       "\"",  "x",    "cat" };

static lstmae_context *context;

static int setup(void **state)
{
    (void)state;
    context = test_context("cpu", LSTMAE_F32);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

static int restore(void **state)
{
    (void)state;
    lae_io_swap(NULL);
    setlocale(LC_ALL, "C");
    return 0;
}

static lstmae_tensor *tensor(lstmae_context *of, int ndim, const int64_t *dims, const float *values)
{
    lstmae_tensor *out;
    assert_ok(lstmae_tensor_create(&out, of, LSTMAE_F32, ndim, dims));
    assert_ok(lstmae_tensor_write(out, values, (size_t)lstmae_tensor_numel(out) * sizeof *values));
    return out;
}

static const char *in_folder(const char *folder, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void assert_file(const char *path, const char *want)
{
    size_t size;
    unsigned char *got = test_file_read(path, &size);
    if (strcmp((const char *)got, want) != 0) fail_msg("%s:\n%s", path, (const char *)got);
    free(got);
}

static void remove_files(const char *folder)
{
    static const char *const names[] = { "tensors.tsv", "metadata.tsv", "sprite.png", "projector_config.pbtxt" };
    for (int i = 0; i < 4; i++) (void)unlink(in_folder(folder, names[i]));
    (void)rmdir(folder);
}

/* Numbers that need nine digits; every one comes back to the bit. */
static void vector_values(float *out)
{
    static const float some[] = { 0, 1, -1, 0.1f, 1e-30f, -3.4e38f, 1e-45f, 16777213, 3.14159274f };
    for (int i = 0; i < N * D; i++) out[i] = some[i % 9] * (float)(1 + (i % 9 == 5 ? 0 : i / 9));
}

static void all_of_it(void **state)
{
    (void)state;
    static const int64_t dims[2] = { N, D }, images[4] = { N, 1, 4, 6 };
    char folder[256];
    float values[N * D], pixels[N * 24];
    lstmae_projector content = LSTMAE_PROJECTOR_INIT;
    snprintf(folder, sizeof folder, "%s", test_path("projector"));
    vector_values(values);
    for (int i = 0; i < N * 24; i++) pixels[i] = (float)(i / 24 * 20 + i % 24);
    lstmae_tensor *x = tensor(context, 2, dims, values), *pictures = tensor(context, 4, images, pixels);
    content.vectors = x;
    content.images = pictures;
    content.labels = labels;
    content.name = "c\"\\o\nd";
    content.high = 255;
    assert_ok(lstmae_projector_save(folder, &content));
    assert_file(in_folder(folder, "metadata.tsv"),
                "cat\na\\tb\ntwo\\nlines\nback\\\\slash\n(none)\n(none)\nb\xc3\xa4r\n\\x01\\x7f\n\"\nx\ncat\n");
    assert_file(in_folder(folder, "projector_config.pbtxt"),
                "embeddings {\n  tensor_name: \"c\\042\\134o\\012d\"\n  tensor_shape: 11\n  tensor_shape: 3\n"
                "  tensor_path: \"tensors.tsv\"\n  metadata_path: \"metadata.tsv\"\n  sprite {\n"
                "    image_path: \"sprite.png\"\n    single_image_dim: 6\n    single_image_dim: 4\n  }\n}\n");
    size_t size;
    char *text = (char *)test_file_read(in_folder(folder, "tensors.tsv"), &size), *at = text;
    for (int i = 0; i < N * D; i++) {
        assert_true(strtof(at, &at) == values[i]);
        assert_int_equal(*at++, i % D == D - 1 ? '\n' : '\t');
    }
    assert_int_equal(*at, '\0');
    free(text);
    test_png png = test_png_read(in_folder(folder, "sprite.png"));
    assert_true(png.width == 4 * 6 && png.height == 3 * 4 && png.channels == 1);
    for (int y = 0; y < 12; y++)
        for (int p = 0; p < 24; p++) {
            int image = y / 4 * 4 + p / 6, want = image < N ? image * 20 + y % 4 * 6 + p % 6 : 255;
            assert_int_equal(png.pixels[y * 24 + p], want);
        }
    free(png.pixels);
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(pictures);
    remove_files(folder);
}

/* Vectors alone; over what was there. */
static void only_vectors(void **state)
{
    (void)state;
    static const int64_t dims[2] = { 2, 2 };
    const float values[4] = { 1, 2.5f, -3, 1e10f };
    char folder[256];
    lstmae_projector content = LSTMAE_PROJECTOR_INIT;
    snprintf(folder, sizeof folder, "%s", test_path("vectors"));
    lstmae_tensor *x = tensor(context, 2, dims, values);
    content.vectors = x;
    for (int i = 0; i < 2; i++) assert_ok(lstmae_projector_save(folder, &content));
    assert_file(in_folder(folder, "tensors.tsv"), "1\t2.5\n-3\t1e+10\n");
    assert_file(in_folder(folder, "projector_config.pbtxt"),
                "embeddings {\n  tensor_name: \"codes\"\n  tensor_shape: 2\n  tensor_shape: 2\n"
                "  tensor_path: \"tensors.tsv\"\n}\n");
    assert_int_not_equal(access(in_folder(folder, "metadata.tsv"), F_OK), 0);
    lstmae_tensor_destroy(x);
    remove_files(folder);
}

/* A decimal comma, and a point of several bytes, where such locales are installed. */
static void numbers_in_any_locale(void **state)
{
    (void)state;
    static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8", "fa_IR.UTF-8" };
    static const double values[] = { 0, -0.5, 1234567.890625, 1e300, -1.25e-7, 3 };
    static const char want[] = "0 -0.5 1234567.89 1e+300 -1.25e-07 3 ";
    for (size_t k = 0; k <= sizeof names / sizeof names[0]; k++) {
        lae_bytes text = LAE_BYTES_OF(lae_memory_default());
        if (k > 0 && !setlocale(LC_ALL, names[k - 1])) continue;
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            lae_bytes_real(&text, values[i], 9);
            lae_bytes_text(&text, " ");
        }
        assert_int_equal(text.size, strlen(want));
        assert_memory_equal(text.data, want, text.size);
        lae_bytes_free(&text);
    }
}

static void misused(void **state)
{
    (void)state;
    static const int64_t dims[2] = { N, D }, none[2] = { 0, 3 }, few[4] = { N - 1, 1, 2, 2 }, two[4] = { N, 2, 2, 2 };
    static const int64_t big[4] = { N, 1, 8192, 1 }, flat[2] = { N, 4 };
    static float values[N * 8192];
    char folder[256];
    const char *bad[N];
    lstmae_projector content = LSTMAE_PROJECTOR_INIT;
    snprintf(folder, sizeof folder, "%s", test_path("misused"));
    lstmae_tensor *x = tensor(context, 2, dims, values), *empty = tensor(context, 2, none, values);
    lstmae_tensor *missing = tensor(context, 4, few, values), *channels = tensor(context, 4, two, values);
    lstmae_tensor *large = tensor(context, 4, big, values), *lines = tensor(context, 2, flat, values), *whole;
    assert_ok(lstmae_tensor_create(&whole, context, LSTMAE_I64, 2, dims));
    content.vectors = empty;
    assert_fails(lstmae_projector_save(folder, &content), ERR_SHAPE);
    content.vectors = missing;
    assert_fails(lstmae_projector_save(folder, &content), ERR_SHAPE);
    content.vectors = whole;
    assert_fails(lstmae_projector_save(folder, &content), ERR_DTYPE);
    content.vectors = x;
    content.images = missing;
    assert_fails(lstmae_projector_save(folder, &content), ERR_SHAPE);
    assert_non_null(strstr(lstmae_last_error(), "expected images [11,C,H,W], got [10,1,2,2]"));
    content.images = lines;
    assert_fails(lstmae_projector_save(folder, &content), ERR_SHAPE);
    content.images = channels;
    assert_fails(lstmae_projector_save(folder, &content), ERR_SHAPE);
    content.images = large;
    assert_fails(lstmae_projector_save(folder, &content), ERR_SHAPE);
    assert_non_null(strstr(lstmae_last_error(), "fit in 8192 x 8192 pixels, got 4 x 24576"));
    assert_int_not_equal(access(in_folder(folder, "projector_config.pbtxt"), F_OK), 0);
    content.images = NULL;
    for (int i = 0; i < N; i++) bad[i] = i == 4 ? "\xe4" : "x";
    content.labels = bad;
    assert_fails(lstmae_projector_save(folder, &content), ERR_INVALID_ARG);
    assert_non_null(strstr(lstmae_last_error(), "label 4: expected a text in UTF-8, got other bytes"));
    bad[4] = NULL;
    assert_fails(lstmae_projector_save(folder, &content), ERR_INVALID_ARG);
    content.labels = NULL;
    content.name = "\xff";
    assert_fails(lstmae_projector_save(folder, &content), ERR_INVALID_ARG);
    content.name = NULL;
    values[7] = (float)NAN;
    assert_ok(lstmae_tensor_write(x, values, N * D * sizeof *values));
    assert_fails(lstmae_projector_save(folder, &content), ERR_NUMERIC);
    assert_non_null(strstr(lstmae_last_error(), "vector 2: expected finite numbers, got "));
    lstmae_tensor *all[] = { x, empty, missing, channels, large, lines, whole };
    for (int i = 0; i < 7; i++) lstmae_tensor_destroy(all[i]);
    remove_files(folder);
}

/* Each file call and each allocation fails once: an error, nothing leaked; a config that is there has whole files. */
static void failing_calls(void **state)
{
    (void)state;
    static const int64_t dims[2] = { N, D }, images[4] = { N, 1, 4, 6 };
    float values[N * 24];
    char folder[256];
    test_heap heap = { 0 };
    lstmae_context *watched;
    lstmae_projector content = LSTMAE_PROJECTOR_INIT;
    snprintf(folder, sizeof folder, "%s", test_path("failing"));
    test_fill(values, N * 24, 1, 1.0f);
    assert_ok(test_heap_context(&watched, &heap));
    lstmae_tensor *x = tensor(watched, 2, dims, values), *pictures = tensor(watched, 4, images, values);
    content.vectors = x;
    content.images = pictures;
    content.labels = labels;
    long live = heap.live, uses = 0;
    lae_io_swap(&test_io_table);
    for (long at = 1;; at++) {
        test_io = (test_io_state){ { at, 1, 0 }, TEST_IO_ERROR, EIO, 0 };
        lstmae_status status = lstmae_projector_save(folder, &content);
        assert_int_equal(test_io.open, 0);
        assert_int_equal(heap.live, live);
        if (status == LSTMAE_OK) break;
        assert_int_equal(status, LSTMAE_ERR_IO);
    }
    lae_io_swap(NULL);
    for (long at = 0; at <= uses; at++) {
        heap.fault = (test_fault){ at, 0, 0 };
        lstmae_status status = lstmae_projector_save(folder, &content);
        if (at == 0) uses = heap.fault.uses;
        assert_int_equal(status, at == 0 ? LSTMAE_OK : LSTMAE_ERR_NO_MEMORY);
        assert_int_equal(heap.live, live);
    }
    assert_true(uses >= 8);
    heap.fault = (test_fault){ 0, 0, 0 };
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(pictures);
    lstmae_context_destroy(watched);
    assert_int_equal(heap.live, 0);
    remove_files(folder);
}

/* ---- for tensorboard.sh ---- */

static int write_examples(const char *folder)
{
    static const int64_t dims[2] = { N, D }, images[4] = { N, 1, 4, 6 };
    float values[N * D], pixels[N * 24];
    lstmae_projector content = LSTMAE_PROJECTOR_INIT;
    lstmae_tensor *x = NULL, *pictures = NULL;
    lstmae_status status = lstmae_context_create(&context, "cpu", NULL);
    vector_values(values);
    test_fill(pixels, N * 24, 1, 1.0f);
    if (status == LSTMAE_OK) status = lstmae_tensor_create(&x, context, LSTMAE_F32, 2, dims);
    if (status == LSTMAE_OK) status = lstmae_tensor_create(&pictures, context, LSTMAE_F32, 4, images);
    if (status == LSTMAE_OK) status = lstmae_tensor_write(x, values, sizeof values);
    if (status == LSTMAE_OK) status = lstmae_tensor_write(pictures, pixels, sizeof pixels);
    content.vectors = x;
    content.images = pictures;
    content.labels = labels;
    if (status == LSTMAE_OK) status = lstmae_projector_save(folder, &content);
    if (status < 0) fprintf(stderr, "%s\n", lstmae_last_error());
    lstmae_tensor_destroy(x);
    lstmae_tensor_destroy(pictures);
    lstmae_context_destroy(context);
    return status < 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it),
        cmocka_unit_test(only_vectors),
        cmocka_unit_test_teardown(numbers_in_any_locale, restore),
        cmocka_unit_test(misused),
        cmocka_unit_test_teardown(failing_calls, restore),
    };
    if (argc == 2) return write_examples(argv[1]);
    return cmocka_run_group_tests(tests, setup, teardown);
}
