/*
 * Power cuts, simulated: two saves over an old file are recorded as a log of file calls; for every prefix of the log
 * and many choices of what had reached the disk by then, the directory is rebuilt and opened.
 *
 * What reaches the disk: data up to a file's last fsync, and of data written since then all, nothing, or any blocks;
 * names up to the directory's last fsync, and of changes since then all, none, or the first. Fsync of a file does not
 * keep its name. That is weaker than what real file systems promise.
 */
#include "faults.h"
#include "saved.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAVES = 2, LOG_MOST = 2000, FILES_MOST = 8, RANDOM_CHOICES = 10 };

typedef enum { LOG_CREATE, LOG_WRITE, LOG_SYNC, LOG_RENAME, LOG_UNLINK, LOG_SYNC_DIRECTORY, LOG_SAVED } log_kind;

/* One call. Files are numbered in order of creation; number 0 is the old file. */
typedef struct log_entry {
    log_kind kind;
    int file;
    size_t at, bytes; /* of its content, for a write */
} log_entry;

static log_entry entries[LOG_MOST];
static size_t entry_count;

/* Contents as they would be whole, and names as the log's calls see them. */
static struct {
    unsigned char *bytes;
    size_t size;
    int fd;
    char name[300];
} files[FILES_MOST];
static int file_count;

static trainee states[SAVES + 1], scratch;
static uint32_t hashes[SAVES + 1];

/* ---- recording ---- */

static int skip_sync, skip_sync_directory; /* what a sloppy writer would leave out */
static int directory_fd;

static void record(log_kind kind, int file, size_t at, size_t bytes)
{
    assert_true(entry_count < LOG_MOST);
    entries[entry_count++] = (log_entry){ kind, file, at, bytes };
}

static int file_by_name(const char *name)
{
    for (int i = file_count - 1; i >= 0; i--) {
        if (strcmp(files[i].name, name) == 0) return i;
    }
    return -1;
}

static int file_by_fd(int fd)
{
    for (int i = 0; i < file_count; i++) {
        if (files[i].fd == fd) return i;
    }
    return -1;
}

static int log_open(const char *path, int flags, unsigned mode)
{
    int fd = lae_io_system.open(path, flags, mode);
    if (fd < 0) return fd;
    if (flags & O_DIRECTORY) directory_fd = fd;
    if (flags & O_CREAT) {
        assert_true(file_count < FILES_MOST);
        files[file_count].fd = fd;
        snprintf(files[file_count].name, sizeof files[0].name, "%s", path);
        record(LOG_CREATE, file_count++, 0, 0);
    }
    return fd;
}

static ssize_t log_write(int fd, const void *buffer, size_t bytes)
{
    int file = file_by_fd(fd);
    assert_true(file >= 0);
    files[file].bytes = realloc(files[file].bytes, files[file].size + bytes);
    assert_non_null(files[file].bytes);
    memcpy(files[file].bytes + files[file].size, buffer, bytes);
    record(LOG_WRITE, file, files[file].size, bytes);
    files[file].size += bytes;
    return lae_io_system.write(fd, buffer, bytes);
}

static int log_sync(int fd)
{
    int file = file_by_fd(fd);
    if (file >= 0 && !skip_sync) record(LOG_SYNC, file, 0, 0);
    if (file < 0 && fd == directory_fd && !skip_sync_directory) record(LOG_SYNC_DIRECTORY, 0, 0, 0);
    return 0;
}

static int log_close(int fd)
{
    int file = file_by_fd(fd);
    if (file >= 0) files[file].fd = -1;
    return lae_io_system.close(fd);
}

static int log_rename(const char *from, const char *to)
{
    int file = file_by_name(from);
    assert_true(file >= 0 && strcmp(to, saved_path()) == 0);
    record(LOG_RENAME, file, 0, 0);
    return lae_io_system.rename(from, to);
}

static int log_unlink(const char *path)
{
    record(LOG_UNLINK, file_by_name(path), 0, 0);
    return lae_io_system.unlink(path);
}

static void free_log(void)
{
    for (int i = 0; i < file_count; i++) free(files[i].bytes);
    memset(files, 0, sizeof files);
    file_count = 0;
    entry_count = 0;
}

/* The old file, then the saves, as they would be without a cut. */
static void record_saves(void)
{
    lae_io table = lae_io_system;
    free_log();
    table.open = log_open;
    table.write = log_write;
    table.sync = log_sync;
    table.close = log_close;
    table.rename = log_rename;
    table.unlink = log_unlink;
    saved_clear();
    for (int i = 0; i <= SAVES; i++) {
        lae_io_swap(&table);
        assert_ok(saved_save(&states[i]));
        lae_io_swap(NULL);
        if (i == 0) { /* is on the disk when the recording begins */
            entry_count = 0;
            snprintf(files[0].name, sizeof files[0].name, "%s", saved_path());
        } else {
            record(LOG_SAVED, i, 0, 0);
        }
    }
}

/* ---- what a cut leaves ---- */

typedef enum { DATA_LOST, DATA_KEPT, DATA_ANY } data_choice;

static unsigned random_state;

