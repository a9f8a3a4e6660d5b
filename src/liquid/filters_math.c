#include "filters.h"

#include <float.h>
#include <math.h>

/* +v || 0 */
static double number_of(struct render *r, struct jv v)
{
    double number = render_js_number(r, v);
    return isnan(number) || number == 0 ? 0 : number; /* -0 is falsy too */
}

/* The value as a number. The reference converts every argument, used or not, and one of them may
 * throw. */
static double subject(struct render *r, struct jv v, struct arguments args)
{
    for (uint32_t i = 0; i < args.count; i++)
        (void)number_of(r, args.items[i]);
    return number_of(r, v);
}

/* An argument that is not given is not a number, one that is given always is. */
static double argument_number(struct render *r, struct arguments args, uint32_t index)
{
    return index < args.count ? number_of(r, args.items[index]) : NAN;
}

struct jv filter_abs(struct render *r, struct jv v, struct arguments args)
{
    return jv_number(fabs(subject(r, v, args)));
}

struct jv filter_ceil(struct render *r, struct jv v, struct arguments args)
{
    return jv_number(ceil(subject(r, v, args)));
}

struct jv filter_floor(struct render *r, struct jv v, struct arguments args)
{
    return jv_number(floor(subject(r, v, args)));
}

struct jv filter_at_least(struct render *r, struct jv v, struct arguments args)
{
    double most = subject(r, v, args);
    for (uint32_t i = 0; i < args.count; i++)
        most = fmax(most, number_of(r, args.items[i]));
    return jv_number(most);
}

struct jv filter_at_most(struct render *r, struct jv v, struct arguments args)
{
    double least = subject(r, v, args);
    for (uint32_t i = 0; i < args.count; i++)
        least = fmin(least, number_of(r, args.items[i]));
    return jv_number(least);
}

struct jv filter_plus(struct render *r, struct jv v, struct arguments args)
{
    return jv_number(subject(r, v, args) + argument_number(r, args, 0));
}

struct jv filter_minus(struct render *r, struct jv v, struct arguments args)
{
    return jv_number(subject(r, v, args) - argument_number(r, args, 0));
}

struct jv filter_times(struct render *r, struct jv v, struct arguments args)
{
    return jv_number(subject(r, v, args) * argument_number(r, args, 0));
}

struct jv filter_divided_by(struct render *r, struct jv v, struct arguments args)
{
    double quotient = subject(r, v, args) / argument_number(r, args, 0);
    bool is_whole = args.count > 1 && number_of(r, args.items[1]) != 0;
    return jv_number(is_whole ? floor(quotient) : quotient);
}

/* The remainder takes the divisor's sign. */
struct jv filter_modulo(struct render *r, struct jv v, struct arguments args)
{
    double divisor = argument_number(r, args, 0);
    return jv_number(fmod(fmod(subject(r, v, args), divisor) + divisor, divisor));
}

struct jv filter_round(struct render *r, struct jv v, struct arguments args)
{
    double places =
        args.count > 0 && args.items[0].type != JV_UNDEFINED ? number_of(r, args.items[0]) : 0;
    double scale = pow(10, places);
    double scaled = number_of(r, v) * scale * (1 + DBL_EPSILON);
    double rounded = floor(scaled);
    if (scaled - rounded >= 0.5)
        rounded += 1;
    return jv_number(rounded / scale);
}

struct jv filter_to_integer(struct render *r, struct jv v, struct arguments args)
{
    (void)args;
    return jv_number(render_js_number(r, v));
}
