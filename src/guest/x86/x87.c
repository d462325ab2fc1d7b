/* The x87 state as a whole, and its exceptions. */
#include "guest/x86/x87.h"

#include <string.h>

enum { CONTROL_BITS = 0x1f3f, CONTROL_ONE = 0x40 };

void x87_update(struct x86_state *s)
{
    s->fpsw &= (uint16_t) ~(X87_ES | X87_B);
    s->mode &= ~(uint32_t)X86_KEY_MF;
    if (x87_pending(s)) {
        s->fpsw |= X87_ES | X87_B;
        s->mode |= X86_KEY_MF;
    }
}

void x87_set_control(struct x86_state *s, unsigned cw)
{
    s->fpcw = (uint16_t)((cw & CONTROL_BITS) | CONTROL_ONE);
    x87_update(s);
}

void x87_set_status(struct x86_state *s, unsigned sw)
{
    s->fpsw = (uint16_t)sw;
    x87_update(s);
}

void x87_init(struct x86_state *s)
{
    s->fpcw = X87_CONTROL_INIT;
    s->fpsw = 0;
    s->fptag = 0;
    s->fpop = 0;
    s->fpip = s->fpdp = 0;
    s->fpcs = s->fpds = 0;
    x87_update(s);
}

uint16_t x87_tag_word(const struct x86_state *s)
{
    uint16_t tags = 0;
    for (unsigned n = 0; n < 8; n++) {
        uint64_t mantissa;
        uint16_t exponent;
        unsigned tag = 0;
        memcpy(&mantissa, s->fpr[n], 8);
        memcpy(&exponent, s->fpr[n] + 8, 2);
        exponent &= 0x7fff;
        if (!(s->fptag >> n & 1))
            tag = 3;
        else if (exponent == 0 && mantissa == 0)
            tag = 1;
        else if (exponent == 0 || exponent == 0x7fff || !(mantissa >> 63))
            tag = 2;
        tags |= (uint16_t)(tag << 2 * n);
    }
    return tags;
}

uint16_t x87_tags(unsigned tag_word)
{
    uint16_t tags = 0;
    for (unsigned n = 0; n < 8; n++)
        if ((tag_word >> 2 * n & 3) != 3)
            tags |= (uint16_t)(1u << n);
    return tags;
}

void x87_to_image(const struct x86_state *s, struct x87_image *image)
{
    unsigned top = s->fpsw >> 11 & 7;
    *image = (struct x87_image){.cw = x87_control_word(s), .sw = s->fpsw, .tw = 0};
    for (unsigned n = 0; n < 8; n++) {
        memcpy(image->st[n], s->fpr[(top + n) & 7], 10);
        if (!(s->fptag >> n & 1))
            image->tw |= 3u << 2 * n;
    }
}

void x87_from_image(struct x86_state *s, const struct x87_image *image)
{
    x87_set_status(s, image->sw);
    s->fptag = x87_tags(image->tw);
    for (unsigned n = 0; n < 8; n++)
        memcpy(x87_st(s, n), image->st[n], 10);
}
