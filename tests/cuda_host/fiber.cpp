#include "fiber.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * fiber_exchange(&saved, next): pushes the registers that a call preserves, stores the stack pointer in `saved`, takes
 * `next` for it, and pops what was pushed there. System V AMD64 and AAPCS64; other machines use ucontext.
 */
#if defined(__x86_64__)
extern "C" void fiber_exchange(void **saved, void *next) __attribute__((visibility("hidden")));
__asm__(".text\n"
        ".globl fiber_exchange\n"
        ".hidden fiber_exchange\n"
        ".type fiber_exchange,@function\n"
        "fiber_exchange:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  ret\n"
        ".size fiber_exchange,.-fiber_exchange\n");

static void *fiber_prepare(char *stack, size_t bytes, void (*entry)())
{
    void **frame = reinterpret_cast<void **>(stack + bytes) - 8; /* six registers, the entry, an end for unwinders */
    memset(frame, 0, 8 * sizeof *frame);
    frame[6] = reinterpret_cast<void *>(entry);
    return frame;
}
#elif defined(__aarch64__)
extern "C" void fiber_exchange(void **saved, void *next) __attribute__((visibility("hidden")));
__asm__(".text\n"
        ".globl fiber_exchange\n"
        ".hidden fiber_exchange\n"
        ".type fiber_exchange,%function\n"
        "fiber_exchange:\n"
        "  sub sp, sp, #160\n"
        "  stp x19, x20, [sp, #0]\n  stp x21, x22, [sp, #16]\n  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n  stp x27, x28, [sp, #64]\n  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n  stp d12, d13, [sp, #128]\n"
        "  stp d14, d15, [sp, #144]\n"
        "  mov x9, sp\n  str x9, [x0]\n  mov sp, x1\n"
        "  ldp x19, x20, [sp, #0]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n  ldp d12, d13, [sp, #128]\n"
        "  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #160\n"
        "  ret\n"
        ".size fiber_exchange,.-fiber_exchange\n");

static void *fiber_prepare(char *stack, size_t bytes, void (*entry)())
{
    void **frame = reinterpret_cast<void **>(stack + bytes) - 20;
    memset(frame, 0, 20 * sizeof *frame);
    frame[11] = reinterpret_cast<void *>(entry); /* x30 */
    return frame;
}
#else
#include <ucontext.h>

struct fiber_context {
    ucontext_t machine;
};

/* The context lies on the stack it describes, or on that of the caller while it waits. */
static void fiber_exchange(void **saved, void *next)
{
    fiber_context here;
    *saved = &here;
    swapcontext(&here.machine, &static_cast<fiber_context *>(next)->machine);
}

static void *fiber_prepare(char *stack, size_t bytes, void (*entry)())
{
    fiber_context *context = reinterpret_cast<fiber_context *>(stack + bytes) - 1;
    getcontext(&context->machine);
    context->machine.uc_stack.ss_sp = stack;
    context->machine.uc_stack.ss_size = bytes - sizeof *context;
    context->machine.uc_link = nullptr;
    makecontext(&context->machine, entry, 0);
    return context;
}
#endif

fiber *fiber_create(void (*entry)())
{
    size_t guard = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void *memory = mmap(nullptr, guard + FIBER_STACK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                        0);
    if (memory == MAP_FAILED) return nullptr;
    char *stack = static_cast<char *>(memory) + guard;
    if (mprotect(stack, FIBER_STACK_BYTES, PROT_READ | PROT_WRITE) != 0) {
        munmap(memory, guard + FIBER_STACK_BYTES);
        return nullptr;
    }
    fiber *self = new fiber();
    self->stack = stack;
    self->bytes = FIBER_STACK_BYTES;
    fiber_reset(self, entry);
    return self;
}

void fiber_reset(fiber *self, void (*entry)())
{
    ASAN_UNPOISON_MEMORY_REGION(self->stack, self->bytes);
    self->fake_stack = nullptr;
    self->stack_pointer = fiber_prepare(self->stack, self->bytes, entry);
}

/* Whom the running fiber was continued by: its bounds are known only after the switch, where it is a thread's stack. */
static fiber *fiber_previous;

#if LAE_HOST_ASAN
static void fiber_arrive(void *fake_stack)
{
    const void *bottom;
    __sanitizer_finish_switch_fiber(fake_stack, &bottom, &fiber_previous->bytes);
    fiber_previous->stack = static_cast<char *>(const_cast<void *>(bottom));
}
#endif

void fiber_begin()
{
#if LAE_HOST_ASAN
    fiber_arrive(nullptr);
#endif
}

static void fiber_go(fiber *from, fiber *to, void **fake_stack)
{
#if LAE_HOST_ASAN
    __sanitizer_start_switch_fiber(fake_stack, to->stack, to->bytes);
#else
    (void)fake_stack;
#endif
    fiber_previous = from;
    fiber_exchange(&from->stack_pointer, to->stack_pointer);
#if LAE_HOST_ASAN
    fiber_arrive(from->fake_stack);
#endif
}

void fiber_switch(fiber *from, fiber *to)
{
    fiber_go(from, to, &from->fake_stack);
}

void fiber_leave(fiber *from, fiber *to)
{
    fiber_go(from, to, nullptr);
}
