#include "progress.h"

#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_WIDTH 28    /* of the bar, where there is room for it */
#define PROGRESS_COLUMNS 80  /* of a terminal that does not say */
#define PROGRESS_LINES 20    /* plain lines of a whole run, at most one per iteration */
#define PROGRESS_REDRAW 0.1  /* seconds */
#define PROGRESS_MEMORY 0.05 /* share of the newest loss in the mean */

double ex_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void ex_progress_clock(double seconds, char *out, size_t size)
{
    long s = seconds > 0 ? lround(seconds) : 0;
    if (s >= 3600)
        snprintf(out, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(out, size, "%ld:%02ld", s / 60, s % 60);
}

void ex_progress_begin(ex_progress *progress, FILE *stream, int64_t first, int64_t total)
{
    memset(progress, 0, sizeof *progress);
    progress->stream = stream;
    progress->terminal = isatty(fileno(stream));
    progress->first = first;
    progress->total = total;
    progress->next_line = first + 1;
    progress->began = ex_seconds();
    progress->loss = NAN;
}

static int progress_columns(FILE *stream)
{
    struct winsize size;
    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : PROGRESS_COLUMNS;
}

/* The bar takes what the numbers leave of a line: one that is longer could not be drawn over. */
static void progress_bar(const ex_progress *p, int64_t iteration, const char *numbers)
{
    char bar[PROGRESS_WIDTH + 4] = "";
    const int columns = progress_columns(p->stream) - 1, room = columns - (int)strlen(numbers) - 3;
    const int width = room < PROGRESS_WIDTH ? room : PROGRESS_WIDTH;
    if (width > 0) {
        int full = p->total > 0 ? (int)(width * iteration / p->total) : width;
        memset(bar, '.', (size_t)width + 2);
        memset(bar + 1, '#', (size_t)(full < width ? full : width));
        bar[0] = '[';
        bar[width + 1] = ']';
        bar[width + 2] = ' ';
    }
    fprintf(p->stream, "\r%s%.*s\033[K", bar, columns, numbers);
}

void ex_progress_update(ex_progress *p, int64_t iteration, double loss, double validation)
{
    p->loss = isfinite(p->loss) ? p->loss + PROGRESS_MEMORY * (loss - p->loss) : loss;
    double now = ex_seconds();
    if (p->terminal ? now - p->drawn < PROGRESS_REDRAW && iteration < p->total
                    : iteration < p->next_line && iteration < p->total)
        return;
    p->drawn = now;
    int64_t period = p->total / PROGRESS_LINES > 0 ? p->total / PROGRESS_LINES : 1;
    p->next_line = (iteration / period + 1) * period;

    char numbers[160], left[24];
    double pace = (now - p->began) / (double)(iteration - p->first > 0 ? iteration - p->first : 1);
    ex_progress_clock(pace * (double)(p->total - iteration), left, sizeof left);
    int n = snprintf(numbers, sizeof numbers, "%lld/%lld  loss %.5g", (long long)iteration, (long long)p->total,
                     p->loss);
    if (isfinite(validation))
        n += snprintf(numbers + n, sizeof numbers - (size_t)n, "  held-out %.5g", validation);
    snprintf(numbers + n, sizeof numbers - (size_t)n, "  %.3g ms/it  %s left", 1e3 * pace, left);
    if (p->terminal)
        progress_bar(p, iteration, numbers);
    else
        fprintf(p->stream, "%s\n", numbers);
    fflush(p->stream);
}

void ex_progress_end(ex_progress *p)
{
    if (p->terminal && p->drawn > 0) fputc('\n', p->stream);
    fflush(p->stream);
}
