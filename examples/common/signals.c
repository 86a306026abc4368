#include "signals.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "report.h"

#define SIGNALS_AT_ONCE 0.5 /* seconds */

static volatile sig_atomic_t signals_caught;
static double signals_first; /* when; only the handler looks */
static lstmae_context *signals_context;

/* Programs that pass signals on, such as timeout, may send one twice at once: only a later one is a second wish. */
static void signals_handle(int number)
{
    const double now = ex_seconds();
    if (signals_caught != 0 && now - signals_first > SIGNALS_AT_ONCE) _exit(128 + number);
    if (signals_caught != 0) return;
    signals_first = now;
    signals_caught = number;
    lstmae_context_request_stop(signals_context);
}

int ex_signals_catch(lstmae_context *context)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = signals_handle;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    signals_context = context;
    if (sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0)
        return ex_fail("cannot catch signals");
    return 0;
}

void ex_signals_release(void)
{
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

int ex_signals_caught(void)
{
    return (int)signals_caught;
}
