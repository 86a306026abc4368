/* How far a training is: a bar that redraws itself on a terminal, a line now and then elsewhere. */
#ifndef EX_PROGRESS_H
#define EX_PROGRESS_H

#include <stdint.h>
#include <stdio.h>

typedef struct ex_progress {
    FILE *stream;
    int terminal;
    int64_t total;
    int64_t first;      /* where this run began: a resumed one does not begin at 0 */
    int64_t next_line;  /* without a terminal: iteration of the next line */
    double began;       /* seconds of a monotonic clock */
    double drawn;
    double loss;        /* exponential mean of the losses, steadier than the last one */
} ex_progress;

/** Seconds of a clock that never jumps. */
double ex_seconds(void);

void ex_progress_begin(ex_progress *progress, FILE *stream, int64_t first, int64_t total);

/** After an iteration; `validation` may be NaN. */
void ex_progress_update(ex_progress *progress, int64_t iteration, double loss, double validation);

/** Ends the bar's line. Text may be printed to the stream afterwards. */
void ex_progress_end(ex_progress *progress);

/** "1:05", "2:03:59". */
void ex_progress_clock(double seconds, char *out, size_t size);

#endif
