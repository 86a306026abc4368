#include "csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CSV_TEXT_BYTES 320

lstmae_status lae_csv_fail(const lae_csv *csv, int64_t line, const char *format, ...)
{
    char text[CSV_TEXT_BYTES], label[LAE_LABEL_BYTES];
    int64_t place = csv->field - 1;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *name = csv->names && place < csv->name_count ? csv->names[place] : NULL;
    if (!name)
        return LAE_FAIL(ERR_FORMAT, "%s: line %lld, column #%lld: %s", csv->source->name, (long long)line,
                        (long long)place, text);
    return LAE_FAIL(ERR_FORMAT, "%s: line %lld, column #%lld '%s': %s", csv->source->name, (long long)line,
                    (long long)place, lae_label(label, name, strlen(name)), text);
}

/* ---- the buffer ---- */

lstmae_status lae_csv_open(lae_csv *csv, lae_source *source, int64_t skip_lines)
{
    csv->source = source;
    csv->skip_lines = skip_lines;
    csv->room = !source->gzip && source->size < LAE_CSV_BUFFER ? (size_t)source->size + 1 : LAE_CSV_BUFFER;
    csv->buffer = lae_alloc(source->memory, csv->room + 1);
    if (!csv->buffer) return LAE_FAIL(ERR_NO_MEMORY, "%s: no memory for %zu bytes", source->name, csv->room + 1);
    return LSTMAE_OK;
}

void lae_csv_close(lae_csv *csv)
{
    if (csv->buffer) lae_free(csv->source->memory, csv->buffer, csv->room + 1);
    csv->buffer = NULL;
}

void lae_csv_text(lae_csv *csv, const char *text)
{
    csv->buffer = (char *)(uintptr_t)text;
    csv->length = strlen(text);
    csv->last = 1;
    csv->at = csv->buffer;
    csv->line = 1;
}

void lae_csv_set_delimiter(lae_csv *csv, char delimiter)
{
    csv->delimiter = delimiter;
    memset(csv->ends, 0, sizeof csv->ends);
    csv->ends[0] = csv->ends['\n'] = csv->ends['\r'] = csv->ends['"'] = 1;
    csv->ends[(unsigned char)delimiter] = 1;
    if (delimiter == ' ') csv->ends['\t'] = 1;
}

static const char *csv_end(const lae_csv *csv)
{
    return csv->buffer + csv->length;
}

/* Moves what stands from `keep` on to the front and fills the rest. */
static lstmae_status csv_fill(lae_csv *csv, const char *keep)
{
    size_t kept = (size_t)(csv_end(csv) - keep), got = 0;
    if (kept == csv->room)
        return LAE_FAIL(ERR_FORMAT, "%s: line %lld: expected a record of at most %zu bytes, got more",
                        csv->source->name, (long long)csv->line, LAE_CSV_BUFFER - 1);
    memmove(csv->buffer, keep, kept);
    csv->at = csv->record = csv->buffer;
    csv->length = kept;
    LAE_TRY(lae_source_read(csv->source, csv->buffer + kept, csv->room - kept, &got));
    csv->length += got;
    csv->read += got;
    csv->last = csv->length < csv->room;
    csv->buffer[csv->length] = '\0';
    return LSTMAE_OK;
}

lstmae_status lae_csv_more(lae_csv *csv)
{
    csv->line = csv->record_line;
    csv->field = 0;
    return csv_fill(csv, csv->record);
}

/* Goes behind the line end at `p`, of either kind; 0 where the buffer ends within it. */
static int csv_take_line_end(lae_csv *csv, const char *p)
{
    if (*p == '\r') {
        if (p + 1 == csv_end(csv) && !csv->last) return 0;
        if (p[1] == '\n') p++;
    }
    csv->at = csv->buffer + (p + 1 - csv->buffer);
    csv->line++;
    return 1;
}

static lstmae_status csv_skip_line(lae_csv *csv)
{
    for (;;) {
        const char *p = csv->at;
        while (*p != '\n' && *p != '\r' && p != csv_end(csv)) p++;
        if (p != csv_end(csv) && csv_take_line_end(csv, p)) return LSTMAE_OK;
        if (csv->last) {
            csv->at = csv->buffer + csv->length;
            return LSTMAE_OK;
        }
        LAE_TRY(csv_fill(csv, csv_end(csv) - (p != csv_end(csv)))); /* a lone carriage return is kept */
    }
}

