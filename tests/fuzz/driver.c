/*
 * Runs a fuzz target without a fuzzer: every file of the given folders, each of them cut at every length, and with each
 * of its first bytes changed in several ways. The same executions every time, so it is a test like any other.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRIVER_LARGEST (1 << 20)
#define DRIVER_CHANGED 96 /* bytes from the start */

/* One execution on a copy of exactly this size, so that a sanitizer sees reads beyond it. */
static void run(const unsigned char *bytes, size_t length)
{
    unsigned char *copy = malloc(length > 0 ? length : 1);
    if (!copy) abort();
    if (length > 0) memcpy(copy, bytes, length);
    (void)LLVMFuzzerTestOneInput(copy, length);
    free(copy);
}

static long run_variants(unsigned char *bytes, size_t length)
{
    static const unsigned char others[] = { 0x00, 0x01, 0x0a, 0x20, 0x27, 0x28, 0x2c, 0x39, 0x7f, 0x80, 0xff };
    long count = 1;
    run(bytes, length);
    for (size_t cut = 0; cut < length && cut < 10 * DRIVER_CHANGED; cut++, count++) run(bytes, cut);
    for (size_t at = 0; at < length && at < DRIVER_CHANGED; at++) {
        unsigned char before = bytes[at];
        for (size_t i = 0; i < sizeof others; i++, count++) {
            bytes[at] = others[i];
            run(bytes, length);
        }
        for (int bit = 0; bit < 8; bit++, count++) {
            bytes[at] = (unsigned char)(before ^ 1 << bit);
            run(bytes, length);
        }
        bytes[at] = before;
    }
    return count;
}

static long run_file(const char *path)
{
    static unsigned char bytes[DRIVER_LARGEST];
    FILE *file = fopen(path, "rb");
    if (!file) return -1;
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return run_variants(bytes, length);
}

int main(int argc, char **argv)
{
    long files = 0, count = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            fprintf(stderr, "%s: cannot open\n", argv[i]);
            return 1;
        }
        for (struct dirent *entry; (entry = readdir(folder));) {
            char path[4096];
            if (entry->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            long done = run_file(path);
            if (done < 0)
                failed++;
            else
                count += done;
            files++;
        }
        closedir(folder);
    }
    printf("%ld files, %ld executions: %ld passed, %ld failed\n", files, count, files - failed, failed);
    return files == 0 || failed > 0;
}
