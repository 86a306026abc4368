#include "settings.h"

#include <lstmae/lstmae.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/device.h"
#include "../common/report.h"
#include "modelfile.h"

#define SETTINGS_OPTIONS 48
#define SETTINGS_MANY 1e12 /* upper bound of counts */

void ts_settings_defaults(ts_settings *s)
{
    memset(s, 0, sizeof *s);
    snprintf(s->out, sizeof s->out, "timeseries_ae_out");
    snprintf(s->device, sizeof s->device, "cpu");
    snprintf(s->ignore, sizeof s->ignore, "anomaly,changepoint,label");
    snprintf(s->truth, sizeof s->truth, "anomaly");
    snprintf(s->delimiter, sizeof s->delimiter, "auto");
    s->seed = 1;
    s->missing = LSTMAE_MISSING_HOLD;
    s->window = 10;
    s->hidden = 32;
    s->layers = 1;
    s->code = 8;
    s->input = LSTMAE_INPUT_CODE;
    s->order = LSTMAE_DECODE_FORWARD;
    s->beta = 0.01;
    s->epochs = 30;
    s->batch = 32;
    s->patience = 10;
    s->lr = 2e-3;
    s->keep_best = 1;
    s->held_out = 0.1;
    s->smoothing = 0.95;
    s->quantile = 0.99;
    s->factor = 3;
    s->seeds = 5;
}

static void settings_table(ts_settings *s, ex_option *table)
{
    const ex_option options[SETTINGS_OPTIONS] = {
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "Files"},
        {"out", EX_TEXT, EX_OPTION_LOCAL, s->out, 0, 0, NULL, "folder for what is written"},
        {"from", EX_TEXT, EX_OPTION_LOCAL, s->from, 0, 0, NULL,
         "score, watch, embed: the model file; without it model.safetensors in the folder --out"},
        {"resume", EX_TEXT, EX_OPTION_LOCAL, s->resume, 0, 0, NULL, "train: go on from this model file"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "Reading"},
        {"data", EX_TEXT, EX_OPTION_INTERNAL, s->data, 0, 0, NULL, ""},
        {"columns", EX_TEXT, 0, s->columns, 0, 0, NULL, "names of the columns to use, or #0,#1: all with numbers"},
        {"ignore", EX_TEXT, 0, s->ignore, 0, 0, NULL, "without --columns: columns that are left out"},
        {"truth", EX_TEXT, EX_OPTION_LOCAL, s->truth, 0, 0, NULL,
         "score: column of 0 and 1 that alarms are compared with"},
        {"delimiter", EX_TEXT, EX_OPTION_LOCAL, s->delimiter, 0, 0, NULL,
         "between cells: auto, tab, blanks or a character"},
        {"missing", EX_CHOICE, EX_OPTION_LOCAL, &s->missing, 0, 0, TS_MISSING, "what becomes of empty cells"},
        {"rows", EX_INT, 0, &s->rows, 0, SETTINGS_MANY, NULL,
         "train: use this many rows from the beginning; 0: all. They should be normal operation"},
        {"scaling", EX_CHOICE, 0, &s->scaling, 0, 0, TS_SCALINGS, "of each column, fitted on the rows trained on"},
        {"drift", EX_CHOICE, 0, &s->drift, 0, 0, TS_DRIFTS,
         "columns that become differences from row to row; auto: those whose mean wanders"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "Model"},
        {"model", EX_CHOICE, 0, &s->kind, 0, 0, TS_KINDS,
         "autoencoder over windows; linear: their principal components"},
        {"window", EX_INT, 0, &s->window, 2, 100000, NULL, "rows of a window"},
        {"hidden", EX_INT, 0, &s->hidden, 1, 1e6, NULL, "units, channels of conv"},
        {"layers", EX_INT, 0, &s->layers, 1, 64, NULL, "lstm, vae: of encoder and decoder"},
        {"code", EX_INT, 0, &s->code, 0, 1e6, NULL,
         "values that a window is squeezed into (of conv: at each second row); lstm: 0 for the state itself"},
        {"cells", EX_CHOICE, 0, &s->cells, 0, 0, "own|shared", "lstm, vae: of the decoder; shared: the encoder's"},
        {"decoder", EX_CHOICE, 0, &s->input, 0, 0, TS_INPUTS, "lstm, vae: what the decoder is fed"},
        {"order", EX_CHOICE, 0, &s->order, 0, 0, TS_ORDERS, "lstm, vae: in which the window is given back"},
        {"peepholes", EX_CHOICE, 0, &s->peepholes, 0, 0, "no|yes", "lstm, vae"},
        {"both-ways", EX_CHOICE, 0, &s->both_ways, 0, 0, "no|yes", "lstm, vae: bidirectional encoder"},
        {"beta", EX_REAL, 0, &s->beta, 0, 1e6, NULL, "vae: weight of the divergence"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "Training"},
        {"loss", EX_CHOICE, 0, &s->loss, 0, 0, TS_LOSSES, "error that is minimised"},
        {"epochs", EX_INT, 0, &s->epochs, 1, 1e9, NULL, "at most"},
        {"patience", EX_INT, 0, &s->patience, 0, 1e9, NULL, "epochs without a better held-out loss; 0: all are made"},
        {"held-out", EX_REAL, 0, &s->held_out, 0, 0.9, NULL,
         "share of the windows, the last ones, that is not trained on"},
        {"batch", EX_INT, 0, &s->batch, 1, 1e6, NULL, "windows per update"},
        {"lr", EX_REAL, 0, &s->lr, 1e-12, 10, NULL, "Adam's rate"},
        {"seed", EX_INT, 0, &s->seed, 0, 9e15, NULL, "of all that is random"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "Scores and alarms"},
        {"smoothing", EX_REAL, 0, &s->smoothing, 0, 0.9999, NULL, "of errors over time: share of the past"},
        {"threshold", EX_CHOICE, 0, &s->threshold, 0, 0, TS_THRESHOLDS, "fitted to the scores of the rows trained on"},
        {"quantile", EX_REAL, 0, &s->quantile, 0, 1, NULL, "of those scores, where the rule has one"},
        {"factor", EX_REAL, 0, &s->factor, 0, 1e9, NULL, "times the quantile; sigma: deviations above the mean"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "bench-skab"},
        {"part", EX_TEXT, EX_OPTION_LOCAL, s->part, 0, 0, NULL, "one folder of recordings alone, such as valve1"},
        {"seeds", EX_INT, EX_OPTION_LOCAL, &s->seeds, 1, 1000, NULL, "runs of each network"},
        {"compare", EX_CHOICE, EX_OPTION_LOCAL, &s->compare, 0, 0, "yes|no", "with the other methods"},
        {NULL, EX_HEADING, 0, NULL, 0, 0, NULL, "This machine"},
        {"device", EX_TEXT, EX_OPTION_LOCAL, s->device, 0, 0, NULL, EX_DEVICES_HELP},
        {"precision", EX_CHOICE, EX_OPTION_LOCAL, &s->precision, 0, 0, EX_PRECISIONS, EX_PRECISIONS_HELP},
        {"threads", EX_INT, EX_OPTION_LOCAL, &s->threads, 0, 4096, NULL, "0: one per core"},
        EX_END,
    };
    memcpy(table, options, sizeof options);
}

