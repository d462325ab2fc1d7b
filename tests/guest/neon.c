/* Operations of Advanced SIMD, register and memory, on random operands under several FPSCRs.
 * Results and FPSCR go into one hash for each group; the expected ones are those of qemu-arm 7.2.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t random_state = 88172645463325252ull;

static uint64_t random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint64_t hash;

static void take(const void *bytes, size_t size)
{
    const uint8_t *p = bytes;

    for (size_t k = 0; k < size; k++)
        hash = (hash ^ p[k]) * 1099511628211ull;
}

/* q0, q1 and q2 hold Q at first. */
struct operands {
    uint32_t mode;
    uint8_t q[48];
};

#define RUN(op)                                                                                    \
    do {                                                                                           \
        uint8_t r[48];                                                                             \
        uint32_t f = o->mode;                                                                      \
        __asm__ volatile(".fpu neon-vfpv4\n\tvmsr fpscr, %0\n\tvldmia %1, {d0-d5}\n\t" op          \
                         "\n\tvmrs %0, fpscr\n\tvstmia %2, {d0-d5}"                                \
                         : "+r"(f)                                                                 \
                         : "r"(o->q), "r"(r)                                                       \
                         : "d0", "d1", "d2", "d3", "d4", "d5", "cc", "memory");                    \
        take(r, sizeof r);                                                                         \
        take(&f, sizeof f);                                                                        \
    } while (0);

#define QDOUBLE(op, t) RUN(op "." t " d0, d2, d5") RUN(op "." t " q0, q1, q2")
#define SIGNED(op)     QDOUBLE(op, "s8") QDOUBLE(op, "s16") QDOUBLE(op, "s32")
#define UNSIGNED(op)   QDOUBLE(op, "u8") QDOUBLE(op, "u16") QDOUBLE(op, "u32")
#define SIGNLESS(op)   QDOUBLE(op, "i8") QDOUBLE(op, "i16") QDOUBLE(op, "i32")
#define BOTH(op)       SIGNED(op) UNSIGNED(op)
#define ALL(op)        BOTH(op) QDOUBLE(op, "s64") QDOUBLE(op, "u64")

static void integers(const struct operands *o)
{
    BOTH("vhadd")
    BOTH("vrhadd") BOTH("vhsub") BOTH("vcgt") BOTH("vcge") BOTH("vmax") BOTH("vmin") BOTH("vabd")
        BOTH("vaba") ALL("vqadd") ALL("vqsub") ALL("vshl") ALL("vqshl") ALL("vrshl") ALL("vqrshl")
            SIGNLESS("vadd") SIGNLESS("vsub") SIGNLESS("vceq") SIGNLESS("vmul") SIGNLESS("vmla")
                SIGNLESS("vmls") QDOUBLE("vadd", "i64") QDOUBLE("vmul", "p8")
                    QDOUBLE("vqdmulh", "s16") QDOUBLE("vqdmulh", "s32") QDOUBLE("vqrdmulh", "s16")
                        QDOUBLE("vqrdmulh", "s32") RUN("vand q0, q1, q2") RUN("vbic q0, q1, q2")
                            RUN("vorn q0, q1, q2") RUN("veor q0, q1, q2") RUN("vbsl q0, q1, q2")
                                RUN("vbit q0, q1, q2") RUN("vbif q0, q1, q2")
                                    RUN("vpadd.i8 d0, d2, d5") RUN("vpadd.i16 d0, d2, d5")
                                        RUN("vpmax.s8 d0, d2, d5") RUN("vpmin.u16 d0, d2, d5")
                                            RUN("vpmax.u32 d0, d2, d5")
}

#define LONG(op, t) RUN(op "." t " q0, d2, d5")
#define LONGS(op)                                                                                  \
    LONG(op, "s8") LONG(op, "s16") LONG(op, "s32") LONG(op, "u8") LONG(op, "u16") LONG(op, "u32")
#define NARROW(op)    RUN(op ".i16 d0, q1, q2") RUN(op ".i32 d0, q1, q2") RUN(op ".i64 d0, q1, q2")
#define SCALAR(op, t) RUN(op "." t " d0, d2, d5[1]") RUN(op "." t " q0, q1, d5[0]")

static void lengths(const struct operands *o)
{
    LONGS("vaddl")
    LONGS("vsubl") LONGS("vabal") LONGS("vabdl") LONGS("vmlal") LONGS("vmlsl") LONGS("vmull")
        LONG("vmull", "p8") LONG("vqdmull", "s16") LONG("vqdmull", "s32") LONG("vqdmlal", "s16")
            LONG("vqdmlal", "s32") LONG("vqdmlsl", "s16") LONG("vqdmlsl", "s32") NARROW("vaddhn")
                NARROW("vraddhn") NARROW("vsubhn") NARROW("vrsubhn") RUN("vaddw.s8 q0, q1, d5")
                    RUN("vaddw.u32 q0, q1, d5") RUN("vsubw.s16 q0, q1, d5") SCALAR("vmul", "i16")
                        SCALAR("vmul", "i32") SCALAR("vmla", "i16") SCALAR("vmls", "i32")
                            SCALAR("vqdmulh", "s16") SCALAR("vqrdmulh", "s32")
                                RUN("vmull.s16 q0, d2, d5[3]") RUN("vmlal.u32 q0, d2, d5[1]")
                                    RUN("vqdmlsl.s16 q0, d2, d5[2]")
}

