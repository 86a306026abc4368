/* Tables of readings and what is made of them, called wrongly. */
#include "misuse.h"

#include <math.h>

void misuse_tables(void **state)
{
    misuse_objects *o = *state;
    static const float values[4] = { 0 };
    static const int64_t columns[2] = { 0, 2 };
    static const char *const names[2] = { "a", NULL };
    lstmae_table *out = NULL, *table = NULL;
    lstmae_table_options asked = LSTMAE_TABLE_OPTIONS_INIT;
    lstmae_rows part;
    int64_t place;
    float value;
    REFUSES_SIZES(lstmae_table_options, LSTMAE_TABLE_OPTIONS_INIT,
                  lstmae_table_open(&out, o->context, "absent", options));
    assert_ok(lstmae_table_from_memory(&table, o->context, values, 2, 2, NULL, 0));
    REFUSED(ERR_INVALID_ARG, table_from_memory, NULL, o->context, values, 2, 2, NULL, 0);
    REFUSED(ERR_INVALID_ARG, table_from_memory, &out, NULL, values, 2, 2, NULL, 0);
    REFUSED(ERR_INVALID_ARG, table_from_memory, &out, o->context, NULL, 2, 2, NULL, 0);
    REFUSED(ERR_INVALID_ARG, table_from_memory, &out, o->context, values, 2, 2, names, 0);
    REFUSED(ERR_INVALID_ARG, table_from_memory, &out, o->context, values, 2, 2, NULL, 3);
    REFUSED(ERR_INVALID_ARG, table_from_memory, &out, o->context, values, 2, 2, NULL, -1);
    REFUSED(ERR_SHAPE, table_from_memory, &out, o->context, values, -1, 2, NULL, 0);
    REFUSED(ERR_SHAPE, table_from_memory, &out, o->context, values, 2, INT64_MAX, NULL, 0);
    REFUSED(ERR_INVALID_ARG, table_open, NULL, o->context, "x", NULL);
    REFUSED(ERR_INVALID_ARG, table_open, &out, NULL, "x", NULL);
    REFUSED(ERR_INVALID_ARG, table_open, &out, o->context, NULL, NULL);
    REFUSED(ERR_NOT_FOUND, table_open, &out, o->context, "/nonexistent/file", NULL);
    REFUSED(ERR_INVALID_ARG, table_parse, NULL, o->context, "1", 1, NULL);
    REFUSED(ERR_INVALID_ARG, table_parse, &out, NULL, "1", 1, NULL);
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, NULL, 1, NULL);
    REFUSED(ERR_FORMAT, table_parse, &out, o->context, NULL, 0, NULL);
    asked.flags = 64;
    REFUSED(ERR_UNSUPPORTED, table_parse, &out, o->context, "1", 1, &asked);
    asked.flags = LSTMAE_TABLE_HEADER | LSTMAE_TABLE_NO_HEADER;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.flags = LSTMAE_TABLE_DECIMAL_COMMA;
    static const int32_t delimiters[] = { -1, 1, '5', '-', 'e', '"', '\n', '\r', 127, 300, ',' };
    for (size_t i = 0; i < sizeof delimiters / sizeof *delimiters; i++) {
        asked.delimiter = delimiters[i];
        REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    }
    asked = (lstmae_table_options)LSTMAE_TABLE_OPTIONS_INIT;
    asked.missing = 3;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.missing = 0;
    asked.skip_lines = -1;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.skip_lines = 0;
    asked.column_count = 1;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.columns = names;
    asked.column_count = 2;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.column_count = -1;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    asked.columns = NULL;
    asked.column_count = 0;
    asked.label_count = INT64_MAX;
    asked.labels = names;
    REFUSED(ERR_INVALID_ARG, table_parse, &out, o->context, "1", 1, &asked);
    REFUSED(ERR_INVALID_ARG, table_select, NULL, table, columns, 1);
    REFUSED(ERR_INVALID_ARG, table_select, &out, NULL, columns, 1);
    REFUSED(ERR_INVALID_ARG, table_select, &out, table, NULL, 1);
    REFUSED(ERR_INVALID_ARG, table_select, &out, table, columns, 0);
    REFUSED(ERR_INVALID_ARG, table_select, &out, table, columns, 2);
    ACCEPTS_NULL(table_destroy);
    GIVES(0, table_rows, NULL);
    GIVES(0, table_columns, NULL);
    GIVES(NULL, table_values, NULL);
    GIVES(NULL, table_name, NULL, 0);
    GIVES(NULL, table_name, table, -1);
    REFUSED(ERR_INVALID_ARG, table_find, NULL, "a", &place);
    REFUSED(ERR_INVALID_ARG, table_find, table, NULL, &place);
    REFUSED(ERR_INVALID_ARG, table_find, table, "a", NULL);
    REFUSED(ERR_NOT_FOUND, table_find, table, "a", &place);
    GIVES(0, table_missing, NULL);
    GIVES(0, table_label_columns, NULL);
    GIVES(NULL, table_label_name, NULL, 0);
    GIVES(NULL, table_label_name, table, 0);
    GIVES(NULL, table_label, NULL, 0, 0);
    GIVES(NULL, table_label, table, 0, 0);
    REFUSED(ERR_INVALID_ARG, rows_part, NULL, table, 0, 1);
    REFUSED(ERR_INVALID_ARG, rows_part, &part, NULL, 0, 1);
    REFUSED(ERR_INVALID_ARG, rows_part, &part, table, 0, 2);
    REFUSED(ERR_INVALID_ARG, csv_line, NULL, ',', 0, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", 0, 0, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", '"', 0, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", '\n', 0, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", 200, 0, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", ',', 1, NULL, 1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", ',', 0, NULL, -1, &value);
    REFUSED(ERR_INVALID_ARG, csv_line, "1", ',', 0, NULL, 1, NULL);
    assert_null(out);
    lstmae_table_destroy(table);
}

