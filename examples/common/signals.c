#include "signals.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

static volatile sig_atomic_t signals_caught;
static lstmae_context *signals_context;

static void signals_handle(int number)
{
    if (signals_caught != 0) _exit(128 + number);
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
