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