void misuse_scalers(void **state)
{
    misuse_objects *o = *state;
    static const float values[4] = { 1, 2, 3, 4 };
    float out[4];
    double numbers[64];
    lstmae_table *table = NULL;
    lstmae_scaler *scaler = NULL, *none = NULL;
    lstmae_dataset *windows = NULL;
    lstmae_scaler_options asked = LSTMAE_SCALER_OPTIONS_INIT;
    lstmae_windows_options window = LSTMAE_WINDOWS_OPTIONS_INIT;
    int64_t part, row;
    REFUSES_SIZES(lstmae_scaler_options, LSTMAE_SCALER_OPTIONS_INIT,
                  lstmae_scaler_create(&none, o->context, 2, options));
    assert_ok(lstmae_table_from_memory(&table, o->context, values, 2, 2, NULL, 0));
    assert_ok(lstmae_scaler_create(&scaler, o->context, 2, NULL));
    const lstmae_rows rows = { table, 0, 2 }, nowhere = { NULL, 0, 2 }, empty = { table, 1, 0 };
    REFUSES_SIZES(lstmae_windows_options, LSTMAE_WINDOWS_OPTIONS_INIT,
                  lstmae_dataset_windows(&windows, &rows, 1, options));
    REFUSED(ERR_INVALID_ARG, scaler_create, NULL, o->context, 2, NULL);
    REFUSED(ERR_INVALID_ARG, scaler_create, &none, NULL, 2, NULL);
    REFUSED(ERR_INVALID_ARG, scaler_create, &none, o->context, 0, NULL);
    REFUSED(ERR_INVALID_ARG, scaler_create, &none, o->context, INT64_MAX, NULL);
    asked.kind = 3;
    REFUSED(ERR_INVALID_ARG, scaler_create, &none, o->context, 2, &asked);
    asked.kind = 0;
    asked.low = 1.0;
    REFUSED(ERR_INVALID_ARG, scaler_create, &none, o->context, 2, &asked);
    asked.low = NAN;
    REFUSED(ERR_INVALID_ARG, scaler_create, &none, o->context, 2, &asked);
    asked.low = 0.0;
    asked.memory = -1;
    REFUSED(ERR_INVALID_ARG, scaler_create, &none, o->context, 2, &asked);
    ACCEPTS_NULL(scaler_destroy);
    REFUSED(ERR_INVALID_ARG, scaler_fit, NULL, &rows, 1);
    REFUSED(ERR_INVALID_ARG, scaler_fit, scaler, NULL, 1);
    REFUSED(ERR_INVALID_ARG, scaler_fit, scaler, &rows, 0);
    REFUSED(ERR_INVALID_ARG, scaler_fit, scaler, &nowhere, 1);
    REFUSED(ERR_SHAPE, scaler_fit, scaler, &empty, 1);
    REFUSED(ERR_INVALID_ARG, scaler_update, NULL, values, 1);
    REFUSED(ERR_INVALID_ARG, scaler_update, scaler, NULL, 1);
    REFUSED(ERR_INVALID_ARG, scaler_update, scaler, values, -1);
    REFUSED(ERR_INVALID_ARG, scaler_update, scaler, values, INT64_MAX);
    REFUSED(ERR_INVALID_ARG, scaler_transform, NULL, values, 2, out);
    REFUSED(ERR_INVALID_ARG, scaler_transform, scaler, NULL, 2, out);
    REFUSED(ERR_INVALID_ARG, scaler_transform, scaler, values, -1, out);
    REFUSED(ERR_INVALID_ARG, scaler_transform, scaler, values, 2, NULL);
    REFUSED(ERR_INVALID_ARG, scaler_inverse, NULL, values, 2, out);
    REFUSED(ERR_INVALID_ARG, scaler_inverse, scaler, NULL, 2, out);
    REFUSED(ERR_INVALID_ARG, scaler_inverse, scaler, values, -1, out);
    REFUSED(ERR_INVALID_ARG, scaler_inverse, scaler, values, 2, NULL);
    GIVES(0, scaler_columns, NULL);
    GIVES(0, scaler_center, NULL, 0);
    GIVES(0, scaler_center, scaler, 2);
    GIVES(1, scaler_spread, NULL, 0);
    GIVES(1, scaler_spread, scaler, -1);
    GIVES(0, scaler_state_count, NULL);
    REFUSED(ERR_INVALID_ARG, scaler_get_state, NULL, numbers, 13);
    REFUSED(ERR_INVALID_ARG, scaler_get_state, scaler, NULL, 13);
    REFUSED(ERR_SHAPE, scaler_get_state, scaler, numbers, 0);
    REFUSED(ERR_INVALID_ARG, scaler_set_state, NULL, numbers, 13);
    REFUSED(ERR_INVALID_ARG, scaler_set_state, scaler, NULL, 13);
    REFUSED(ERR_SHAPE, scaler_set_state, scaler, numbers, -1);
    REFUSED(ERR_INVALID_ARG, dataset_windows, NULL, &rows, 1, NULL);
    REFUSED(ERR_INVALID_ARG, dataset_windows, &windows, NULL, 1, NULL);
    REFUSED(ERR_INVALID_ARG, dataset_windows, &windows, &rows, 0, NULL);
    REFUSED(ERR_INVALID_ARG, dataset_windows, &windows, &nowhere, 1, NULL);
    REFUSED(ERR_SHAPE, dataset_windows, &windows, &rows, 1, NULL); /* too short */
    window.stride = 0;
    REFUSED(ERR_INVALID_ARG, dataset_windows, &windows, &rows, 1, &window);
    window.stride = 1;
    window.length = 0;
    REFUSED(ERR_INVALID_ARG, dataset_windows, &windows, &rows, 1, &window);
    REFUSED(ERR_INVALID_ARG, windows_place, NULL, 0, &part, &row);
    REFUSED(ERR_INVALID_ARG, windows_place, o->dataset, 0, &part, &row);
    REFUSED(ERR_INVALID_ARG, windows_place, o->dataset, 0, NULL, &row);
    assert_true(!none && !windows);
    lstmae_scaler_destroy(scaler);
    lstmae_table_destroy(table);
}

