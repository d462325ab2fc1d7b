/* Blocks of x86 code that keep as many values alive as a block can, long ones and short ones that
 * are loops: vectors, flags that are looked at late, places where ways join, helpers and atomic
 * updates in between. Every mode must come to the same end, and none may run out of room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <narwhal/narwhal.h>
#include <narwhal/x86.h>

enum {
    CODE = 0x10000,
    DATA = 0x20000,
    PAGE = 0x1000,
    RSI = 6,
    ROUNDS = 300,
    INSNS = 120,
    COUNTER = 0x70
};
enum { REGS = 16 + 2 + 64 };

struct code {
    uint8_t bytes[PAGE];
    unsigned size;
    uint64_t seed;
};

struct outcome {
    uint64_t regs[REGS];
    uint8_t data[256];
};

static unsigned any(struct code *c, unsigned n)
{
    c->seed = c->seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(c->seed >> 33) % n;
}

static void put(struct code *c, unsigned byte)
{
    c->bytes[c->size++] = (uint8_t)byte;
}

/* A general register but for the two that hold addresses, rsp and rsi. */
static unsigned gpr(struct code *c)
{
    unsigned r;
    do
        r = any(c, 16);
    while (r == 4 || r == RSI);
    return r;
}

/* ModRM for REG and register RM, or for [rsi + disp8] with MEM. */
static void modrm(struct code *c, unsigned reg, unsigned rm, int mem)
{
    if (!mem) {
        put(c, 0xc0 | (reg & 7) << 3 | (rm & 7));
        return;
    }
    put(c, 0x40 | (reg & 7) << 3 | RSI);
    put(c, any(c, 3) * 32);
}

/* A three-byte VEX prefix of map 0F. */
static void vex(struct code *c, unsigned reg, unsigned vvvv, unsigned rm, unsigned pp, unsigned op)
{
    put(c, 0xc4);
    put(c, (reg & 8 ? 0 : 0x80) | 0x40 | (rm & 8 ? 0 : 0x20) | 1);
    put(c, (~vvvv & 15) << 3 | (any(c, 4) ? 4 : 0) | pp);
    put(c, op);
}

static void vector(struct code *c)
{
    static const struct {
        uint8_t pp, op;
    } ops[] = {{0, 0x58}, {0, 0x59}, {1, 0xfe}, {1, 0xef},
               {1, 0xdb}, {1, 0xd4}, {0, 0xc6}, {0, 0x14}};
    unsigned n = any(c, 8), mem = any(c, 4) == 0, rm = mem ? 0 : any(c, 16), reg = any(c, 16);
    vex(c, reg, any(c, 16), rm, ops[n].pp, ops[n].op);
    modrm(c, reg, rm, (int)mem);
    if (ops[n].op == 0xc6) /* vshufps */
        put(c, any(c, 256));
}

static void vector_store(struct code *c)
{
    unsigned reg = any(c, 16);
    vex(c, reg, 0, 0, 0, 0x11); /* vmovups */
    modrm(c, reg, 0, 1);
}

static void scalar(struct code *c)
{
    static const uint8_t op[] = {0x58, 0x5c, 0x51, 0x2e}; /* add, sub, sqrt, ucomis */
    unsigned n = any(c, 4), reg = any(c, 16), rm = any(c, 16);
    if (op[n] != 0x2e)
        put(c, 0xf3);
    put(c, 0x40 | (reg & 8) >> 1 | (rm & 8) >> 3);
    put(c, 0x0f);
    put(c, op[n]);
    modrm(c, reg, rm, 0);
}

static void rex(struct code *c, unsigned reg, unsigned rm)
{
    put(c, 0x40 | any(c, 2) << 3 | (reg & 8) >> 1 | (rm & 8) >> 3);
}

static void integer(struct code *c)
{
    static const uint8_t op[] = {0x01, 0x11, 0x19, 0x21, 0x29, 0x31, 0x39, 0x85};
    unsigned mem = any(c, 4) == 0, reg = gpr(c), rm = mem ? 0 : gpr(c);
    rex(c, reg, rm);
    put(c, op[any(c, 8)]);
    modrm(c, reg, rm, (int)mem);
}

/* CMOVcc, SETcc. */
static void conditional(struct code *c)
{
    unsigned set = any(c, 2), reg = gpr(c), rm = gpr(c);
    rex(c, reg, rm);
    put(c, 0x0f);
    put(c, (set ? 0x90 : 0x40) | any(c, 16));
    modrm(c, reg, rm, 0);
}

/* By CL, 0 included, through the carry too. */
static void shift(struct code *c)
{
    static const uint8_t digit[] = {0, 1, 2, 3, 4, 5, 7};
    unsigned rm = gpr(c);
    rex(c, 0, rm);
    put(c, any(c, 2) ? 0xd3 : 0xd2);
    modrm(c, digit[any(c, 7)], rm, 0);
}

static void locked(struct code *c)
{
    static const uint8_t op[] = {0x01, 0x11, 0x09, 0x29, 0xb1, 0xc1};
    unsigned n = any(c, 6), reg = gpr(c);
    put(c, 0xf0);
    rex(c, reg, 0);
    if (n >= 4) /* cmpxchg, xadd */
        put(c, 0x0f);
    put(c, op[n]);
    modrm(c, reg, 0, 1);
}

/* What calls helpers: PCMPISTRI, CRC32, LAHF, MUL. */
static void helper(struct code *c)
{
    static const uint8_t codes[][7] = {{6, 0x66, 0x0f, 0x3a, 0x63, 0xca, 0x0c},
                                       {6, 0xf2, 0x4c, 0x0f, 0x38, 0xf1, 0xc8},
                                       {1, 0x9f},
                                       {3, 0x48, 0xf7, 0xe3}};
    const uint8_t *code = codes[any(c, 4)];
    for (unsigned n = 0; n < code[0]; n++)
        put(c, code[1 + n]);
}