static void settings_help(const ex_option *table)
{
    printf("Autoencoders over windows of a time series: what they cannot give back is strange.\n\n"
           "usage: %s train [DATA.csv] [--name value ...]  learn what is normal; without DATA: our own series\n"
           "       %s score DATA.csv [--name value ...]    scores.csv and a picture\n"
           "       %s watch [--name value ...]             samples on standard input, alarms on standard output\n"
           "       %s embed DATA.csv [--name value ...]    the codes of all windows, codes.csv and codes.npy\n"
           "       %s bench-skab DIR [--name value ...]    the Skoltech Anomaly Benchmark\n",
           ex_program(), ex_program(), ex_program(), ex_program(), ex_program());
    ex_options_help(table);
}

static int settings_asks_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return 1;
    return 0;
}

/* Takes the command and the argument that is no option out of the arguments. */
static int settings_command(ts_settings *s, int *argc, char **argv)
{
    if (*argc < 2) return ex_fail("expected a command, %s; --help says more", TS_COMMANDS);
    s->command = ex_word_index(TS_COMMANDS, argv[1]);
    if (s->command < 0) return ex_fail("expected a command, %s, got '%s'; --help says more", TS_COMMANDS, argv[1]);
    int first = 2;
    if (*argc > 2 && strncmp(argv[2], "--", 2) != 0) {
        if (strlen(argv[2]) >= sizeof s->data)
            return ex_fail("the file's name is longer than %d bytes", EX_TEXT_SIZE - 1);
        snprintf(s->data, sizeof s->data, "%s", argv[2]);
        first = 3;
    }
    for (int i = first; i < *argc; i++) argv[i - first + 1] = argv[i];
    *argc -= first - 1;
    if (s->data[0] != '\0' && s->command == TS_WATCH)
        return ex_fail("watch: expected samples on standard input, got the file '%s'", s->data);
    if (s->data[0] == '\0' && s->command != TS_TRAIN && s->command != TS_WATCH)
        return ex_fail("expected a %s after the command", s->command == TS_SKAB ? "folder" : "file");
    return 0;
}

