#include "own.h"

#include <math.h>
#include <stdlib.h>

#include "../common/files.h"
#include "../common/report.h"

#define OWN_ROWS 6000
#define OWN_CHANNELS 6

static const char *const own_names[OWN_CHANNELS] = {"speed", "current", "vibration", "pressure", "flow", "temperature"};

/* Numbers that are the same everywhere: splitmix64 (Steele, Lea and Flood, OOPSLA 2014). */
static double own_uniform(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* Nearly normal: the sum of twelve. */
static double own_normal(uint64_t *state)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) sum += own_uniform(state);
    return sum;
}

typedef struct own_anomaly {
    int first, rows;
    const char *what;
} own_anomaly;

static const own_anomaly own_anomalies[] = {
    {3300, 150, "the flow is low"},
    {3800, 120, "the current no longer follows the speed"},
    {4250, 150, "the pressure sensor is stuck"},
    {4700, 80, "the vibration is strong"},
    {5200, 150, "the pressure is low"},
    {5700, 120, "the temperature climbs"},
};

/* What is wrong with row `t`: number of an anomaly, -1 for none. */
static int own_anomaly_at(int t)
{
    for (int i = 0; i < (int)(sizeof own_anomalies / sizeof own_anomalies[0]); i++)
        if (t >= own_anomalies[i].first && t < own_anomalies[i].first + own_anomalies[i].rows) return i;
    return -1;
}

/* The machine between rows: phases, the temperature it has, the pressure that is shown. */
typedef struct own_machine {
    uint64_t random;
    double swing, shift, temperature, pressure;
} own_machine;

static void own_row(own_machine *m, int anomaly, float *row)
{
    const double turn = 6.283185307179586;
    m->swing += turn / 40;
    m->shift += turn / 170;
    double load = 1 + 0.3 * sin(m->shift), speed = load + 0.2 * sin(m->swing) + 0.02 * own_normal(&m->random);
    double current = anomaly == 1 ? 2 : 2 * speed;
    m->temperature += 0.002 * (60 * load - m->temperature) + 0.05 * own_normal(&m->random) + (anomaly == 5 ? 0.25 : 0);
    double pressure = 3 + 0.5 * sin(m->swing - 1) + 0.05 * own_normal(&m->random) - (anomaly == 4 ? 0.7 : 0);
    if (anomaly != 2) m->pressure = pressure;
    row[0] = (float)(1000 * speed);
    row[1] = (float)(current + 0.04 * own_normal(&m->random));
    row[2] = (float)((anomaly == 3 ? 2.0 : 0.2) * own_normal(&m->random));
    row[3] = (float)m->pressure;
    row[4] = (float)(12 + 3 * (load - 1) + 0.4 * own_normal(&m->random) - (anomaly == 0 ? 1.5 : 0));
    row[5] = (float)m->temperature;
}

int ts_own_series(ts_series *series, lstmae_context *context, uint64_t seed)
{
    own_machine machine = {seed, 0, 0, 60, 3};
    lstmae_table *table = NULL;
    float *values = malloc((size_t)OWN_ROWS * OWN_CHANNELS * sizeof *values);
    unsigned char *truth = calloc(OWN_ROWS, 1);
    int result = values != NULL && truth != NULL ? 0 : ex_fail("out of memory for %d rows", OWN_ROWS);
    for (int t = 0; t < OWN_ROWS && result == 0; t++) {
        int anomaly = own_anomaly_at(t);
        truth[t] = anomaly >= 0;
        own_row(&machine, anomaly, values + (size_t)t * OWN_CHANNELS);
    }
    if (result == 0)
        result = ex_status(lstmae_table_from_memory(&table, context, values, OWN_ROWS, OWN_CHANNELS, own_names,
                                                    LSTMAE_MISSING_REFUSE));
    free(values);
    if (result == 0) {
        ts_series_adopt(series, table, truth);
        for (size_t i = 0; i < sizeof own_anomalies / sizeof own_anomalies[0]; i++)
            printf("planted: rows %d to %d, %s\n", own_anomalies[i].first,
                   own_anomalies[i].first + own_anomalies[i].rows - 1, own_anomalies[i].what);
    } else {
        free(truth);
    }
    return result;
}

int ts_own_save(const ts_series *series, const char *path)
{
    ex_file file;
    const float *values = lstmae_table_values(series->table);
    if (ex_file_open(&file, path) != 0) return -1;
    for (int64_t c = 0; c < series->columns; c++) fprintf(file.stream, "%s,", lstmae_table_name(series->table, c));
    fputs("anomaly\n", file.stream);
    for (int64_t r = 0; r < series->rows; r++) {
        for (int64_t c = 0; c < series->columns; c++)
            fprintf(file.stream, "%.9g,", (double)values[r * series->columns + c]);
        fprintf(file.stream, "%d\n", series->truth[r]);
    }
    return ex_file_commit(&file);
}
