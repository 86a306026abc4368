/* Stacks that one host thread switches between by itself. */
#ifndef LAE_HOST_FIBER_H
#define LAE_HOST_FIBER_H

#include "sanitizers.h"

struct fiber {
    void *stack_pointer; /* where it left off */
    char *stack;         /* lowest usable byte; a guard page lies below */
    size_t bytes;
    void *fake_stack;    /* AddressSanitizer's */
    fiber *next;         /* for lists */
};

constexpr size_t FIBER_STACK_BYTES = LAE_HOST_ASAN ? 256u << 10 : 64u << 10;

/** A fiber with a stack of its own that will run `entry`, which never returns; NULL: no memory. Kept for ever. */
fiber *fiber_create(void (*entry)());

/** Makes it run `entry` from the start again; what was on its stack is gone. */
void fiber_reset(fiber *self, void (*entry)());

/** Leaves `from`, which must be the one that runs, and continues `to`; returns when something switches back. */
void fiber_switch(fiber *from, fiber *to);

/** The same for a fiber that will not be continued, only reset. */
void fiber_leave(fiber *from, fiber *to);

/** First call in an entry. */
void fiber_begin();

#endif
