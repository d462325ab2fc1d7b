#include "exec/signals.h"

#include <pthread.h>
#include <signal.h>
#include "exec/engine.h"

/* After so many host faults a site goes to its slow path at once. */
#define SITE_HITS_MAX 8

/* After so many rounds through the same handlers a signal gets the default action. */
#define PASSES_MAX 8

_Thread_local struct signals_thread signals_here __attribute__((tls_model("initial-exec")));

sigjmp_buf *signals_guard(void)
{
    return signals_here.guard;
}

void signals_set_guard(sigjmp_buf *guard)
{
    signals_here.guard = guard;
}

/* The process-wide state that cannot be an engine's: the dispositions we replaced. Whoever puts a
 * handler of their own over ours is found at the next vCPU's creation and comes before us then, so
 * there may be several; a handler that runs meanwhile reads the one that was current. */
#define GENERATIONS 16
static struct {
    pthread_mutex_t lock;
    struct sigaction segv[GENERATIONS], bus[GENERATIONS];
    _Atomic unsigned current;
} before = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct host_site *site_at(struct block *b, uint32_t offset)
{
    uint32_t low = 0, high = b->nsites;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (b->sites[middle].access < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < b->nsites && b->sites[low].access == offset ? &b->sites[low] : NULL;
}

/* A guest access in translated code goes on in its cold stub. */
static bool redirect(const siginfo_t *info, void *context)
{
    struct nw_vcpu *vcpu = signals_here.vcpu;
    uintptr_t pc = host_context_pc(context), addr = (uintptr_t)info->si_addr;
    struct nw_engine *engine;
    struct host_site *site;
    struct block *b;

    if (!vcpu || !vcpu->arena)
        return false;
    const struct mem_space *mem = vcpu->mem;
    if (addr < (uintptr_t)mem->arena - mem->guard ||
        addr >= (uintptr_t)mem->arena + mem->window + mem->guard)
        return false;
    engine = vcpu->engine;
    b = cache_block_at(engine, pc);
    if (!b)
        return false;
    site = site_at(b, (uint32_t)(pc - (uintptr_t)engine->code.buf.rx) - b->code);
    if (!site)
        return false;
    uint8_t *hits = &b->site_hits[site - b->sites];
    if (__atomic_add_fetch(hits, 1, __ATOMIC_RELAXED) == SITE_HITS_MAX)
        host_site_demote(site, engine->code.buf.rw + b->code);
    host_context_set_pc(context, (uintptr_t)engine->code.buf.rx + b->code + site->stub);
    return true;
}

/* Does what the disposition OLD would have done. */
static void pass_on(const struct sigaction *old, int sig, siginfo_t *info, void *context)
{
    bool siginfo = old->sa_flags & SA_SIGINFO;
    sigset_t mask = old->sa_mask, was;

    if (!siginfo &&
        (old->sa_handler == SIG_DFL || (old->sa_handler == SIG_IGN && info->si_code > 0))) {
        struct sigaction fallback = {.sa_handler = SIG_DFL};

        /* The instruction faults again, or the signal somebody sent is sent again. */
        sigaction(sig, &fallback, NULL);
        if (info->si_code <= 0)
            raise(sig);
        return;
    }
    if (!siginfo && old->sa_handler == SIG_IGN)
        return;
    if (!(old->sa_flags & SA_NODEFER))
        sigaddset(&mask, sig);
    pthread_sigmask(SIG_BLOCK, &mask, &was);
    if (siginfo)
        old->sa_sigaction(sig, info, context);
    else
        old->sa_handler(sig);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
}

static void handler(int sig, siginfo_t *info, void *context)
{
    static const struct sigaction fallback = {.sa_handler = SIG_DFL};
    sigjmp_buf *guard = signals_here.guard;
    unsigned current = atomic_load(&before.current);
    uintptr_t depth = (uintptr_t)__builtin_frame_address(0);

    if (info->si_code > 0) {
        if (redirect(info, context))
            return;
        if (guard) {
            host_context_restore_fp(context);
            siglongjmp(*guard, 1);
        }
    }
    /* A handler that passes its signals on to us would get this one from us for ever; one that
     * leaves by longjmp may get a new one in the same place. */
    signals_here.times =
        signals_here.passed == context && depth < signals_here.depth ? signals_here.times + 1 : 1;
    signals_here.passed = context;
    signals_here.depth = depth;
    if (signals_here.times > PASSES_MAX)
        pass_on(&fallback, sig, info, context);
    else
        pass_on(sig == SIGSEGV ? &before.segv[current] : &before.bus[current], sig, info, context);
    signals_here.passed = NULL;
}

static bool is_ours(const struct sigaction *a)
{
    return (a->sa_flags & SA_SIGINFO) && a->sa_sigaction == handler;
}

nw_status signals_install(void)
{
    /* SA_NODEFER: a guarded access leaves the handler by siglongjmp. */
    struct sigaction ours = {.sa_sigaction = handler,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    struct sigaction segv, bus;
    nw_status status = NW_OK;

    sigemptyset(&ours.sa_mask);
    pthread_mutex_lock(&before.lock);
    if (sigaction(SIGSEGV, NULL, &segv) || sigaction(SIGBUS, NULL, &bus)) {
        status = NW_ERR_HOST;
    } else if (!is_ours(&segv) || !is_ours(&bus)) {
        unsigned now = atomic_load(&before.current), next = (now + 1) % GENERATIONS;

        /* What was there must be known before the first signal can come. */
        before.segv[next] = is_ours(&segv) ? before.segv[now] : segv;
        before.bus[next] = is_ours(&bus) ? before.bus[now] : bus;
        atomic_store(&before.current, next);
        if (sigaction(SIGSEGV, &ours, NULL) || sigaction(SIGBUS, &ours, NULL))
            status = NW_ERR_HOST;
    }
    pthread_mutex_unlock(&before.lock);
    return status;
}

void signals_fork_child(void)
{
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;

    /* Another thread of the parent may have held it. */
    before.lock = fresh;
}