void misuse_scores(void **state)
{
    misuse_objects *o = *state;
    static const float x[4] = { 1, 2, 3, 4 };
    float out[4];
    double numbers[64];
    lstmae_gaussian *gaussian = NULL, *none = NULL;
    lstmae_points *points = NULL, *nothing = NULL;
    lstmae_gaussian_options asked = LSTMAE_GAUSSIAN_OPTIONS_INIT;
    lstmae_points_options rule = LSTMAE_POINTS_OPTIONS_INIT;
    lstmae_ewma ewma = LSTMAE_EWMA_INIT;
    REFUSES_SIZES(lstmae_gaussian_options, LSTMAE_GAUSSIAN_OPTIONS_INIT,
                  lstmae_gaussian_create(&none, o->context, 2, options));
    REFUSES_SIZES(lstmae_points_options, LSTMAE_POINTS_OPTIONS_INIT,
                  lstmae_points_create(&nothing, o->context, options));
    REFUSED(ERR_INVALID_ARG, errors, 3, x, x, 4, out);
    REFUSED(ERR_INVALID_ARG, errors, 0, NULL, x, 4, out);
    REFUSED(ERR_INVALID_ARG, errors, 0, x, NULL, 4, out);
    REFUSED(ERR_INVALID_ARG, errors, 0, x, x, -1, out);
    REFUSED(ERR_INVALID_ARG, errors, 0, x, x, 4, NULL);
    REFUSED(ERR_INVALID_ARG, error_scores, NULL, 2, 2, out);
    REFUSED(ERR_INVALID_ARG, error_scores, x, 2, 0, out);
    REFUSED(ERR_INVALID_ARG, error_scores, x, -1, 2, out);
    REFUSED(ERR_INVALID_ARG, error_scores, x, 2, 2, NULL);
    assert_ok(lstmae_gaussian_create(&gaussian, o->context, 2, NULL));
    REFUSED(ERR_INVALID_ARG, gaussian_create, NULL, o->context, 2, NULL);
    REFUSED(ERR_INVALID_ARG, gaussian_create, &none, NULL, 2, NULL);
    REFUSED(ERR_INVALID_ARG, gaussian_create, &none, o->context, 0, NULL);
    REFUSED(ERR_INVALID_ARG, gaussian_create, &none, o->context, 4097, NULL);
    asked.regularisation = -1.0;
    REFUSED(ERR_INVALID_ARG, gaussian_create, &none, o->context, 2, &asked);
    asked.regularisation = NAN;
    REFUSED(ERR_INVALID_ARG, gaussian_create, &none, o->context, 2, &asked);
    ACCEPTS_NULL(gaussian_destroy);
    REFUSED(ERR_INVALID_ARG, gaussian_fit, NULL, x, 2);
    REFUSED(ERR_INVALID_ARG, gaussian_fit, gaussian, NULL, 2);
    REFUSED(ERR_INVALID_ARG, gaussian_fit, gaussian, x, 0);
    REFUSED(ERR_NUMERIC, gaussian_fit, gaussian, x, 1); /* does not vary */
    REFUSED(ERR_INVALID_ARG, gaussian_update, NULL, x, 2);
    REFUSED(ERR_INVALID_ARG, gaussian_update, gaussian, NULL, 2);
    REFUSED(ERR_INVALID_ARG, gaussian_update, gaussian, x, -1);
    REFUSED(ERR_INVALID_ARG, gaussian_score_errors, NULL, 0, x, 2, out, NULL);
    REFUSED(ERR_INVALID_ARG, gaussian_score_errors, gaussian, 2, x, 2, out, NULL);
    REFUSED(ERR_INVALID_ARG, gaussian_score_errors, gaussian, 0, NULL, 2, out, NULL);
    REFUSED(ERR_INVALID_ARG, gaussian_score_errors, gaussian, 0, x, -1, out, NULL);
    REFUSED(ERR_INVALID_ARG, gaussian_score_errors, gaussian, 0, x, 2, NULL, NULL);
    REFUSED(ERR_STATE, gaussian_score_errors, gaussian, 0, x, 2, out, NULL);
    GIVES(0, gaussian_state_count, NULL);
    REFUSED(ERR_INVALID_ARG, gaussian_get_state, NULL, numbers, 8);
    REFUSED(ERR_INVALID_ARG, gaussian_get_state, gaussian, NULL, 8);
    REFUSED(ERR_SHAPE, gaussian_get_state, gaussian, numbers, 7);
    REFUSED(ERR_INVALID_ARG, gaussian_set_state, NULL, numbers, 8);
    REFUSED(ERR_INVALID_ARG, gaussian_set_state, gaussian, NULL, 8);
    REFUSED(ERR_SHAPE, gaussian_set_state, gaussian, numbers, 9);
    assert_ok(lstmae_points_create(&points, o->context, NULL));
    REFUSED(ERR_INVALID_ARG, points_create, NULL, o->context, NULL);
    REFUSED(ERR_INVALID_ARG, points_create, &nothing, NULL, NULL);
    rule.rule = 4;
    REFUSED(ERR_INVALID_ARG, points_create, &nothing, o->context, &rule);
    rule.rule = 0;
    rule.stride = 2;
    REFUSED(ERR_INVALID_ARG, points_create, &nothing, o->context, &rule);
    rule.stride = 1;
    rule.channels = 0;
    REFUSED(ERR_INVALID_ARG, points_create, &nothing, o->context, &rule);
    rule.channels = rule.length = INT64_MAX;
    REFUSED(ERR_SHAPE, points_create, &nothing, o->context, &rule);
    ACCEPTS_NULL(points_destroy);
    REFUSED(ERR_INVALID_ARG, points_push, NULL, x, 0, out);
    REFUSED(ERR_INVALID_ARG, points_push, points, NULL, 0, out);
    REFUSED(ERR_INVALID_ARG, points_push, points, x, -1, out);
    REFUSED(ERR_INVALID_ARG, points_push, points, x, 0, NULL);
    REFUSED(ERR_INVALID_ARG, points_finish, NULL, out);
    REFUSED(ERR_STATE, points_finish, points, out);
    REFUSED(ERR_INVALID_ARG, points_join, NULL, NULL, x, 1, out);
    REFUSED(ERR_INVALID_ARG, points_join, o->context, NULL, NULL, 1, out);
    REFUSED(ERR_INVALID_ARG, points_join, o->context, NULL, x, 0, out);
    REFUSED(ERR_INVALID_ARG, points_join, o->context, NULL, x, 1, NULL);
    misuse_cover("ewma_update");
    assert_true(isnan(lstmae_ewma_update(NULL, 1.0)));
    ewma.alpha = 0.0;
    assert_true(isnan(lstmae_ewma_update(&ewma, 1.0)));
    ewma.alpha = NAN;
    assert_true(isnan(lstmae_ewma_update(&ewma, 1.0)));
    ewma.alpha = 0.5;
    ewma.struct_size = 0;
    assert_true(isnan(lstmae_ewma_update(&ewma, 1.0)) && ewma.weight == 0.0);
    assert_true(!none && !nothing);
    lstmae_gaussian_destroy(gaussian);
    lstmae_points_destroy(points);
}

