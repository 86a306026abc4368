/*
 * order_training: models of every kind train and run on a device. ThreadSanitizer, which watches the kernels and the
 * plugin, must find nothing that is not ordered by an event or a wait; see order.sh. A number chooses one part.
 */
#include "fit_rig.h"
#include "kinds.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS 3

static int chosen = -1;

static void test_kinds(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        kind_run run;
        if (chosen >= 0 && chosen != kind) continue;
        kind_open(&run, kind, "cuda", 1, 7);
        for (int step = 0; step < STEPS; step++) kind_step(&run, step);
        kind_infer(&run);
        kind_close(&run);
    }
}

/* Captured steps of two batch sizes, uploads beside them, validations between. */
static void test_fit(void **state)
{
    rig r;
    lstmae_fit_options options = LSTMAE_FIT_OPTIONS_INIT;
    (void)state;
    if (chosen >= 0 && chosen != KINDS) return;
    rig_open(&r, NULL, 0, LSTMAE_LOADER_SHUFFLE);
    options.flags = LSTMAE_FIT_KEEP_BEST;
    options.validation = r.validation;
    options.epochs = 4;
    assert_ok(rig_fit(&r, &options));
    rig_close(&r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_kinds), cmocka_unit_test(test_fit) };
    if (argc > 1) chosen = atoi(argv[1]);
    return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
