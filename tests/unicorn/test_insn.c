/* Instructions that run, and some that do not, in the state that an engine begins with: ring 0 or
 * supervisor mode, no tables, no paging. */
#include "uc_test.h"

struct row {
    const uint8_t *code;
    size_t n;
};

#define ROWS(rows) (rows), sizeof(rows) / sizeof((rows)[0])

static void x86_run(int bits, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct uct t;
        uc_err e;

        uct_x86(&t, bits, rows[i].code, rows[i].n);
        e = uct_run(&t);
        if (e)
            print_error("row %zu of %d bits\n", i, bits);
        ok(e);
        assert_int_equal(uct_pc(&t), t.end);
        uct_close(&t);
    }
}

static void test_x86_64(void **state)
{
    static const struct row rows[] = {
        {BYTES("\xd9\xe8\xd9\xfe\xd9\xeb\xd9\xff\xdd\x1c\x25\x00\x20\x00\x00") /* fld1; fsin; fldpi; fcos; fstp qword ptr [0x2000] */},
        {BYTES("\xf3\x90\x0f\xae\xe8\x0f\xae\xf0\x0f\xae\xf8\x0f\xae\x3c\x25\x00\x20\x00\x00") /* pause; lfence; mfence; sfence; clflush [0x2000] */},
        {BYTES("\xb9\x10\x00\x00\x00\x0f\x32\x0f\x30") /* mov ecx,0x10; rdmsr; wrmsr */},
        {BYTES("\x0f\x31\x0f\x01\xf9\x0f\xa2") /* rdtsc; rdtscp; cpuid */},
        {BYTES("\x31\xc0\x8e\xd8\x8e\xc0\x8e\xe0\x8e\xe8") /* xor eax,eax; mov ds,ax; mov es,ax; mov fs,ax; mov gs,ax */},
        {BYTES("\xb8\x00\x50\x00\x00\xf3\x48\x0f\xae\xd0\xf3\x48\x0f\xae\xc9\x0f\x01\xf8") /* mov eax,0x5000; wrfsbase rax; rdgsbase rcx; swapgs */},
        {BYTES("\x0f\xa0\x58\x8c\xc8\x8c\xd0") /* push fs; pop rax; mov eax,cs; mov eax,ss */},
        {BYTES("\xf3\x0f\xb8\xc1\xf2\x0f\x38\xf0\xc1\x66\x0f\x38\x00\xc1\x66\x0f\x38\xdc\xc1\x66\x0f\x3a\x44\xc1\x00") /* popcnt eax,ecx; crc32 eax,cl; pshufb xmm0,xmm1; aesenc xmm0,xmm1; pclmulqdq xmm0,xmm1,0 */},
        {BYTES("\xc4\xe2\x68\xf7\xc1\xc4\xe2\x73\xf5\xc2\xc4\xe2\x73\xf6\xc2\xf3\x0f\xbc\xc1\xf3\x0f\xbd\xc1\xc4\xe3\x7b\xf0\xc1\x03") /* bextr eax,ecx,edx; pdep eax,ecx,edx; mulx eax,ecx,edx; tzcnt eax,ecx; lzcnt eax,ecx; rorx eax,ecx,3 */},
        {BYTES("\x0f\xae\x24\x25\x00\x20\x00\x00\x0f\xae\x04\x25\x00\x20\x00\x00\x0f\xae\x0c\x25\x00\x20\x00\x00\x48\x0f\xc7\x0c\x25\x00\x20\x00\x00") /* xsave [0x2000]; fxsave [0x2000]; fxrstor [0x2000]; cmpxchg16b [0x2000] */},
        {BYTES("\x0f\x21\xf8\x0f\x21\xc0\x0f\x23\xc0") /* mov rax,dr7; mov rax,dr0; mov dr0,rax */},
        {BYTES("\x0f\x01\x04\x25\x00\x20\x00\x00\x0f\x01\x0c\x25\x10\x20\x00\x00\x66\x0f\x00\xc8\x66\x0f\x00\xc0\x66\x0f\x01\xe0\x0f\x01\xf0") /* sgdt [0x2000]; sidt [0x2010]; str ax; sldt ax; smsw ax; lmsw ax */},
        {BYTES("\xfa\xfb\x0f\x06\x0f\x08\x0f\x09\x0f\x01\x3c\x25\x00\x20\x00\x00") /* cli; sti; clts; invd; wbinvd; invlpg [0x2000] */},
        {BYTES("\x0f\xc7\xf0\x0f\x38\xf0\x04\x25\x00\x20\x00\x00") /* rdrand eax; movbe eax,[0x2000] */},
        {BYTES("\xf2\x0f\x2a\xc0\xf2\x0f\x51\xc0\xf2\x0f\x5e\xc1\x66\x0f\x3a\x0b\xc1\x01\x66\x0f\x3a\x63\xc1\x00") /* cvtsi2sd xmm0,eax; sqrtsd xmm0,xmm0; divsd xmm0,xmm1; roundsd xmm0,xmm1,1; pcmpistri xmm0,xmm1,0 */},
        {BYTES("\x0f\x77\x0f\x6f\x04\x25\x00\x20\x00\x00\x0f\xfc\xc1\xdb\xe3") /* emms; movq mm0,[0x2000]; paddb mm0,mm1; fninit */},
        {BYTES("\x0f\xbc\xc1\x0f\xbd\xc1\x48\x0f\xc8\x0f\xa4\xc8\x03\x31\xc0\xbb\x00\x20\x00\x00\xd7") /* bsf eax,ecx; bsr eax,ecx; bswap rax; shld eax,ecx,3; xor eax,eax; mov ebx,0x2000; xlat */},
        {BYTES("\x48\x8d\x3c\x25\x00\x20\x00\x00\xb9\x03\x00\x00\x00\xf3\x48\xab\xfc\x9f\x9e\xf5") /* lea rdi,[0x2000]; mov ecx,3; rep stosq; cld; lahf; sahf; cmc */},
        {BYTES("\x0f\x20\xc0\x0f\x22\xc0\x0f\x20\xe0\x0f\x20\xd0\x0f\x22\xd0\x0f\x22\xd8\x44\x0f\x20\xc0") /* mov rax,cr0; mov cr0,rax; mov rax,cr4; mov rax,cr2; mov cr2,rax; mov cr3,rax; mov rax,cr8 */},
    };
    static const struct row cr4[] = {
        {BYTES("\x0f\x20\xe0\x0f\x22\xe0") /* mov rax,cr4; mov cr4,rax */}};

    (void)state;
    NEEDS_2_1();
    x86_run(64, ROWS(rows));
    x86_run(64, ROWS(cr4));
}

