/* Moving MNIST: the rule of the original code, seen in the frames; item by item from seed and number alone. */
#include "checksum.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static lstmae_context *context;

static int setup(void **state)
{
    (void)state;
    context = test_context("cpu:ref", LSTMAE_F32);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lstmae_context_destroy(context);
    return 0;
}

/* `count` images of one value each: value[n], or n + 1 for NULL. */
static lstmae_dataset *blocks(int count, int64_t height, int64_t width, const float *values)
{
    const int64_t dims[2] = { height, width };
    size_t pixels = (size_t)(height * width);
    float *data = malloc((size_t)count * pixels * sizeof *data);
    lstmae_dataset *images;
    assert_non_null(data);
    for (int n = 0; n < count; n++)
        for (size_t i = 0; i < pixels; i++) data[(size_t)n * pixels + i] = values ? values[n] : (float)(n + 1);
    assert_ok(lstmae_dataset_from_memory(&images, context, data, count, 2, dims));
    free(data);
    return images;
}

static lstmae_dataset *moving(lstmae_dataset *images, int64_t size, int64_t frames, int digits, double speed,
                              uint64_t seed)
{
    lstmae_moving_options options = LSTMAE_MOVING_OPTIONS_INIT;
    lstmae_dataset *dataset;
    options.frames = frames;
    options.size = size;
    options.digits = digits;
    options.speed = speed;
    options.seed = seed;
    assert_ok(lstmae_dataset_moving(&dataset, images, &options));
    return dataset;
}

/* Top left corner of a frame's only block, which must be whole. */
static void corner(const float *frame, int size, int height, int width, int *x, int *y)
{
    int first = 0, count = 0;
    while (first < size * size && frame[first] == 0) first++;
    assert_true(first < size * size);
    for (int i = 0; i < size * size; i++) count += frame[i] != 0;
    assert_int_equal(count, height * width);
    *x = first % size;
    *y = first / size;
    assert_true(*x + width <= size && *y + height <= size);
    assert_true(frame[(*y + height - 1) * size + *x + width - 1] != 0);
}

/*
 * 64 x 64 with digits of 28 x 28: 36 free pixels, 3.6 per frame. Corners are whole pixels, so a straight way of k
 * frames measures 3.6 k within the diagonal of a pixel; an axis turns only in a frame where it touches the wall.
 */
static void moves_and_reflects(void **state)
{
    (void)state;
    enum { SIZE = 64, FREE = 36, FRAMES = 20, ITEMS = 300 };
    static float item[FRAMES * SIZE * SIZE];
    lstmae_dataset *images = blocks(1, 28, 28, NULL), *dataset = moving(images, SIZE, FRAMES, 1, 0.1, 3);
    int turns = 0, straight = 0;
    for (int n = 0; n < ITEMS; n++) {
        int at[2][FRAMES];
        assert_ok(lstmae_dataset_read(dataset, n, item, sizeof item / sizeof *item));
        for (int t = 0; t < FRAMES; t++) corner(item + t * SIZE * SIZE, SIZE, 28, 28, &at[0][t], &at[1][t]);
        for (int axis = 0; axis < 2; axis++) {
            for (int t = 0; t < FRAMES; t++) assert_true(at[axis][t] >= 0 && at[axis][t] <= FREE);
            for (int t = 1; t + 1 < FRAMES; t++) {
                int before = at[axis][t] - at[axis][t - 1], after = at[axis][t + 1] - at[axis][t];
                assert_true(abs(before) <= 4);
                if (before * after >= 0) continue;
                assert_true(at[axis][t] == (before < 0 ? 0 : FREE));
                turns++;
            }
        }
        for (int t = 0, start = 0; t < FRAMES; t++) {
            int wall = at[0][t] == 0 || at[0][t] == FREE || at[1][t] == 0 || at[1][t] == FREE;
            if (wall) start = t + 1;
            if (wall || t - start < 3) continue;
            double way = hypot(at[0][t] - at[0][start], at[1][t] - at[1][start]);
            assert_true(fabs(way - 3.6 * (t - start)) < 1.4143);
            straight++;
        }
    }
    assert_true(turns > ITEMS / 2 && straight > ITEMS);
    lstmae_dataset_destroy(dataset);
    lstmae_dataset_destroy(images);
}

