#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *report_program = "example";

void ex_set_program(const char *name)
{
    report_program = name;
}

const char *ex_program(void)
{
    return report_program;
}

int ex_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fprintf(stderr, "%s: ", report_program);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return -1;
}

static void report_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+=:,@%";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, stdout);
        return;
    }
    putchar('\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    }
    putchar('\'');
}

void ex_print_command(const char *word, ...)
{
    va_list args;
    va_start(args, word);
    putchar(' ');
    for (; word != NULL; word = va_arg(args, const char *)) {
        putchar(' ');
        report_word(word);
    }
    putchar('\n');
    va_end(args);
}

int ex_status(lstmae_status status)
{
    if (status >= 0) return 0;
    const char *text = lstmae_last_error();
    return ex_fail("%s", text[0] != '\0' ? text : lstmae_status_text(status));
}
