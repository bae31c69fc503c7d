"""A batch that stays where it is while its content changes.

Authors
 * The speechbrain_hrf authors 2026
"""

import torch
from speechbrain.dataio.batch import PaddedBatch, PaddedData


class StaticBatch(PaddedBatch):
    """A batch whose tensors keep their places, where a graph finds them.

    Arguments
    ---------
    batch : PaddedBatch
        Gives the shapes.
    device : str

    Example
    -------
    >>> batches = [
    ...     PaddedBatch([{"id": str(k), "x": torch.tensor([k])}]) for k in (1, 2)
    ... ]
    >>> static = StaticBatch(batches[0], "cpu")
    >>> static.load(batches[1])
    >>> static.x.data, static.asked_for
    (tensor([[2]]), set())
    >>> static.id, static.asked_for
    (['2'], {'id'})
    """

    def __init__(self, batch: PaddedBatch, device: str):
        others = {k: v for k, v in vars(batch).items() if k[0] == "_"}
        vars(self).update(others)  # what PaddedBatch's own methods need
        self.asked_for = set()  # names of entries that are no tensors
        self._places = {
            name: PaddedData(*(t.to(device, copy=True) for t in value))
            if isinstance(value, PaddedData)
            else value.to(device, copy=True)
            for name, value in _tensors(batch)
        }
        self.load(batch)

    def load(self, batch: PaddedBatch) -> None:
        """Copies a batch of the same shapes into place.

        Arguments
        ---------
        batch : PaddedBatch
        """
        self._source = batch
        for name, value in _tensors(batch):
            place = self._places[name]
            setattr(self, name, place)  # a step may have put another there
            if isinstance(value, torch.Tensor):
                place, value = [place], [value]
            for to, tensor in zip(place, value, strict=True):
                to.copy_(tensor, non_blocking=True)

    def __getattr__(self, name):
        value = getattr(vars(self)["_source"], name)
        self.asked_for.add(name)
        return value


def shapes(batch: PaddedBatch) -> tuple:
    """Names, shapes and types of a batch's tensors.

    Arguments
    ---------
    batch : PaddedBatch

    Returns
    -------
    tuple of (str, torch.Size, torch.dtype)

    Example
    -------
    >>> shapes(PaddedBatch([{"id": "a", "x": torch.ones(3)}]))[0]
    ('x', torch.Size([1, 3]), torch.float32)
    """
    return tuple(
        (name, tensor.shape, tensor.dtype)
        for name, value in _tensors(batch)
        for tensor in (value if isinstance(value, PaddedData) else [value])
    )


def _tensors(batch):
    kinds = (torch.Tensor, PaddedData)
    return [(k, v) for k, v in vars(batch).items() if isinstance(v, kinds)]
