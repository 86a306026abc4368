#include "columns.h"

#include <lstmae/table.h>
#include <stdlib.h>
#include <string.h>

#include "../common/report.h"

int ts_columns_create(ts_columns *c, const char *const *names, int64_t count, int32_t delimiter)
{
    memset(c, 0, sizeof *c);
    c->names = names;
    c->count = count;
    c->delimiter = delimiter;
    c->places = malloc((size_t)count * sizeof *c->places);
    c->order = malloc((size_t)count * sizeof *c->order);
    c->cells = malloc((size_t)count * sizeof *c->cells);
    if (c->places == NULL || c->order == NULL || c->cells == NULL)
        return ex_fail("out of memory for %lld columns", (long long)count);
    for (int64_t i = 0; i < count; i++) c->places[i] = c->order[i] = i;
    return 0;
}

void ts_columns_destroy(ts_columns *c)
{
    free(c->places);
    free(c->order);
    free(c->cells);
    memset(c, 0, sizeof *c);
}

/* The one that occurs most often in the first line. */
static int32_t columns_delimiter(const char *line)
{
    static const char candidates[] = ",;\t|";
    int32_t best = LSTMAE_DELIMITER_BLANKS;
    int most = 0;
    for (const char *d = candidates; *d != '\0'; d++) {
        int count = 0;
        for (const char *p = line; *p != '\0'; p++) count += *p == *d;
        if (count > most) {
            most = count;
            best = *d;
        }
    }
    return best;
}

/* ---- headers ---- */

/* Cuts the next cell off *line, without quotes; NULL behind the last. */
static char *columns_cell(char **line, int32_t delimiter)
{
    char *from = *line, *to = *line, *at = *line;
    int quoted = 0;
    if (from == NULL) return NULL;
    while (delimiter == LSTMAE_DELIMITER_BLANKS && (*at == ' ' || *at == '\t')) at++;
    for (; *at != '\0' && (quoted || (*at != delimiter && !(delimiter == LSTMAE_DELIMITER_BLANKS && *at == '\t')));
         at++) {
        if (*at == '"' && quoted && at[1] == '"')
            *to++ = *at++;
        else if (*at == '"')
            quoted = !quoted;
        else
            *to++ = *at;
    }
    *line = *at != '\0' ? at + 1 : NULL;
    *to = '\0';
    return from;
}

static int64_t columns_find(const ts_columns *c, const char *name)
{
    for (int64_t i = 0; i < c->count; i++)
        if (strcmp(c->names[i], name) == 0) return i;
    return -1;
}

static int columns_header(ts_columns *c, char *line)
{
    int64_t found = 0, place = 0;
    for (char *cell; (cell = columns_cell(&line, c->delimiter)) != NULL; place++) {
        int64_t column = columns_find(c, cell);
        if (column < 0 || found >= c->count) continue;
        c->places[found] = place;
        c->order[found++] = column;
    }
    for (int64_t i = 0; i < c->count; i++) {
        int64_t seen = 0;
        for (int64_t k = 0; k < found; k++) seen += c->order[k] == i;
        if (seen != 1)
            return ex_fail("standard input: line 1: expected the column '%s' once, got it %lld times", c->names[i],
                           (long long)seen);
    }
    return 0;
}

/* ---- samples ---- */

/* Whether the first line says where the columns are: some of it is a name of theirs. */
static int columns_names_some(const ts_columns *c, const char *line)
{
    char *copy = malloc(strlen(line) + 1), *rest = copy, *cell;
    int some = 0;
    if (copy == NULL) return 0;
    strcpy(copy, line);
    while ((cell = columns_cell(&rest, c->delimiter)) != NULL) some |= columns_find(c, cell) >= 0;
    free(copy);
    return some;
}

int ts_columns_read(ts_columns *c, char *line, long long number, float *values)
{
    if (c->delimiter == LSTMAE_DELIMITER_AUTO && line[0] != '\0') c->delimiter = columns_delimiter(line);
    if (!c->known && line[0] != '\0') {
        c->known = 1;
        if (columns_names_some(c, line)) return columns_header(c, line);
    }
    lstmae_status cells = lstmae_csv_line(line, c->delimiter, 0, c->places, c->count, c->cells);
    if (cells < 0) return ex_fail("standard input: line %lld: %s", number, lstmae_last_error());
    if (cells == 0) return 0;
    if (cells <= c->places[c->count - 1])
        return ex_fail("standard input: line %lld: expected at least %lld cells, got %d", number,
                       (long long)c->places[c->count - 1] + 1, (int)cells);
    for (int64_t i = 0; i < c->count; i++) values[c->order[i]] = c->cells[i];
    return 1;
}