static void one(struct code *c)
{
    static void (*const make[])(struct code *) = {vector, vector,      vector,  vector_store,
                                                  scalar, integer,     integer, integer,
                                                  shift,  conditional, locked,  helper};
    make[any(c, sizeof make / sizeof *make)](c);
}

/* SUB [rsi + COUNTER], 1 and JNZ to the start. */
static void loop(struct code *c)
{
    static const uint8_t code[] = {0x83, 0x6e, COUNTER, 1, 0x0f, 0x85};
    memcpy(c->bytes + c->size, code, sizeof code);
    c->size += sizeof code;
    int32_t back = -(int32_t)(c->size + 4);
    memcpy(c->bytes + c->size, &back, 4);
    c->size += 4;
}

/* A long way with jumps over a few instructions, or a short loop with or without such. */
static void generate(struct code *c, uint64_t seed)
{
    unsigned field = 0, left = 0, loops = seed % 2, jumps = seed % 3;
    c->size = 0;
    c->seed = seed;
    unsigned insns = loops ? 3 + any(c, 25) : INSNS;
    for (unsigned n = 0; n < insns; n++) {
        if (!left && jumps && any(c, 6) == 0) {
            put(c, 0x70 | any(c, 16));
            field = c->size;
            left = 1 + any(c, 4);
            put(c, 0);
        }
        one(c);
        if (left && --left == 0)
            c->bytes[field] = (uint8_t)(c->size - field - 1);
    }
    if (left)
        c->bytes[field] = (uint8_t)(c->size - field - 1);
    if (loops)
        loop(c);
    put(c, 0x0f); /* UD2 */
    put(c, 0x0b);
}

static unsigned reg_number(unsigned n)
{
    if (n < 16)
        return n;
    return n == 16 ? NW_X86_RFLAGS : n == 17 ? NW_X86_MXCSR : NW_X86_YMM0 + n - 18;
}

static uint64_t value_of(struct code *c)
{
    static const uint64_t special[] = {0, 1, UINT64_MAX, 1ull << 63, 0x3f8000007f800001};
    unsigned n = any(c, 8);
    return n < 5 ? special[n] : (uint64_t)any(c, UINT32_MAX) << 32 | any(c, UINT32_MAX);
}

static void run(nw_engine *engine, nw_vcpu *vcpu, struct code *c, struct outcome *out)
{
    uint8_t data[256];
    nw_exit exit;

    assert_int_equal(nw_mem_write(engine, CODE, c->bytes, c->size), NW_OK);
    for (unsigned n = 0; n < sizeof data; n++)
        data[n] = (uint8_t)any(c, 256);
    memcpy(data + COUNTER, (uint32_t[]){5}, 4);
    assert_int_equal(nw_mem_write(engine, DATA, data, sizeof data), NW_OK);
    for (unsigned n = 0; n < REGS; n++) {
        uint64_t v = n == RSI ? DATA : n == 16 ? 0x202 : n == 17 ? 0x1f80 : value_of(c);
        assert_int_equal(nw_reg_write(vcpu, reg_number(n), v), NW_OK);
    }
    assert_int_equal(nw_reg_write(vcpu, NW_X86_RIP, CODE), NW_OK);
    assert_int_equal(nw_vcpu_run(vcpu, 0, &exit), NW_OK);
    assert_int_equal(exit.reason, NW_EXIT_EXCEPTION);
    assert_int_equal(exit.pc, CODE + c->size - 2);
    for (unsigned n = 0; n < REGS; n++)
        assert_int_equal(nw_reg_read(vcpu, reg_number(n), &out->regs[n]), NW_OK);
    assert_int_equal(nw_mem_read(engine, DATA, out->data, sizeof out->data), NW_OK);
}

static void same_in_every_mode(void **state)
{
    /* The last two have the least memory for code. */
    static const uint32_t flags[] = {NW_ENGINE_INTERP, 0, NW_ENGINE_NO_FASTMEM, NW_ENGINE_INTERP,
                                     0};
    enum { MODES = sizeof flags / sizeof *flags };
    nw_engine *engine[MODES];
    nw_vcpu *vcpu[MODES];
    static struct outcome out[MODES];
    static struct code c;

    (void)state;
    for (unsigned m = 0; m < MODES; m++) {
        nw_config config = {.arch = NW_ARCH_X86_64,
                            .flags = flags[m],
                            .code_buffer = m >= MODES - 2 ? 64 << 10 : 0};
        assert_int_equal(nw_engine_open(&config, &engine[m]), NW_OK);
        assert_int_equal(nw_mem_map(engine[m], CODE, PAGE, NW_RWX), NW_OK);
        assert_int_equal(nw_mem_map(engine[m], DATA, PAGE, NW_RW), NW_OK);
        assert_int_equal(nw_vcpu_create(engine[m], &vcpu[m]), NW_OK);
    }
    for (uint64_t round = 0; round < ROUNDS; round++) {
        for (unsigned m = 0; m < MODES; m++) {
            generate(&c, round);
            run(engine[m], vcpu[m], &c, &out[m]);
            if (memcmp(&out[m], &out[0], sizeof out[0]))
                fail_msg("round %u, mode %u", (unsigned)round, m);
        }
    }
    for (unsigned m = 0; m < MODES; m++)
        nw_engine_close(engine[m]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_in_every_mode)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
