/*
 * Things that fail on demand: allocators and file calls that fail at their n-th use, once or from then on, and that
 * count what is still held. And temporary files for tests.
 */
#ifndef LAE_TEST_FAULTS_H
#define LAE_TEST_FAULTS_H

#include "support.h"

#include "io.h"

/** When something fails: use number `at` (from 1; 0: never), and with `keep` every later one. */
typedef struct test_fault {
    long at;
    int keep;
    long uses; /* so far */
} test_fault;

/** 1 if this use is to fail. */
int test_fault_now(test_fault *fault);

/** Allocator hooks; `payload` is a test_heap. */
typedef struct test_heap {
    test_fault fault;
    long live;          /* blocks */
    size_t bytes, peak; /* held now, and at most */
    size_t largest;     /* request */
} test_heap;

void *test_heap_alloc(size_t bytes, size_t alignment, void *payload);
void test_heap_free(void *ptr, size_t bytes, void *payload);

/** A CPU context of one thread that takes its memory from `heap`. */
lstmae_status test_heap_context(lstmae_context **out, test_heap *heap);

/** How file calls fail. */
typedef enum test_io_mode {
    TEST_IO_ERROR, /* -1 with test_io.code */
    TEST_IO_SHORT  /* reads and writes transfer at most one byte; other calls are not counted */
} test_io_mode;

typedef struct test_io_state {
    test_fault fault;
    test_io_mode mode;
    int code;
    long open; /* descriptors */
} test_io_state;

/** The table and its state: fill test_io, then lae_io_swap(&test_io_table). */
extern test_io_state test_io;
extern const lae_io test_io_table;

/** Path of `name` in a directory made for this process, which is removed when it exits. Borrowed until the next call.
 */
const char *test_path(const char *name);

/** Writes a file there and returns its path, borrowed until the next call. */
const char *test_file(const char *name, const void *bytes, size_t length);

#endif
