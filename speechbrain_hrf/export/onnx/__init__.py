"""The model as ONNX, with the front end inside and without.

``speechbrain_hrf.export.export_pretrained(..., onnx=True)`` writes it; this
folder makes, verifies and measures the graphs. It needs the extra ``onnx``,
so nothing of it is imported before it is asked for.

Authors
 * The speechbrain_hrf authors 2026
"""
