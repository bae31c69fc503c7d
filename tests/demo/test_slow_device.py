"""A device that cannot keep up, or a model that fails, while one listens.

Neither can be had from a real model here: one that only waits stands in.

Authors
 * The speechbrain_hrf authors 2026
"""

import pytest

# Ten seconds at once, to a model that needs some time for each window.
PUSH = """async (pushes) => {
  const { Stream } = await import(new URL("stream.js", document.baseURI));
  const told = [];
  const model = {
    manifest: {sample_rate: 1000, labels: ["a", "b"],
               window: {samples: 2000, hop_samples: 1000}},
    run: async (samples) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (pushes < 0) throw new Error("no memory");
      return {logProbabilities: [-0.1, -2.4], milliseconds: 20};
    },
  };
  const stream = new Stream(model, 1000, (result) => told.push(result.stop));
  let error = null;
  stream.onError = (reason) => (error = reason.message);
  for (let i = 0; i < Math.abs(pushes); i++) stream.push(new Float32Array(10000));
  const thrown = await stream.finish().catch((reason) => reason.message);
  return [told, stream.leftOut, error, thrown ?? null];
}"""


@pytest.mark.parametrize("pushes", [1, 5])
def test_windows_are_left_out_and_counted(page, pushes):
    """The newest ones stay; nothing piles up."""
    told, left_out, error, thrown = page.evaluate(PUSH, pushes)
    assert len(told) + left_out == 10 * pushes
    assert told == sorted(told)
    assert told[-4:] == [10 * pushes - n for n in (3, 2, 1, 0)]
    assert 4 <= len(told) <= 4 + pushes
    assert (error, thrown) == (None, None)


def test_a_failure_is_told_at_once(page):
    """Not only when the reader stops."""
    told, _, error, thrown = page.evaluate(PUSH, -1)
    assert (told, error, thrown) == ([], "no memory", "no memory")