/* The settings a model was made with, before the command line changes some. */
static int settings_of_model(ts_settings *s, const ex_option *table, int argc, char **argv)
{
    char data[EX_TEXT_SIZE];
    const char *from = ex_options_peek(s->command == TS_TRAIN ? "resume" : "from", argc, argv);
    const char *out = ex_options_peek("out", argc, argv);
    if (s->command == TS_SKAB || (s->command == TS_TRAIN && from == NULL)) return 0;
    if (from != NULL) snprintf(s->from, sizeof s->from, "%s", from);
    else snprintf(s->from, sizeof s->from, "%.900s/" TS_MODEL_FILE, out != NULL ? out : s->out);
    memcpy(data, s->data, sizeof data);
    char *text = NULL;
    if (ex_status(lstmae_checkpoint_config(s->from, &text)) != 0) return -1;
    int result = ts_modelfile_settings(table, text, s->from);
    lstmae_checkpoint_config_free(text);
    if (s->command != TS_TRAIN || data[0] != '\0') memcpy(s->data, data, sizeof data);
    return result;
}

/* What a trained model is made of stays; a training that goes on may go on for longer. */
static int settings_check_kept(const ts_settings *s, const ex_option *table, int argc, char **argv)
{
    const char *resume = ex_options_peek("resume", argc, argv);
    if (s->command == TS_SKAB || (s->command == TS_TRAIN && resume == NULL)) return 0;
    for (const ex_option *o = table; o->help != NULL; o++) {
        if (o->kind == EX_HEADING || (o->flags & (EX_OPTION_LOCAL | EX_OPTION_INTERNAL)) != 0) continue;
        if (resume != NULL && (strcmp(o->name, "epochs") == 0 || strcmp(o->name, "patience") == 0)) continue;
        if (ex_options_peek(o->name, argc, argv) != NULL)
            return ex_fail("--%s: the model keeps what its training began with", o->name);
    }
    return 0;
}

int ts_settings_delimiter(const ts_settings *s, int32_t *delimiter)
{
    const char *text = s->delimiter;
    *delimiter = LSTMAE_DELIMITER_AUTO;
    if (strcmp(text, "auto") == 0) return 0;
    *delimiter = strcmp(text, "tab") == 0 ? '\t' : strcmp(text, "blanks") == 0 ? LSTMAE_DELIMITER_BLANKS : text[0];
    if (text[0] != '\0' && (text[1] == '\0' || *delimiter != text[0])) return 0;
    return ex_fail("--delimiter: expected auto, tab, blanks or a character, got '%s'", text);
}

static int settings_check(const ts_settings *s)
{
    if (s->code == 0 && s->kind != TS_LSTM) return ex_fail("--code: expected 1 or more, got 0");
    if (s->resume[0] != '\0' && s->command != TS_TRAIN) return ex_fail("--resume: belongs to train");
    int32_t delimiter;
    return ts_settings_delimiter(s, &delimiter);
}

int ts_settings_read(ts_settings *s, int argc, char **argv)
{
    ex_option table[SETTINGS_OPTIONS];
    ts_settings_defaults(s);
    settings_table(s, table);
    if (settings_asks_help(argc, argv)) {
        settings_help(table);
        return 1;
    }
    if (settings_command(s, &argc, argv) != 0) return -1;
    if (settings_check_kept(s, table, argc, argv) != 0) return -1;
    if (settings_of_model(s, table, argc, argv) != 0) return -2;
    if (ex_options_parse(table, argc, argv) != 0) return -1;
    return settings_check(s);
}

char *ts_settings_text(ts_settings *s)
{
    ex_option table[SETTINGS_OPTIONS];
    settings_table(s, table);
    return ex_options_save(table);
}