/* Without speed every frame shows the start; with it, the first frame is one step away from there already. */
static void moves_before_recording(void **state)
{
    (void)state;
    enum { SIZE = 64, FRAMES = 2 };
    static float still[FRAMES * SIZE * SIZE], moved[FRAMES * SIZE * SIZE];
    lstmae_dataset *images = blocks(1, 28, 28, NULL);
    lstmae_dataset *standing = moving(images, SIZE, FRAMES, 1, 0.0, 8),
                   *going = moving(images, SIZE, FRAMES, 1, 0.1, 8);
    int seen = 0;
    for (int n = 0; n < 200; n++) {
        int x0, y0, x1, y1;
        assert_ok(lstmae_dataset_read(standing, n, still, sizeof still / sizeof *still));
        assert_ok(lstmae_dataset_read(going, n, moved, sizeof moved / sizeof *moved));
        assert_memory_equal(still, still + SIZE * SIZE, SIZE * SIZE * sizeof(float));
        corner(still, SIZE, 28, 28, &x0, &y0);
        corner(moved, SIZE, 28, 28, &x1, &y1);
        if (x0 < 5 || y0 < 5 || x0 > 30 || y0 > 30) continue; /* may touch a wall */
        assert_true(fabs(hypot(x1 - x0, y1 - y0) - 3.6) < 1.4143);
        seen++;
    }
    assert_true(seen > 60);
    lstmae_dataset_destroy(standing);
    lstmae_dataset_destroy(going);
    lstmae_dataset_destroy(images);
}

/*
 * Starts are uniform over the 36 free pixels of both axes and directions over the four quadrants: chi-square within
 * five standard deviations of its mean, as in test_permute.
 */
static void starts_are_uniform(void **state)
{
    (void)state;
    enum { SIZE = 38, FREE = 36, ITEMS = 7200 };
    static float item[SIZE * SIZE];
    lstmae_dataset *images = blocks(1, 2, 2, NULL);
    lstmae_dataset *standing = moving(images, SIZE, 1, 1, 0.0, 21), *going = moving(images, SIZE, 1, 1, 0.05, 21);
    int columns[FREE] = { 0 }, rows[FREE] = { 0 }, quadrants[4] = { 0 }, inner = 0;
    double sum = 0;
    for (int n = 0; n < ITEMS; n++) {
        int x0, y0, x1, y1;
        assert_ok(lstmae_dataset_read(standing, n, item, SIZE * SIZE));
        corner(item, SIZE, 2, 2, &x0, &y0);
        assert_ok(lstmae_dataset_read(going, n, item, SIZE * SIZE));
        corner(item, SIZE, 2, 2, &x1, &y1);
        columns[x0]++;
        rows[y0]++;
        if (x1 == x0 || y1 == y0) continue;
        quadrants[(x1 > x0) * 2 + (y1 > y0)]++;
        inner++;
    }
    for (int i = 0; i < FREE; i++) sum += pow(columns[i] - ITEMS / 36.0, 2) + pow(rows[i] - ITEMS / 36.0, 2);
    assert_true(sum / (ITEMS / 36.0) < 70 + 5 * 11.8);
    sum = 0;
    for (int i = 0; i < 4; i++) sum += pow(quadrants[i] - inner / 4.0, 2);
    assert_true(sum / (inner / 4.0) < 3 + 5 * 2.4);
    lstmae_dataset_destroy(standing);
    lstmae_dataset_destroy(going);
    lstmae_dataset_destroy(images);
}

/* Where digits overlap the brighter one is seen whole, and nothing is ever brighter than it. */
static void overlap_is_maximum(void **state)
{
    (void)state;
    enum { SIZE = 12, SIDE = 8, FRAMES = 5 };
    static const float values[2] = { 0.5f, 1.0f };
    static float item[FRAMES * SIZE * SIZE];
    lstmae_dataset *images = blocks(2, SIDE, SIDE, values), *dataset = moving(images, SIZE, FRAMES, 2, 0.1, 4);
    int both = 0;
    for (int n = 0; n < 100; n++) {
        assert_ok(lstmae_dataset_read(dataset, n, item, sizeof item / sizeof *item));
        for (int t = 0; t < FRAMES; t++) {
            int bright = 0, grey = 0;
            for (int i = 0; i < SIZE * SIZE; i++) {
                float value = item[t * SIZE * SIZE + i];
                assert_true(value == 0 || value == 0.5f || value == 1.0f);
                bright += value == 1.0f;
                grey += value == 0.5f;
            }
            if (bright == 0 || grey == 0)
                continue; /* the same image twice, or the brighter one covers all of the other */
            assert_int_equal(bright, SIDE * SIDE);
            both += grey < SIDE * SIDE;
        }
    }
    assert_true(both > 50);
    lstmae_dataset_destroy(dataset);
    lstmae_dataset_destroy(images);
}

