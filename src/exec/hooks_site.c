/* Which hooks apply to an instruction, and what translated code does about them. */
#include "exec/hooks.h"

#include <stdlib.h>
#include "exec/engine.h"

void hooks_free_sites(struct hook_site *s)
{
    while (s) {
        struct hook_site *gone = s;

        s = s->next;
        free(gone);
    }
}

/* What is asked about, and what has been found. */
struct question {
    struct hook_table *t;
    uint32_t insn_id;
    bool entry;
    bool failed; /* no memory */
};

static bool applies(const nw_hook_spec *s, uint32_t insn_id, bool entry)
{
    switch (s->kind) {
    case NW_HOOK_BLOCK: return entry;
    case NW_HOOK_INSN: return insn_id == s->insn;
    case NW_HOOK_COUNTER:
    case NW_HOOK_RING:
    case NW_HOOK_COVERAGE: return hooks_note_applies(s, entry);
    default: return true;
    }
}

static void find_one(void *opaque, struct hook_node *node)
{
    struct question *q = opaque;
    struct hook_table *t = q->t;
    struct nw_hook *h = hook_of(node);

    if (!applies(&h->spec, q->insn_id, q->entry))
        return;
    if (t->nfound == t->found_cap) {
        uint32_t cap = t->found_cap ? 2 * t->found_cap : 16;
        struct nw_hook **grown = realloc(t->found, cap * sizeof(struct nw_hook *));

        if (!grown) {
            q->failed = true;
            return;
        }
        t->found = grown;
        t->found_cap = cap;
    }
    t->found[t->nfound++] = h;
}

/* Those without a callback, of blocks, the others; each in the order of adding. */
static unsigned rank(const struct nw_hook *h)
{
    switch (h->spec.kind) {
    case NW_HOOK_COUNTER:
    case NW_HOOK_RING: return 0;
    case NW_HOOK_COVERAGE: return 1;
    case NW_HOOK_BLOCK: return 2;
    default: return 3;
    }
}

static int in_order(const void *a, const void *b)
{
    const struct nw_hook *x = *(struct nw_hook *const *)a, *y = *(struct nw_hook *const *)b;
    unsigned p = rank(x), q = rank(y);

    if (p != q)
        return p < q ? -1 : 1;
    return x->node.serial < y->node.serial ? -1 : x->node.serial > y->node.serial;
}

/* What needs no call goes behind the others; where runs may end it must not be done before that is
 * known. */
static void part_notes(struct hook_site *site, struct nw_hook *const *found, uint32_t n)
{
    uint32_t notes = 0;

    while (notes < n && !site->stop && hooks_note_is(found[notes]->spec.kind))
        notes++;
    site->notes = notes;
    site->n = n - notes;
    for (uint32_t k = 0; k < n; k++)
        site->hook[k < notes ? site->n + k : k - notes] = found[k];
}

/* A site with the hooks of TREE that apply at PC; null: there are none. */
static nw_status make_site(struct hook_node *tree, uint64_t pc, struct question *q, bool stop,
                           struct hook_site **out)
{
    struct hook_table *t = q->t;
    struct hook_site *site;

    *out = NULL;
    t->nfound = 0;
    hook_tree_find(tree, pc, pc, find_one, q);
    if (q->failed)
        return NW_ERR_NOMEM;
    if (!t->nfound && !stop)
        return NW_OK;
    site = calloc(1, sizeof *site + t->nfound * sizeof(struct nw_hook *));
    if (!site)
        return NW_ERR_NOMEM;
    if (t->nfound > 1)
        qsort(t->found, t->nfound, sizeof(struct nw_hook *), in_order);
    site->pc = pc;
    site->stop = stop;
    part_notes(site, t->found, t->nfound);
    *out = site;
    return NW_OK;
}

static void publish(struct hook_site *site)
{
    atomic_store_explicit(&site->made, true, memory_order_release);
}

nw_status hooks_compare_at(struct nw_engine *engine, uint64_t pc, struct hook_site **out)
{
    struct question q = {.t = &engine->hooks};

    TRY(make_site(engine->hooks.compares, pc, &q, false, out));
    if (*out)
        publish(*out);
    return NW_OK;
}

static bool calls_code(nw_hook_kind kind)
{
    return kind == NW_HOOK_CODE || kind == NW_HOOK_BLOCK || kind == NW_HOOK_FETCH;
}

static void choose_way(struct hook_site *site)
{
    const nw_hook_spec *s = site->n == 1 ? &site->hook[0]->spec : NULL;

    if (site->stop || !s || !calls_code(s->kind))
        return;
    site->size = site->insn_size;
    site->direct = s->code;
    site->self = s->self;
    site->user = s->user;
}

nw_status hooks_at(struct nw_engine *engine, uint64_t pc, uint32_t size, uint32_t insn_id,
                   bool entry, struct hook_site **out)
{
    struct question q = {.t = &engine->hooks, .insn_id = insn_id, .entry = entry};
    bool stop = hooks_is_stop(&engine->hooks.stops, pc);
    struct hook_site *site;

    TRY(make_site(engine->hooks.sites, pc, &q, stop, out));
    site = *out;
    if (!site)
        return NW_OK;
    site->insn_size = site->block_size = size;
    site->entry = entry;
    choose_way(site);
    publish(site);
    return NW_OK;
}

void hooks_block_size(struct hook_site *site, uint32_t size)
{
    site->block_size = size;
    if (site->direct && site->hook[0]->spec.kind == NW_HOOK_BLOCK)
        site->size = size;
    publish(site);
}
