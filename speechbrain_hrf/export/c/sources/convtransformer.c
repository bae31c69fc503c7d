/* x + attention(norm(x)), then x + feed_forward(norm(x)). */
static void transform(int block, int n)
{
    float x[WIDTH], y[WIDTH], z[WIDTH];
    for (int t = 0; t < n; t++) {
        layer_norm(&attention_norm[block], hidden[t], x);
        linear(&to_key[block], x, scratch.attention.key[t]);
        linear(&to_value[block], x, scratch.attention.value[t]);
    }
    for (int t = 0; t < n; t++) {
        layer_norm(&attention_norm[block], hidden[t], x);
        linear(&to_query[block], x, y);
        attend_to(y, (const float(*)[WIDTH])scratch.attention.key,
                  (const float(*)[WIDTH])scratch.attention.value, n, z);
        for (int c = 0; c < WIDTH; c++)
            hidden[t][c] += product(&project[block], c, z);
        feed_forward(&feed_forward_norm[block], &linear1[block],
                     &linear2[block], 1.0f, hidden[t]);
    }
}

/* Mean hidden frame of the first `count` frames of the view. */
static void embed(int count, float embedding[WIDTH])
{
    int n = front_end(count);
    for (int t = 0; t < n; t++)
        for (int c = 0; c < WIDTH; c++)
            hidden[t][c] += positions[t][c];
    for (int block = 0; block < BLOCKS; block++)
        transform(block, n);
    mean_of_hidden(n, embedding);
}