/* Seven items show the seven images once each, the next seven again but in another order; slots have orders of their
 * own. */
static void images_come_in_shuffled_order(void **state)
{
    (void)state;
    enum { IMAGES = 7, EPOCHS = 20 };
    float item[4 * 4];
    lstmae_dataset *images = blocks(IMAGES, 1, 1, NULL), *dataset = moving(images, 4, 1, 1, 0.1, 5);
    int order[EPOCHS][IMAGES], same = 0;
    for (int e = 0; e < EPOCHS; e++) {
        int seen[IMAGES + 1] = { 0 };
        for (int n = 0; n < IMAGES; n++) {
            float most = 0;
            assert_ok(lstmae_dataset_read(dataset, e * IMAGES + n, item, 16));
            for (int i = 0; i < 16; i++) most = item[i] > most ? item[i] : most;
            order[e][n] = (int)most;
            assert_int_equal(seen[order[e][n]]++, 0);
        }
        if (e > 0) same += memcmp(order[e], order[e - 1], sizeof order[e]) == 0;
    }
    assert_int_equal(same, 0);
    lstmae_dataset_destroy(dataset);
    lstmae_dataset_destroy(images);
}

/* Shorter items are the beginnings of longer ones; other seeds and numbers give others; any number works. */
static void depends_on_seed_and_number(void **state)
{
    (void)state;
    enum { SIZE = 32, PIXELS = SIZE * SIZE };
    static float full[20 * PIXELS], part[7 * PIXELS], again[20 * PIXELS];
    lstmae_dataset *digits;
    assert_ok(lstmae_dataset_strokes(&digits, context, 1000, 14, 1));
    lstmae_dataset *a = moving(digits, SIZE, 20, 2, 0.1, 6), *b = moving(digits, SIZE, 7, 2, 0.1, 6);
    lstmae_dataset *c = moving(digits, SIZE, 20, 2, 0.1, 7);
    lstmae_dataset_destroy(digits);
    assert_int_equal(lstmae_dataset_count(a), INT64_MAX);
    const int64_t numbers[] = { 5, 0, INT64_MAX - 1, 99999 };
    for (int i = 0; i < 4; i++) {
        assert_ok(lstmae_dataset_read(a, numbers[i], full, 20 * PIXELS));
        assert_ok(lstmae_dataset_read(b, numbers[i], part, 7 * PIXELS));
        assert_memory_equal(full, part, sizeof part);
        assert_ok(lstmae_dataset_read(c, numbers[i], again, 20 * PIXELS));
        assert_memory_not_equal(full, again, sizeof full);
        assert_ok(lstmae_dataset_read(a, numbers[i] - (i > 0 && numbers[i] > 0), again, 20 * PIXELS));
        if (i > 0 && numbers[i] > 0)
            assert_memory_not_equal(full, again, sizeof full);
        else
            assert_memory_equal(full, again, sizeof full);
    }
    lstmae_dataset_destroy(a);
    lstmae_dataset_destroy(b);
    lstmae_dataset_destroy(c);
}

static void images_of_any_shape(void **state)
{
    (void)state;
    static float item[9 * 16 * 16];
    const int64_t shapes[][2] = { { 3, 5 }, { 5, 3 }, { 16, 16 }, { 1, 16 }, { 16, 1 }, { 1, 1 } };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        lstmae_dataset *images = blocks(1, shapes[i][0], shapes[i][1], NULL);
        lstmae_dataset *dataset = moving(images, 16, 9, 1, 0.3, 2);
        for (int n = 0; n < 50; n++) {
            assert_ok(lstmae_dataset_read(dataset, n, item, 9 * 16 * 16));
            for (int t = 0; t < 9; t++) {
                int x, y;
                corner(item + t * 256, 16, (int)shapes[i][0], (int)shapes[i][1], &x, &y);
            }
        }
        lstmae_dataset_destroy(dataset);
        lstmae_dataset_destroy(images);
    }
}