static void test_x86_32(void **state)
{
    static const struct row rows[] = {
        {BYTES("\x37\x27\x2f\x3f\xd4\x0a\xd5\x0a") /* aaa; daa; das; aas; aam; aad */},
        {BYTES("\x60\x61\x63\xc8\x66\x0f\x01\xe0") /* pushad; popad; arpl ax,cx; smsw ax */},
        {BYTES("\x06\x07\x1e\x1f\x8c\xd8") /* push es; pop es; push ds; pop ds; mov eax,ds */},
        {BYTES("\xc8\x08\x00\x00\xc9\x62\x05\x00\x20\x00\x00\xce") /* enter 8,0; leave; bound eax,[0x2000]; into */},
        {BYTES("\x40\x49\xd6") /* inc eax; dec ecx; .byte 0xd6 */},
        {BYTES("\x0f\x20\xc0\x0f\x22\xc0\x0f\x22\xd8") /* mov eax,cr0; mov cr0,eax; mov cr3,eax */},
        {BYTES("\xc4\x05\x00\x20\x00\x00\xc5\x05\x00\x20\x00\x00") /* les eax,[0x2000]; lds eax,[0x2000] */},
    };

    (void)state;
    x86_run(32, ROWS(rows));
}

static void test_x86_16(void **state)
{
    static const struct row rows[] = {
        {BYTES("\xb8\x34\x12\x8e\xd8\x8e\xc0\x0e\x58") /* mov ax,0x1234; mov ds,ax; mov es,ax; push cs; pop ax */},
        {BYTES("\xe8\x00\x00\x5b\x9c\x9d\x60\x61") /* call 1f; 1: pop bx; pushf; popf; pusha; popa */},
        {BYTES("\x66\xb8\x78\x56\x34\x12\x66\x50\x66\x59\x66\x0f\xb6\xd0") /* mov eax,0x12345678; push eax; pop ecx; movzx edx,al */},
        {BYTES("\xbe\x00\x20\xbf\x00\x20\xbb\x00\x20\xac\xab\xd7\x98\x99\x0f\xaf\xc1") /* mov si,0x2000; mov di,0x2000; mov bx,0x2000; lodsb; stosw; xlatb; cbw; cwd; imul ax,cx */},
        {BYTES("\xc4\x06\x00\x20\xc5\x36\x04\x20") /* les ax,[0x2000]; lds si,[0x2004] */},
        {BYTES("\xdb\xe3\xd9\xe8\xdf\x1e\x00\x20") /* fninit; fld1; fistp word ptr [0x2000] */},
    };

    (void)state;
    x86_run(16, ROWS(rows));
}

