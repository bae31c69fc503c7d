/* Frames come and go: a block looks at 2 * RADIUS + 1 of them. */
#define SPAN (2 * RADIUS + 1)

static struct {
    float frame[SPAN][WIDTH], key[SPAN][WIDTH], value[SPAN][WIDTH];
} nearby;

static void forget_oldest(float rows[SPAN][WIDTH])
{
    for (int i = 0; i < SPAN - 1; i++)
        for (int c = 0; c < WIDTH; c++)
            rows[i][c] = rows[i + 1][c];
}

static void remember_frame(int t, int count)
{
    float feats[FEATURES], x[WIDTH];
    forget_oldest(nearby.frame);
    forget_oldest(nearby.key);
    forget_oldest(nearby.value);
    if (t >= count)
        return;
    features(t, count, feats);
    linear(&front, feats, x);
    layer_norm(&stage_norm, x, nearby.frame[SPAN - 1]);
    linear(&to_key[0], nearby.frame[SPAN - 1], nearby.key[SPAN - 1]);
    linear(&to_value[0], nearby.frame[SPAN - 1], nearby.value[SPAN - 1]);
}

/* norm(x + attention(x)), then norm(x + feed_forward(x)), of frame t. */
static void transform(int t, int count, float out[WIDTH])
{
    float q[WIDTH], y[WIDTH], x[WIDTH];
    int from = t < RADIUS ? RADIUS - t : 0;
    int to = count - t <= RADIUS ? RADIUS + count - t : SPAN;
    linear(&to_query[0], nearby.frame[RADIUS], q);
    attend_to(q, (const float(*)[WIDTH])nearby.key + from,
              (const float(*)[WIDTH])nearby.value + from, to - from, y);
    for (int c = 0; c < WIDTH; c++)
        x[c] = nearby.frame[RADIUS][c] + product(&project[0], c, y);
    layer_norm(&attention_norm[0], x, y);
    feed_forward(NULL, &linear1[0], &linear2[0], 1.0f, y);
    layer_norm(&feed_forward_norm[0], y, out);
}

/* Mean hidden frame of the first `count` frames of the view. */
static void embed(int count, float embedding[WIDTH])
{
    float x[WIDTH];
    for (int c = 0; c < WIDTH; c++)
        embedding[c] = 0.0f;
    for (int t = 0; t < count + RADIUS; t++) {
        remember_frame(t, count);
        if (t < RADIUS)
            continue;
        transform(t - RADIUS, count, x);
        for (int c = 0; c < WIDTH; c++)
            embedding[c] += x[c] / (float)count;
    }
}
