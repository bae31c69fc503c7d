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