/* Real mode on the way to protected mode. */
static void test_protected_mode(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(
        &t, 16,
        BYTES("\x0f\x20\xc0\x0c\x01\x0f\x22\xc0\x90") /* mov eax,cr0; or al,1; mov cr0,eax; nop */);
    ok(uct_run(&t));
    assert_int_equal(uct_get(&t, UC_X86_REG_CR0) & 1, 1);
    uct_close(&t);
}

static void test_x86_not(void **state)
{
    static const struct {
        struct row row;
        uc_err error;
    } rows[] = {
        {{BYTES("\x66\xb8\x10\x00\x8e\xd0\x90") /* mov ax,0x10; mov ss,ax; nop */},
         UC_ERR_EXCEPTION},
        {{BYTES("\x0f\xae\x04\x25\x08\x20\x00\x00\x90") /* fxsave [0x2008]; nop */},
         UC_ERR_EXCEPTION},
        {{BYTES("\x48\x0f\xc7\x0c\x25\x08\x20\x00\x00\x90") /* cmpxchg16b [0x2008]; nop */},
         UC_ERR_EXCEPTION},
        {{BYTES("\xff\x2c\x25\x00\x20\x00\x00\x90")},
         UC_ERR_EXCEPTION}, /* far jump, null selector */
        {{BYTES("\x66\x0f\x38\xf6\xc1\x90") /* adcx eax,ecx; nop */},
         UC_ERR_INSN_INVALID}, /* not in Haswell */
        {{BYTES("\x0f\x38\xc9\xc1\x90") /* sha1msg1 xmm0,xmm1; nop */}, UC_ERR_INSN_INVALID},
        {{BYTES("\x27\x90")}, UC_ERR_INSN_INVALID}, /* daa */
        {{BYTES("\xea\x90\x90\x90\x90\x90\x90")}, UC_ERR_INSN_INVALID},
    };

    (void)state;
    NEEDS_2_1();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct uct t;
        uc_err e;

        uct_x86(&t, 64, rows[i].row.code, rows[i].row.n);
        e = uct_run(&t);
        if (e != rows[i].error)
            print_error("row %zu\n", i);
        fails(e, rows[i].error);
        uct_close(&t);
    }
}

static void arm_run(int mode, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct uct t;
        uc_err e;

        uct_arm(&t, mode, rows[i].code, rows[i].n);
        uct_set(&t, UC_ARM_REG_FPEXC, 0x40000000);
        uct_set(&t, UC_ARM_REG_LR, (uint32_t)t.end | (mode & UC_MODE_THUMB ? 1 : 0));
        uct_poke(&t, STACK, t.end, 4);
        uct_poke(&t, STACK + 4, mode & UC_MODE_THUMB ? 0x1f3 : 0x1d3, 4);
        e = uct_run(&t);
        if (e)
            print_error("row %zu\n", i);
        ok(e);
        assert_int_equal(uct_pc(&t), t.end);
        uct_close(&t);
    }
}