lstmae_status lae_csv_rewind(lae_csv *csv)
{
    LAE_TRY(lae_source_rewind(csv->source));
    csv->length = 0;
    csv->read = 0;
    csv->line = csv->record_line = 1;
    csv->field = 0;
    LAE_TRY(csv_fill(csv, csv->buffer));
    const unsigned char *front = (const unsigned char *)csv->buffer;
    if (front[0] && ((front[0] == 0xff && front[1] == 0xfe) || (front[0] == 0xfe && front[1] == 0xff)))
        return LAE_FAIL(ERR_UNSUPPORTED, "%s: expected text of single bytes or UTF-8, got UTF-16", csv->source->name);
    if (strncmp(csv->buffer, "\xef\xbb\xbf", 3) == 0) csv->at += 3;
    for (int64_t i = 0; i < csv->skip_lines && !(csv->last && csv->at == csv_end(csv)); i++)
        LAE_TRY(csv_skip_line(csv));
    return LSTMAE_OK;
}

lstmae_status lae_csv_next(lae_csv *csv)
{
    for (;;) {
        const char *p = csv->at;
        while (lae_csv_blank(*p, csv->delimiter)) p++;
        int ended = p == csv_end(csv), line_end = !ended && (*p == '\n' || *p == '\r');
        if (!ended && !line_end) break;
        if (line_end && csv_take_line_end(csv, p)) continue;
        if (csv->last) return 0;
        LAE_TRY(csv_fill(csv, csv->at));
    }
    csv->record = csv->at;
    csv->record_line = csv->line;
    csv->field = 0;
    return 1;
}

/* ---- cells ---- */

/* What follows a cell: `p` is behind it and behind blanks. */
static lstmae_status csv_finish(lae_csv *csv, const char *p, int separated)
{
    if (p == csv_end(csv)) {
        if (!csv->last) return LAE_CSV_MORE;
        csv->at = csv->buffer + csv->length;
        return LAE_CSV_END;
    }
    if (*p == '\n' || *p == '\r') return csv_take_line_end(csv, p) ? LAE_CSV_END : LAE_CSV_MORE;
    if (*p == '\0') return lae_csv_fail(csv, csv->line, "expected text, got a NUL byte");
    if (csv->delimiter == ' ' ? separated : *p == csv->delimiter) {
        csv->at = csv->buffer + (p - csv->buffer) + (csv->delimiter != ' ');
        return LAE_CSV_DELIMITER;
    }
    return lae_csv_fail(csv, csv->line, "expected a delimiter or the line's end after the closing quote, got '%c'",
                        *p >= 32 && *p < 127 ? *p : '?');
}

static const char *csv_skip_blanks(const lae_csv *csv, const char *p)
{
    while (lae_csv_blank(*p, csv->delimiter)) p++;
    return p;
}

static lstmae_status csv_cell_quoted(lae_csv *csv, const char *quote, lae_csv_cell *cell)
{
    const char *p = quote + 1;
    *cell = (lae_csv_cell){ p, 0, 1, 0, csv->line };
    for (;; p++) {
        if (p == csv_end(csv)) {
            if (!csv->last) return LAE_CSV_MORE;
            return lae_csv_fail(csv, cell->line, "expected a closing quote, got the end of the text");
        }
        if (*p == '\0') return lae_csv_fail(csv, csv->line, "expected text, got a NUL byte");
        if (*p == '\n' || (*p == '\r' && p[1] != '\n')) csv->line++;
        if (*p != '"') continue;
        if (p + 1 == csv_end(csv) && !csv->last) return LAE_CSV_MORE;
        if (p[1] != '"') break;
        cell->escaped = 1;
        p++;
    }
    cell->bytes = (size_t)(p - cell->text);
    const char *next = csv_skip_blanks(csv, p + 1);
    return csv_finish(csv, next, next > p + 1);
}

lstmae_status lae_csv_cell_read(lae_csv *csv, lae_csv_cell *cell)
{
    const char *p = csv_skip_blanks(csv, csv->at);
    csv->field++;
    if (*p == '"') return csv_cell_quoted(csv, p, cell);
    *cell = (lae_csv_cell){ p, 0, 0, 0, csv->line };
    while (!csv->ends[(unsigned char)*p]) p++;
    if (*p == '"') return lae_csv_fail(csv, csv->line, "expected quotes around the whole cell, got one inside");
    const char *last = p;
    while (last > cell->text && lae_csv_blank(last[-1], csv->delimiter)) last--;
    cell->bytes = (size_t)(last - cell->text);
    if (csv->delimiter != ' ') return csv_finish(csv, p, 0);
    return csv_finish(csv, csv_skip_blanks(csv, p), 1);
}

