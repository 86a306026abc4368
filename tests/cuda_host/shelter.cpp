#include "shelter.h"

#include "sanitizers.h"

#include <map>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

constexpr size_t SHELTER_BYTES = size_t(16) << 30; /* of addresses; pages come as they are used */
constexpr size_t SHELTER_UNIT = size_t(2) << 20;   /* what is opened and closed grows by it: huge pages where it can */
constexpr size_t SHELTER_ALIGNMENT = 256;

/* Sizes of the blocks by their offset, and how far they ever reached. */
static std::map<size_t, size_t> &blocks = *new std::map<size_t, size_t>;
static unsigned char *base;
static size_t used;
static int open_count;

bool shelter_wanted()
{
    static const char *text = getenv("LSTMAE_CUDA_HOST_PROTECT");
    return text && strcmp(text, "1") == 0;
}

/* Where a program touched the pages while they were closed; after that the fault happens again, as without a handler. */
static void shelter_fault(int signal_number, siginfo_t *info, void *)
{
    uintptr_t at = reinterpret_cast<uintptr_t>(info->si_addr), start = reinterpret_cast<uintptr_t>(base);
    static const char text[] = "cuda_host: the host touched device memory\n";
    if (at >= start && at - start < SHELTER_BYTES && write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
    signal(signal_number, SIG_DFL);
}

static bool shelter_open()
{
    if (base) return true;
    void *memory = mmap(nullptr, SHELTER_BYTES + SHELTER_UNIT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1, 0);
    if (memory == MAP_FAILED) return false;
    base = static_cast<unsigned char *>(memory);
    base += SHELTER_UNIT - reinterpret_cast<uintptr_t>(base) % SHELTER_UNIT;
#ifdef MADV_HUGEPAGE
    (void)madvise(base, SHELTER_BYTES, MADV_HUGEPAGE);
#endif
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = shelter_fault;
    action.sa_flags = SA_SIGINFO;
    if (!LAE_HOST_ASAN && !LAE_HOST_TSAN) sigaction(SIGSEGV, &action, nullptr); /* they say more themselves */
    return true;
}

static void shelter_protect(size_t from, size_t bytes, int protection)
{
    if (bytes == 0 || mprotect(base + from, bytes, protection) == 0) return;
    perror("cuda_host: mprotect");
    abort();
}

/* The first gap between blocks that is wide enough. */
static size_t shelter_gap(size_t bytes)
{
    size_t end = 0;
    for (const auto &block : blocks) {
        if (block.first - end >= bytes) break;
        end = block.first + block.second;
    }
    return end;
}

void *shelter_take(size_t bytes)
{
    if (bytes > SHELTER_BYTES / 2 || !shelter_open()) return nullptr;
    bytes = (bytes + SHELTER_ALIGNMENT - 1) / SHELTER_ALIGNMENT * SHELTER_ALIGNMENT;
    size_t at = shelter_gap(bytes);
    if (at > SHELTER_BYTES - bytes) return nullptr;
    blocks[at] = bytes;
    if (at + bytes > used) {
        size_t reach = (at + bytes + SHELTER_UNIT - 1) / SHELTER_UNIT * SHELTER_UNIT;
        shelter_protect(used, reach - used, open_count > 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
        used = reach;
    }
    return base + at;
}

void shelter_give(void *memory)
{
    blocks.erase(static_cast<size_t>(static_cast<unsigned char *>(memory) - base));
}

shelter_access::shelter_access()
{
    if (open_count++ == 0) shelter_protect(0, used, PROT_READ | PROT_WRITE);
}

shelter_access::~shelter_access()
{
    if (--open_count == 0) shelter_protect(0, used, PROT_NONE);
}