/* Every option out of its range, one at a time. */
static void misuse_threshold_options(lstmae_context *context)
{
    lstmae_threshold *none = NULL;
    static const lstmae_threshold_options inits[] = { LSTMAE_THRESHOLD_QUANTILE_INIT, LSTMAE_THRESHOLD_SIGMA_INIT,
                                                      LSTMAE_THRESHOLD_SPOT_INIT, LSTMAE_THRESHOLD_DYNAMIC_INIT };
    for (int kind = 0; kind < 4; kind++) {
        lstmae_threshold_options broken[20];
        size_t n = 0;
        for (size_t i = 0; i < 20; i++) broken[i] = inits[kind];
        broken[n++].flags = 2;
        broken[n++].kind = 4;
        broken[n++].kind = -1;
        broken[n++].reserved = 1;
        broken[n++].memory = -1;
        if (kind == 0 || kind == 2) broken[n++].quantile = -0.1;
        if (kind == 0 || kind == 2) broken[n++].quantile = NAN;
        if (kind <= 1) broken[n++].factor = -1.0;
        if (kind == 0) broken[n].flags = LSTMAE_THRESHOLD_ONLINE, broken[n++].window = 0;
        if (kind == 2) broken[n++].risk = 0.0;
        if (kind == 2) broken[n++].risk = 0.03;
        if (kind >= 2) broken[n++].window = 0;
        if (kind >= 2) broken[n++].window = INT64_MAX;
        if (kind == 3) broken[n++].prune = 1.0;
        if (kind == 3) broken[n++].z_low = 12.0;
        if (kind == 3) broken[n++].z_high = INFINITY;
        if (kind == 3) broken[n++].z_step = 0.0;
        if (kind == 3) broken[n++].z_step = 1e-9;
        if (kind == 3) broken[n++].batch = 0;
        if (kind == 3) broken[n++].batch = 2101;
        for (size_t i = 0; i < n; i++) REFUSED(ERR_INVALID_ARG, threshold_create, &none, context, &broken[i]);
    }
    assert_null(none);
}