static void shifts(const struct operands *o)
{
#define SHIFT(op, t, n) RUN(op "." t " d0, d2, #" #n) RUN(op "." t " q0, q1, #" #n)
    SHIFT("vshr", "s8", 3)
    SHIFT("vshr", "u8", 8) SHIFT("vshr", "s16", 16) SHIFT("vshr", "s64", 64) SHIFT("vshr", "s64", 9)
        SHIFT("vsra", "u32", 7) SHIFT("vrshr", "s8", 1) SHIFT("vrshr", "u16", 16)
            SHIFT("vrshr", "s64", 33) SHIFT("vrsra", "s32", 32) SHIFT("vsri", "8", 5)
                SHIFT("vsri", "64", 64) SHIFT("vsli", "16", 3) SHIFT("vsli", "64", 17)
                    SHIFT("vshl", "i8", 7) SHIFT("vshl", "i64", 63) SHIFT("vqshl", "s8", 2)
                        SHIFT("vqshl", "u16", 5) SHIFT("vqshl", "s64", 1) SHIFT("vqshlu", "s32", 4)
#define TO_NARROW(op, t, n) RUN(op "." t " d0, q1, #" #n)
                            TO_NARROW("vshrn", "i16", 3) TO_NARROW("vrshrn", "i32", 16) TO_NARROW(
                                "vshrn", "i64", 32) TO_NARROW("vqshrn", "s16", 4)
                                TO_NARROW("vqshrn", "u32", 9) TO_NARROW("vqrshrn", "s64", 20)
                                    TO_NARROW("vqshrun", "s16", 8) TO_NARROW("vqrshrun", "s32", 1)
                                        TO_NARROW("vqrshrun", "s64", 32) RUN("vshll.s8 q0, d2, #3")
                                            RUN("vshll.i16 q0, d2, #16") RUN("vmovl.u32 q0, d2")
}

static void others(const struct operands *o)
{
#define TWO(op, t)        RUN(op "." t " d0, d2") RUN(op "." t " q0, q1")
#define TWOS(op, a, b, c) TWO(op, a) TWO(op, b) TWO(op, c)
    TWOS("vrev64", "8", "16", "32")
    TWO("vrev32", "8") TWO("vrev16", "8") TWOS("vpaddl", "s8", "u16", "s32")
        TWOS("vpadal", "u8", "s16", "u32") TWOS("vcls", "s8", "s16", "s32")
            TWOS("vclz", "i8", "i16", "i32") TWO("vcnt", "8") TWOS("vqabs", "s8", "s16", "s32")
                TWOS("vqneg", "s8", "s16", "s32") TWOS("vabs", "s8", "s16", "s32") TWOS(
                    "vneg", "s8", "s16", "s32") TWOS("vtrn", "8", "16", "32") TWO("vuzp", "8")
                    TWO("vzip", "16") RUN("vuzp.32 q0, q1") RUN("vzip.8 q0, q1") RUN("vswp q0, q2")
                        RUN("vmvn q0, q1") RUN("vcgt.s8 q0, q1, #0") RUN("vcle.s16 q0, q1, #0")
                            RUN("vclt.s32 d0, d1, #0") RUN("vmovn.i32 d0, q1")
                                RUN("vqmovn.s16 d0, q1") RUN("vqmovn.u64 d0, q1")
                                    RUN("vqmovun.s32 d0, q1") RUN("vext.8 d0, d2, d5, #3")
                                        RUN("vext.8 q0, q1, q2, #11") RUN("vdup.16 q0, d5[2]")
                                            RUN("vtbl.8 d0, {d1}, d2") RUN("vtbl.8 d0, {d1-d4}, d5")
                                                RUN("vtbx.8 d0, {d1-d3}, d5")
                                                    RUN("vmov.i64 q0, #0xff00ffff0000ff00")
                                                        RUN("vbic.i16 q0, #0xab00")
                                                            RUN("vmvn.i32 d3, #0x12ff")
}

static void floats(const struct operands *o)
{
#define FLOAT(op) QDOUBLE(op, "f32")
    FLOAT("vadd")
    FLOAT("vsub") FLOAT("vmul") FLOAT("vmla") FLOAT("vmls") FLOAT("vfma") FLOAT("vfms")
        FLOAT("vabd") FLOAT("vceq") FLOAT("vcge") FLOAT("vcgt") FLOAT("vacge") FLOAT("vacgt") FLOAT(
            "vmax") FLOAT("vmin") FLOAT("vrecps") FLOAT("vrsqrts") RUN("vpadd.f32 d0, d2, d5")
            RUN("vpmax.f32 d0, d2, d5") RUN("vpmin.f32 d0, d2, d5") SCALAR("vmul", "f32")
                SCALAR("vmla", "f32") SCALAR("vmls", "f32") TWO("vabs", "f32") TWO("vneg", "f32")
                    TWO("vrecpe", "f32") TWO("vrsqrte", "f32") TWO("vrecpe", "u32")
                        TWO("vrsqrte", "u32") RUN("vcgt.f32 q0, q1, #0") RUN("vceq.f32 q0, q1, #0")
                            RUN("vcle.f32 d0, d2, #0") TWO("vcvt", "s32.f32") TWO("vcvt", "u32.f32")
                                TWO("vcvt", "f32.s32") TWO("vcvt", "f32.u32")
                                    RUN("vcvt.s32.f32 q0, q1, #7") RUN("vcvt.f32.u32 q0, q1, #30")
                                        RUN("vcvt.f16.f32 d0, q1") RUN("vcvt.f32.f16 q0, d2")
}