static unsigned random_next(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

/* Writes a file as the disk has it: `written` bytes are known to the system, `synced` of them for sure to the disk. */
static void rebuild_file(const char *name, int file, size_t written, size_t synced, data_choice choice, size_t block)
{
    unsigned char *bytes = calloc(1, written + 1);
    assert_non_null(bytes);
    size_t size = choice == DATA_LOST ? synced : written;
    memcpy(bytes, files[file].bytes, choice == DATA_KEPT ? written : synced);
    for (size_t at = synced / block * block; choice == DATA_ANY && at < written; at += block) {
        size_t from = at < synced ? synced : at, to = at + block < written ? at + block : written;
        if (random_next() & 1) memcpy(bytes + from, files[file].bytes + from, to - from);
    }
    if (choice == DATA_ANY && random_next() % 4 == 0) size = synced + random_next() % (written - synced + 1);
    FILE *out = fopen(name, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
    free(bytes);
}

/* Rebuilds the directory after `prefix` calls. `names`: how many changes of names since the last fsync are kept. */
static void rebuild(size_t prefix, size_t names, data_choice choice, size_t block)
{
    size_t written[FILES_MOST] = { files[0].size }, synced[FILES_MOST] = { files[0].size };
    int at_path = 0, temporary = -1;
    size_t last = 0, changes = 0; /* calls up to the directory's last fsync */
    for (size_t i = 0; i < prefix; i++) {
        if (entries[i].kind == LOG_SYNC_DIRECTORY) last = i + 1;
        if (entries[i].kind == LOG_WRITE) written[entries[i].file] = entries[i].at + entries[i].bytes;
        if (entries[i].kind == LOG_SYNC) synced[entries[i].file] = written[entries[i].file];
    }
    for (size_t i = 0; i < prefix; i++) {
        int change = entries[i].kind == LOG_CREATE || entries[i].kind == LOG_RENAME || entries[i].kind == LOG_UNLINK;
        if (!change || (i >= last && changes++ >= names)) continue;
        if (entries[i].kind == LOG_RENAME) at_path = entries[i].file;
        temporary = entries[i].kind == LOG_CREATE ? entries[i].file : -1;
    }
    saved_clear();
    rebuild_file(saved_path(), at_path, written[at_path], synced[at_path], choice, block);
    if (temporary > 0)
        rebuild_file(files[temporary].name, temporary, written[temporary], synced[temporary], choice, block);
}

/* State found by loading: 0 the old one, or the number of a save; -1: none. */
static int found_state(void)
{
    if (saved_load(&scratch) != LSTMAE_OK) return -1;
    uint32_t hash = trainee_hash(&scratch);
    for (int i = 0; i <= SAVES; i++) {
        if (hash == hashes[i]) return i;
    }
    return -1;
}

/* Opens what every cut leaves. */
static void try_cuts(int *count, int *torn, int *lost)
{
    *count = *torn = *lost = 0;
    random_state = 1;
    for (size_t prefix = 0; prefix <= entry_count; prefix++) {
        int reported = 0;
        for (size_t i = 0; i < prefix; i++) reported = entries[i].kind == LOG_SAVED ? entries[i].file : reported;
        for (size_t names = 0; names < 4; names++) {
            for (int i = 0; i < 2 + RANDOM_CHOICES; i++) {
                /* in the middle of the data one choice tells as much as all */
                if (prefix % 8 != 0 && prefix > 0 && prefix < entry_count && entries[prefix].kind == LOG_WRITE &&
                    entries[prefix - 1].kind == LOG_WRITE && i != (int)(prefix % 8))
                    continue;
                rebuild(prefix, names, i < 2 ? (data_choice)i : DATA_ANY, i % 2 ? 512 : 4096);
                int found = found_state();
                ++*count;
                *torn += found < 0;
                *lost += found >= 0 && found < reported;
            }
        }
    }
}

static int setup(void **state)
{
    (void)state;
    trainee_options options = TRAINEE_OPTIONS_INIT;
    for (int i = 0; i <= SAVES; i++) {
        assert_ok(trainee_create(&states[i], &options));
        assert_ok(trainee_train(&states[i], i + 1));
        hashes[i] = trainee_hash(&states[i]);
    }
    return trainee_create(&scratch, &options);
}

static int teardown(void **state)
{
    (void)state;
    free_log();
    for (int i = 0; i <= SAVES; i++) trainee_destroy(&states[i]);
    trainee_destroy(&scratch);
    return 0;
}

static void test_every_cut(void **state)
{
    (void)state;
    int count, torn, lost;
    record_saves();
    try_cuts(&count, &torn, &lost);
    print_message("%zu calls, %d states: %d torn, %d older than reported\n", entry_count, count, torn, lost);
    assert_true(count >= 2000);
    assert_int_equal(torn, 0);
    assert_int_equal(lost, 0);
}

/* Without the fsync of the file, files are torn; without that of the directory, reported saves are lost. */
static void test_controls(void **state)
{
    (void)state;
    int count, torn, lost;
    skip_sync = 1;
    record_saves();
    try_cuts(&count, &torn, &lost);
    print_message("without fsync of the file: %d of %d states torn\n", torn, count);
    assert_true(torn > 0);
    skip_sync = 0;
    skip_sync_directory = 1;
    record_saves();
    try_cuts(&count, &torn, &lost);
    print_message("without fsync of the directory: %d of %d states older than reported\n", lost, count);
    assert_true(lost > 0 && torn == 0);
    skip_sync_directory = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_cut), cmocka_unit_test(test_controls) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
