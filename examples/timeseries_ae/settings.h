/* What one run of the program does: the command, options, and the text that a model file carries. */
#ifndef TS_SETTINGS_H
#define TS_SETTINGS_H

#include "../common/options.h"

typedef enum ts_command { TS_TRAIN, TS_SCORE, TS_WATCH, TS_EMBED, TS_SKAB } ts_command;
#define TS_COMMANDS "train|score|watch|embed|bench-skab"

typedef struct ts_settings {
    int command;
    char data[EX_TEXT_SIZE]; /* the argument that is no option: a file, or the folder of SKAB; "": none */
    char out[EX_TEXT_SIZE], from[EX_TEXT_SIZE], resume[EX_TEXT_SIZE], device[EX_TEXT_SIZE];
    int precision; /* lstmae_precision */
    int64_t seed, threads;

    /* reading */
    char columns[EX_TEXT_SIZE], ignore[EX_TEXT_SIZE], truth[EX_TEXT_SIZE], delimiter[EX_TEXT_SIZE];
    int missing;
    int64_t rows;
    int scaling, drift;

    /* model */
    int kind, cells, input, order, peepholes, both_ways;
    int64_t window, hidden, layers, code;
    double beta;

    /* training */
    int loss, keep_best; /* keep_best: no option */
    int64_t epochs, batch, patience;
    double lr, held_out;

    /* scores and alarms */
    int threshold;
    double smoothing, quantile, factor;

    /* the benchmark */
    char part[EX_TEXT_SIZE];
    int64_t seeds;
    int compare; /* 0: yes, 1: no */
} ts_settings;

typedef enum ts_kind { TS_LSTM, TS_VAE, TS_DENSE, TS_CONV, TS_LINEAR } ts_kind;
#define TS_KINDS "lstm|vae|dense|conv|linear"

typedef enum ts_drift { TS_DRIFT_AUTO, TS_DRIFT_NONE, TS_DRIFT_ALL } ts_drift;
#define TS_DRIFTS "auto|none|all"

/** Words of the options, in the order of the library's enumerations. */
#define TS_INPUTS "nothing|output|code"
#define TS_ORDERS "reversed|forward"
#define TS_LOSSES "mse|mae|huber"
#define TS_MISSING "refuse|hold|interpolate"
#define TS_SCALINGS "standard|minmax|robust"
#define TS_THRESHOLDS "quantile|sigma|spot"

/** The defaults, which are also what bench-skab calls ours. */
void ts_settings_defaults(ts_settings *settings);

/**
 * Fills the settings: defaults, then those of the model file --from or --resume names, then the command line.
 * Returns 0; 1 when the help was printed; -1 after a message about the options, -2 about the model file.
 */
int ts_settings_read(ts_settings *settings, int argc, char **argv);

/** --delimiter as the library's number. */
int ts_settings_delimiter(const ts_settings *settings, int32_t *delimiter);

/** The settings as text for a model file, to be freed; NULL when memory ends. */
char *ts_settings_text(ts_settings *settings);

#endif
