/*
 * Records and cells of CSV text (RFC 4180 and its usual relatives), read through a buffer that holds a record as a
 * whole. docs/formats.md has the rules. Nothing here knows of numbers or tables.
 */
#ifndef LAE_CSV_H
#define LAE_CSV_H

#include "source.h"

/** Longest record. */
#define LAE_CSV_BUFFER ((size_t)1 << 20)

typedef struct lae_csv {
    lae_source *source;
    char *buffer;       /* `room` bytes and a NUL behind those that are filled */
    size_t room;        /* LAE_CSV_BUFFER, or where the source is smaller one byte more than it */
    size_t length;      /* filled */
    int last;           /* nothing comes after them */
    uint64_t read;      /* bytes since the beginning */
    char *at;           /* next byte */
    char *record;       /* where the record begins */
    int64_t line;       /* of `at`, counted from 1 */
    int64_t record_line;
    int64_t field;      /* cells of the record taken so far */
    const char *const *names; /* of columns, for messages; NULL: not known */
    int64_t name_count;
    char delimiter;     /* ' ': any run of blanks */
    int64_t skip_lines;
    unsigned char ends[256]; /* bytes that end a cell without quotes */
} lae_csv;

/** What stands between delimiters, white space around it left out. */
typedef struct lae_csv_cell {
    const char *text;
    size_t bytes;
    int quoted;
    int escaped;  /* quoted, with doubled quotes inside */
    int64_t line; /* where it begins */
} lae_csv_cell;

/** What follows a cell. */
enum { LAE_CSV_MORE = 1, LAE_CSV_DELIMITER, LAE_CSV_END };

/** Takes the buffer; start from zeros. `source` is borrowed. */
lstmae_status lae_csv_open(lae_csv *csv, lae_source *source, int64_t skip_lines);
void lae_csv_close(lae_csv *csv);

/** Reads from a text that ends with a NUL instead; it is not changed. Nothing to close. */
void lae_csv_text(lae_csv *csv, const char *text);

void lae_csv_set_delimiter(lae_csv *csv, char delimiter);

/** Goes to the beginning, behind a byte order mark and the lines to be skipped. */
lstmae_status lae_csv_rewind(lae_csv *csv);

/** Goes to the next record, over empty lines. @return 1; 0 at the end; or an error */
lstmae_status lae_csv_next(lae_csv *csv);

/**
 * Takes the record's next cell.
 * @return LAE_CSV_DELIMITER; LAE_CSV_END after the last; LAE_CSV_MORE where the buffer ends within the record: then
 *         lae_csv_more() and begin the record again; ERR_FORMAT
 */
lstmae_status lae_csv_cell_read(lae_csv *csv, lae_csv_cell *cell);

/** Reads on, keeping the record, and goes back to its first cell. ERR_FORMAT where it is too long. */
lstmae_status lae_csv_more(lae_csv *csv);

/** Counts the records from the record that `at` stands in to the end; the reader must be rewound after. */
lstmae_status lae_csv_count(lae_csv *csv, int64_t *records);

/** Copies a cell to `out`, quotes resolved; returns its length, which is at most cell->bytes. No NUL. */
size_t lae_csv_unescape(char *out, const lae_csv_cell *cell);

/** Fails with ERR_FORMAT: "NAME: line L, column #N 'name': ...", for the cell that was taken last. */
lstmae_status lae_csv_fail(const lae_csv *csv, int64_t line, const char *format, ...) LAE_PRINTF(3, 4);

/** 1 for white space that counts for nothing beside a cell. */
static inline int lae_csv_blank(char c, char delimiter)
{
    return c == ' ' || (c == '\t' && delimiter != '\t');
}

/** The delimiter that the first lines of the buffer speak for, the reader being at the beginning: one but `point`. */
char lae_csv_guess_delimiter(const lae_csv *csv, char point);

#endif
