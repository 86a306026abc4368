/*
 * Command-line options from a table: "--name value" or "--name=value". The same table prints the help and keeps a
 * program's settings as text, one "name=value" per line, so that a checkpoint can bring them back.
 */
#ifndef EX_OPTIONS_H
#define EX_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#define EX_TEXT_SIZE 1024 /* of the buffer of an EX_TEXT option */

typedef enum ex_kind {
    EX_HEADING, /* a line of its own in the help: `help` */
    EX_INT,     /* int64_t */
    EX_REAL,    /* double */
    EX_TEXT,    /* char[EX_TEXT_SIZE] */
    EX_CHOICE   /* int: position of the word in `words` */
} ex_kind;

/** The option belongs to this run alone (paths, threads): it is not part of the settings' text. */
#define EX_OPTION_LOCAL 1u

/** The option is only found in the settings' text: not accepted on the command line, not in the help. */
#define EX_OPTION_INTERNAL 2u

typedef struct ex_option {
    const char *name; /* without the dashes */
    ex_kind kind;
    unsigned flags;
    void *value;
    double min, max;   /* EX_INT, EX_REAL: bounds, inclusive */
    const char *words; /* EX_CHOICE: "mse|mae|bce" */
    const char *help;
} ex_option;

#define EX_END                                                                                     \
    {                                                                                              \
        NULL, EX_HEADING, 0, NULL, 0, 0, NULL, NULL                                                \
    }

/** Position of `word` in "a|b|c", or -1. */
int ex_word_index(const char *words, const char *word);

/** Copies word `index` of "a|b|c" into `out`, "" where there is none. */
void ex_word(const char *words, int index, char *out, size_t size);

/** Value of "--name" on the command line, its last occurrence, or NULL. For what must be known before parsing. */
const char *ex_options_peek(const char *name, int argc, char **argv);

/** Sets the values given on the command line. Prints what is wrong and returns -1; 0 when all is well. */
int ex_options_parse(const ex_option *table, int argc, char **argv);

/** The settings as text, to be freed; NULL when memory ends. Numbers come back exactly. */
char *ex_options_save(const ex_option *table);

/** Sets the values found in such a text; names it does not know are an error that mentions `source`. */
int ex_options_load(const ex_option *table, const char *text, const char *source);

/** Prints the options with their present values, which are the defaults before parsing. */
void ex_options_help(const ex_option *table);

#endif
