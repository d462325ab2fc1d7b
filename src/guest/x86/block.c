#include "guest/x86/block.h"

#include <string.h>
#include "ir/ir.h"
#include "mem/mem.h"

#define SIZE IR_MEM_SIZE(UINT32_MAX)

static uint64_t wrap(struct nw_vcpu *vcpu, uint64_t addr)
{
    return x86_of(vcpu)->mode & X86_KEY_CODE64 ? addr : (uint32_t)addr;
}

/* log2 of the largest access among SIZE bytes. */
static unsigned largest(unsigned size)
{
    return size >= 32 ? 5 : 31 - (unsigned)__builtin_clz(size);
}

bool x86_block_probe(struct nw_vcpu *vcpu, uint64_t addr, unsigned size, uint32_t memop)
{
    return mem_probe(vcpu, wrap(vcpu, addr), memop) &&
           mem_probe(vcpu, wrap(vcpu, addr + size - 1), memop & ~SIZE);
}

bool x86_block_load(struct nw_vcpu *vcpu, uint64_t addr, void *to, unsigned size, uint32_t memop)
{
    if (!x86_block_probe(vcpu, addr, size, memop))
        return false;
    memop &= ~SIZE;
    for (unsigned done = 0; done < size;) {
        unsigned log2 = largest(size - done);
        uint64_t at = wrap(vcpu, addr + done);
        uint8_t *out = (uint8_t *)to + done;
        if (log2 > 3) {
            mem_load_wide(vcpu, at, memop | log2, out);
        } else {
            uint64_t v = mem_load(vcpu, at, memop | log2);
            memcpy(out, &v, 1u << log2);
        }
        if (vcpu->leave != VCPU_LEAVE_NONE)
            return false;
        done += 1u << log2;
    }
    return true;
}

static bool store(struct nw_vcpu *vcpu, uint64_t addr, const uint8_t *from, unsigned size,
                  uint32_t memop)
{
    for (unsigned done = 0; done < size;) {
        unsigned log2 = largest(size - done);
        uint64_t at = wrap(vcpu, addr + done), v = 0;
        if (log2 > 3) {
            mem_store_wide(vcpu, at, memop | log2, from + done);
        } else {
            memcpy(&v, from + done, 1u << log2);
            mem_store(vcpu, at, v, memop | log2);
        }
        if (vcpu->leave != VCPU_LEAVE_NONE)
            return false;
        done += 1u << log2;
    }
    return true;
}

bool x86_block_store(struct nw_vcpu *vcpu, uint64_t addr, const void *from,
                     const struct x86_part *parts, unsigned nparts, uint32_t memop)
{
    const uint8_t *bytes = from;
    for (unsigned n = 0; n < nparts; n++)
        if (!x86_block_probe(vcpu, addr + parts[n].offset, parts[n].size, memop | IR_MEM_RMW))
            return false;
    memop &= ~SIZE;
    for (unsigned n = 0; n < nparts; n++)
        if (!store(vcpu, addr + parts[n].offset, bytes + parts[n].offset, parts[n].size, memop))
            return false;
    return true;
}
