/* Layers: everything is a product of a row of weights with values that lie
 * side by side. */

#ifdef HRF_INT8
typedef int8_t weight_type;
#else
typedef float weight_type;
#endif

typedef struct {
    const weight_type *weight; /* [outputs][inputs] */
    const float *scale;        /* of each row, for int8 */
    const float *bias;
    int inputs, outputs;
} layer;

typedef struct {
    const float *weight, *bias;
    float epsilon;
} norm;

static float dot(const float *a, const float *b, int n)
{
    float sum = 0.0f;
    for (; n >= 4; n -= 4, a += 4, b += 4)
        sum += a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
    for (; n > 0; n--)
        sum += *a++ * *b++;
    return sum;
}

#ifdef HRF_INT8
static float dot_weight(const int8_t *a, const float *b, int n)
{
    float sum = 0.0f;
    for (; n > 0; n--)
        sum += (float)*a++ * *b++;
    return sum;
}
#else
#define dot_weight dot
#endif

static float scaled(const layer *l, int row, float sum)
{
#ifdef HRF_INT8
    sum *= l->scale[row];
#endif
    return l->bias[row] + sum;
}

static float product(const layer *l, int row, const float *x)
{
    return scaled(l, row, dot_weight(l->weight + row * l->inputs, x, l->inputs));
}

static void linear(const layer *l, const float *x, float *y)
{
    for (int row = 0; row < l->outputs; row++)
        y[row] = product(l, row, x);
}

static void layer_norm(const norm *n, const float *x, float *y)
{
    float mean = 0.0f, variance = 0.0f;
    for (int i = 0; i < WIDTH; i++)
        mean += x[i] / WIDTH;
    for (int i = 0; i < WIDTH; i++)
        variance += (x[i] - mean) * (x[i] - mean) / WIDTH;
    float scale = 1.0f / sqrtf(variance + n->epsilon);
    for (int i = 0; i < WIDTH; i++)
        y[i] = (x[i] - mean) * scale * n->weight[i] + n->bias[i];
}

/* x += share * linear2(activation(linear1(norm(x)))); norm may be NULL. */
static void feed_forward(const norm *n, const layer *first,
                         const layer *second, float share, float *x)
{
    float input[WIDTH], hidden[FFN_WIDTH];
    if (n)
        layer_norm(n, x, input);
    linear(first, n ? input : x, hidden);
    for (int i = 0; i < FFN_WIDTH; i++)
        hidden[i] = ffn_activation(hidden[i]);
    for (int i = 0; i < WIDTH; i++)
        x[i] += share * product(second, i, hidden);
}
