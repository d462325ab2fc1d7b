/* What the engine tells the caller's sink. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "exec/engine.h"
#include "ir/print.h"

void log_text(struct nw_engine *engine, enum nw_log_kind kind, const char *format, ...)
{
    struct nw_log *log = engine->log;
    char line[512];
    va_list args;
    int n;

    if (!log_wants(engine, kind) || !log->text)
        return;
    va_start(args, format);
    n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n > 0)
        log->text(log->opaque, kind, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

void log_ir(struct nw_engine *engine, const struct ir_region *region, const char *title)
{
    struct nw_log *log = engine->log;
    char *text = NULL;
    size_t size = 0;
    FILE *f;

    if (!log_wants(engine, NW_LOG_IR) || !log->text)
        return;
    f = open_memstream(&text, &size);
    if (!f)
        return;
    fprintf(f, "IR %s: pc %#llx mode %#x, %u instructions\n", title, (unsigned long long)region->pc,
            region->mode, region->ninsns);
    ir_print(f, region, &engine->guest->names);
    fputc('\n', f);
    if (fclose(f) == 0)
        log->text(log->opaque, NW_LOG_IR, text, size);
    free(text);
}

/* One line: the block, and the state that is hot enough to be pinned. */
void log_block(struct nw_vcpu *vcpu, const struct block *b)
{
    const struct guest_ops *guest = vcpu->guest;
    char line[512];
    int n =
        snprintf(line, sizeof line, "%08llx mode %x:", (unsigned long long)b->key.pc, b->key.mode);

    for (unsigned i = 0; i < guest->npins && n < (int)sizeof line; i++) {
        unsigned size = ir_type_size(guest->pins[i].type);
        const char *name =
            guest->names.slot ? guest->names.slot(guest->pins[i].offset, size) : NULL;
        uint64_t v = 0;

        memcpy(&v, vcpu->state + guest->pins[i].offset, size);
        n += snprintf(line + n, sizeof line - (size_t)n, " %s=%llx", name ? name : "?",
                      (unsigned long long)v);
    }
    log_text(vcpu->engine, NW_LOG_EXEC, "%s\n", n < (int)sizeof line ? line : "too many registers");
}

void log_exception(struct nw_vcpu *vcpu)
{
    static const char *const access[] = {"read", "write", "fetch"};
    static const char *const fault[] = {"none", "unmapped", "permission", "alignment", "bus"};
    const struct vcpu_exc *e = &vcpu->exc;
    uint64_t pc = 0;

    memcpy(&pc, vcpu->state + vcpu->guest->pc_offset, ir_type_size(vcpu->guest->addr_type));
    if (e->kind == EXC_MEM)
        log_text(vcpu->engine, NW_LOG_MMU, "%s fault at %#llx, %u bytes (%s), pc %#llx\n",
                 access[e->access % 3], (unsigned long long)e->addr, e->size, fault[e->fault % 5],
                 (unsigned long long)pc);
    log_text(vcpu->engine, NW_LOG_INT, "exception %u payload %#x, pc %#llx\n", e->kind, e->payload,
             (unsigned long long)pc);
}
