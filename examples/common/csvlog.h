/* A table of numbers that grows while a program runs, and can be taken up again by a resumed run. */
#ifndef EX_CSVLOG_H
#define EX_CSVLOG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define EX_CSV_COLUMNS 8

typedef struct ex_csv {
    FILE *stream;
    int columns;
} ex_csv;

/**
 * Opens `path` for appending rows of `columns` numbers under the given header, "iteration,loss". Rows of an existing
 * file whose first number is at most `keep` stay, later ones go; keep < 0 starts anew.
 */
int ex_csv_open(ex_csv *csv, const char *path, const char *header, int columns, double keep);

/** Appends a row and hands it to the system; NaN becomes an empty cell. */
int ex_csv_row(ex_csv *csv, const double *values);

void ex_csv_close(ex_csv *csv);

/** Reads a file: `*rows` rows of `columns` numbers, empty cells as NaN; release with free(). NULL on failure. */
double *ex_csv_read(const char *path, int columns, size_t *rows);

#endif
