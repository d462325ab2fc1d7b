/* Which rows of the decode table have an instruction test:
 *
 *     insn_coverage FILE...
 *
 * Lists the rows without one and lines whose stem is not that of the row their bytes decode to;
 * ends with "N passed, N failed", one for each row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "guest/arm/decode.h"
#include "guest/arm/state.h"

/* What a CPU model decodes with: rows that only old models have need their features absent. */
static uint32_t features_of(const char *cpu)
{
    static struct nw_vcpu vcpu; /* large */
    memset(&vcpu, 0, sizeof vcpu);
    return arm_guest.init(&vcpu, *cpu ? cpu : NULL) == NW_OK ? arm_of(&vcpu)->features : 0;
}

/* Counts the rows of every instruction of the line; true when one of them has the line's stem. */
static bool count(const struct insn_case *c, unsigned *tests)
{
    const uint8_t *code = c->before.code + (c->before.r[15] - MACHINE_CODE);
    uint32_t features = features_of(c->cpu);
    bool named = false;
    for (unsigned at = 0; at < c->code_size;) {
        uint32_t raw;
        memcpy(&raw, code + at, sizeof raw);
        bool wide = c->thumb && features & (ARM_F_V6T2 | ARM_F_M) && arm_is_t32((uint16_t)raw);
        enum arm_set set = !c->thumb ? ARM_SET_A32 : wide ? ARM_SET_T32 : ARM_SET_T16;
        if (wide)
            raw = raw << 16 | raw >> 16;
        struct arm_insn i;
        if (arm_decode(set, set == ARM_SET_T16 ? raw & 0xffff : raw, features, &i)) {
            tests[i.row - arm_rows]++;
            named |= !strcmp(i.row->name, c->stem);
        }
        at += set == ARM_SET_T16 ? 2 : 4;
    }
    return named;
}

static unsigned read_file(const char *path, unsigned *tests)
{
    FILE *f = fopen(path, "r");
    unsigned wrong = 0;
    char text[1024];
    for (unsigned line = 1; f && fgets(text, sizeof text, f); line++) {
        struct insn_case c;
        const char *why;
        if (insn_case_parse(&c, path, line, text, &why) <= 0)
            continue;
        if (!count(&c, tests) && c.after.outcome != OUT_UNDEFINED) {
            printf("%s:%u: no instruction of row '%s' on the line\n", path, line, c.stem);
            wrong++;
        }
    }
    if (f)
        fclose(f);
    return wrong;
}

int main(int argc, char **argv)
{
    static const char *const sets[] = {"A32", "T16", "T32"};
    unsigned *tests = calloc(arm_nrows, sizeof *tests), failed = 0, passed = 0;
    if (!tests)
        return 1;
    for (int i = 1; i < argc; i++)
        failed += read_file(argv[i], tests);
    for (unsigned i = 0; i < arm_nrows; i++) {
        if (tests[i]) {
            passed++;
            continue;
        }
        printf("no test: %s %s %s\n", sets[arm_rows[i].set], arm_rows[i].name, arm_rows[i].pattern);
        failed++;
    }
    printf("%u passed, %u failed\n", passed, failed);
    free(tests);
    return failed != 0;
}
