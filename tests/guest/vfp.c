/* Every VFP operation on random operands under every combination of rounding mode, flush to zero,
 * default NaN and alternative half precision. Results and FPSCR go into one hash for each mode;
 * the expected ones are those of qemu-arm 7.2. */
#include <stdint.h>
#include <stdio.h>

static uint64_t random_state = 88172645463325252ull;

static uint64_t random64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint64_t hash;

static void take(uint64_t value, uint32_t fpscr)
{
    hash = (hash * 1099511628211ull) ^ value ^ fpscr;
}

struct operands {
    uint32_t mode;
    uint64_t a, b, c;
};

/* OP works on d0 (the third operand), d1 and d2, or s0, s2 and s4; its result is in d0 or s0. */
#define DOUBLE(op)                                                                                 \
    do {                                                                                           \
        uint64_t r;                                                                                \
        uint32_t f;                                                                                \
        __asm__ volatile(".fpu vfpv4-d16\n\tvmsr fpscr, %2\n\tvmov d0, %Q5, %R5\n\t"               \
                         "vmov d1, %Q3, %R3\n\tvmov d2, %Q4, %R4\n\t" op                           \
                         "\n\tvmrs %1, fpscr\n\tvmov %Q0, %R0, d0"                                 \
                         : "=&r"(r), "=&r"(f)                                                      \
                         : "r"(o->mode), "r"(o->a), "r"(o->b), "r"(o->c)                           \
                         : "d0", "d1", "d2", "cc");                                                \
        take(r, f);                                                                                \
    } while (0)
#define SINGLE(op)                                                                                 \
    do {                                                                                           \
        uint32_t r, f;                                                                             \
        __asm__ volatile(".fpu vfpv4-d16\n\tvmsr fpscr, %2\n\tvmov s0, %5\n\tvmov s2, %3\n\t"      \
                         "vmov s4, %4\n\t" op "\n\tvmrs %1, fpscr\n\tvmov %0, s0"                  \
                         : "=&r"(r), "=&r"(f)                                                      \
                         : "r"(o->mode), "r"((uint32_t)o->a), "r"((uint32_t)o->b),                 \
                           "r"((uint32_t)o->c)                                                     \
                         : "d0", "d1", "d2", "cc");                                                \
        take(r, f);                                                                                \
    } while (0)

static void doubles(const struct operands *o)
{
    DOUBLE("vadd.f64 d0, d1, d2");
    DOUBLE("vsub.f64 d0, d1, d2");
    DOUBLE("vmul.f64 d0, d1, d2");
    DOUBLE("vnmul.f64 d0, d1, d2");
    DOUBLE("vdiv.f64 d0, d1, d2");
    DOUBLE("vsqrt.f64 d0, d1");
    DOUBLE("vmla.f64 d0, d1, d2");
    DOUBLE("vmls.f64 d0, d1, d2");
    DOUBLE("vnmla.f64 d0, d1, d2");
    DOUBLE("vnmls.f64 d0, d1, d2");
    DOUBLE("vfma.f64 d0, d1, d2");
    DOUBLE("vfms.f64 d0, d1, d2");
    DOUBLE("vfnma.f64 d0, d1, d2");
    DOUBLE("vfnms.f64 d0, d1, d2");
    DOUBLE("vabs.f64 d0, d1");
    DOUBLE("vneg.f64 d0, d1");
    DOUBLE("vcmp.f64 d1, d2");
    DOUBLE("vcmpe.f64 d1, d2");
    DOUBLE("vcmpe.f64 d1, #0");
    DOUBLE("vcvt.f32.f64 s0, d1");
    DOUBLE("vcvt.f64.f32 d0, s2");
    DOUBLE("vcvt.s32.f64 s0, d2");
    DOUBLE("vcvtr.u32.f64 s0, d2");
    DOUBLE("vcvt.f64.s32 d0, s2");
    DOUBLE("vcvt.s32.f64 d0, d0, #7");
    DOUBLE("vcvt.f64.u16 d0, d0, #9");
}