static void test_arm(void **state)
{
    static const struct row rows[] = {
        {BYTES("\x00\x02\x01\xf1\x00\x00\x01\xf1") /* setend be; setend le */},
        {BYTES("\xba\x0f\x07\xee\x15\x0f\x07\xee\x17\x0f\x08\xee\x9a\x0f\x07\xee") /* mcr p15,0,r0,c7,c10,5; mcr p15,0,r0,c7,c5,0; mcr p15,0,r0,c8,c7,0; mcr p15,0,r0,c7,c10,4 */},
        {BYTES("\x10\x0f\x11\xee\x10\x0f\x01\xee\x10\x0f\x12\xee\x10\x0f\x1c\xee") /* mrc p15,0,r0,c1,c0,0; mcr p15,0,r0,c1,c0,0; mrc p15,0,r0,c2,c0,0; mrc p15,0,r0,c12,c0,0 */},
        {BYTES("\x10\x0a\xf1\xee\x10\x0a\xe1\xee\x10\x0a\xf8\xee\x10\x0a\xf0\xee\x10\x0a\xf7\xee") /* vmrs r0,fpscr; vmsr fpscr,r0; vmrs r0,fpexc; vmrs r0,fpsid; vmrs r0,mvfr0 */},
        {BYTES("\x00\xf0\xd0\xf5\xf1\xf0\x20\xe3\x00\xf0\x20\xe3\x04\xf0\x20\xe3\x5f\xf0\x7f\xf5\x4f\xf0\x7f\xf5\x6f\xf0\x7f\xf5\x1f\xf0\x7f\xf5") /* pld [r0]; dbg #1; nop; sev; dmb; dsb; isb; clrex */},
        {BYTES("\x00\x0a\xbd\xf8") /* rfeia sp! */},
        {BYTES("\x13\x05\x6d\xf9\x1f\x00\x02\xf1") /* srsdb sp!,#19; cps #0x1f */},
        {BYTES("\x00\x00\x4f\xe1\x00\xf0\x6f\xe1\x00\x00\x0f\xe1\x00\xf0\x28\xe1") /* mrs r0,spsr; msr spsr_cxsf,r0; mrs r0,cpsr; msr cpsr_f,r0 */},
        {BYTES("\x00\x00\xbd\xe4\x00\x00\xad\xe4\x03\x00\xdd\xe8") /* ldrt r0,[sp]; strt r0,[sp]; ldm sp,{r0,r1}^ */},
        {BYTES("\x2e\xff\x2f\xe1") /* bxj lr */},
        {BYTES("\x1e\xff\x2f\xe1") /* bx lr */},
        {BYTES("\x10\xf1\x10\xe7\x11\x32\x00\xe7\x92\x03\x41\xe0\x51\x00\x02\xe1\x11\x00\xa4\xe6\x11\xf2\x80\xe7") /* sdiv r0,r0,r1; smlad r0,r1,r2,r3; umaal r0,r1,r2,r3; qadd r0,r1,r2; ssat r0,#5,r1; usad8 r0,r1,r2 */},
        {BYTES("\x01\x00\x00\xe3\x01\x00\x40\xe3\x30\x0f\xff\xe6\x91\x01\xc6\xe7\xd1\x01\xe3\xe7\xb0\x0f\xbf\xe6") /* movw r0,#1; movt r0,#1; rbit r0,r0; bfi r0,r1,#3,#4; ubfx r0,r1,#3,#4; rev16 r0,r0 */},
        {BYTES("\x02\x0a\xa0\xe3\x9f\x2f\xb0\xe1\x92\x1f\xa0\xe1\x9f\x1f\xd0\xe1\x92\x10\x40\xe1") /* mov r0,#0x2000; ldrexd r2,r3,[r0]; strexd r1,r2,r3,[r0]; ldrexb r1,[r0]; swpb r1,r2,[r0] */},
    };

    static const struct
        row mrrc[] = {{BYTES("\x1d\x0f\x19\xee\x0e\x0f\x51\xec\x70\x0f\x1d\xee\xb0\x0f\x10\xee") /* mrc p15,0,r0,c9,c13,0; mrrc p15,0,r0,r1,c14; mrc p15,0,r0,c13,c0,3; mrc p15,0,r0,c0,c0,5 */}};
    static const struct row cp14[] = {{BYTES("\x10\x0e\x10\xee") /* mrc p14,0,r0,c0,c0,0 */}};
    static const struct row simd[] = {
        {BYTES("\x42\x0d\x00\xf2\x02\x0b\x21\xee\xe0\x0a\xbd\xee\x02\x08\xb1\xf3\x54\x0c\x02\xf2") /* vadd.f32 q0,q0,q1; vmul.f64 d0,d1,d2; vcvt.s32.f32 s0,s1; vtbl.8 d0,{d1},d2; vfma.f32 q0,q1,q2 */}};
    (void)state;
    NEEDS_2_1();
    arm_run(UC_MODE_ARM, ROWS(rows));
    arm_run(UC_MODE_ARM, ROWS(mrrc));
    arm_run(UC_MODE_ARM, ROWS(cp14));
    arm_run(UC_MODE_ARM, ROWS(simd));
}

