#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/report.h"
#include "../common/signals.h"

#define LINES_SIZE 65536 /* of the buffer at first */
#define LINES_LONGEST 67108864

void ts_lines_open(ts_lines *l, int descriptor)
{
    memset(l, 0, sizeof *l);
    l->descriptor = descriptor;
}

void ts_lines_close(ts_lines *l)
{
    free(l->buffer);
    l->buffer = NULL;
}

static int lines_grow(ts_lines *l)
{
    size_t size = l->size > 0 ? 2 * l->size : LINES_SIZE;
    if (size > LINES_LONGEST)
        return ex_fail("standard input: line %lld is longer than %d bytes", l->number + 1, LINES_LONGEST / 2);
    char *grown = realloc(l->buffer, size);
    if (grown == NULL) return ex_fail("out of memory for %zu bytes", size);
    l->buffer = grown;
    l->size = size;
    return 0;
}

/* More bytes. poll() is interrupted by a signal, which a read may not be. One byte stays free for a line's end. */
static int lines_fill(ts_lines *l)
{
    if (l->begin > 0) {
        memmove(l->buffer, l->buffer + l->begin, l->end - l->begin);
        l->end -= l->begin;
        l->begin = 0;
    }
    if (l->end + 1 >= l->size && lines_grow(l) != 0) return -1;
    for (;;) {
        struct pollfd wait = {.fd = l->descriptor, .events = POLLIN};
        if (ex_signals_caught() != 0) return 0;
        if (poll(&wait, 1, -1) < 0) {
            if (errno == EINTR) continue;
            return ex_fail("standard input: %s", strerror(errno));
        }
        ssize_t got = read(l->descriptor, l->buffer + l->end, l->size - l->end - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return ex_fail("standard input: %s", strerror(errno));
        if (got == 0) l->ended = 1;
        l->end += (size_t)got;
        return 0;
    }
}

int ts_lines_next(ts_lines *l, char **line)
{
    size_t searched = 0;
    for (;;) {
        size_t length = l->end - l->begin;
        char *from = l->buffer + l->begin,
             *found = length > 0 ? memchr(from + searched, '\n', length - searched) : NULL;
        if (found != NULL || (l->ended && length > 0)) {
            size_t used = found != NULL ? (size_t)(found - from) : length;
            from[used] = '\0';
            l->begin += used + (found != NULL);
            l->number++;
            if (used > 0 && from[used - 1] == '\r') from[used - 1] = '\0';
            *line = from;
            return 1;
        }
        if (l->ended || ex_signals_caught() != 0) return 0;
        searched = length;
        if (lines_fill(l) != 0) return -1;
    }
}
