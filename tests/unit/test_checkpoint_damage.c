/* Checkpoints with numbers that no training can have, and damaged files: every fault is noticed. */
#include "checkpoint_rig.h"
#include "faults.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers that no training can have ---- */

static uint64_t bits(double value)
{
    uint64_t result;
    memcpy(&result, &value, sizeof result);
    return result;
}

static void test_impossible_numbers(void **state)
{
    (void)state;
    const struct {
        int group, index;
        uint64_t value;
        lstmae_status status;
    } cases[] = {
        { LAE_CHECKPOINT_OPTIMIZER, 0, INT64_MAX, LSTMAE_OK },
        { LAE_CHECKPOINT_OPTIMIZER, 0, (uint64_t)INT64_MAX + 1, LSTMAE_ERR_FORMAT },
        { LAE_CHECKPOINT_OPTIMIZER, 1, bits(0.0), LSTMAE_OK },
        { LAE_CHECKPOINT_OPTIMIZER, 1, bits(-1e-9), LSTMAE_ERR_FORMAT },
        { LAE_CHECKPOINT_OPTIMIZER, 1, bits(INFINITY), LSTMAE_ERR_FORMAT },
        { LAE_CHECKPOINT_OPTIMIZER, 1, bits(NAN), LSTMAE_ERR_FORMAT },
        { LAE_CHECKPOINT_LOADER, 0, INT64_MAX / 2, LSTMAE_OK },
        { LAE_CHECKPOINT_LOADER, 0, INT64_MAX / 2 + 1, LSTMAE_ERR_FORMAT },
        { LAE_CHECKPOINT_LOADER, 1, 3, LSTMAE_OK },
        { LAE_CHECKPOINT_LOADER, 1, 4, LSTMAE_ERR_FORMAT },
        { LAE_CHECKPOINT_LOADER, 2, 4, LSTMAE_ERR_STATE },
        { LAE_CHECKPOINT_SCHEDULE, 0, bits(-1.0), LSTMAE_ERR_FORMAT },
        { LAE_CHECKPOINT_FIT, 0, bits(-1.0), LSTMAE_ERR_FORMAT },
    };
    trainee t;
    trainee_options options = adam();
    lae_checkpoint_state good;
    assert_ok(trainee_create(&t, &options));
    lstmae_checkpoint content = trainee_content(&t);
    assert_ok(lae_checkpoint_gather(&good, &content));
    assert_ok(lae_checkpoint_check(&good, &content, "file"));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lae_checkpoint_state changed = good;
        changed.values[cases[i].group][cases[i].index] = cases[i].value;
        assert_int_equal(lae_checkpoint_check(&changed, &content, "file"), cases[i].status);
        if (cases[i].status == LSTMAE_OK) assert_ok(lae_checkpoint_apply(&changed, &content));
    }
    trainee_destroy(&t);
}

/* The texts of numbers: their form, one character wrong at each place, too short, too long. */
static void test_texts_of_numbers(void **state)
{
    (void)state;
    char header[400], good[LAE_CHECKPOINT_GROUP_TEXT];
    lae_checkpoint_state numbers = { .present = { 0 } }, back;
    numbers.values[LAE_CHECKPOINT_LOADER][0] = 0x0123456789abcdef;
    numbers.values[LAE_CHECKPOINT_LOADER][2] = UINT64_MAX;
    lae_checkpoint_format(good, &numbers, LAE_CHECKPOINT_LOADER);
    assert_string_equal(good, "0123456789abcdef 0000000000000000 ffffffffffffffff");
    for (size_t i = 0; i <= strlen(good) + 1; i++) {
        lae_safetensors st;
        char text[LAE_CHECKPOINT_GROUP_TEXT + 2], file[500];
        snprintf(text, sizeof text, "%s%s", good, i > strlen(good) ? "0" : "");
        if (i < strlen(good)) text[i] = 'x';
        snprintf(header, sizeof header, "{\"__metadata__\":{\"lstmae.loader\":\"%s\"}}", text);
        uint64_t length = strlen(header);
        memcpy(file, &length, 8);
        memcpy(file + 8, header, (size_t)length);
        assert_ok(lae_safetensors_parse(&st, lae_memory_default(), "file", file, 8 + (size_t)length));
        lstmae_status status = lae_checkpoint_read(&back, &st);
        assert_int_equal(status, i == strlen(good) ? LSTMAE_OK : LSTMAE_ERR_FORMAT);
        if (status == LSTMAE_OK) {
            assert_memory_equal(back.values, numbers.values, sizeof back.values);
            assert_true(back.present[LAE_CHECKPOINT_LOADER] && !back.present[LAE_CHECKPOINT_FIT]);
        }
        lae_safetensors_close(&st);
    }
}

