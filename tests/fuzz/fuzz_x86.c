/* Any x86 bytes as 16-, 32- or 64-bit code under any mode word that a CPU can have: lifted,
 * verified, optimised, printed and emitted, not run. */
#include "../splitmix.h"
#include "lift.h"

#include "guest/x86/state.h"

#define HEADER 8
#define MODELS 3

/* What cannot be, made into what can: see x86_mode_update. */
static uint32_t possible_mode(uint32_t mode, bool wide)
{
    if (!wide)
        mode &= ~(uint32_t)(X86_KEY_CODE64 | X86_KEY_LONG);
    if (mode & X86_KEY_CODE64) {
        mode &= ~(uint32_t)(X86_KEY_CODE32 | X86_KEY_STACK32);
        mode |= X86_KEY_LONG | X86_KEY_CS_FLAT | X86_KEY_SEG_FLAT;
    }
    if (mode & X86_KEY_LONG)
        mode = (mode | X86_KEY_PROT) & ~(uint32_t)X86_KEY_VM86;
    if (!(mode & X86_KEY_PROT))
        mode &= ~(uint32_t)(X86_KEY_VM86 | X86_KEY_CPL);
    if (mode & X86_KEY_VM86)
        mode = (mode & ~(uint32_t)(X86_KEY_CODE32 | X86_KEY_STACK32)) | X86_KEY_CPL;
    if ((mode & X86_KEY_CPL) != X86_KEY_CPL)
        mode &= ~(uint32_t)X86_KEY_AC;
    else
        mode &= ~(uint32_t)X86_KEY_SMAP_AC;
    return mode & (2 * X86_KEY_MF - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const cpus[MODELS] = {NULL, "qemu64", "haswell"};
    static struct lift_bench *benches[2];
    static nw_vcpu *vcpus[2][MODELS];
    struct input in = {data, size};
    uint8_t choice = take8(&in), max = take8(&in);
    bool wide = choice & 32;

    for (unsigned i = 0; i < 2 && !benches[i]; i++) {
        benches[i] = lift_bench_new(i ? &x86_64_guest : &x86_guest);
        for (unsigned n = 0; n < MODELS; n++) {
            vcpus[i][n] = lift_vcpu(i ? NW_ARCH_X86_64 : NW_ARCH_X86, cpus[n]);
            FUZZ_CHECK(vcpus[i][n], "model %u", n);
        }
    }
    take16(&in);
    uint32_t mode = possible_mode(take32(&in), wide);
    lift_fuzz(benches[wide], vcpus[wide][(choice & 3) % MODELS], mode, &in, choice, 1 + max % 64);
    return 0;
}

/* ---- mutation that knows how instructions are put together ---- */

/* Up to 15 bytes that look like an instruction. */
static size_t random_insn(uint64_t *s, uint8_t *b)
{
    static const uint8_t prefixes[] = {0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x64, 0x2e, 0x26};
    size_t n = 0;
    unsigned map = splitmix64(s) % 4;

    while (splitmix64(s) % 3 == 0 && n < 4)
        b[n++] = prefixes[splitmix64(s) % sizeof prefixes];
    if (map && splitmix64(s) % 2) {
        b[n++] = 0xc4;
        b[n++] = (uint8_t)(splitmix64(s) << 5 | map);
        b[n++] = (uint8_t)splitmix64(s);
    } else {
        if (splitmix64(s) % 2)
            b[n++] = (uint8_t)(0x40 | splitmix64(s) % 16);
        if (map)
            b[n++] = 0x0f;
        if (map > 1)
            b[n++] = map == 2 ? 0x38 : 0x3a;
    }
    for (unsigned tail = 2 + splitmix64(s) % 5; tail; tail--)
        b[n++] = (uint8_t)splitmix64(s);
    return n;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint64_t s = seed;
    unsigned times = 1 + splitmix64(&s) % 4;

    if (max_size < HEADER + 16 || splitmix64(&s) % 4 == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    if (size < HEADER) {
        memset(data + size, 0, HEADER - size);
        size = HEADER;
    }
    while (times--) {
        uint8_t insn[16];
        size_t n = random_insn(&s, insn), at = HEADER + splitmix64(&s) % (size - HEADER + 1);

        if (size + n > max_size)
            break;
        memmove(data + at + n, data + at, size - at);
        memcpy(data + at, insn, n);
        size += n;
    }
    return size;
}
