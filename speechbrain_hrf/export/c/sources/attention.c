/* Softmax over scores, and the mean of the values that they weigh. */
static void attend(float *scores, int n, const float (*value)[WIDTH], int head,
                   float out[WIDTH])
{
    float most = scores[0], total = 0.0f;
    for (int j = 1; j < n; j++)
        most = scores[j] > most ? scores[j] : most;
    for (int c = head * HEAD_WIDTH; c < (head + 1) * HEAD_WIDTH; c++)
        out[c] = 0.0f;
    for (int j = 0; j < n; j++) {
        float weight = expf(scores[j] - most);
        total += weight;
        for (int c = head * HEAD_WIDTH; c < (head + 1) * HEAD_WIDTH; c++)
            out[c] += weight * value[j][c];
    }
    for (int c = head * HEAD_WIDTH; c < (head + 1) * HEAD_WIDTH; c++)
        out[c] /= total;
}

/* Attention of one query to n keys. */
static void attend_to(const float query[WIDTH], const float (*key)[WIDTH],
                      const float (*value)[WIDTH], int n, float out[WIDTH])
{
    float scores[MAX_KEYS];
    for (int head = 0; head < HEADS; head++) {
        int c = head * HEAD_WIDTH;
        for (int j = 0; j < n; j++)
            scores[j] = dot(query + c, key[j] + c, HEAD_WIDTH) * HEAD_SCALE;
        attend(scores, n, value, head, out);
    }
}