static void memory(const struct operands *o)
{
    uint8_t m[96];

    memcpy(m, o->q, 48);
    memcpy(m + 48, o->q, 48);
#define ACCESS(op)                                                                                 \
    do {                                                                                           \
        uint8_t r[48], *p = m + 1;                                                                 \
        __asm__ volatile(".fpu neon-vfpv4\n\tvldmia %1, {d0-d5}\n\t" op "\n\tvstmia %2, {d0-d5}"   \
                         : "+r"(p)                                                                 \
                         : "r"(o->q), "r"(r), "r"(24)                                              \
                         : "d0", "d1", "d2", "d3", "d4", "d5", "memory");                          \
        take(r, sizeof r);                                                                         \
        take(m, sizeof m);                                                                         \
        hash += (uint64_t)(p - m);                                                                 \
    } while (0);
    ACCESS("vld1.8 {d0-d3}, [%0]!")
    ACCESS("vld1.64 {d1}, [%0], %3") ACCESS("vld2.8 {d0,d1}, [%0]!") ACCESS("vld2.16 {d0-d3}, [%0]")
        ACCESS("vld2.32 {d0,d2}, [%0], %3") ACCESS("vld3.8 {d0,d2,d4}, [%0]!") ACCESS(
            "vld3.16 {d1-d3}, [%0]") ACCESS("vld4.8 {d0-d3}, [%0]!") ACCESS("vld4.32 {d1-d4}, [%0]")
            ACCESS("vld1.8 {d3[5]}, [%0]!") ACCESS("vld2.16 {d0[3],d2[3]}, [%0]!")
                ACCESS("vld3.32 {d0[1],d2[1],d4[1]}, [%0]")
                    ACCESS("vld4.8 {d0[],d1[],d2[],d3[]}, [%0]!")
                        ACCESS("vld1.16 {d0[],d1[]}, [%0]!") ACCESS("vst1.16 {d0-d2}, [%0]!")
                            ACCESS("vst2.8 {d0-d3}, [%0]!") ACCESS("vst3.16 {d0,d2,d4}, [%0]!")
                                ACCESS("vst4.8 {d1-d4}, [%0], %3") ACCESS("vst1.32 {d3[1]}, [%0]!")
                                    ACCESS("vst4.16 {d0[2],d1[2],d2[2],d3[2]}, [%0]!")
}

static void numbers(struct operands *o, unsigned round)
{
    static const uint32_t special[] = {0,          0x80000000, 0x3f800000, 0x7f800000, 0xff800000,
                                       0x7fc00001, 0x7f800001, 0x00000001, 0x00800000, 0x7f7fffff};

    for (unsigned k = 0; k < 12; k++) {
        uint32_t v = (uint32_t)random64(), kind = (uint32_t)random64() & 15;
        if (kind == 0)
            v = special[random64() % 10];
        else if (kind < 12 || round & 1) /* ordinary, with results that are too */
            v = (v & 0x80ffffff) | ((uint32_t)random64() % 32 + 44) << 24;
        memcpy(o->q + 4 * k, &v, 4);
    }
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(const struct operands *);
        uint64_t want;
    } groups[] = {
        {"integers", integers, 0xa08d87b38aa1b992}, {"lengths", lengths, 0xaadbef672c53f455},
        {"shifts", shifts, 0x1ee964ba62a1b0c9},     {"others", others, 0x399edc390e802f8c},
        {"floats", floats, 0x8a0cd45924b0eaa3},     {"memory", memory, 0x73f1bbc7b3dc1da9},
    };
    static const uint32_t modes[] = {0, 0x00c00000, 0x08000000, 0x01000000, 0x02800000, 0x04000000};
    int failed = 0;

    for (unsigned g = 0; g < sizeof groups / sizeof *groups; g++) {
        hash = 14695981039346656037ull;
        for (unsigned round = 0; round < 300; round++) {
            struct operands o = {.mode = modes[round % 6]};
            for (unsigned k = 0; k < 48; k += 8) {
                uint64_t v = random64() & (round & 1 ? random64() : UINT64_MAX);
                memcpy(o.q + k, &v, 8);
            }
            if (groups[g].run == floats)
                numbers(&o, round);
            groups[g].run(&o);
        }
        if (hash != groups[g].want) {
            printf("%s: 0x%016llxull\n", groups[g].name, (unsigned long long)hash);
            failed = 1;
        }
    }
    return failed;
}
