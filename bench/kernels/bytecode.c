/* A bytecode interpreter with a switch: unpredictable indirect jumps. */
#include "kernel.h"

enum { PUSH, ADD, SUB, MUL, XOR, DUP, SWAP, SHR, DROP, JNZ, HALT };
const unsigned kernel_reps = 4000;

static uint32_t run(const int8_t *code, uint32_t n)
{
    uint32_t stack[16], *sp = stack, acc = 1;
    const int8_t *pc = code;
    *sp = n;
    for (;;) {
        switch (*pc++) {
        case PUSH: *++sp = (uint32_t)*pc++; break;
        case ADD: sp--; sp[0] += sp[1]; break;
        case SUB: sp--; sp[0] -= sp[1]; break;
        case MUL: acc = acc * 33 + sp[0]; break;
        case XOR: acc ^= sp[0]; break;
        case DUP: sp[1] = sp[0]; sp++; break;
        case SWAP: { uint32_t t = sp[0]; sp[0] = sp[-1]; sp[-1] = t; } break;
        case SHR: sp[0] >>= 1; break;
        case DROP: sp--; break;
        case JNZ: { int8_t off = *pc++; if (sp[0]) pc += off; } break;
        default: return acc;
        }
    }
}

uint64_t kernel(unsigned reps)
{
    /* The counter is on the stack; a round mixes it into the accumulator and counts down. */
    static const int8_t loop[] = {MUL, DUP, SHR, XOR, PUSH, 7, ADD, MUL, SWAP, SWAP, DROP, PUSH, 1, SUB, JNZ, -16, HALT};
    uint64_t sum = 0;
    for (unsigned r = 0; r < reps; r++)
        sum += run(loop, 1000 + (r & 15));
    return sum;
}