/* ---- damage ---- */

/* File calls that show a file other than it is: one bit turned, or shorter or longer. */
static uint64_t damage_byte, damage_size;
static unsigned char damage_bits;

static ssize_t damaged_read(int fd, void *buffer, size_t bytes, uint64_t offset)
{
    ssize_t got = lae_io_system.read(fd, buffer, bytes, offset);
    if (got > 0 && damage_byte >= offset && damage_byte - offset < (uint64_t)got)
        ((unsigned char *)buffer)[damage_byte - offset] ^= damage_bits;
    return got;
}

static int damaged_info(int fd, lae_io_info *info)
{
    if (lae_io_system.info(fd, info) != 0) return -1;
    if (damage_size != UINT64_MAX) info->size = damage_size;
    return 0;
}

static void test_damage(void **state)
{
    (void)state;
    trainee a, b;
    lstmae_optimizer_options sgd = LSTMAE_SGD_OPTIONS_INIT; /* no moments: a small file for many readings */
    trainee_options options = options_of(sgd);
    uint64_t header;
    size_t size, count = 0;
    assert_ok(trainee_create(&a, &options));
    create_other(&b, options);
    assert_ok(trainee_train(&a, 2));
    save(&a, path_a);
    unsigned char *bytes = read_all(path_a, &size);
    memcpy(&header, bytes, 8);
    lstmae_checkpoint content = trainee_content(&b);
    lstmae_checkpoint weights = LSTMAE_CHECKPOINT_INIT; /* asks for less, and must notice as much */
    weights.module = content.module;
    uint32_t before = trainee_hash(&b);
    lae_io table = lae_io_system;
    table.read = damaged_read;
    table.info = damaged_info;
    damage_size = UINT64_MAX;
    lae_io_swap(&table);
    for (size_t i = 0; i < header + 8 + 10000; i++, count++) {
        uint32_t random = (uint32_t)(i * 2654435761u);
        damage_byte = i < header + 8 ? i : (uint64_t)random * size >> 32;
        damage_bits = (unsigned char)(1 << (random >> 7 & 7));
        lstmae_status status = lstmae_checkpoint_load(path_a, random >> 5 & 1 ? &content : &weights);
        if (status != LSTMAE_ERR_FORMAT) {
            print_error("bit %d of byte %d: %s\n", damage_bits, (int)damage_byte, lstmae_status_name(status));
            fail();
        }
    }
    damage_bits = 0;
    for (damage_size = 0; damage_size <= size + 70; damage_size++) {
        /* every length in the header and at the end, and every 61st between */
        if (damage_size == size || (damage_size > header + 100 && damage_size + 100 < size && damage_size % 61))
            continue;
        lstmae_status status = lstmae_checkpoint_load(path_a, &content);
        if (status != LSTMAE_ERR_FORMAT && status != LSTMAE_ERR_IO) {
            print_error("%d bytes of %d: %s\n", (int)damage_size, (int)size, lstmae_status_name(status));
            fail();
        }
        count++;
    }
    assert_int_equal(trainee_hash(&b), before);
    damage_size = UINT64_MAX;
    assert_ok(lstmae_checkpoint_load(path_a, &content)); /* the file itself is good */
    assert_int_equal(trainee_hash(&b), trainee_hash(&a));
    lae_io_swap(NULL);
    print_message("%zu damaged files of %zu bytes refused\n", count, size);
    free(bytes);
    trainee_destroy(&a);
    trainee_destroy(&b);
}

/* Tensors that change places keep every byte of the data, and are noticed. */
static void test_swapped_tensors(void **state)
{
    (void)state;
    lstmae_context *context = test_context("cpu:ref", LSTMAE_F32);
    lstmae_checkpoint content = LSTMAE_CHECKPOINT_INIT;
    size_t size;
    content.module = chain(context, 2);
    assert_ok(lstmae_checkpoint_save(path_a, &content));
    unsigned char *bytes = read_all(path_a, &size);
    char *first = strstr((char *)bytes + 8, "\"0.weight\""), *second = strstr((char *)bytes + 8, "\"1.weight\"");
    assert_true(first && second);
    first[1] = '1';
    second[1] = '0';
    (void)test_file("a.safetensors", bytes, size);
    assert_fails(lstmae_checkpoint_load(path_a, &content), ERR_FORMAT);
    free(bytes);
    lstmae_module_destroy(content.module);
    lstmae_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_impossible_numbers),
        cmocka_unit_test(test_texts_of_numbers),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_swapped_tensors),
    };
    return cmocka_run_group_tests(tests, setup_paths, NULL);
}
