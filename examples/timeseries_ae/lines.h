/* Lines from a file descriptor as they come, until its end or a signal. */
#ifndef TS_LINES_H
#define TS_LINES_H

#include <stddef.h>

typedef struct ts_lines {
    int descriptor;
    char *buffer; /* from malloc() */
    size_t size, begin, end;
    long long number; /* of the last line, from 1 */
    int ended;
} ts_lines;

void ts_lines_open(ts_lines *lines, int descriptor);
void ts_lines_close(ts_lines *lines);

/**
 * The next line without its end, in *line until the next call; a last one may lack its end.
 * Returns 1; 0 at the end, or when a signal was caught; -1 after a message.
 */
int ts_lines_next(ts_lines *lines, char **line);

#endif