static void test_thumb(void **state)
{
    static const struct row rows[] = {
        {BYTES("\x01\x20\x02\x30\xc0\x00\x48\x43\x00\xbf\x00\xbf") /* movs r0,#1; adds r0,#2; lsls r0,r0,#3; muls r0,r1; cbz r0,1f; 1: nop */},
        {BYTES("\xdd\xf8\x04\x00\xcd\xe9\x00\x01\x9d\xe8\x03\x00\x2d\xe9\x03\x40") /* ldr.w r0,[sp,#4]; strd r0,r1,[sp]; ldmia.w sp,{r0,r1}; stmdb sp!,{r0,r1,lr} */},
        {BYTES("\x90\xfb\xf1\xf0\xb0\xfb\xf1\xf0\xb1\xfa\x81\xf0\x91\xfa\xa1\xf0\x01\xf3\x04\x00") /* sdiv r0,r0,r1; udiv r0,r0,r1; clz r0,r1; rbit r0,r1; ssat r0,#5,r1 */},
        {BYTES("\x30\xee\x81\x0a\x9d\xed\x00\x0b\x10\xee\x10\x0a") /* vadd.f32 s0,s1,s2; vldr d0,[sp]; vmov r0,s0 */},
        {BYTES("\xef\xf3\x00\x80\x72\xb6\x10\xee\x10\x0f\xbf\xf3\x5f\x8f\xbf\xf3\x6f\x8f") /* mrs r0,cpsr; cpsid i; mrc p15,0,r0,c0,c0,0; dmb; isb */},
        {BYTES("\x70\x47") /* bx lr */},
        {BYTES("\x03\xbc\x03\xb4\x02\xb0\x82\xb0") /* pop {r0,r1}; push {r0,r1}; add sp,#8; sub sp,#8 */},
    };

    (void)state;
    NEEDS_2_1();
    arm_run(UC_MODE_THUMB, ROWS(rows));
}

/* begin and the pc of 32-bit guests have 32 bits. */
static void test_high_bits(void **state)
{
    struct uct t;

    (void)state;
    uct_x86(&t, 32, BYTES("\x90\x40") /* nop; inc eax */);
    ok(uc_emu_start(t.uc, 0x100000000 + CODE, t.end, 0, 0));
    assert_int_equal(uct_pc(&t), t.end);
    uct_close(&t);
    uct_arm(&t, UC_MODE_ARM, BYTES("\x00\xf0\x20\xe3\x01\x00\xa0\xe3") /* nop; mov r0,#1 */);
    ok(uc_emu_start(t.uc, 0x100000000 + CODE, t.end, 0, 0));
    assert_int_equal(uct_pc(&t), t.end);
    uct_close(&t);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_x86_64),  cmocka_unit_test(test_x86_32),
        cmocka_unit_test(test_x86_16),  cmocka_unit_test(test_protected_mode),
        cmocka_unit_test(test_x86_not), cmocka_unit_test(test_arm),
        cmocka_unit_test(test_thumb),   cmocka_unit_test(test_high_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