/* Bits as committed: changing them changes every result trained on this data. */
static void bits_are_stable(void **state)
{
    (void)state;
    static float item[20 * 64 * 64];
    static const struct {
        int64_t index;
        uint64_t sum;
    } known[] = { { 0, UINT64_C(0xfbb06850221ca4e7) },
                  { 1, UINT64_C(0xb682159b3b51383b) },
                  { 1000000007, UINT64_C(0xec82af74ae306ec5) } };
    lstmae_dataset *digits, *dataset;
    int differ = 0;
    assert_ok(lstmae_dataset_strokes(&digits, context, 10000, 28, 42));
    assert_ok(lstmae_dataset_moving(&dataset, digits, NULL));
    assert_int_equal(lstmae_dataset_dim(dataset, 0), 20);
    assert_int_equal(lstmae_dataset_dim(dataset, 1), 64);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_ok(lstmae_dataset_read(dataset, known[i].index, item, sizeof item / sizeof *item));
        uint64_t sum = test_checksum(item, sizeof item / sizeof *item);
        if (sum == known[i].sum) continue;
        print_error("item %lld: %#llx\n", (long long)known[i].index, (unsigned long long)sum);
        differ++;
    }
    assert_int_equal(differ, 0);
    lstmae_dataset_destroy(dataset);
    lstmae_dataset_destroy(digits);
}

static void misused(void **state)
{
    (void)state;
    const int64_t flat[1] = { 4 };
    const float data[4] = { 0 };
    lstmae_dataset *images = blocks(2, 6, 9, NULL), *dataset, *rows, *none;
    assert_ok(lstmae_dataset_from_memory(&rows, context, data, 1, 1, flat));
    assert_ok(lstmae_dataset_range(&none, images, 0, 0));
    assert_fails(lstmae_dataset_moving(NULL, images, NULL), ERR_INVALID_ARG);
    assert_fails(lstmae_dataset_moving(&dataset, NULL, NULL), ERR_INVALID_ARG);
    assert_null(dataset);
    assert_fails(lstmae_dataset_moving(&dataset, rows, NULL), ERR_SHAPE);
    assert_fails(lstmae_dataset_moving(&dataset, none, NULL), ERR_SHAPE);
    const lstmae_moving_options init = LSTMAE_MOVING_OPTIONS_INIT;
    struct {
        lstmae_moving_options options;
        lstmae_status status;
    } cases[12];
    for (int i = 0; i < 12; i++) {
        cases[i].options = init;
        cases[i].status = i < 10 ? LSTMAE_ERR_INVALID_ARG : LSTMAE_ERR_SHAPE;
    }
    cases[0].options.struct_size = 8;
    cases[1].options.flags = 1;
    cases[2].options.reserved = 1;
    cases[3].options.frames = 0;
    cases[4].options.digits = 0;
    cases[5].options.digits = 65;
    cases[6].options.speed = -0.1;
    cases[7].options.speed = 1.1;
    cases[8].options.speed = (double)NAN;
    cases[9].options.frames = -5;
    cases[10].options.size = 8;
    cases[11].options.size = INT64_C(1) << 40;
    for (int i = 0; i < 12; i++) {
        lstmae_status status = lstmae_dataset_moving(&dataset, images, &cases[i].options);
        if (status != cases[i].status) print_error("case %d: %s\n", i, lstmae_status_name(status));
        assert_int_equal(status, cases[i].status);
    }
    lstmae_dataset_destroy(rows);
    lstmae_dataset_destroy(none);
    lstmae_dataset_destroy(images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_and_reflects),
        cmocka_unit_test(moves_before_recording),
        cmocka_unit_test(starts_are_uniform),
        cmocka_unit_test(overlap_is_maximum),
        cmocka_unit_test(images_come_in_shuffled_order),
        cmocka_unit_test(depends_on_seed_and_number),
        cmocka_unit_test(images_of_any_shape),
        cmocka_unit_test(bits_are_stable),
        cmocka_unit_test(misused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