void misuse_thresholds(void **state)
{
    misuse_objects *o = *state;
    static const float scores[4] = { 1, 2, 3, 4 };
    static const unsigned char flags[4] = { 0, 1, 1, 0 };
    unsigned char alarms[4];
    double numbers[16];
    lstmae_threshold *threshold = NULL, *none = NULL;
    lstmae_detection detection = LSTMAE_DETECTION_INIT;
    lstmae_ranking ranking = LSTMAE_RANKING_INIT;
    REFUSES_SIZES(lstmae_threshold_options, LSTMAE_THRESHOLD_QUANTILE_INIT,
                  lstmae_threshold_create(&none, o->context, options));
    misuse_threshold_options(o->context);
    assert_ok(lstmae_threshold_create(&threshold, o->context, NULL));
    REFUSED(ERR_INVALID_ARG, threshold_create, NULL, o->context, NULL);
    REFUSED(ERR_INVALID_ARG, threshold_create, &none, NULL, NULL);
    ACCEPTS_NULL(threshold_destroy);
    REFUSED(ERR_INVALID_ARG, threshold_fit, NULL, scores, 4);
    REFUSED(ERR_INVALID_ARG, threshold_fit, threshold, NULL, 4);
    REFUSED(ERR_INVALID_ARG, threshold_fit, threshold, scores, 0);
    misuse_cover("threshold_value");
    assert_true(isnan(lstmae_threshold_value(NULL)));
    REFUSED(ERR_INVALID_ARG, threshold_update, NULL, 1.0);
    REFUSED(ERR_STATE, threshold_update, threshold, 1.0);
    REFUSED(ERR_INVALID_ARG, threshold_apply, NULL, scores, 4, alarms);
    REFUSED(ERR_INVALID_ARG, threshold_apply, threshold, NULL, 4, alarms);
    REFUSED(ERR_INVALID_ARG, threshold_apply, threshold, scores, -1, alarms);
    REFUSED(ERR_INVALID_ARG, threshold_apply, threshold, scores, 4, NULL);
    REFUSED(ERR_STATE, threshold_apply, threshold, scores, 4, alarms);
    GIVES(0, threshold_state_count, NULL);
    REFUSED(ERR_INVALID_ARG, threshold_get_state, NULL, numbers, 9);
    REFUSED(ERR_INVALID_ARG, threshold_get_state, threshold, NULL, 9);
    REFUSED(ERR_SHAPE, threshold_get_state, threshold, numbers, 8);
    REFUSED(ERR_INVALID_ARG, threshold_set_state, NULL, numbers, 9);
    REFUSED(ERR_INVALID_ARG, threshold_set_state, threshold, NULL, 9);
    REFUSED(ERR_SHAPE, threshold_set_state, threshold, numbers, 10);
    REFUSED(ERR_INVALID_ARG, detection_add, NULL, flags, flags, 4);
    REFUSED(ERR_INVALID_ARG, detection_add, &detection, NULL, flags, 4);
    REFUSED(ERR_INVALID_ARG, detection_add, &detection, flags, NULL, 4);
    REFUSED(ERR_INVALID_ARG, detection_add, &detection, flags, flags, -1);
    detection.struct_size = 8;
    REFUSED(ERR_INVALID_ARG, detection_add, &detection, flags, flags, 4);
    REFUSED(ERR_INVALID_ARG, ranking_measure, NULL, o->context, flags, scores, 4);
    REFUSED(ERR_INVALID_ARG, ranking_measure, &ranking, NULL, flags, scores, 4);
    REFUSED(ERR_INVALID_ARG, ranking_measure, &ranking, o->context, NULL, scores, 4);
    REFUSED(ERR_INVALID_ARG, ranking_measure, &ranking, o->context, flags, NULL, 4);
    REFUSED(ERR_INVALID_ARG, ranking_measure, &ranking, o->context, flags, scores, 0);
    ranking.struct_size = 8;
    REFUSED(ERR_INVALID_ARG, ranking_measure, &ranking, o->context, flags, scores, 4);
    assert_null(none);
    lstmae_threshold_destroy(threshold);
}
