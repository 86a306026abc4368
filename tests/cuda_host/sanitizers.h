/* Which sanitizer this build has, and the calls of their run-time libraries. LAE_HOST_TSAN is set by the build. */
#ifndef LAE_HOST_SANITIZERS_H
#define LAE_HOST_SANITIZERS_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define LAE_HOST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LAE_HOST_ASAN 1
#endif
#endif
#ifndef LAE_HOST_ASAN
#define LAE_HOST_ASAN 0
#endif
#ifndef LAE_HOST_TSAN
#define LAE_HOST_TSAN 0
#endif

#if LAE_HOST_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(memory, bytes) ((void)(memory), (void)(bytes))
#endif

#if LAE_HOST_TSAN
extern "C" {
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_set_fiber_name(void *fiber, const char *name);
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void __tsan_read_range(void *address, unsigned long bytes);
void __tsan_write_range(void *address, unsigned long bytes);
}
#endif

#endif