static void singles(const struct operands *o)
{
    SINGLE("vadd.f32 s0, s2, s4");
    SINGLE("vsub.f32 s0, s2, s4");
    SINGLE("vmul.f32 s0, s2, s4");
    SINGLE("vnmul.f32 s0, s2, s4");
    SINGLE("vdiv.f32 s0, s2, s4");
    SINGLE("vsqrt.f32 s0, s2");
    SINGLE("vmla.f32 s0, s2, s4");
    SINGLE("vmls.f32 s0, s2, s4");
    SINGLE("vnmla.f32 s0, s2, s4");
    SINGLE("vnmls.f32 s0, s2, s4");
    SINGLE("vfma.f32 s0, s2, s4");
    SINGLE("vfms.f32 s0, s2, s4");
    SINGLE("vfnma.f32 s0, s2, s4");
    SINGLE("vfnms.f32 s0, s2, s4");
    SINGLE("vcmp.f32 s2, s4");
    SINGLE("vcmpe.f32 s2, #0");
    SINGLE("vcvt.s32.f32 s0, s4");
    SINGLE("vcvtr.u32.f32 s0, s4");
    SINGLE("vcvt.f32.s32 s0, s4");
    SINGLE("vcvt.f32.u32 s0, s4");
    SINGLE("vcvt.u16.f32 s0, s0, #5");
    SINGLE("vcvt.f32.s32 s0, s0, #15");
    SINGLE("vcvtb.f16.f32 s0, s2");
    SINGLE("vcvtt.f16.f32 s0, s4");
    SINGLE("vcvtt.f32.f16 s0, s4");
}

/* Some operands near the least normal number, some near one, the rest anything. */
static void draw(struct operands *o, unsigned n)
{
    o->a = random64();
    o->b = random64();
    o->c = random64();
    if (n & 1)
        o->a = (o->a & 0x800fffffffffffffull) | (random64() % 40) << 52;
    if (n & 2)
        o->b = (o->b & 0x800fffffffffffffull) | (1000 + random64() % 40) << 52;
    if (n & 4) {
        o->a = (o->a & 0xffffffff807fffffull) | (random64() % 30) << 23;
        o->b = (o->b & 0xffffffff807fffffull) | (110 + random64() % 30) << 23;
    }
    if (n % 16 == 0)
        o->b = 0x7ff0000000000000ull | (random64() & 0x8008000000000001ull);
    if (n % 16 == 8)
        o->a = 0x7f800000u | (random64() & 0x80400001u);
}

static const uint64_t expected[32] = {
    0xb64b3265c7319aa6, 0xb3176ec13aa9ec68, 0xb117915b3a447855, 0x06298834264e4f13,
    0xaa8e69b3d9f79e9c, 0xd1b6c19a406ee349, 0x6721436190bc9607, 0x8ef04fa5716e573c,
    0x6db0710da6dc518f, 0x43fd24f29df9d313, 0x41f8a54c7048ac63, 0x5b68f40893a19e77,
    0x637ac26c5332d244, 0xc58c7bf9a63beeae, 0x75ca509499bb19c9, 0xb74640ebf8963ce1,
    0x8ad3b6f7141f344e, 0x2b44f1b5814bb35f, 0xb11e897e5a8d0cb2, 0xfceec045482f21a8,
    0x8ac8f269ee7f2368, 0x64bd47280d03ba0a, 0xbaa2d428f403c5ef, 0x9417d294fc7e44da,
    0x54b387b304ad089e, 0xe01bad7e4ab5ce0d, 0x121ead10873ea39d, 0xd6d0e1fdcbcd84a2,
    0x27b73bcf4232ca5f, 0x747c0678793eac94, 0x562273df77f304a2, 0xba8b1e58d41f97e2,
};

int main(void)
{
    int failed = 0;
    for (unsigned mode = 0; mode < 32; mode++) {
        struct operands o = {.mode = (mode & 3) << 22 | (mode >> 2) << 24};
        hash = 0;
        for (unsigned n = 0; n < 500; n++) {
            draw(&o, n);
            doubles(&o);
            singles(&o);
        }
        if (hash == expected[mode])
            continue;
        printf("mode %u: %#018llx\n", mode, (unsigned long long)hash);
        failed = 1;
    }
    uint32_t none = 0;
    __asm__ volatile("vmsr fpscr, %0" ::"r"(none));
    return failed;
}
