#include "csvlog.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "report.h"

#define CSV_LINE 512

/* Numbers of one line; 0 where it is no row of numbers (such as the header). */
static int csv_parse(const char *line, int columns, double *values)
{
    for (int i = 0; i < columns; i++) {
        char *end;
        values[i] = strtod(line, &end);
        if (end == line) values[i] = NAN;
        if (*end != (i + 1 < columns ? ',' : '\n')) return 0;
        line = end + 1;
    }
    return isfinite(values[0]);
}

double *ex_csv_read(const char *path, int columns, size_t *rows)
{
    FILE *stream = fopen(path, "r");
    size_t capacity = 1024, width = (size_t)columns;
    double *values = malloc(capacity * width * sizeof *values);
    char line[CSV_LINE];
    *rows = 0;
    while (stream != NULL && values != NULL && fgets(line, sizeof line, stream) != NULL) {
        if (*rows == capacity) {
            double *larger = realloc(values, 2 * capacity * width * sizeof *values);
            if (larger == NULL) break;
            values = larger;
            capacity *= 2;
        }
        if (csv_parse(line, columns, values + *rows * width)) (*rows)++;
    }
    if (stream == NULL) {
        ex_fail("%s: cannot read: %s", path, strerror(errno));
        free(values);
        return NULL;
    }
    fclose(stream);
    return values;
}

static void csv_print(FILE *stream, const double *values, int columns)
{
    for (int i = 0; i < columns; i++) {
        if (i > 0) fputc(',', stream);
        if (isfinite(values[i])) fprintf(stream, "%.10g", values[i]);
    }
    fputc('\n', stream);
}

/* Writes the header and the rows to keep as a new file. */
static int csv_restart(const char *path, const char *header, int columns, double keep)
{
    size_t rows = 0;
    double *old = keep >= 0 ? ex_csv_read(path, columns, &rows) : NULL;
    if (keep >= 0 && old == NULL) rows = 0;
    ex_file file;
    int result = ex_file_open(&file, path);
    if (result == 0) {
        fprintf(file.stream, "%s\n", header);
        for (size_t i = 0; i < rows; i++) {
            const double *row = old + i * (size_t)columns;
            if (row[0] <= keep) csv_print(file.stream, row, columns);
        }
        result = ex_file_commit(&file);
    }
    free(old);
    return result;
}

int ex_csv_open(ex_csv *csv, const char *path, const char *header, int columns, double keep)
{
    csv->stream = NULL;
    csv->columns = columns;
    if (csv_restart(path, header, columns, keep) != 0) return -1;
    csv->stream = fopen(path, "a");
    return csv->stream != NULL ? 0 : ex_fail("%s: cannot write: %s", path, strerror(errno));
}

int ex_csv_row(ex_csv *csv, const double *values)
{
    csv_print(csv->stream, values, csv->columns);
    return fflush(csv->stream) == 0 ? 0 : ex_fail("the log cannot be written: %s", strerror(errno));
}

void ex_csv_close(ex_csv *csv)
{
    if (csv->stream != NULL) fclose(csv->stream);
    csv->stream = NULL;
}
