/* Which segment a failed access went through, found by decoding its instruction again. */
#include "guest/x86/decode.h"
#include "guest/x86/front.h"
#include "guest/x86/system.h"
#include "mem/mem.h"

static bool fetch(struct nw_vcpu *vcpu, uint8_t *bytes, unsigned *size)
{
    uint64_t pc = x86_of(vcpu)->pc;

    for (*size = 0; *size < X86_MAX_INSN; ++*size)
        if (!mem_fetch(vcpu, pc + *size, bytes + *size, 1))
            break;
    return *size;
}

bool x86_uses_stack(struct nw_vcpu *vcpu, uint64_t addr)
{
    const struct x86_state *s = x86_of(vcpu);
    bool stack = false, other = false;
    uint8_t bytes[X86_MAX_INSN];
    struct x86_insn i;
    ZydisDecoder decoder;
    unsigned size;

    if (!(s->mode & X86_KEY_CODE64) || !fetch(vcpu, bytes, &size))
        return false;
    x86_decoder_init(&decoder, 64, false, s->model);
    if (x86_decode(&decoder, s->model, bytes, size, &i) != X86_DECODED)
        return false;
    for (unsigned n = 0; n < i.z.operand_count; n++) {
        if (i.op[n].type != ZYDIS_OPERAND_TYPE_MEMORY)
            continue;
        if (i.op[n].mem.segment == ZYDIS_REGISTER_SS)
            stack = true;
        else
            other = true;
    }
    /* An instruction with both, such as PUSH [mem]: the stack is where its pointer is. */
    return stack && (!other || addr - s->gpr[X86_RSP] + 64 < 128);
}
