/* Messages of an example program: errors to stderr, one line each. */
#ifndef EX_REPORT_H
#define EX_REPORT_H

#include <lstmae/lstmae.h>

/** Exit codes of the examples; a run ended by signal N exits with 128 + N, as shells expect. */
enum { EX_OK = 0, EX_FAILED = 1, EX_USAGE = 2 };

/** Name printed before every message; kept by reference. */
void ex_set_program(const char *name);
const char *ex_program(void);

/** Prints "program: message" to stderr and returns -1. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
int ex_fail(const char *format, ...);

/** Prints a line with a command, of words up to a NULL, as a shell reads it: words are quoted where that is needed. */
#if defined(__GNUC__)
__attribute__((sentinel))
#endif
void ex_print_command(const char *word, ...);

/** 0 where `status` is no error; else prints the library's message and returns -1. */
int ex_status(lstmae_status status);

/** Leaves the function with -1 when a library call fails. For functions that hold nothing yet. */
#define EX_TRY(call)                                                                               \
    do {                                                                                           \
        if (ex_status(call) != 0) return -1;                                                       \
    } while (0)

#endif
