/* Two convolutions over time and features, row by row: only the three rows
 * that a kernel sees are kept. */

#define BANDS1 ((FEATURES - 3) / 2 + 1)
#define BANDS2 ((BANDS1 - 3) / 2 + 1)
#define SEEN 7 /* frames that one hidden frame sees */

static float hidden[MAX_HIDDEN][WIDTH];

/* What lives at different times shares its memory. */
static union {
    struct {
        float features[3][FEATURES], first[3][BANDS1 * WIDTH];
        float second[BANDS2 * WIDTH];
    } rows;
    struct {
        float key[MAX_HIDDEN][WIDTH], value[MAX_HIDDEN][WIDTH];
    } attention;
    float gated[MAX_HIDDEN][WIDTH];
} scratch;

/* One row of a convolution of 3 x 3 with stride 2, of rows[0] to rows[2] whose
 * number is `top` and more, each with `channels` per band; then ReLU. */
static void convolve(const layer *l, const float *rows, int length, int top,
                     int channels, int bands, float *out)
{
    int n = 3 * channels;
    for (int band = 0; band < bands; band++) {
        for (int c = 0; c < WIDTH; c++) {
            const weight_type *weight = l->weight + 3 * n * c;
            float sum = 0.0f;
            for (int k = 0; k < 3; k++) {
                const float *row = rows + (top + k) % 3 * length;
                sum += dot_weight(weight + n * k,
                                  row + 2 * band * channels, n);
            }
            sum = scaled(l, c, sum);
            *out++ = sum > 0.0f ? sum : 0.0f;
        }
    }
}

/* Makes `hidden` of the first `count` frames of the view; gives how many. */
static int front_end(int count)
{
    int made = count < SEEN ? 1 : ((count - 3) / 2 - 2) / 2 + 1;
    int t = 0, row = 0; /* of the features, of the first convolution */
    for (int i = 0; i < made; i++) {
        for (; row <= 2 * i + 2; row++) {
            for (; t <= 2 * row + 2; t++)
                features(t, count, scratch.rows.features[t % 3]);
            convolve(&conv1, scratch.rows.features[0], FEATURES, 2 * row, 1,
                     BANDS1, scratch.rows.first[row % 3]);
        }
        convolve(&conv2, scratch.rows.first[0], BANDS1 * WIDTH, 2 * i, WIDTH,
                 BANDS2, scratch.rows.second);
        linear(&front, scratch.rows.second, hidden[i]);
    }
    return made;
}

static void mean_of_hidden(int n, float embedding[WIDTH])
{
    for (int c = 0; c < WIDTH; c++) {
        float sum = 0.0f;
        for (int t = 0; t < n; t++)
            sum += hidden[t][c];
        embedding[c] = sum / (float)n;
    }
}