size_t lae_csv_unescape(char *out, const lae_csv_cell *cell)
{
    size_t used = 0;
    for (size_t i = 0; i < cell->bytes; i++) {
        out[used++] = cell->text[i];
        if (cell->escaped && cell->text[i] == '"') i++;
    }
    return used;
}

/* ---- counting ---- */

typedef struct csv_counter {
    int64_t records;
    int content; /* the record so far has more than blanks */
    int quoted;
    char delimiter;
} csv_counter;

static int csv_has(const char *text, size_t bytes, char delimiter)
{
    for (size_t i = 0; i < bytes; i++)
        if (!lae_csv_blank(text[i], delimiter)) return 1;
    return 0;
}

/* Text without quotes and carriage returns. */
static void csv_count_plain(csv_counter *counter, const char *text, size_t bytes)
{
    for (const char *end = text + bytes; text < end;) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        const char *stop = line_end ? line_end : end;
        if (!counter->content) counter->content = csv_has(text, (size_t)(stop - text), counter->delimiter);
        if (!line_end) return;
        counter->records += counter->content;
        counter->content = 0;
        text = line_end + 1;
    }
}

/* Any text: line ends of either kind, those between quotes not counted. A CRLF ends a record and an empty line. */
static void csv_count_any(csv_counter *counter, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (!counter->quoted && (c == '\n' || c == '\r')) {
            counter->records += counter->content;
            counter->content = 0;
        } else {
            if (c == '"') counter->quoted = !counter->quoted;
            if (!lae_csv_blank(c, counter->delimiter)) counter->content = 1;
        }
    }
}

lstmae_status lae_csv_count(lae_csv *csv, int64_t *records)
{
    csv_counter counter = { 0, 0, 0, csv->delimiter };
    for (;;) {
        size_t bytes = (size_t)(csv_end(csv) - csv->at);
        if (counter.quoted || memchr(csv->at, '"', bytes) || memchr(csv->at, '\r', bytes))
            csv_count_any(&counter, csv->at, bytes);
        else
            csv_count_plain(&counter, csv->at, bytes);
        if (csv->last) break;
        LAE_TRY(csv_fill(csv, csv_end(csv)));
    }
    *records = counter.records + counter.content;
    return LSTMAE_OK;
}

/* ---- guessing the delimiter ---- */

#define GUESS_RECORDS 16

/* Delimiters in the record at *text and whether it was whole; goes behind it. Blanks count by their runs inside. */
static int guess_record(const char **text, const char *end, int last, char delimiter, int64_t *count)
{
    int quoted = 0, content = 0, gap = 0;
    const char *p = *text;
    *count = 0;
    for (; p < end && (quoted || (*p != '\n' && *p != '\r')); p++) {
        if (*p == '"') quoted = !quoted;
        int blank = !quoted && (*p == ' ' || *p == '\t');
        if (delimiter == ' ') {
            if (!blank && gap && content) (*count)++;
            gap = blank;
        } else if (!quoted && *p == delimiter) {
            (*count)++;
        }
        if (!blank) content = 1;
    }
    *text = p < end ? p + 1 : p;
    if (p == end && !last) return 0;
    if (!content) *count = -1; /* an empty line */
    return 1;
}

/* How many delimiters each of the first records has if all have equally many, else 0; *first those of the first. */
static int64_t guess_count(const lae_csv *csv, char delimiter, int64_t *first)
{
    const char *p = csv->at;
    int64_t count = 0, same = 1;
    *first = -1;
    for (int records = 0; records < GUESS_RECORDS && p < csv_end(csv);) {
        if (!guess_record(&p, csv_end(csv), csv->last, delimiter, &count)) break;
        if (count < 0) continue;
        if (records++ == 0) *first = count;
        if (count != *first) same = 0;
    }
    return same && *first > 0 ? *first : 0;
}

char lae_csv_guess_delimiter(const lae_csv *csv, char point)
{
    static const char known[] = { '\t', ';', '|', ',', ' ' };
    char most = point == ',' ? ';' : ',';
    int64_t most_count = 0;
    for (size_t i = 0; i < sizeof known; i++) {
        int64_t first;
        if (known[i] == point) continue;
        if (known[i] == ' ' && most_count > 0) break; /* blanks inside of cells */
        if (guess_count(csv, known[i], &first) > 0) return known[i];
        if (first > most_count && known[i] != ' ') {
            most = known[i];
            most_count = first;
        }
    }
    return most;
}
