/* Planetary motion in double precision. */
#include "kernel.h"
#include <math.h>
#include <string.h>

const unsigned kernel_reps = 600000;

struct body {
    double x[3], v[3], mass;
};

static struct body bodies[5] = {
    {{0, 0, 0}, {0, 0, 0}, 39.47841760435743},
    {{4.84143144246472090, -1.16032004402742839, -0.10362204447112311}, {0.60632639299583202, 2.81198684491626020, -0.02521836165988763}, 0.03769367487038949},
    {{8.34336671824457987, 4.12479856412430479, -0.40352341711432138}, {-1.01077434617879236, 1.82566237123041186, 0.00841576137658415}, 0.01128632613196877},
    {{12.89436956213913100, -15.11115140169863120, -0.22330757889265573}, {1.08279100644153536, 0.86871301816960822, -0.01083263740136364}, 0.00172372405705971},
    {{15.37969711485091650, -25.91931460998796410, 0.17925877295037118}, {0.97909073224389798, 0.59469899864767617, -0.03475595555078104}, 0.00203368686992463},
};

static void advance(double dt)
{
    for (unsigned i = 0; i < 5; i++)
        for (unsigned j = i + 1; j < 5; j++) {
            struct body *a = &bodies[i], *b = &bodies[j];
            double dx = a->x[0] - b->x[0], dy = a->x[1] - b->x[1], dz = a->x[2] - b->x[2];
            double d2 = dx * dx + dy * dy + dz * dz, mag = dt / (d2 * sqrt(d2));
            a->v[0] -= dx * b->mass * mag, a->v[1] -= dy * b->mass * mag, a->v[2] -= dz * b->mass * mag;
            b->v[0] += dx * a->mass * mag, b->v[1] += dy * a->mass * mag, b->v[2] += dz * a->mass * mag;
        }
    for (unsigned i = 0; i < 5; i++)
        for (unsigned k = 0; k < 3; k++)
            bodies[i].x[k] += dt * bodies[i].v[k];
}

uint64_t kernel(unsigned reps)
{
    uint64_t bits;
    for (unsigned r = 0; r < reps; r++)
        advance(0.001);
    memcpy(&bits, &bodies[1].x[0], sizeof bits);
    return bits;
}
