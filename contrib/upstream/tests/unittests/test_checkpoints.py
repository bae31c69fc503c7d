class _Killed(Exception):
    """What ends a process while it writes."""


def test_unfinished_checkpoint_is_no_checkpoint(tmpdir):
    import pytest
    import torch

    from speechbrain.utils.checkpoints import Checkpointer

    model = torch.nn.Linear(2, 1)
    checkpointer = Checkpointer(tmpdir, {"model": model})
    whole = checkpointer.save_checkpoint(name="whole")
    assert whole.path.name == "CKPT+whole"
    assert whole.paramfiles["model"].exists()

    def stop(obj, path):
        """Fails as a full disk does, in the middle of a file."""
        path.write_bytes(b"half")
        raise _Killed

    checkpointer.add_recoverable("last", model, custom_save_hook=stop)
    with pytest.raises(_Killed):
        checkpointer.save_checkpoint(name="half")
    assert [x.path.name for x in checkpointer.list_checkpoints()] == [
        "CKPT+whole"
    ]

    # What was left behind is in nobody's way
    checkpointer.add_recoverable("last", torch.nn.Linear(1, 1))
    checkpointer.custom_save_hooks.clear()
    again = checkpointer.save_checkpoint(name="half")
    assert sorted(x.name for x in checkpointer.checkpoints_dir.iterdir()) == [
        "CKPT+half",
        "CKPT+whole",
    ]
    assert sorted(x.name for x in again.path.iterdir()) == [
        "CKPT.yaml",
        "last.ckpt",
        "model.ckpt",
    ]

    # A name that was used before
    with torch.no_grad():
        model.weight.fill_(7.0)
    again = checkpointer.save_checkpoint(name="half")
    saved = torch.load(again.paramfiles["model"])
    assert (saved["weight"] == 7.0).all()
