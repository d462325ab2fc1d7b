/* Loops over elements, for the functions of the vector rows. */
#ifndef IR_VEC_LANES_H
#define IR_VEC_LANES_H

#include "ir/vec.h"

#define VEC_OP(name, operands, how, encoding) vec_fn vec_##name;
#include "ir/vec.inc"

/* Elements of field F in the operation's type, and in 128 bits. */
#define COUNT(k, f)    ((k)->size / (unsigned)sizeof((k)->d->f[0]))
#define PER_LANE(k, f) (16u / (unsigned)sizeof((k)->d->f[0]))

/* d.F[n] = EXPR of a, b: the elements n of field F. */
#define EACH2(name, f, expr)                                                                       \
    void vec_##name(const struct vec_args *k)                                                      \
    {                                                                                              \
        for (unsigned n = 0; n < COUNT(k, f); n++) {                                               \
            __typeof__(k->d->f[0]) a = k->a->f[n], b = k->b->f[n];                                 \
            k->d->f[n] = (__typeof__(a))(expr);                                                    \
        }                                                                                          \
    }
#define EACH1(name, f, expr)                                                                       \
    void vec_##name(const struct vec_args *k)                                                      \
    {                                                                                              \
        for (unsigned n = 0; n < COUNT(k, f); n++) {                                               \
            __typeof__(k->d->f[0]) a = k->a->f[n];                                                 \
            k->d->f[n] = (__typeof__(a))(expr);                                                    \
        }                                                                                          \
    }
/* d.OUT[n] = EXPR for each n within each 128 bits, where OF(k->a, F, i) is element i of field F of
 * an operand there. */
#define EACH_LANE(name, out, expr)                                                                 \
    void vec_##name(const struct vec_args *k)                                                      \
    {                                                                                              \
        for (unsigned lane = 0; lane < k->size / 16; lane++)                                       \
            for (unsigned n = 0; n < PER_LANE(k, out); n++)                                        \
                k->d->out[lane * PER_LANE(k, out) + n] = (__typeof__(k->d->out[0]))(expr);         \
    }
#define OF(x, f, i) ((x)->f[lane * PER_LANE(k, f) + (unsigned)(i)])
/* Element I of those of a and then of b in the lane. */
#define JOINED(f, i) ((i) < PER_LANE(k, f) ? OF(k->a, f, i) : OF(k->b, f, (i)-PER_LANE(k, f)))

static inline int32_t clamp(int32_t x, int32_t low, int32_t high)
{
    return x < low ? low : x > high ? high : x;
}

#endif
